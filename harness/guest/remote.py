"""The remote guest: a FreeBSD machine that is up already, over ssh, and its kernel console by any command.

The shell is an /bin/sh of its own on an ssh channel.  The kernel console (conserver, ipmitool sol, cu) is
watched beside it, so that a panic is seen as one; without it a machine that panics is only a connection that
fell silent.  At the end the jails and interfaces that were made here are removed.  What a scenario sets in
the base system itself (its sysctls, its rules, modules) stays: the machine is for such work.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from contextlib import suppress
from pathlib import Path

import pexpect
from filelock import FileLock, Timeout

from harness.errors import MachineryError, UsageError
from harness.guest import ssh
from harness.guest.base import GuestConfig, GuestIdentity
from harness.guest.build import Progress
from harness.guest.console import Completed, Console, GuestGone, GuestHung, KernelStopped, quote
from harness.paths import cache_dir, data_dir

SLICE = 0.1  # seconds between two looks at the kernel console while the shell is waited for
LAST_WORDS = 2.0  # seconds that a kernel console gets to tell why the connection went down
TURN_LIMIT = 3600.0  # seconds to wait for another run on the same machine
REBOOT_LIMIT = 600.0  # seconds a machine may take to be back after it was reset

_rebooting: set[str] = set()  # machines that a run of this process has reset


class _Lines:
    """A log that two consoles write to: each adds whole lines."""

    def __init__(self, path: Path) -> None:
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115 - lives as long as the console
        self._held = b""

    def write(self, data: bytes) -> None:
        whole, newline, self._held = (self._held + data).rpartition(b"\n")
        if newline:
            self._file.write(whole + newline)

    def flush(self) -> None:
        """Nothing: half a line waits for its other half."""

    def close(self) -> None:
        if self._held:
            self._file.write(self._held + b"\n")
        self._file.close()


class RemoteConsole(Console):
    """A shell's console, with the kernel's own console watched while the shell is waited for."""

    def __init__(self, channel: ssh.ChannelSpawn, log: Path, kernel: Console | None) -> None:
        super().__init__(channel, log, alive=lambda: "the ssh connection closed")
        self._lines = _Lines(log)
        channel.logfile_read = self._lines
        self._kernel = kernel
        self.jails: list[str] = []
        self.interfaces: list[str] = []
        self.at_debugger = False

    def _look(self, seconds: float) -> None:
        """Look at the kernel console; raises what it says of the kernel."""
        if self._kernel is None:
            return
        try:
            self._kernel.watch(seconds)
        except KernelStopped as stopped:
            self.at_debugger = stopped.at_debugger
            raise

    def _expect(
        self, patterns: list[bytes], timeout: float, limit_is_hang: bool = True, booting: bool = False
    ) -> int:
        end = time.monotonic() + timeout
        while True:
            left = end - time.monotonic()
            try:
                return super()._expect(patterns, min(max(left, 0.0), SLICE), False, booting)
            except TimeoutError:
                self._look(0.01)
                if left > SLICE:
                    continue
                if limit_is_hang:
                    raise GuestHung(f"no answer within {timeout:g} s") from None
                raise
            except GuestGone:
                with suppress(GuestGone):
                    self._look(LAST_WORDS)
                raise

    def run(self, command: str, timeout: float = 30.0, limit: float | None = None) -> Completed:
        """See Console.run.  What jails and interfaces a command makes is noted, to be removed at the end."""
        made = re.match(r"jail -c .*?\bname=([\w.-]+)", command)
        if made:
            self.jails.append(made[1])
        done = super().run(command, timeout, limit)
        if made and done.status != 0:
            self.jails.remove(made[1])  # it may be somebody else's
        words = done.output.split()
        if re.fullmatch(r"ifconfig \w+ create", command) and done.status == 0 and words:
            self.interfaces.append(words[-1])
        return done

    def debug(self, script: tuple[str, ...] = (), timeout: float = 20.0) -> None:
        """See Console.debug; a debugger's prompt is on the kernel's own console."""
        if self._kernel is not None:
            self._kernel.debug(script, timeout) if script else self._kernel.debug(timeout=timeout)

    def drain(self, seconds: float = 0.2) -> None:
        super().drain(seconds)
        if self._kernel is not None:
            self._kernel.drain(seconds)

    def close(self) -> None:
        super().close()
        self._lines.close()


class RemoteGuest:
    """A FreeBSD machine over ssh.  See harness.guest.base.Guest."""

    kind = "remote"
    console: Console

    def __init__(
        self, config: GuestConfig, machine: ssh.Machine, progress: Progress = lambda _phase, _fraction: None
    ) -> None:
        self._config = config
        self.notes: list[str] = []
        self._machine = machine
        self._connection: ssh.Connection | None = None
        self._shell: RemoteConsole | None = None
        self._watcher: pexpect.spawn[bytes] | None = None
        self._kernel: Console | None = None
        self._kernel_lines: _Lines | None = None
        self._group = ""
        self._lock = threading.Lock()
        # Hosts and interfaces have the scenario's names: one run at a time on one machine.
        name = hashlib.sha256(f"{machine.host}:{machine.port}".encode()).hexdigest()[:16]
        self._turn = FileLock(cache_dir("remote") / f"{name}.lock", thread_local=False)

    # -- starting --------------------------------------------------------------------------------

    def boot(self) -> None:
        """Connect and get a root shell.

        Raises UsageError for a machine that cannot be used as it is (unknown host key, no FreeBSD, not root,
        other tunables than wanted), MachineryError when it cannot be reached.
        """
        machine = self._machine
        name = str(machine)
        try:
            self._turn.acquire(timeout=TURN_LIMIT)
        except Timeout:
            raise MachineryError(f"{name} has been busy with another run for {TURN_LIMIT:g} s") from None
        self._connection = ssh.connect(machine, REBOOT_LIMIT if name in _rebooting else 0.0)
        _rebooting.discard(name)
        if machine.console:
            self._watch_kernel(machine.console)
        # No tty: nothing echoes, edits or cuts lines.  It is a shell for /bin/sh whatever the login shell is.
        shell = f"exec {machine.as_root} env ENV= PS1='# ' PS2='> ' TERM=dumb LC_ALL=C /bin/sh -i"
        channel = ssh.ChannelSpawn(self._connection.start(" ".join(shell.split())))
        self._shell = RemoteConsole(channel, self._config.folder / "console.log", self._kernel)
        self.console = self._shell
        try:
            self.console.wait_for(r"(?:^|[\r\n])# ", 20.0)
        except GuestHung as e:
            raise MachineryError(f"{name} shows no prompt within 20 s") from e
        self._fit()
        self._group = self.console.check("ps -o pgid= -p $$").strip()
        self._bring_dngen()
        for module in self._config.modules:
            self.console.check(f"kldload -n {module}")

    def _watch_kernel(self, command: str) -> None:
        log = self._config.folder / "console.log"
        try:
            self._watcher = pexpect.spawn(
                "/bin/sh", ["-c", f"exec {command}"], echo=False, timeout=None, maxread=65536
            )
        except (OSError, pexpect.ExceptionPexpect) as e:
            raise MachineryError(f"the console command does not start: {e}") from e
        self._watcher.delaybeforesend = None
        self._kernel = Console(self._watcher, log, alive=self._watcher_ended)
        self._kernel_lines = _Lines(log)
        self._watcher.logfile_read = self._kernel_lines
        try:
            self._kernel.watch(0.3)
        except GuestGone:
            said = log.read_text(errors="replace").strip().splitlines()[-1:]
            raise MachineryError(
                f"the console command '{command}' ended at once: {' '.join(said) or self._watcher_ended()}"
            ) from None

    def _watcher_ended(self) -> str | None:
        w = self._watcher
        if w is None or w.isalive():
            return None
        return f"the console command ended with {w.signalstatus or w.exitstatus}"

    def _fit(self) -> None:
        """Is this a machine on which scenarios can be run?"""
        name = str(self._machine)
        system = self.console.check("uname -s").strip()
        if system != "FreeBSD":
            raise UsageError(f"{name} runs {system or 'an unknown system'}, not FreeBSD")
        if self.console.check("id -u").strip() != "0":
            raise UsageError(f"on {name} one is not root: log in as root, or say 'as_root: doas' in its file")
        for tunable, value in sorted(self._config.tunables.items()):
            done = self.console.run(f"kenv -q {quote(tunable)}")
            if done.status != 0 or done.output.strip().strip('"') != value:
                raise UsageError(
                    f"the scenario wants {tunable}={value} at boot: put it into /boot/loader.conf of {name}"
                    " and reboot"
                )

    def _bring_dngen(self) -> None:
        """Make the traffic generator there, by the machine's own cc; once for each version of it."""
        console = self.console
        folder = data_dir("vm") / "dngen"
        sources = [p for p in sorted(folder.glob("*.[ch]")) if p.name != "os_usermode.c"]
        if not (folder / "os_posix.c").is_file():
            return
        content = b"\0".join(p.name.encode() + b"\0" + p.read_bytes() for p in sources)
        digest = hashlib.sha256(content).hexdigest()
        home = console.check('echo "${HOME:-/root}"').strip()
        there = f"{home}/.cache/dnh/dngen-{digest[:16]}"
        if console.run(f"test -x {there}/dngen").status != 0:
            assert self._connection is not None
            # Copied by the user who logs in, compiled by root, who owns what is run.
            copied = f"/tmp/dnh-{digest[:16]}-{time.time_ns()}"
            if self._connection.run(f"mkdir -m 700 {copied}", 20.0) != 0:
                raise MachineryError(f"no folder can be made in /tmp of {self._machine}")
            try:
                self._connection.put({f"{copied}/{p.name}": p for p in sources})
                console.check(f"mkdir -p {there}")
                done = console.run(
                    f"cc -std=gnu11 -O2 -o {there}/dngen.new {copied}/*.c -lpthread -lm"
                    f" && mv {there}/dngen.new {there}/dngen",
                    timeout=120.0,
                )
            finally:
                with suppress(MachineryError):
                    self._connection.run(f"rm -rf {copied}", 20.0)
            if done.status != 0:
                errors = [line for line in done.output.splitlines() if "error" in line] or [done.output]
                raise MachineryError(f"dngen cannot be built on {self._machine}: {errors[0].strip()[-200:]}")
        console.check(f"PATH=$PATH:{there}; export PATH")

    # -- running ---------------------------------------------------------------------------------

    def identity(self) -> GuestIdentity:
        ask = self.console.check
        checks = self.console.run("sysctl -n kern.features.invariants").output.strip() == "1"
        digest = self.console.run('sha256 -q "$(sysctl -n kern.bootfile)"').output.strip()
        return GuestIdentity(
            kind=self.kind, name=str(self._machine), clock="wall", ident=ask("uname -v").strip(),
            release=ask("uname -r").strip(), flavour="debug" if checks else "release",
            digest=digest if re.fullmatch(r"[0-9a-f]{64}", digest) else "", accelerator="hardware",
            ncpu=int(ask("sysctl -n hw.ncpu")),
        )  # fmt: skip

    def sleep(self, seconds: float) -> None:
        self.console.watch(seconds)

    def now(self) -> float:
        return time.monotonic()

    def break_to_debugger(self) -> bool:
        """By the keys that the user gave, else by a second session; never without the kernel's console."""
        kernel, connection = self._kernel, self._connection
        if kernel is None or connection is None:
            return False
        try:
            if self._machine.break_keys and self._watcher is not None:
                self._watcher.send(self._machine.break_keys.encode().decode("unicode_escape").encode("latin-1"))
            else:
                connection.start(f"{self._machine.as_root} sysctl debug.kdb.enter=1".strip())
            kernel.wait_for(r"(?!)", 5.0)
        except KernelStopped as stopped:
            if self._shell is not None:
                self._shell.at_debugger = stopped.at_debugger
            return stopped.at_debugger
        except Exception:
            return False
        return False

    def restore(self, key: str) -> bool:
        return False  # a machine has no snapshots

    def snapshot(self, key: str) -> None:
        return None

    # -- ending ----------------------------------------------------------------------------------

    def power_off(self) -> None:
        """Clean up; the machine itself stays on."""
        self.kill()

    def _clean(self, connection: ssh.Connection, console: RemoteConsole) -> None:
        script = [f"kill -9 -{self._group}"] if re.fullmatch(r"[1-9]\d+", self._group) else []
        for jail in console.jails:
            # An interface goes home when its jail ends, under a name that the next run may want.
            script.append(
                f"for i in $(jexec {jail} ifconfig -l); do case $i in lo*) ;;"
                f" *) jexec {jail} ifconfig $i destroy;; esac; done; jail -r {jail}"
            )
        script += [f"ifconfig {interface} destroy" for interface in console.interfaces]
        if script:
            shell = f"exec {self._machine.as_root} /bin/sh -c {quote('; '.join(script))}"
            connection.run(shell, 20.0)

    def kill(self) -> None:
        """Remove what was made there and disconnect; a machine in its debugger is reset."""
        with self._lock:
            connection, self._connection = self._connection, None
            console = self._shell
            if connection is not None:
                if console is not None and console.at_debugger and self._watcher is not None:
                    with suppress(OSError):
                        self._watcher.send(b"reset\n")
                        console.drain(0.5)  # it has to arrive before the console command ends
                    _rebooting.add(str(self._machine))
                elif console is not None and connection.active():
                    with suppress(Exception):
                        self._clean(connection, console)
                connection.close()
                if console is not None:
                    console.close()
            if self._watcher is not None:
                with suppress(OSError, pexpect.ExceptionPexpect):
                    self._watcher.close(force=True)
                self._watcher = None
            if self._kernel is not None and self._kernel_lines is not None:
                self._kernel.close()
                self._kernel_lines.close()
                self._kernel = None
            self._turn.release()
