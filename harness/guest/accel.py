"""Which accelerator QEMU can really use here: found out by trying it, not by looking at /dev/kvm.

A /dev/kvm that opens may still be unable to run a guest (nested virtualization without all that FreeBSD
needs): such a guest dies in its first instants.  What a trial showed is kept for a day.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.paths import cache_dir

KEPT = 86400.0


@dataclass(frozen=True)
class Accelerator:
    """``name`` as QEMU's -accel takes it, and why it is that one."""

    name: str
    why: str


def choose(qemu: str, disk: Path, disk_format: str) -> Accelerator:
    """The fastest accelerator that gets ``disk`` past its loader: kvm, else tcg.

    Takes up to fifteen seconds the first time on a machine that has /dev/kvm.
    """
    if os.environ.get("DNH_ACCEL"):
        return Accelerator(os.environ["DNH_ACCEL"], "asked for by DNH_ACCEL")
    if not os.path.exists("/dev/kvm"):
        return Accelerator("tcg,thread=multi", "no /dev/kvm")
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return Accelerator("tcg,thread=multi", "/dev/kvm may not be opened")
    note = cache_dir("qemu") / "accelerator.json"
    try:
        known = json.loads(note.read_text())
        if time.time() - known["when"] < KEPT and known["qemu"] == qemu:
            return Accelerator(known["name"], known["why"])
    except (OSError, ValueError, KeyError):
        pass
    found = _try_kvm(qemu, disk, disk_format)
    note.write_text(json.dumps({**asdict(found), "qemu": qemu, "when": time.time()}))
    return found


def _try_kvm(qemu: str, disk: Path, disk_format: str) -> Accelerator:
    command = [
        qemu, "-machine", "q35,usb=off", "-accel", "kvm", "-cpu", "host", "-m", "512", "-nodefaults", "-nographic",
        "-no-reboot", "-snapshot", "-serial", "stdio",
        "-drive", f"file={disk},if=none,id=d,format={disk_format}", "-device", "virtio-blk-pci,drive=d",
    ]  # fmt: skip
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        seen, end = b"", time.monotonic() + 15
        try:
            while time.monotonic() < end:
                seen += process.stdout.read(65536) or b""
                if b"---<<BOOT>>---" in seen or b"Copyright (c) 1992-" in seen:
                    return Accelerator("kvm", "works")
                if process.poll() is not None or b"emulation failure" in seen or b"KVM internal error" in seen:
                    break
                time.sleep(0.1)
        finally:
            process.kill()
    last = [line for line in seen.decode("utf-8", "replace").splitlines() if "kvm" in line.lower()]
    why = last[0].strip()[:100] if last else "the guest does not come up under it"
    return Accelerator("tcg,thread=multi", f"/dev/kvm opens but cannot run the guest ({why})")
