"""What goes wrong around a real guest: each time exit 3 or the right verdict, one clear line, nothing left behind.

Skipped where no guest was built.  DNH_LONG=1 adds the slow ones (boots that fail, a guest that reboots).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from harness.errors import MachineryError
from harness.guest import console as consoles
from harness.guest import qemu
from harness.guest.base import GuestConfig
from harness.guest.console import BootFailed, GuestRebooted, KernelStopped
from harness.kernel import store

ROOT = Path(__file__).resolve().parents[2]
BUILT = [i for i in store.list_images() if i.identity.source == "built" and not i.identity.patches]
IMAGE = next((i for i in BUILT if i.identity.flavour == "debug" and i.identity.release.startswith("15")), None)
LONG = pytest.mark.skipif(not os.environ.get("DNH_LONG"), reason="a boot or two: DNH_LONG=1")

pytestmark = [
    pytest.mark.guest,
    pytest.mark.skipif(IMAGE is None, reason="no debug guest of 15 was built here"),
    pytest.mark.skipif(not shutil.which("qemu-system-x86_64"), reason="no QEMU"),
    pytest.mark.timeout(600),
]


def start(tmp: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    assert IMAGE is not None
    (tmp / "t").mkdir(exist_ok=True)
    command = [sys.executable, "-m", "harness", "run", "scenarios/dummynet/loss.yaml", "--set", "plr=0.1"]
    command += ["--set", "flows.probe.for=1s"]
    return subprocess.Popen(
        [*command, "--guest", f"qemu:{IMAGE.name}", "--out", str(tmp / "runs"), *words], cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp / "t"), **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def machines(process: subprocess.Popen[str]) -> list[psutil.Process]:
    try:
        return [p for p in psutil.Process(process.pid).children(recursive=True) if p.name().startswith("qemu-system")]
    except psutil.NoSuchProcess:
        return []


def ended(process: subprocess.Popen[str], tmp: Path, says: str) -> None:
    said = process.communicate(timeout=240)[0]
    assert process.returncode == 3, said
    assert says in " ".join(said.split()), said
    assert "Traceback" not in said
    assert not list((tmp / "t").glob("dnh-*"))


def test_qemu_killed_in_the_middle(tmp_path: Path) -> None:
    process = start(tmp_path)
    end = time.monotonic() + 120
    while not list(tmp_path.glob("runs/*/console.log")) and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(2)
    found = machines(process)
    assert found
    for machine in found:
        machine.kill()
    ended(process, tmp_path, "was killed by SIGKILL")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
@pytest.mark.parametrize("what", ["guest", "runs"])
def test_disk_full(tmp_path: Path, what: str) -> None:
    small = tmp_path / ("t" if what == "guest" else "runs")
    small.mkdir()
    size = "8m" if what == "guest" else "16k"
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(small)], check=False).returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        ended(start(tmp_path, *(["--cold"] if what == "guest" else [])), tmp_path, "No space left on device")
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


def guest(tmp: Path, disk: Path | None = None, **config: object) -> qemu.QemuGuest:
    assert IMAGE is not None
    image = IMAGE if disk is None else replace(IMAGE, disk=disk, disk_format="raw")
    return qemu.QemuGuest(GuestConfig(folder=tmp, clock="wall", **config), image, cold=True)  # type: ignore[arg-type]


def test_a_console_of_nothing_but_garbage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "qemu"
    fake.write_text(
        "#!/usr/bin/env python3\nimport os, socket, sys, time\n"
        "s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[sys.argv.index('-qmp') + 1].split(':')[1].split(',')[0]); s.listen()\n"
        "c, _ = s.accept()\n"
        "c.sendall(b'{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 2, \"major\": 7}, \"package\": \"\"}, \"capabilities\": []}}\\n')\n"
        "c.recv(999); c.sendall(b'{\"return\": {}, \"id\": \"__qmp#00000\"}\\n')\n"
        "while True: os.write(1, os.urandom(64)); time.sleep(0.05)\n"
    )
    fake.chmod(0o755)
    it = guest(tmp_path)
    it._qemu = str(fake)
    monkeypatch.setattr(consoles, "LOADER_LIMIT", 3.0)
    began = time.monotonic()
    with pytest.raises(MachineryError, match="does not come up: no kernel within"):
        it.boot()
    assert time.monotonic() - began < 40
    it.kill()
    assert not it._work.exists()


@LONG
@pytest.mark.parametrize("what", ["disk", "kernel"])
def test_early_boot_failure(tmp_path: Path, what: str) -> None:
    assert IMAGE is not None
    disk = tmp_path / "disk.img"
    subprocess.run(["cp", "--sparse=always", str(IMAGE.disk), str(disk)], check=True)
    data = disk.read_bytes()
    with open(disk, "r+b") as f:
        if what == "disk":
            f.write(bytes(1 << 20))
        else:  # every ELF executable's header that is FreeBSD's and static: the kernel's among them
            at = data.find(b"\x7fELF\x02\x01\x01\x09")
            while at >= 0:
                f.seek(at)
                f.write(b"garbage!")
                at = data.find(b"\x7fELF\x02\x01\x01\x09", at + 8)
    it = guest(tmp_path, disk)
    try:
        with pytest.raises(BootFailed, match="does not come up"):
            it.boot()
    finally:
        it.kill()


@LONG
@pytest.mark.parametrize("command", ["reboot -qn", "reboot"])
def test_a_guest_that_reboots(tmp_path: Path, command: str) -> None:
    it = guest(tmp_path)
    try:
        it.boot()
        with pytest.raises(GuestRebooted):
            it.console.run(command, timeout=30.0)
    finally:
        it.kill()


@LONG
def test_a_panic_on_the_way_up_boots_again_until_it_is_the_kernels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = guest(tmp_path)
    once, panics = it._boot_once, [True, False]

    def boot_once() -> None:
        once()
        if panics.pop(0):
            it.console.run("sysctl debug.kdb.panic=1", timeout=30.0)

    monkeypatch.setattr(it, "_boot_once", boot_once)
    try:
        it.boot()
        assert len(it.notes) == 1 and "kdb_sysctl_panic" in it.notes[0] and "booted again" in it.notes[0]
        assert (tmp_path / "console.boot1.log").exists()
        it.kill(keep_work=True)
        (tmp_path / "console.log").unlink()  # each run has a folder of its own
        panics += [True] * qemu.BOOTS
        with pytest.raises(KernelStopped):
            it.boot()
        assert f"{qemu.BOOTS} of {qemu.BOOTS} boots" in it.notes[-1] and not panics
    finally:
        it.kill()
