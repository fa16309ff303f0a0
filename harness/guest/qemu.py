"""The qemu guest: a real FreeBSD kernel from an image of harness.kernel's store.

The image is never written: a run works in a qcow2 overlay.  After a scenario's hosts are set up the
machine is saved: its devices in a file, its memory in another, and the overlay as it is then.  They are kept in the
cache as a *warm start* and never written again: any number of later trials, at the same time as well, read the first,
map the second (a page that is written becomes the trial's own) and work in a new overlay over the third.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pexpect

from harness import panic as panics
from harness.errors import MachineryError, UsageError
from harness.guest import counted, dump
from harness.guest.accel import Accelerator, choose
from harness.guest.base import GuestConfig, GuestIdentity
from harness.guest.build import Progress
from harness.guest.console import Console, GuestHung, KernelStopped
from harness.guest.qmp import Monitor
from harness.guest.work import WorkFolder
from harness.kernel import store
from harness.paths import cache_dir

#: Boots of a kernel that panics on its way up, before that is its answer.  13.2 does by a race of its own (dummynet's timer
#: before its vnet's lock), in one boot of six, on a busy host in two of three: two panics alike are not enough to say more.
BOOTS = 4
DUMP_LIMIT = 180.0  # seconds in which a kernel writes its crash dump
BOOT_LIMIT = 240.0  # seconds; TCG needs some ten, a busy machine several times that
MEMORY_MB = 512
#: Without MONITOR/MWAIT, in which FreeBSD would idle: QEMU emulates it by spinning, and a clock that counts
#: instructions hardly moves meanwhile.
EMULATED_CPU = "max,-monitor"
SEES_MEMORY = sys.platform == "linux"
"""Can a machine's memory be had from outside of QEMU?  If not it is in the state, which takes longer to read."""
WARM_KEPT = 8 << 30  # bytes of warm starts; those that were not used for the longest time go first


def qemu_program() -> str:
    """The path of qemu-system-x86_64.  Raises MachineryError with the install line."""
    found = shutil.which("qemu-system-x86_64")
    if not found or not shutil.which("qemu-img"):
        raise MachineryError(
            "QEMU is not here: on Debian 'apt-get install qemu-system-x86 qemu-utils', on FreeBSD 'pkg install qemu'"
        )
    return found


def find_image(name: str | None, flavour: str | None = None) -> store.Image:
    """The image of that name, or the newest one when there is no name.  Raises UsageError."""
    images = store.list_images()
    if name:
        return store.load(name)
    fitting = [i for i in images if flavour in (None, i.identity.flavour)] or images
    if not fitting:
        raise UsageError("no guest image here: make one with 'dnh guest build --src TREE' or 'dnh guest fetch RELEASE'")
    return max(fitting, key=lambda i: i.created)


def of_another_dnh(image: store.Image) -> list[str]:
    """A note, where the dngen in a guest that was built here is another than this dnh's: it may lack what a flow asks for."""
    from harness.kernel.assemble import outdated

    again = outdated(image)
    return [f"{image.name} has the dngen of another dnh than this one; anew: {again}"] if again else []


class QemuGuest:
    """A FreeBSD under QEMU.  See harness.guest.base.Guest."""

    kind = "qemu"
    console: Console

    def __init__(
        self,
        config: GuestConfig,
        image: store.Image,
        progress: Progress = lambda _phase, _fraction: None,
        cold: bool = False,
    ) -> None:
        self._config = config
        self._image = image
        self._progress = progress
        self._cold = cold
        self._qemu = qemu_program()
        self._accel: Accelerator = choose(self._qemu, image.disk, image.disk_format)
        self._folder = WorkFolder("qemu")
        self._work = self._folder.path
        self._overlay = self._work / "overlay.qcow2"
        self.symbols = image.symbols.parent if image.symbols else None  # for files and lines in a panic's frames
        self._process: pexpect.spawn[bytes] | None = None
        self._monitor: Monitor | None = None
        self._counts = config.clock == "virtual" and self._accel.name.startswith("tcg")
        self._counting = False  # yet
        self.notes = of_another_dnh(image)

    # -- starting --------------------------------------------------------------------------------

    def _img(self, *args: str) -> None:
        done = subprocess.run(["qemu-img", *args], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = done.stderr.strip().splitlines()[-1:] or ["failed"]
            raise MachineryError(f"qemu-img {args[0]}: {said[0].removeprefix('qemu-img: ')}")

    def _new_overlay(self) -> None:
        self._img(
            "create", "-q", "-f", "qcow2", "-b", str(self._image.disk), "-F", self._image.disk_format, str(self._overlay)
        )
        if self._config.dump:
            # A crash dump goes to the end of the disk, which for that is longer than what the image uses of it.
            self._img("resize", "-q", str(self._overlay), f"+{MEMORY_MB + 64}M")
        if self._config.tunables:
            if self._image.tunables_offset is None:
                raise UsageError(f"image {self._image.name} takes no tunables: it was not built here")
            from harness.kernel.image import tunables_text

            data = self._work / "tunables"
            data.write_bytes(tunables_text(self._config.tunables))
            done = subprocess.run(
                ["qemu-io", "-c", f"write -s {data} {self._image.tunables_offset} 4096", str(self._overlay)],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if done.returncode != 0:
                raise MachineryError(f"qemu-io: {done.stderr.strip()[-200:]}")

    def _start(self, memory: Path | None = None, saved: bool = False) -> None:
        """Start QEMU; of a saved machine to wait for its state, with its ``memory`` where that is not in the state."""
        socket = self._work / "qmp"
        socket.unlink(missing_ok=True)
        args = [
            "-name", "dnh", "-machine", "q35,usb=off",
            *(counted.ARGUMENTS if self._counting else ("-accel", self._accel.name)),
            "-cpu", "host" if self._accel.name.startswith("kvm") else EMULATED_CPU,
            "-m", str(MEMORY_MB), "-smp", str(self._ncpu()), "-nodefaults", "-nographic", "-no-reboot",
            "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console", "-qmp", f"unix:{socket},server=on,wait=off",
            "-drive", f"file={self._overlay},if=none,id=d,format=qcow2,cache=unsafe",
            "-device", "virtio-blk-pci,drive=d", "-device", "virtio-rng-pci",
        ]  # fmt: skip
        if memory is not None:
            args += ["-object", f"memory-backend-file,id=ram,size={MEMORY_MB}M,mem-path={memory},share=off"]
            args += ["-machine", "memory-backend=ram"]
        elif SEES_MEMORY and not self._cold:
            args += ["-object", f"memory-backend-memfd,id=ram,size={MEMORY_MB}M,share=on", "-machine", "memory-backend=ram"]
        if saved:
            args += ["-incoming", "defer"]
        try:
            self._process = pexpect.spawn(
                self._qemu, args, echo=False, timeout=BOOT_LIMIT, maxread=65536, preexec_fn=_die_with_parent
            )
        except (OSError, pexpect.ExceptionPexpect) as e:
            raise MachineryError(f"QEMU does not start: {e}") from e
        if self._counting and self._process.pid is not None:
            _wake_early(self._process.pid)
        self._process.delaybeforesend = None
        self._process.delayafterclose = 0.02
        self.console = Console(
            self._process, self._config.folder / "console.log", alive=self._ended, by_itself=self._by_itself,
            heartbeat=True, keeps=True, hang=self._config.hang,
        )  # fmt: skip
        deadline = time.monotonic() + 20
        while not socket.exists() and self._process.isalive() and time.monotonic() < deadline:
            time.sleep(0.01)
        try:
            self._monitor = Monitor(socket, alive=self._process.isalive)
        except MachineryError as e:
            self.console.drain()
            log = (self._config.folder / "console.log").read_text(errors="replace").strip().splitlines()[-1:]
            said = log[0].strip() if log else self._ended() or str(e)
            raise MachineryError(f"QEMU does not start: {said.removeprefix('qemu-system-x86_64: ')[:300]}") from e

    def _ncpu(self) -> int:
        if self._counts:
            return 1  # CPUs that count together take turns, a tick each: what one leaves to another would come late
        return max(1, min(self._config.ncpu, os.cpu_count() or 1))

    def boot(self) -> None:
        """Boot from the image to the shell.

        A kernel that panics on its way up boots again, and what it said then is noted; ``BOOTS`` of them are the
        kernel's answer.  Raises KernelStopped and GuestHung
        for a kernel that panics and hangs, MachineryError for what does not get as far as a kernel.
        """
        for n in itertools.count(1):
            try:
                self._counting = False
                self._boot_once()
                if self._counts:
                    self._begin_to_count()
                return
            except KernelStopped as stopped:
                self.console.drain(0.3)
                log = self._config.folder / "console.log"
                fatal = next((p for p in panics.read(log) if p.fatal), None)
                if n == BOOTS:
                    self.notes.append(f"the kernel panicked in {n} of {n} boots")
                    raise
                self.kill(keep_work=True)
                kept = log.with_name(f"console.boot{n}.log")
                log.rename(kept)
                what = f"{fatal.message} ({fatal.name})" if fatal else stopped.sign
                self.notes.append(f"boot {n} ended in a panic, booted again: {what}; see {kept.name}")

    def _boot_once(self) -> None:
        self._overlay.unlink(missing_ok=True)
        self._new_overlay()
        self._start()
        # A busy machine, or one without hardware virtualization, may take its time between two lines.
        self.console.wait_for_boot(r"(?:^|[\r\n])# ", BOOT_LIMIT, max(self._config.hang, 20.0))
        # The stack in a debug kernel's answer to ^T takes it milliseconds to write, ahead of all packets.
        self.console.run("sysctl kern.tty_info_kstacks=0")
        for module in self._config.modules:
            self.console.check(f"kldload -n {module}")
        if self._config.dump:
            self.console.check("dumpon /dev/vtbd0")

    def _begin_to_count(self) -> None:
        """From the wall's clock, with which it booted, to one that counts the guest's instructions."""
        assert self._monitor is not None
        state = self._work / "booted"
        self._monitor.save(state)
        self.kill(keep_work=True)
        counted.begin(state)
        self._counting = True
        self._take_in(state)
        state.unlink()

    def _take_in(self, state: Path, memory: Path | None = None) -> None:
        """Start from a saved machine, its disk being the overlay."""
        self._start(memory, saved=True)
        assert self._monitor is not None
        # What is typed before the machine is whole would be lost.
        self._monitor.take(state, 60.0, memory=memory is None)
        self.console.run("true", timeout=20.0)

    def before_questions(self) -> tuple[str, ...]:
        return dump.BEFORE[self._config.dump] if self._config.dump else ()

    def crash_dump(self) -> Path | None:
        if self._config.dump is None or self._monitor is None:
            return None
        self.console.debug(dump.WRITE[self._config.dump], timeout=DUMP_LIMIT)
        # QEMU keeps tables of the overlay in its memory until it ends by itself.
        with contextlib.suppress(MachineryError):
            self._monitor.execute("quit")
        with contextlib.suppress(pexpect.ExceptionPexpect, OSError):
            if self._process is not None:
                self._process.expect(pexpect.EOF, timeout=20)
        self.kill(keep_work=True)
        raw = self._work / "disk.raw"
        self._img("convert", "-O", "raw", str(self._overlay), str(raw))
        try:
            return dump.save_from(raw, self._config.folder)
        finally:
            raw.unlink(missing_ok=True)

    def _by_itself(self) -> str | None:
        """What the guest did to end QEMU, which does not stay for a reset (-no-reboot)."""
        event = self._monitor.event("SHUTDOWN", 1.0) if self._monitor is not None else None
        return {
            "guest-reset": "it reset its machine",
            "guest-shutdown": "it switched its machine off",
            "guest-panic": "its machine stopped (triple fault)",
        }.get(str((event or {}).get("reason")))

    def _ended(self) -> str | None:
        p = self._process
        if p is None:
            return None
        if p.isalive():
            # QEMU stops a guest whose disk cannot be written: that is no hang of the kernel's.
            failed = self._monitor.event("BLOCK_IO_ERROR") if self._monitor is not None else None
            if failed is None:
                return None
            return f"QEMU cannot write its disk in {self._work}: {failed.get('reason') or 'input/output error'}"
        if p.signalstatus:
            return f"QEMU was killed by {signal.Signals(p.signalstatus).name}"
        return f"QEMU ended with status {p.exitstatus}"

    # -- warm starts -----------------------------------------------------------------------------

    def _warm(self, key: str) -> Path:
        """The folder of a warm start: ``state``, the ``disk.qcow2`` of that moment, an empty ``overlay.qcow2`` over it."""
        longer = "-dump" if self._config.dump else ""
        clock = "-counted" if self._counts else ""
        apart = "-memory" if SEES_MEMORY else ""
        return cache_dir("warm") / f"{self._image.identity.digest[:16]}-{key}-{self._ncpu()}cpu{longer}{clock}{apart}"

    def restore(self, key: str) -> bool:
        """Start from the warm start of that key; False when there is none (or ``cold`` was asked for)."""
        warm = self._warm(key)
        if self._cold or not warm.is_dir():
            return False
        self.kill(keep_work=True)
        self._counting = self._counts
        try:
            self._start_from(warm)
        except (MachineryError, GuestHung) as e:
            if (self._process is not None and self._process.signalstatus) or "No space" in str(e):
                raise  # somebody killed it, or the disk is full: the warm start is as good as before
            # Of another QEMU, or its image is gone: good for nothing.
            shutil.rmtree(warm, ignore_errors=True)
            self.kill(keep_work=True)
            raise MachineryError(f"the warm start could not be restored and was removed, run again: {e}") from e
        with contextlib.suppress(OSError):
            os.utime(warm)
        return True

    def _start_from(self, warm: Path) -> None:
        try:
            shutil.copyfile(warm / "overlay.qcow2", self._overlay)
        except OSError as e:
            raise MachineryError(f"the warm start cannot be used: {e.strerror}: {e.filename2 or e.filename}") from e
        memory = warm / "memory"
        self._take_in(warm / "state", memory if memory.exists() else None)

    def snapshot(self, key: str) -> None:
        """Keep the machine as it is under that key, and go on from there."""
        if self._cold or self._monitor is None:
            return
        warm = self._warm(key)
        fresh = Path(tempfile.mkdtemp(prefix="new-", dir=warm.parent))
        try:
            self._keep(fresh, warm)
            fresh.chmod(0o755)
            fresh.rename(warm)
        except OSError as e:
            if not warm.is_dir():  # else another run was faster: its warm start is as good
                raise MachineryError(f"cannot keep a warm start in {warm.parent}: {e.strerror}") from e
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        _forget_old(warm.parent)
        self._start_from(warm)

    def _keep(self, folder: Path, name: Path) -> None:
        """Save the machine, which ends with it, into a folder that will have another name afterwards."""
        assert self._monitor is not None and self._process is not None and self._process.pid is not None
        self._monitor.save(folder / "state", memory=not SEES_MEMORY)
        if SEES_MEMORY:
            _copy_memory(self._process.pid, folder / "memory")
        self.kill(keep_work=True)
        disk, over = folder / "disk.qcow2", folder / "overlay.qcow2"
        shutil.move(self._overlay, disk)
        self._img("create", "-q", "-f", "qcow2", "-b", str(disk), "-F", "qcow2", str(over))
        self._img("rebase", "-u", "-f", "qcow2", "-b", str(name / disk.name), "-F", "qcow2", str(over))

    # -- running ---------------------------------------------------------------------------------

    def identity(self) -> GuestIdentity:
        i = self._image.identity
        return GuestIdentity(
            kind=self.kind, name=self._image.name, clock="virtual" if self._counts else "wall", ident=i.ident,
            release=i.release, flavour=i.flavour, digest=i.digest, patches=tuple(p["name"] for p in i.patches),
            compiler=i.compiler, accelerator=self._accel.name.split(",")[0],
            ncpu=self._ncpu(),
        )  # fmt: skip

    @property
    def accelerator(self) -> Accelerator:
        """The accelerator in use, and why."""
        return self._accel

    def sleep(self, seconds: float) -> None:
        if not self._counting:
            self.console.watch(seconds)
            return
        end = self.now() + seconds
        while (left := end - self.now()) > 0:  # the guest's second is never shorter than the wall's
            self.console.watch(left)

    def now(self) -> float:
        if not self._counting or self._monitor is None:
            return time.monotonic()
        return counted.seconds(self._monitor.human(counted.ASK))

    def break_to_debugger(self) -> bool:
        """An NMI, which a kernel with a debugger answers with its prompt."""
        if self._monitor is None:
            return False
        try:
            self._monitor.execute("inject-nmi", 5.0)
            self.console.wait_for(r"(?!)", 5.0)
        except KernelStopped as stopped:
            return stopped.at_debugger
        except Exception:
            return False
        return False

    # -- ending ----------------------------------------------------------------------------------

    def power_off(self) -> None:
        """End without ceremony: what the guest wrote is thrown away with its overlay."""
        self.kill()

    def kill(self, keep_work: bool = False) -> None:
        if self._monitor is not None:
            self._monitor.close()
            self._monitor = None
        p = self._process
        if p is not None:
            with contextlib.suppress(ProcessLookupError, OSError):
                p.kill(signal.SIGKILL)
            try:
                p.close(force=True)
            except (OSError, pexpect.ExceptionPexpect):
                pass
            self._process = None
            self.console.close()
        if not keep_work:
            self._folder.remove()


def _copy_memory(pid: int, to: Path) -> None:
    """The memory of a machine that stands still, from QEMU's memfd into a file; pages of zeros are left out."""
    zeros = bytes(64 << 10)
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            if os.readlink(fd).startswith("/memfd:"):
                break
    else:
        raise MachineryError("QEMU's memory is not to be seen in /proc")
    with open(fd, "rb", buffering=0) as memory, open(to, "wb") as file:
        file.truncate(MEMORY_MB << 20)
        at = 0
        while at < MEMORY_MB << 20:
            try:
                at = os.lseek(memory.fileno(), at, os.SEEK_DATA) // len(zeros) * len(zeros)
            except OSError:  # no more of it
                break
            block = os.pread(memory.fileno(), len(zeros), at)
            if block != zeros:
                file.seek(at)
                file.write(block)
            at += len(zeros)


def _forget_old(folder: Path) -> None:
    """Remove the warm starts that were not used for the longest time, beyond WARM_KEPT bytes of them."""
    left = WARM_KEPT
    found = [p for p in folder.iterdir() if p.is_dir() or p.suffix == ".qcow2"]
    with contextlib.suppress(OSError):  # another run does the same
        for warm in sorted(found, key=lambda p: p.stat().st_mtime, reverse=True):
            left -= sum(p.stat().st_blocks * 512 for p in (warm.iterdir() if warm.is_dir() else [warm]))
            if left < 0:
                shutil.rmtree(warm) if warm.is_dir() else warm.unlink()


def _wake_early(pid: int) -> None:
    """Where it is allowed: QEMU's first thread runs as soon as its timer is due, whatever else the machine does.

    It hardly computes, but ends the idling of a guest whose clock counts: as late as it is so late is the guest's timer.
    The threads that it makes (the guest's CPU) are not meant.
    """
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setscheduler(pid, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))


def _die_with_parent() -> None:
    """Linux: the guest ends with the harness even when that is killed."""
    try:
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    except (OSError, AttributeError):
        pass
