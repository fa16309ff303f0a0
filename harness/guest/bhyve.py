"""The bhyve guest: an image of harness.kernel's store on a FreeBSD host, with UEFI firmware or bhyveload.

A run works on a copy of the image.  bhyve keeps a machine in the kernel when its process is gone: every way
out ends in ``bhyvectl --destroy``, and a start removes what an earlier harness that was killed has left.
"""

from __future__ import annotations

import atexit
import ctypes
import itertools
import os
import platform
import shutil
import signal
import subprocess
import termios
import threading
import time
import tty
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
from pexpect.fdpexpect import fdspawn

from harness.errors import MachineryError, UsageError
from harness.guest.base import GuestConfig, GuestIdentity
from harness.guest.build import Progress
from harness.guest.console import Console, GuestGone, GuestHung, KernelStopped
from harness.guest.qemu import of_another_dnh
from harness.guest.work import WorkFolder
from harness.kernel import store

BOOT_LIMIT = 120.0  # seconds
LOAD_LIMIT = 60.0  # seconds that bhyveload may take to bring the kernel into memory
MEMORY = "512M"
FIRMWARE = (
    Path("/usr/local/share/uefi-firmware/BHYVE_UEFI.fd"),
    Path("/usr/local/share/edk2-bhyve/BHYVE_UEFI.fd"),
)
VMM = Path("/dev/vmm")
NMDM = "/dev/nmdm"

if TYPE_CHECKING:
    _Base = fdspawn[bytes]
else:
    _Base = fdspawn  # generic in its stubs alone

_count = itertools.count(1)
_HOW_ENDED = {0: "the guest rebooted", 1: "the guest powered off", 2: "the guest halted", 3: "a triple fault"}


def on_freebsd() -> bool:
    """Is this host one that has bhyve at all?"""
    return platform.system() == "FreeBSD"


def firmware() -> Path | None:
    """The UEFI firmware for bhyve, where it is installed."""
    return next((f for f in FIRMWARE if f.is_file()), None)


def check_host() -> None:
    """Can guests run under bhyve here?  Raises UsageError or MachineryError with what is missing."""
    if not on_freebsd():
        raise UsageError(
            f"bhyve guests need a FreeBSD host, this is {platform.system()}: "
            "--guest qemu runs the same image here"
        )
    for program in ("bhyve", "bhyvectl"):
        if not shutil.which(program):
            raise MachineryError(f"{program} is not here: it is part of FreeBSD's base system (amd64)")
    if not VMM.parent.joinpath("vmmctl").exists() and not VMM.is_dir() and subprocess.run(
        ["kldload", "-n", "vmm"], capture_output=True, check=False
    ).returncode:  # fmt: skip
        raise MachineryError("bhyve's kernel module cannot be loaded: 'kldload vmm' as root says why")
    if firmware() is None and not shutil.which("bhyveload"):
        raise MachineryError("neither bhyveload nor UEFI firmware ('pkg install edk2-bhyve') is here")


def sweep() -> None:
    """Destroy the machines of harnesses that are no more."""
    for machine in VMM.glob("dnh-*-*") if VMM.is_dir() else ():
        pid = machine.name.split("-")[1]
        if pid.isdigit():
            try:
                os.kill(int(pid), 0)
            except ProcessLookupError:
                _destroy(machine.name)
            except OSError:
                continue


def _destroy(name: str) -> None:
    with suppress(OSError, subprocess.TimeoutExpired):
        command = ["bhyvectl", "--destroy", f"--vm={name}"]
        subprocess.run(command, capture_output=True, check=False, timeout=20)


class _Line(_Base):
    """One end of a null-modem line.  It stays open when bhyve ends, which is looked at while it is silent."""

    def __init__(self, fd: int, ended: Callable[[], str | None]) -> None:
        super().__init__(fd, timeout=None, maxread=65536)
        self.delaybeforesend = None
        self._ended = ended

    def read_nonblocking(self, size: int = 1, timeout: float | None = -1) -> bytes:
        """See fdspawn."""
        end = None if timeout is None or timeout < 0 else time.monotonic() + timeout
        while True:
            left = 0.5 if end is None else max(min(end - time.monotonic(), 0.5), 0.0)
            try:
                return super().read_nonblocking(size, left)
            except pexpect.TIMEOUT:
                if self._ended():
                    self.flag_eof = True
                    raise pexpect.EOF("bhyve ended") from None
                if end is not None and time.monotonic() >= end:
                    raise


class BhyveGuest:
    """A FreeBSD under bhyve.  See harness.guest.base.Guest."""

    kind = "bhyve"
    console: Console

    def __init__(
        self,
        config: GuestConfig,
        image: store.Image,
        progress: Progress = lambda _phase, _fraction: None,
    ) -> None:
        check_host()
        sweep()
        self._config = config
        self.notes = of_another_dnh(image)
        self._image = image
        self._nmdm = os.environ.get("DNH_BHYVE_CONSOLE") == "nmdm"
        self.name = f"dnh-{os.getpid()}-{next(_count)}"
        self._folder = WorkFolder("bhyve")
        self._work = self._folder.path
        self._disk = self._work / "disk.img"
        self._process: pexpect.spawn[bytes] | None = None
        self._line: _Line | None = None
        self._lock = threading.Lock()
        atexit.register(self.kill)

    # -- starting --------------------------------------------------------------------------------

    def _new_disk(self) -> None:
        """A copy of the image: bhyve has no overlays.  (cp clones blocks and keeps holes where it can.)"""
        if self._image.disk_format == "raw":
            command = ["cp", str(self._image.disk), str(self._disk)]
        elif shutil.which("qemu-img"):
            command = ["qemu-img", "convert", "-O", "raw", str(self._image.disk), str(self._disk)]
        else:
            raise MachineryError(
                f"bhyve needs a raw disk and {self._image.name} is {self._image.disk_format}: "
                "'pkg install qemu-tools' brings the converter"
            )
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = done.stderr.strip().splitlines()[-1:] or ["failed"]
            raise MachineryError(f"the guest's disk cannot be copied to {self._work}: {said[0]}")

    def _set_tunables(self) -> None:
        """For UEFI, where the loader is told by the disk alone; bhyveload takes them as words."""
        if not self._config.tunables:
            return
        if self._image.tunables_offset is None:
            raise UsageError(f"image {self._image.name} takes no tunables with UEFI: it was not built here")
        from harness.kernel.image import tunables_text

        with open(self._disk, "r+b") as disk:
            disk.seek(self._image.tunables_offset)
            disk.write(tunables_text(self._config.tunables))

    def _load(self) -> None:
        """bhyveload: the loader runs in the host and leaves the kernel in the machine's memory."""
        args = ["-c", "stdio", "-m", MEMORY, "-d", str(self._disk)]
        for name, value in sorted(self._config.tunables.items()):
            args += ["-e", f"{name}={value}"]
        # On a pty: at anything else its loader would find a key pressed, and stop at its prompt.
        loader = self._spawn("bhyveload", [*args, self.name])
        with open(self._config.folder / "console.log", "ab", buffering=0) as log:
            loader.logfile_read = log
            try:
                loader.expect(pexpect.EOF, timeout=LOAD_LIMIT)
            except pexpect.TIMEOUT:
                raise MachineryError(f"bhyveload is not done within {LOAD_LIMIT:g} s") from None
            finally:
                loader.close(force=True)
        if loader.exitstatus != 0:
            before = loader.before if isinstance(loader.before, bytes) else b""
            said = before.decode("utf-8", "replace").strip().splitlines()[-1:] or ["no word"]
            raise MachineryError(f"bhyveload ended with status {loader.exitstatus}: {said[0].strip()}")

    def _spawn(self, program: str, args: list[str]) -> pexpect.spawn[bytes]:
        try:
            process: pexpect.spawn[bytes] = pexpect.spawn(
                program, args, echo=False, timeout=BOOT_LIMIT, maxread=65536, preexec_fn=_die_with_parent
            )
        except (OSError, pexpect.ExceptionPexpect) as e:
            raise MachineryError(f"{program} does not start: {e}") from e
        process.delaybeforesend = None
        process.delayafterclose = 0.02
        return process

    def arguments(self) -> list[str]:
        """bhyve's command line."""
        rom = firmware()
        args = ["-A", "-H", "-P", "-u", "-c", str(self._ncpu()), "-m", MEMORY]
        args += ["-s", "0,hostbridge", "-s", "31,lpc"]
        args += ["-s", f"3,virtio-blk,{self._disk}", "-s", "4,virtio-rnd"]
        args += ["-l", f"com1,{NMDM}-{self.name}A" if self._nmdm else "com1,stdio"]
        if rom is not None:
            args += ["-l", f"bootrom,{rom}"]
        return [*args, self.name]

    def _open_nmdm(self) -> _Line:
        path = f"{NMDM}-{self.name}B"
        try:
            fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            tty.setraw(fd)
            os.set_blocking(fd, True)
        except (OSError, termios.error) as e:
            raise MachineryError(f"the null-modem line {path} cannot be used ('kldload nmdm'?): {e}") from e
        return _Line(fd, self._ended)

    def boot(self) -> None:
        """Boot a copy of the image to the shell.

        Raises MachineryError when it does not come up, KernelStopped when it panics on the way.
        """
        self._new_disk()
        if firmware() is None:
            self._load()
        else:
            self._set_tunables()
        log = self._config.folder / "console.log"
        if self._nmdm:
            self._line = self._open_nmdm()
        self._process = self._spawn("bhyve", self.arguments())
        self.console = Console(
            self._line or self._process, log, alive=self._ended, heartbeat=True, keeps=True, hang=self._config.hang
        )
        try:
            self.console.wait_for(r"(?:^|[\r\n])# ", BOOT_LIMIT, booting=True)
        except GuestHung as e:
            raise MachineryError(f"the guest shows no prompt within {BOOT_LIMIT:g} s of its start") from e
        except GuestGone as e:
            how = self._ended() or str(e)
            raise MachineryError(f"the guest does not come up: {how}{self._last_words()}") from e
        for module in self._config.modules:
            self.console.check(f"kldload -n {module}")

    def _last_words(self) -> str:
        """bhyve's own; with a null-modem line they are not on the guest's console."""
        text = (self._config.folder / "console.log").read_bytes()
        if self._line is not None and self._process is not None:
            with suppress(pexpect.ExceptionPexpect, OSError):
                text = self._process.read_nonblocking(4096, timeout=0.2)
        lines = text.decode("utf-8", "replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return f": {said[-1][:200]}" if said else ""

    def _ncpu(self) -> int:
        return max(1, min(self._config.ncpu, os.cpu_count() or 1))

    def _ended(self) -> str | None:
        p = self._process
        if p is None or p.isalive():
            return None
        if p.signalstatus:
            return f"bhyve was killed by {signal.Signals(p.signalstatus).name}"
        status = p.exitstatus if p.exitstatus is not None else -1
        return _HOW_ENDED.get(status, f"bhyve ended with status {status}")

    # -- running ---------------------------------------------------------------------------------

    def identity(self) -> GuestIdentity:
        i = self._image.identity
        return GuestIdentity(
            kind=self.kind, name=self._image.name, clock="wall", ident=i.ident, release=i.release,
            flavour=i.flavour, digest=i.digest, patches=tuple(p["name"] for p in i.patches),
            compiler=i.compiler, accelerator="vmm", ncpu=self._ncpu(),
        )  # fmt: skip

    def sleep(self, seconds: float) -> None:
        self.console.watch(seconds)

    def now(self) -> float:
        return time.monotonic()

    def break_to_debugger(self) -> bool:
        """An NMI, which a kernel with a debugger answers with its prompt."""
        try:
            subprocess.run(
                ["bhyvectl", "--inject-nmi", f"--vm={self.name}"], capture_output=True, check=True, timeout=5
            )
            self.console.wait_for(r"(?!)", 5.0)
        except KernelStopped as stopped:
            return stopped.at_debugger
        except Exception:
            return False
        return False

    def restore(self, key: str) -> bool:
        return False  # bhyve's snapshots are experimental and not in its release build

    def snapshot(self, key: str) -> None:
        return None

    # -- ending ----------------------------------------------------------------------------------

    def power_off(self) -> None:
        """End without ceremony: what the guest wrote is thrown away with its disk."""
        self.kill()

    def kill(self) -> None:
        with self._lock:
            p, self._process = self._process, None
            if p is not None:
                with suppress(OSError):
                    p.kill(signal.SIGKILL)
                with suppress(OSError, pexpect.ExceptionPexpect):
                    p.close(force=True)
                self.console.close()
            if self._line is not None:
                with suppress(OSError):
                    self._line.close()
                self._line = None
            if self._work.exists():
                _destroy(self.name)
                self._folder.remove()
        atexit.unregister(self.kill)


def _die_with_parent() -> None:
    """FreeBSD: bhyve ends with the harness even when that is killed; sweep() then removes its machine."""
    with suppress(OSError, AttributeError):
        # procctl(P_PID, 0 (this process), PROC_PDEATHSIG_CTL, &signal)
        number = ctypes.c_int(signal.SIGKILL)
        ctypes.CDLL(None).procctl(0, ctypes.c_int64(0), 11, ctypes.byref(number))
