"""Guests that were built here boot to a shell, with the tunables of the run; skipped where there are none."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pexpect
import pytest

from harness.guest.qemu import BOOTS
from harness.kernel import image, store

BUILT = [i for i in store.list_images() if i.identity.source == "built" and not i.identity.patches]

pytestmark = [
    pytest.mark.guest,
    pytest.mark.skipif(not BUILT, reason="no guest was built here"),
    pytest.mark.skipif(not shutil.which("qemu-system-x86_64"), reason="no QEMU"),
]


def boot(words: str) -> pexpect.spawn[str]:
    """A console at its first prompt. 13.2 can panic at boot by a race of its own: it is given the boots of a run."""
    for _ in range(BOOTS):
        console = pexpect.spawn("qemu-system-x86_64", words.split(), encoding="utf-8", timeout=90, echo=False)
        try:
            panicked = console.expect(["\r\n# ", "db> "])
        except pexpect.ExceptionPexpect:
            console.close(force=True)
            raise
        if not panicked:
            return console
        console.close(force=True)
    pytest.fail(f"{BOOTS} boots ended in the debugger, the last one so:\n{console.before}")


@pytest.mark.parametrize("guest", BUILT[:4], ids=lambda i: i.name)
def test_boots_to_a_shell_with_tunables(guest: store.Image, tmp_path: Path) -> None:
    assert guest.tunables_offset is not None
    overlay, text = tmp_path / "overlay.qcow2", tmp_path / "tunables"
    text.write_bytes(image.tunables_text({"kern.hz": "250"}))
    create = f"qemu-img create -q -f qcow2 -b {guest.disk} -F {guest.disk_format} {overlay}"
    subprocess.run(create.split(), check=True)
    write = f"write -q -s {text} {guest.tunables_offset} {image.TUNABLES_SIZE}"
    subprocess.run(["qemu-io", "-f", "qcow2", "-c", write, str(overlay)], check=True)
    words = "-machine q35,usb=off -accel tcg -cpu max -m 512 -smp 2 -nodefaults -nographic -no-reboot"
    words += f" -serial stdio -drive file={overlay},if=none,id=d,format=qcow2 -device virtio-blk-pci,drive=d"
    console = boot(words)
    try:
        console.sendline("sysctl -n kern.hz; uname -ri; ls /usr/bin/dngen; echo end=$?")
        console.expect(r"end=\d")
        assert "250" in console.before.split()
        assert guest.identity.ident in console.before
        assert guest.identity.release in console.before
        console.sendline("shutdown -p now")
        console.expect(pexpect.EOF)
    finally:
        console.close(force=True)
