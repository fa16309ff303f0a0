"""The bhyve guest against stand-ins for bhyve's programs (see standin.py), on hosts without bhyve too."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import MachineryError, UsageError
from harness.guest import bhyve
from harness.guest.base import GuestConfig
from harness.guest.bhyve import BhyveGuest
from harness.guest.console import GuestGone, KernelStopped
from harness.kernel.store import Identity, Image

HERE = Path(__file__).parent
RECORDED = HERE / "boot-15.1-debug.txt"
SPACE_AT = 1024


class Host:
    """A FreeBSD host with bhyve, as far as the harness can see."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.vmm = folder / "vmm"
        self.vmm.mkdir()
        shutil.copy(RECORDED, folder / "boot")
        tools = folder / "bin"
        tools.mkdir()
        for name in ("bhyve", "bhyveload", "bhyvectl"):
            (tools / name).write_text(f"#!{sys.executable} -u\n{(HERE / 'standin.py').read_text()}")
            (tools / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
        monkeypatch.setenv("PYTHONPATH", str(HERE))
        monkeypatch.setenv("STANDIN", str(folder))
        monkeypatch.delenv("DNH_BHYVE_CONSOLE", raising=False)
        monkeypatch.setattr(bhyve, "on_freebsd", lambda: True)
        monkeypatch.setattr(bhyve, "VMM", self.vmm)
        monkeypatch.setattr(bhyve, "NMDM", str(folder / "nmdm"))
        self.firmware = folder / "BHYVE_UEFI.fd"
        self.firmware.touch()
        monkeypatch.setattr(bhyve, "FIRMWARE", (self.firmware,))
        disk = folder / "disk.img"
        disk.write_bytes(b"disk".ljust(16384, b"\n"))
        disk.chmod(stat.S_IRUSR)
        self.image = Image(
            name="mine", folder=folder, disk=disk, disk_format="raw", symbols=None, tunables_offset=SPACE_AT,
            identity=Identity("15.1-RELEASE", 1501000, "debug", "FreeBSD 15.1 DNH", "ab" * 32, "built"),
        )  # fmt: skip

    def guest(self, **config: object) -> BhyveGuest:
        return BhyveGuest(GuestConfig(folder=self.folder, clock="wall", **config), self.image)  # type: ignore[arg-type]

    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]

    def programs(self) -> list[str]:
        return [call[0] for call in self.calls()]


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(tmp_path, monkeypatch)


@pytest.fixture
def guest(host: Host) -> Iterator[BhyveGuest]:
    it = host.guest(ncpu=2)
    it.boot()
    yield it
    it.kill()


def test_uefi_boot_commands_and_end(guest: BhyveGuest, host: Host) -> None:
    assert guest.console.run("echo hello").output == "hello"
    log = (host.folder / "console.log").read_text(errors="replace")
    assert "---<<BOOT>>---" in log and "FreeBSD 15.1-RELEASE" in log
    assert guest.identity().kind == "bhyve" and guest.identity().ident == "FreeBSD 15.1 DNH"
    assert [m.name for m in host.vmm.iterdir()] == [guest.name]
    work = guest._work
    guest.power_off()
    guest.kill()
    assert host.programs() == ["bhyve", "bhyvectl"]
    assert host.calls()[0][-2:] == [f"bootrom,{host.firmware}", guest.name]
    assert host.calls()[1] == ["bhyvectl", "--destroy", f"--vm={guest.name}"]
    assert not list(host.vmm.iterdir()) and not work.exists()
    assert host.image.disk.read_bytes().startswith(b"disk")  # the image itself was not written to


def test_bhyveload_where_there_is_no_firmware(host: Host) -> None:
    host.firmware.unlink()
    it = host.guest(tunables={"kern.hz": "2000"}, modules=())
    it.boot()
    assert it.console.run("echo hello").output == "hello"
    it.kill()
    assert host.programs() == ["bhyveload", "bhyve", "bhyvectl"]
    assert "kern.hz=2000" in host.calls()[0]
    assert not any("bootrom" in word for word in host.calls()[1])
    assert "User boot lua" in (host.folder / "console.log").read_text(errors="replace")


def test_tunables_with_uefi_are_on_the_copy(host: Host) -> None:
    it = host.guest(tunables={"kern.hz": "2000"})
    it.boot()
    assert b"kern.hz=2000" in it._disk.read_bytes()[SPACE_AT:]
    it.kill()
    assert b"kern.hz" not in host.image.disk.read_bytes()


def test_null_modem_console(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DNH_BHYVE_CONSOLE", "nmdm")
    it = host.guest()
    ends = {side: pty.openpty() for side in "AB"}
    for side, (_, slave) in ends.items():
        os.symlink(os.ttyname(slave), host.folder / f"nmdm-{it.name}{side}")
    stop = threading.Event()

    def carry() -> None:
        a, b = ends["A"][0], ends["B"][0]
        while not stop.is_set():
            for fd in select.select([a, b], [], [], 0.1)[0]:
                data = os.read(fd, 4096)
                os.write(b if fd == a else a, data)

    carrier = threading.Thread(target=carry)
    carrier.start()
    try:
        it.boot()
        assert it.console.run("echo over the line").output == "over the line"
        began = time.monotonic()
        with pytest.raises(GuestGone, match="status 5"):
            it.console.run("dies")
        assert time.monotonic() - began < 2
    finally:
        it.kill()
        stop.set()
        carrier.join()
        for fds in ends.values():
            for fd in fds:
                os.close(fd)
    assert f"com1,{host.folder}/nmdm-{it.name}A" in host.calls()[0]
    assert not list(host.vmm.iterdir())


def test_panic_and_debugger(guest: BhyveGuest, host: Host) -> None:
    with pytest.raises(KernelStopped, match="destroyed mutex") as stopped:
        guest.console.run("panic-debugger")
    assert stopped.value.at_debugger
    guest.console.debug(("bt",))
    assert "answer to bt" in (host.folder / "console.log").read_text(errors="replace")


def test_guest_that_goes_away(guest: BhyveGuest, host: Host) -> None:
    with pytest.raises(GuestGone, match="the guest rebooted"):
        guest.console.run("dies 0")
    guest.kill()
    assert not list(host.vmm.iterdir())


@pytest.mark.parametrize("program", ["bhyve", "bhyveload"])
def test_program_that_fails(host: Host, program: str) -> None:
    (host.folder / "fail").write_text(program)
    if program == "bhyveload":
        host.firmware.unlink()
    it = host.guest()
    with pytest.raises(MachineryError, match="Operation not permitted"):
        it.boot()
    it.kill()
    assert not list(host.vmm.iterdir()) and not it._work.exists()


def test_panic_while_booting(host: Host) -> None:
    boot = RECORDED.read_bytes()
    (host.folder / "boot").write_bytes(
        boot[: boot.index(b"Launching APs")] + b"panic: no APs today\r\ncpuid = 0\r\ntime = 1\r\n"
        b"KDB: enter: panic\r\n[ thread pid 0 tid 100000 ]\r\nStopped at      kdb_enter+0x33: movq\r\ndb> "
    )
    it = host.guest()
    with pytest.raises(KernelStopped, match="no APs today"):
        it.boot()
    it.kill()
    assert not list(host.vmm.iterdir())


def test_harness_that_ends_without_a_word_leaves_nothing(host: Host) -> None:
    """No kill() in the program: atexit destroys the machine."""
    program = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[1]); f = pathlib.Path(sys.argv[2]);"
        "from harness.guest import bhyve; bhyve.on_freebsd = lambda: True;"
        "bhyve.VMM, bhyve.FIRMWARE = f / 'vmm', (f / 'BHYVE_UEFI.fd',);"
        "from harness.guest.base import GuestConfig; from harness.kernel.store import Identity, Image;"
        "i = Image('mine', f, f / 'disk.img', 'raw', None, Identity('15.1', 1, 'debug', '', '', 'built'));"
        "g = bhyve.BhyveGuest(GuestConfig(folder=f), i); g.boot(); print(g._work); sys.exit(7)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(HERE.parent.parent), str(host.folder)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 7, done.stderr
    assert not list(host.vmm.iterdir()) and not Path(done.stdout.strip()).exists()
    assert host.programs() == ["bhyve", "bhyvectl"]


def test_machines_of_dead_harnesses_are_swept(host: Host) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    (host.vmm / f"dnh-{gone.pid}-1").touch()
    (host.vmm / f"dnh-{os.getppid()}-1").touch()
    (host.vmm / "somebodys").touch()
    host.guest().kill()
    assert sorted(m.name for m in host.vmm.iterdir()) == [f"dnh-{os.getppid()}-1", "somebodys"]


def test_not_on_freebsd(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bhyve, "on_freebsd", lambda: False)
    with pytest.raises(UsageError, match="need a FreeBSD host"):
        host.guest()


def test_nothing_to_boot_with(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.firmware.unlink()
    (host.folder / "bin" / "bhyveload").unlink()
    with pytest.raises(MachineryError, match="edk2-bhyve"):
        host.guest()
    (host.folder / "bin" / "bhyve").unlink()
    with pytest.raises(MachineryError, match="bhyve is not here"):
        host.guest()
