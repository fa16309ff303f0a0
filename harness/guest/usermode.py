"""The user-mode guest: vm/usermode built with the host's cc, run as a process with its console on a pty."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import threading
import time

import pexpect

from harness.errors import MachineryError
from harness.guest.base import GuestConfig, GuestIdentity
from harness.guest.build import BuildSpec, Built, Progress, build
from harness.guest.console import Console, GuestHung, KernelStopped
from harness.guest.patched import sources

BOOT_LIMIT = 20.0  # seconds; a boot takes some ten milliseconds, a sanitizer's build more


def build_for(config: GuestConfig, progress: Progress = lambda _phase, _fraction: None) -> Built:
    """The program that a guest of that configuration runs.  Raises UsageError, MachineryError."""
    given = sources(config.patches, config.revision)
    return build(
        BuildSpec(config.flavour, config.sanitize, given.patches, config.options, (), given.vm, given.overlay), progress
    )


class UsermodeGuest:
    """FreeBSD's packet path as a process of the host.  See harness.guest.base.Guest."""

    kind = "usermode"
    console: Console

    def __init__(
        self, config: GuestConfig, progress: Progress = lambda _phase, _fraction: None, built: Built | None = None
    ) -> None:
        self._config = config
        self.notes: list[str] = []
        self._built: Built = built or build_for(config, progress)
        self.symbols = self._built.program  # for files and lines in a panic's frames
        self._process: pexpect.spawn[bytes] | None = None
        self._owner = threading.current_thread()
        self._slept = 0.0

    def boot(self) -> None:
        """Start the program and wait for its prompt.

        Raises MachineryError when it does not come, KernelStopped when it panics on the way.
        """
        c = self._config
        args = ["--seed", str(c.seed), "--clock", c.clock, "--ncpu", str(c.ncpu)]
        # As the kernels that dnh builds: a host without rules lets packets pass.
        tunables = {"net.inet.ip.fw.default_to_accept": "1", **c.tunables}
        for name, value in sorted(tunables.items()):
            args += ["--tunable", f"{name}={value}"]
        env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TERM": "dumb"}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                env[name] = os.environ[name]
        try:
            self._process = pexpect.spawn(
                str(self._built.program), args, env=env, echo=False, timeout=BOOT_LIMIT, maxread=65536
            )
        except (OSError, pexpect.ExceptionPexpect) as e:
            raise MachineryError(f"the user-mode guest does not start: {e}") from e
        self._process.delaybeforesend = None
        self._process.ptyproc.delayafterclose = 0.01  # type: ignore[attr-defined]  # the spawn's own does nothing
        self.console = Console(self._process, c.folder / "console.log", alive=self._ended)
        try:
            self.console.wait_for(r"(?:^|[\r\n])# ", BOOT_LIMIT, booting=True)
        except GuestHung as e:
            raise MachineryError(f"the user-mode guest shows no prompt within {BOOT_LIMIT:g} s") from e
        for module in c.modules:
            self.console.check(f"kldload -n {module}")

    def _ended(self) -> str | None:
        p = self._process
        if p is None or p.isalive():
            return None
        if p.signalstatus:
            return f"killed by {signal.Signals(p.signalstatus).name}"
        return f"exit status {p.exitstatus}"

    @property
    def pid(self) -> int | None:
        """The program's process on this machine, while there is one."""
        return self._process.pid if self._process is not None else None

    def identity(self) -> GuestIdentity:
        c = self._config
        return GuestIdentity(
            kind=self.kind,
            name="usermode",
            clock=c.clock,
            ident=self.console.check("sysctl -n kern.ident").strip(),
            release=self.console.check("sysctl -n kern.osrelease").strip(),
            flavour=c.flavour,
            digest=self._built.digest,
            patches=c.patches,
            compiler=self._built.compiler,
            accelerator="native",
            ncpu=c.ncpu,
        )

    def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            return
        if self._config.clock == "virtual":
            # Virtual time passes only while the foreground command waits.
            self.console.check(f"sleep {seconds:.9f}", timeout=600.0)
            self._slept += seconds
        else:
            self.console.watch(seconds)

    def now(self) -> float:
        return self._slept if self._config.clock == "virtual" else time.monotonic()

    def break_to_debugger(self) -> bool:
        p = self._process
        if p is None or not p.isalive():
            return False
        p.kill(signal.SIGUSR1)  # what a serial line's BREAK is to a FreeBSD with options BREAK_TO_DEBUGGER
        try:
            self.console.wait_for(r"(?!)", 3.0)
        except KernelStopped as stopped:
            return stopped.at_debugger
        except Exception:
            return False
        return False

    def restore(self, key: str) -> bool:
        return False  # a boot takes milliseconds: nothing to keep

    def snapshot(self, key: str) -> None:
        return None

    def power_off(self) -> None:
        """Shut down in order; what leaked is on the console when it returns."""
        p = self._process
        if p is None:
            return
        self.console.send("shutdown -p now")
        try:
            self.console.wait_for(r"(?!)", BOOT_LIMIT)
        except KernelStopped:
            raise
        except GuestHung:
            raise
        except MachineryError:  # the console closed, as it should
            ended = self._ended() or self._reap()
            if ended != "exit status 0":
                raise MachineryError(f"the user-mode guest did not shut down in order: {ended}") from None

    def _reap(self) -> str:
        p = self._process
        assert p is not None
        for _ in range(500):
            ended = self._ended()
            if ended is not None:
                return ended
            time.sleep(0.01)
        return "still running after its console closed"

    def kill(self) -> None:
        p = self._process
        if p is None:
            return
        if threading.current_thread() is not self._owner:
            # Whose guest it is sees it end, waits for it and closes the console: a descriptor that is closed
            # under its reader may be another's by then.
            if p.pid is not None and not p.terminated:
                with contextlib.suppress(OSError):
                    os.kill(p.pid, signal.SIGKILL)
            return
        if p.isalive():
            with contextlib.suppress(OSError):
                p.kill(signal.SIGKILL)
        try:
            p.close(force=True)
        except (OSError, pexpect.ExceptionPexpect):
            pass


def sanitizer_report(console: str) -> str | None:
    """The first line of an ASan, UBSan or TSan report on the console, or None."""
    found = re.search(r"^.*(?:ERROR: AddressSanitizer|runtime error:|WARNING: ThreadSanitizer).*$", console, re.M)
    return found.group(0).strip() if found else None
