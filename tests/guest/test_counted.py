"""The clock that counts a guest's instructions: what is put into a saved machine, and (where a guest was built) its pace."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import time
from pathlib import Path

import pytest

from harness.errors import MachineryError
from harness.guest import counted, qemu
from harness.guest.base import GuestConfig
from harness.kernel import store

#: As QEMU 7.2 writes it: section 2 "timer", instance 0, version 2; ticks, nothing, the clock (97.4 s); the footer.
TIMER = bytes.fromhex("04000000020574696d65720000000000000002000000377ac4668e000000000000000000000016afe06d637e00000002")
IMAGE = next((i for i in store.list_images() if i.identity.source == "built" and i.identity.flavour == "release"), None)


def test_a_count_is_put_in(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.write_bytes(b"before" + TIMER + b"after")
    counted.begin(state)
    whole = state.read_bytes()
    added = whole[len(b"before") + len(TIMER) - 5 :][: -len(b"\x7e\0\0\0\2after")]
    assert added == b"\x05\x0ctimer/icount" + struct.pack(">Iqq", 1, 0x16AFE06D63, 0)
    assert whole.replace(added, b"") == b"before" + TIMER + b"after"


@pytest.mark.skipif(not hasattr(os, "SCHED_RESET_ON_FORK"), reason="Linux only")
def test_the_thread_that_ends_idling_comes_first() -> None:
    process = subprocess.Popen(["sleep", "60"])
    try:
        qemu._wake_early(process.pid)
        policy = os.sched_getscheduler(process.pid)
        try:
            os.sched_setscheduler(process.pid, os.SCHED_RR, os.sched_param(1))
        except PermissionError:
            assert policy == os.SCHED_OTHER, "who may not goes on as before"
        else:
            assert policy == os.SCHED_RR | os.SCHED_RESET_ON_FORK, "the guest's CPU, a thread of its own, has no such right"
    finally:
        process.kill()
        process.wait()
    qemu._wake_early(process.pid)  # gone: nothing to say


@pytest.mark.parametrize("stream", [b"", TIMER[:-6], TIMER.replace(b"\0\0\0\2\0\0\x007z", b"\0\0\0\3\0\0\x007z"), TIMER + TIMER])
def test_an_unknown_stream_is_told(tmp_path: Path, stream: bytes) -> None:
    state = tmp_path / "state"
    state.write_bytes(stream)
    with pytest.raises(MachineryError, match="not known here"):
        counted.begin(state)
    assert state.read_bytes() == stream


def test_the_monitors_answer() -> None:
    assert counted.seconds("00000000fed000f0: 0xaeec96a3 0x00000001") == pytest.approx(72.3, abs=0.1)


@pytest.mark.guest
@pytest.mark.skipif(not os.environ.get("DNH_LONG"), reason="a boot: DNH_LONG=1")
@pytest.mark.skipif(IMAGE is None, reason="no release guest was built here")
@pytest.mark.skipif(not shutil.which("qemu-system-x86_64"), reason="no QEMU")
@pytest.mark.timeout(300)
def test_a_guests_own_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the host is: what the guest sleeps is what its clock shows, and from a warm start as well."""
    assert IMAGE is not None
    monkeypatch.setenv("DNH_CACHE", str(tmp_path / "cache"))
    guest = qemu.QemuGuest(GuestConfig(folder=tmp_path, clock="virtual"), IMAGE)
    if not guest._counts:
        pytest.skip("KVM: the host's own processor")
    try:
        guest.boot()
        guest.snapshot("here")
        guest.console.check("echo once > /tmp/mark")
        assert guest.restore("here")
        assert guest.console.run("cat /tmp/mark").status != 0
        began, wall = guest.now(), time.monotonic()
        guest.console.check("sleep 0.5")
        assert 0.5 <= guest.now() - began < 0.6
        guest.sleep(0.5)
        assert 1.0 <= guest.now() - began < 1.2
        assert time.monotonic() - wall >= 0.9
    finally:
        guest.kill()
