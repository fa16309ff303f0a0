"""A FreeBSD console, driven by pexpect: the one way in which anything above talks to any guest.

The guest is a process with its console on a pty (or on a file descriptor, for a serial line).  What
comes out is kept in console.log as it comes, and is watched for the signs of a kernel that stopped
while any command is waited for.  Kernel messages may land anywhere, in the middle of an answer's word too:
an answer is therefore framed by a token that no message contains, and the frame tells its length.  The
shell keeps the answer, and is asked for it again when frame or length show that it was torn.
"""

from __future__ import annotations

import itertools
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pexpect
from pexpect.fdpexpect import fdspawn

from harness.errors import DnhError, MachineryError


class KernelStopped(DnhError):
    """The kernel panicked, trapped or entered its debugger while something was waited for.

    ``sign`` is the console's text that said so; ``at_debugger`` tells that a ``db>`` prompt is there.
    """

    def __init__(self, sign: str, at_debugger: bool) -> None:
        super().__init__(f"the kernel stopped: {sign}")
        self.sign = sign
        self.at_debugger = at_debugger


class GuestRebooted(KernelStopped):
    """The guest began to boot anew without having been told to."""

    def __init__(self, sign: str) -> None:
        super().__init__(sign, at_debugger=False)


class GuestHung(DnhError):
    """No sign of life, or no progress, within the limit."""


class GuestGone(MachineryError):
    """The guest's process ended, or its console did, with no word from the kernel."""


class BootFailed(MachineryError):
    """The boot ended at a prompt of the firmware, the loader or the kernel, which waits for advice."""


@dataclass(frozen=True)
class Completed:
    """A command's exit status and what it printed (stdout and stderr as the console mixes them)."""

    command: str
    status: int
    output: str


#: Signs of a kernel that has stopped, at the beginning of a line of its own; a panic whose first line went
#: into the middle of another (a prompt, an answer) is known by its second.  ("debug.kdb.panic: 0panic: ...")
_STOPPED = (
    rb"panic: (?:(?!\dpanic: )[^\r\n])*[\r\n]+(?:cpuid|time) = \d"
    rb"|KDB: enter: [^\r\n]*[\r\n]+\[ thread pid"
    rb"|(?:^|[\r\n])(?:panic: [^\r\n]*[\r\n]"
    rb"|Fatal trap \d+: [^\r\n]*[\r\n]"
    rb"|Fatal double fault[^\r\n]*[\r\n]"
    rb"|KDB: enter: [^\r\n]*[\r\n]"
    rb"|Stopped at +[^\r\n]*[\r\n])"
)
_DEBUGGER = rb"(?:^|[\r\n])db> "
_REBOOTED = (
    rb"(?:^|[\r\n])(?:---<<BOOT>>---|Consoles: (?:serial|internal|EFI)|BIOS drive |Copyright \(c\) 1992-"
    rb"|Waiting \(max \d+ seconds\) for system process)"
    rb"|Enter full pathname of shell or RETURN for /bin/sh"
)
#: What a kernel says on its way down when no debugger stops it.
_GOES_DOWN = (
    rb"(?:^|[\r\n])(?:Uptime: |Automatic reboot in |Rebooting\.\.\.|Dumping \d+ out of |Cannot dump"
    rb"|--> Press a key on the console to reboot|The operating system has halted)"
)
#: Where a boot ends that has nothing to boot, no loader, no kernel, no root file system or no init.
_BOOT_FAILED = (
    rb"No bootable device|Boot failed: [^\r\n]*|BdsDxe: No bootable option|UEFI Interactive Shell"
    rb"|gptboot: No /boot/kernel/kernel [^\r\n]*|(?:^|[\r\n])FreeBSD/x86 boot[\r\n]+Default: "
    rb"|can't load 'kernel'|(?:^|[\r\n])OK |mountroot> |Enter full pathname of shell or RETURN for /bin/sh"
)
_PAGER = rb"--More--"
#: Commands that are of use in the shell itself only: what it is to have in the background, its own settings.
_IN_SHELL = re.compile(r"(?<![&>|])&(?![&>\d])|^\s*(?:wait|cd|export|umask|ulimit|true)\b")
#: The shell's own word on a line that it cannot read.
_REFUSED = re.compile(rb"[^\r\n]*Syntax error[^\r\n]*")
_STREAM = 512  # bytes between two questions that only a long answer on its way has, and no answer to ^T
_TRIES = 10  # how often an answer is asked for again that came torn
#: A shell that waits for the rest of a command: a character of it was lost on its way.
_UNFINISHED = re.compile(rb"> (?:[\r\n]+load: [^\r\n]*cmd: sh \d+ \[[^\r\n]*)*[\r\n]*$")
_INTERRUPT = "\x03"
#: The terminal's own answer to ^T (its VSTATUS): the kernel gives it, whatever the command at work does.
_BEAT = rb"load: \d+\.\d\d +(?:cmd: ([^\r\n]*?) (\d+) \[([^\]\r\n]*)\] [\d.]+r ([\d.]+)u ([\d.]+)s )?[^\r\n]*[\r\n]+"
_STATUS = b"\x14"
#: It and the stack of the thread, which a debug kernel shows below it, as lines of an answer.
_BEAT_LINES = re.compile(
    r"^sleep: about \d+ second\(s\) left out of the original \d+\n|^load: \d+\.\d\d .*\n(?:(?:[\w.]+\+0x[0-9a-f]+ ?)+\n)?", re.M
)
#: Where a process waits that has nothing to do, and not for the kernel.
_AT_REST = {"nanslp", "select", "wait", "kqread", "piperd", "ttyin", "pause", "sigsusp", "sbwait", "accept", "uwait"}
_NEVER = rb"(?!)"
PROMPT_LIMIT = 5.0  # seconds of a booted kernel's silence after which its prompt may have been torn
LOADER_LIMIT = 90.0  # seconds from a guest's start to its kernel's first word
_WINDOW = 1 << 17  # bytes that are searched each time something comes; more than is ever read at once

#: What is asked of the debugger after a panic, as a developer would ask; a command it lacks costs nothing.
DEBUGGER_SCRIPT = ("bt", "show registers", "show pcpu", "show alllocks", "alltrace", "ps")


class _Pulse:
    """The signs of life while something is waited for."""

    def __init__(self, hang: float) -> None:
        self.interval = min(2.0, max(hang / 4, 0.2))  # seconds between two questions
        self.where: str | None = None  # the command at work and where it waits; None: the last question has no answer
        self._life = self._asked = time.monotonic()
        self._answered = True
        self._used = ""

    def silent(self) -> float:
        """Seconds since the last sign of life, of a command that waits in the kernel: of progress."""
        return time.monotonic() - self._life

    def due(self) -> bool:
        """Is it time to ask?  Whoever hears yes asks."""
        now = time.monotonic()
        if now - self._asked < self.interval:
            return False
        if not self._answered:
            self.where = None
        self._asked, self._answered = now, False
        return True

    def heard(self) -> None:
        """An answer is on its way: as good as one to ^T, which would be set down in the middle of it."""
        self._life = self._asked = time.monotonic()
        self._answered = True

    def take(self, answer: re.Match[bytes], at_prompt: bool = False) -> None:
        """An answer to ^T: life, if the command rests by its own will or has used the processor since."""
        self._answered = True
        if answer.group(1) is None:  # no foreground process: the shell is between two
            self._life = time.monotonic()
            return
        name, pid, state, user, system = (g.decode("utf-8", "replace") for g in answer.groups())
        used = f"{pid} {user} {system}"
        self.where = f"{name} [{state}]"
        if used != self._used or state in _AT_REST or at_prompt:
            self._life, self._used = time.monotonic(), used


class Console:
    """One guest's console.  Not for use by two threads at once."""

    def __init__(
        self,
        process: pexpect.spawn[bytes] | fdspawn[bytes],
        log: Path,
        *,
        alive: Callable[[], str | None] = lambda: None,
        torn_after: float = 2.0,
        by_itself: Callable[[], str | None] = lambda: None,
        heartbeat: bool = False,
        keeps: bool = False,
        hang: float = 20.0,
    ) -> None:
        """Drive ``process``, appending all that it prints to ``log``.

        ``alive`` returns None, or how the guest's process ended; ``by_itself`` what the guest did to that
        end (it reset its machine), None where it had no part in it.  ``torn_after`` is how many seconds of
        silence make the console ask again for an answer whose frame may have been torn.

        With ``heartbeat`` the terminal is asked for its status (^T) while it is silent: a command that
        takes long is told from a guest that hangs.  ``hang`` is how many seconds the guest may go without
        a sign of life.

        With ``keeps`` the shell keeps each answer in a variable until it has come whole: for consoles that
        a kernel writes to beside the shell.
        """
        self._process = process
        self._log: BinaryIO = open(log, "ab", buffering=0)  # noqa: SIM115 - lives as long as the console
        self._process.logfile_read = self._log
        self._process.searchwindowsize = _WINDOW
        self._alive = alive
        self._torn_after = torn_after
        self._by_itself = by_itself
        self._heartbeat = heartbeat
        self._keeps = keeps
        self.hang = hang
        self.longest = 600.0
        """Seconds that a command may take at most, however alive it is (with a heartbeat)."""
        self._tokens = (f"{os.getpid() % 1000:03d}{n:05d}" for n in itertools.count(1))

    # -- waiting ---------------------------------------------------------------------------------

    def _expect(
        self, patterns: list[bytes], timeout: float, limit_is_hang: bool = True, booting: bool = False
    ) -> int:
        """Index of the first of ``patterns`` to come; the kernel's own signs raise.

        Raises KernelStopped, GuestRebooted (BootFailed instead while ``booting``), GuestGone, and GuestHung
        after ``timeout`` seconds (TimeoutError instead where ``limit_is_hang`` is False).
        """
        boot = _BOOT_FAILED if booting else _REBOOTED
        signs = [re.compile(p) for p in (*patterns, _DEBUGGER, _STOPPED, boot)]
        try:
            found = self._process.expect_list([*signs, pexpect.EOF, pexpect.TIMEOUT], timeout=max(timeout, 0))
        except (OSError, ValueError) as e:
            raise GuestGone(f"the guest's console broke: {e}") from e
        n = len(patterns)
        if found < n:
            return found
        text = self._match_text().split("\r")[0].split("\n")[0]
        if found == n:
            raise KernelStopped("at the db> prompt", at_debugger=True)
        if found == n + 1:
            raise KernelStopped(text, at_debugger=self._reaches_debugger())
        if found == n + 2:
            if booting:
                raise BootFailed(f"the guest does not come up, its boot ended at: {text}")
            raise GuestRebooted(text)
        if found == n + 3:
            if sign := self._by_itself():
                if booting:
                    raise BootFailed(f"the guest does not come up: {sign} before its prompt")
                raise GuestRebooted(sign)
            how = self._alive() or "its console closed"
            raise GuestGone(f"the guest ended: {how}")
        if limit_is_hang:
            raise GuestHung(f"no answer within {timeout:g} s")
        raise TimeoutError

    def _match(self) -> re.Match[bytes]:
        match = self._process.match
        assert isinstance(match, re.Match)
        return match

    def _match_text(self) -> str:
        after = self._process.after
        return after.decode("utf-8", "replace").strip() if isinstance(after, bytes) else ""

    def _reaches_debugger(self, timeout: float = 20.0, quiet: float = 5.0) -> bool:
        """After a panic's first line: does it end at a prompt?

        Waits for the prompt, or what tells that none comes: a reboot, EOF, ``quiet`` seconds of silence.
        """
        signs = [re.compile(p) for p in (_DEBUGGER, _GOES_DOWN, _REBOOTED)]
        end = time.monotonic() + timeout
        heard, size = time.monotonic(), -1
        while (now := time.monotonic()) < end and now - heard < quiet:
            try:
                found = self._process.expect_list([*signs, pexpect.EOF, pexpect.TIMEOUT], timeout=0.5)
            except OSError:
                return False
            if found <= len(signs):
                return found == 0
            if len(self._process.before or b"") != size:
                heard, size = time.monotonic(), len(self._process.before or b"")
        return False

    def wait_for(self, pattern: str, timeout: float, booting: bool = False) -> str:
        """Wait for a regular expression on the console; returns the text it matched.

        ``booting`` lets the messages of a start pass that otherwise mean an unasked-for one.
        """
        self._expect([pattern.encode()], timeout, booting=booting)
        return self._match_text()

    def wait_for_boot(self, prompt: str, timeout: float, silence: float) -> None:
        """Wait for the shell's first prompt; of a kernel that is silent another one is asked for, the first may have been torn.

        Raises BootFailed for a boot that ends elsewhere or says nothing at all, GuestHung for a kernel that
        falls silent for ``silence`` seconds or is not done within ``timeout``, KernelStopped.
        """
        began = heard = asked = time.monotonic()
        end, size = began + timeout, -1
        while True:
            try:
                self._expect([prompt.encode()], 0.5, limit_is_hang=False, booting=True)
                return
            except TimeoutError:
                said = self._process.buffer.rstrip()  # a terminal echoes what it is asked
            now = time.monotonic()
            if len(said) != size:
                heard = asked = now
                size = len(said)
            kernel = b"---<<BOOT>>---" in said or b"Copyright (c) 1992-" in said
            if kernel and now - asked > PROMPT_LIMIT:
                self.send("")
                asked = now
            # A loader on a slow machine turns its wheel in one place: only a kernel's silence means something.
            if now < (end if kernel else min(end, began + LOADER_LIMIT)) and (now - heard < silence or not kernel):
                continue
            lines = [line.strip() for line in _CONTROL.sub("", said.decode("utf-8", "replace")).split("\n") if line.strip()]
            last = f"; its last line: {_short(lines[-1])}" if lines else ""
            if not kernel:
                raise BootFailed(f"the guest does not come up: no kernel within {now - began:.0f} s{last}")
            if now >= end:
                raise GuestHung(f"the kernel shows no prompt within {timeout:g} s{last}")
            raise GuestHung(f"the kernel fell silent for {silence:g} s while it booted{last}")

    def watch(self, seconds: float) -> None:
        """Let ``seconds`` of wall time pass while watching for a kernel that stops, or (with a heartbeat) hangs."""
        end = time.monotonic() + seconds
        pulse = _Pulse(self.hang)
        while (left := end - time.monotonic()) > 0:
            try:
                # Where there is no heartbeat nothing matches: what the console prints only goes to the log.
                self._expect([_BEAT if self._heartbeat else _NEVER], min(left, 1.0, pulse.interval), limit_is_hang=False)
                pulse.take(self._match(), at_prompt=True)
            except TimeoutError:
                if self._heartbeat:
                    self._beat(pulse)
                    if pulse.silent() > self.hang:
                        raise GuestHung(f"no sign of life for {self.hang:g} s") from None

    def _beat(self, pulse: _Pulse) -> None:
        """Ask for a sign of life, if it is time to."""
        if pulse.due():
            if how := self._alive():
                raise GuestGone(f"the guest stopped: {how}")
            try:
                self._process.send(_STATUS)
            except OSError as e:
                raise GuestGone(f"the guest does not take input: {self._alive() or e}") from e

    # -- the shell -------------------------------------------------------------------------------

    def send(self, line: str) -> None:
        """Type a line."""
        try:
            self._process.send(line.encode() + b"\n")
        except OSError as e:
            how = self._alive() or str(e)
            raise GuestGone(f"the guest does not take input: {how}") from e

    def run(self, command: str, timeout: float = 30.0, limit: float | None = None) -> Completed:
        """Run one shell command line; returns its status and output whatever the status.

        Raises GuestHung after ``timeout`` seconds without an answer; with a heartbeat after ``timeout``
        seconds without progress, and after ``limit`` (or self.longest) seconds in any case.  Raises
        KernelStopped, GuestRebooted or GuestGone.
        """
        token = next(self._tokens)
        kept = self._keeps and not _IN_SHELL.search(command)
        typed = ""
        ask = f"echo @dnh:{token}:$s@"
        if kept:
            # Two names in turn: the answer before this one is let go.
            now, before = ("dnh_a", "dnh_b")[:: 1 if int(token) % 2 else -1]
            ask = f"echo @dnh:{token}:begin@; printf '%s\\n' \"${now}\"; echo @dnh:{token}:$s:${{#{now}}}@"
            typed = f"{now}=$(exec 2>&1; {command}\n)\ns=$?; {before}=; {ask}"
            self.send(typed)
        else:
            # Echo, where a tty insists on it, shows "$s" and not digits: it can't be taken for the answer.
            self.send(f"echo @dnh:{token}:begin@; {command}\ns=$?; {ask}")
        begin = b"@dnh:" + token.encode() + b":begin@" if kept else None
        end_of_frame = rb"@dnh:" + token.encode() + rb":(\d+)" + (rb":(\d+)@" if kept else rb"@")
        patterns = [end_of_frame, *([_BEAT] if self._heartbeat else [])]
        pulse = _Pulse(timeout)
        end = time.monotonic() + (timeout if not self._heartbeat else limit or max(self.longest, timeout))
        seen, asked, tries = b"", time.monotonic(), 0
        waited = 0  # how often the shell had asked for more when it was asked last
        refused: bytes | None = None
        log = self._log.tell()
        while True:
            left = min(end - time.monotonic(), timeout - pulse.silent())
            wait = min(left, self._torn_after, *([pulse.interval] if self._heartbeat else []))
            try:
                found = self._expect(patterns, wait, limit_is_hang=False)
                seen += self._process.before or b""
                if found == 0:
                    status = int(self._match().group(1))
                    if not kept:
                        return Completed(command, status, _answer(seen, token, 1 + command.count("\n")))
                    whole = _kept_answer(seen, token)
                    refused = refused or (_REFUSED.findall(seen) or [b""])[0]
                    if len(whole) == int(self._match().group(2)):
                        return Completed(command, status, (whole or (refused if status else b"")).decode("utf-8", "replace"))
                    if tries == _TRIES:  # a kernel that talks without a pause, or a control character in the answer
                        return Completed(command, status, _answer(seen, token))
                    seen, tries, asked = b"", tries + 1, time.monotonic()
                    self.send(ask)
                    continue
                seen += self._process.after if isinstance(self._process.after, bytes) else b""
                pulse.take(self._match())
            except TimeoutError:
                came, log = self._log.tell() - log, self._log.tell()
                if begin and came > _STREAM and begin in seen + self._so_far() and time.monotonic() < end:
                    pulse.heard()
                    asked = time.monotonic()
                    continue
                if left <= wait:
                    raise GuestHung(self._why_hung(command, timeout, pulse, end)) from None
                # Silence: the command may be at work, or its frame was torn by a kernel message.  Asking
                # again costs one more line at the end; the shell reads it when the command is done.
                waits = self._waits_for_the_rest(token, seen) if kept else 0
                unfinished = waits > 1 + command.count("\n")
                if time.monotonic() - asked >= self._torn_after and (unfinished or self._torn(token, seen)):
                    if unfinished and 0 < waited < waits and tries < _TRIES:
                        # It answered the question like that, too: nothing of the command has run, and all of it is typed anew.
                        self.send(_INTERRUPT)
                        self.drain(0.3)
                        seen, tries, waited = b"", tries + 1, 0
                        self.send(typed)
                    else:
                        self.send(ask)
                        waited = waits
                    asked = time.monotonic()
                if self._heartbeat:
                    self._beat(pulse)

    def _so_far(self) -> bytes:
        """What has come and was not taken yet, after a time that ran out."""
        before = self._process.before
        return before if isinstance(before, bytes) else b""

    def _why_hung(self, command: str, timeout: float, pulse: _Pulse, end: float) -> str:
        if not self._heartbeat:
            return f"no answer within {timeout:g} s to: {_short(command)}"
        if pulse.where is None:
            return f"no sign of life for {timeout:g} s in: {_short(command)}"
        if time.monotonic() >= end - 0.01 and pulse.silent() < timeout:
            return f"the guest is alive, but not done within the limit: {_short(command)} ({pulse.where})"
        return f"no progress for {timeout:g} s in: {_short(command)} ({pulse.where})"

    def _torn(self, token: str, seen: bytes) -> bool:
        """Does what has come so far hold pieces of the frame's end without being it, or a prompt after it?

        Only then it is asked again: what is typed ahead of a command at work might be read by that command.
        """
        begin = b"@dnh:" + token.encode() + b":begin@"
        tail = (seen[-4096:] + self._process.buffer)[-4096:]
        tail = tail[tail.rfind(begin) + len(begin) :] if begin in tail else tail
        return b"@dnh:" in tail or bool(re.search(rb":\d+@|[\r\n]# $|cmd: sh \d+ \[ttyin\][^\n]*\n[^\n]*\n?$", tail[-1024:]))

    def _waits_for_the_rest(self, token: str, seen: bytes) -> int:
        """How often the shell has asked for the rest of a command; 0 when it does not do so now."""
        heard = (seen[-4096:] + self._process.buffer)[-4096:]
        begun = b"@dnh:" + token.encode() in heard
        return heard.count(b"> ") if not begun and _UNFINISHED.search(heard) else 0

    def put(self, path: str, text: str, timeout: float = 30.0) -> None:
        """Write a small text file in the guest, line by line."""
        self.check(f": > {path}", timeout)
        for line in text.splitlines():
            self.check(f"echo {quote(line)} >> {path}", timeout)

    def check(self, command: str, timeout: float = 30.0) -> str:
        """Run a command that must succeed; returns its output.

        Raises MachineryError with the command, its status and its last lines.
        """
        done = self.run(command, timeout)
        if done.status != 0:
            tail = " | ".join(done.output.strip().splitlines()[-3:])
            raise MachineryError(f"in the guest: '{_short(command)}' ended with status {done.status}: {tail}")
        return done.output

    # -- the debugger ----------------------------------------------------------------------------

    def debug(self, script: tuple[str, ...] = DEBUGGER_SCRIPT, timeout: float = 20.0) -> None:
        """At the ``db>`` prompt: run a script of commands; the answers go to the log.

        A debugger that falls silent or a guest that goes away ends it without an error: the log has
        what there is.
        """
        # What was typed ahead for the shell may have gone to the debugger, which has answered it.
        self.drain(0.3)
        for command in script:
            try:
                self._process.send(command.encode() + b"\n")
                deadline = time.monotonic() + timeout
                while True:
                    found = self._process.expect_list(
                        [re.compile(_DEBUGGER), re.compile(_PAGER), pexpect.EOF, pexpect.TIMEOUT],
                        timeout=max(deadline - time.monotonic(), 0.1),
                    )
                    if found != 1:
                        break
                    self._process.send(b" ")
                if found != 0:
                    return
            except OSError:
                return

    def drain(self, seconds: float = 0.2) -> None:
        """Take in what is still on its way, until EOF or ``seconds`` of silence; never raises."""
        try:
            anything = re.compile(rb".+", re.S)
            while self._process.expect_list([anything, pexpect.EOF, pexpect.TIMEOUT], seconds) == 0:
                pass
        except (OSError, ValueError, pexpect.ExceptionPexpect):  # ValueError: its process was closed
            return

    def interact(self) -> None:
        """Hand the console over to the user's terminal until the guest ends or Ctrl-] is typed."""
        self._process.logfile_read = None
        if isinstance(self._process, pexpect.spawn):
            self._process.interact()

    def close(self) -> None:
        """Close the log; the process is its guest's to end."""
        self._process.logfile_read = None
        self._log.close()


def quote(text: str) -> str:
    """A word for sh, in single quotes where it needs them."""
    if re.fullmatch(r"[A-Za-z0-9_@%+=:,./-]+", text):
        return text
    return "'" + text.replace("'", "'\\''") + "'"


def _short(text: str, limit: int = 120) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 3] + "..."


#: Terminal control sequences (CSI, OSC, the short ones), and control characters other than newline and tab.
_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]?|[\x00-\x08\x0b-\x1f\x7f]"
)


def _kept_answer(raw: bytes, token: str) -> bytes:
    """What stands between the frame's beginning and its end, to the byte; CRs are the terminal's."""
    begin = f"@dnh:{token}:begin@".encode()
    return raw[raw.rfind(begin) + len(begin) :].replace(b"\r", b"").removeprefix(b"\n").rstrip(b"\n")


def _answer(raw: bytes, token: str, lines_typed: int = 1) -> str:
    """What a command printed: the text between the frame's beginning and its end, without what a shell or a
    terminal adds (prompts, CRs, control sequences)."""
    text = _BEAT_LINES.sub("", _CONTROL.sub("", raw.decode("utf-8", "replace")))
    begin = f"@dnh:{token}:begin@"
    # The last one: a tty that echoes shows the words of the frame before the shell prints them.
    at = text.rfind(begin + "\n")
    text = text[at + len(begin) + 1 :] if at >= 0 else text
    # Prompts stand before the frame's end; between other lines only where the command had several.
    text = re.sub(r"(?:# )+$", "", text)
    lines = [line for line in text.split("\n") if f"@dnh:{token}" not in line]
    if lines_typed > 1:
        lines = [re.sub(r"^(?:[#>] )+", "", line) for line in lines]
    while lines and lines[-1] in ("", "#"):
        lines.pop()
    return "\n".join(lines)
