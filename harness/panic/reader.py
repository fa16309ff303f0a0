"""Console text in, what happened out.

The log is taken in pieces.  A piece without one of the kernel's words of alarm is passed over whole; from
such a word on, lines are read one by one until the report is over.  Memory does not grow with the log.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.panic import naming
from harness.panic.clean import clean, undouble, unflow
from harness.panic.model import Frame, Kind, Panic, is_interrupt
from harness.panic.sources import Source, chunks

_LONGEST_LINE = 1 << 14
_HEAD, _TAIL = 400, 80  # lines of a report that are kept
_FRAMES = 2048  # of one backtrace
_LIMIT = 1000  # reports of one log
_IDLE_END, _DEBUGGER_END = 40, 4000  # lines without meaning after which a report is over

_ALARMS = (
    b"panic: ", b"Panic String:", b"Fatal ", b"FFaattaall", b"ppaanniicc", b"lock order reversal", b"duplicate lock of same",
    b"locks held:", b"KDB: ", b"Sleeping thread (tid", b"Racy Access", b"ASan: ", b"MSan: ", b"locked from ",
    b"KASSERT failed: ", b"ountroot", b" limit reached", b" leaked memory", b"was not empty (", b"---<<BOOT>>---",
    b"Copyright (c) 1992-", b"trademark of The FreeBSD", b"Uptime: ", b"ebooting", b"halted", b"reboot by ", b"exiting on signal 15",
    b"power-down by ", b"halt by ", b"vpanic() at ", b"panic() at ", b"trap_fatal() at ", b"at vpanic+", b"at trap_fatal+",
    b"Version String:", b"without my init", b"ABORTING BOOT", b"BTX halted", b"No bootable ", b"can't load 'kernel'",
    b"which disk we are booting from", b"no bootable kernel", b"Boot failed", b"ERROR: cannot open /boot/", b"in vpanic (",
    b"in panic (", b"unread portion of the kernel", b"Unread portion of the kernel", b"dumped core - see", b"Stopped at",
    b"don't know how to load",
    b"rmatrix paradox", b"leak:",
)  # fmt: skip

_HEX = r"(?:0x)?[0-9a-fA-F]+"
_FRAME = re.compile(
    r"(?P<name>[^\s()]+)\((?P<args>[^()]*)\) at (?P<sym>[^\s+/\[(]+)(?:\+(?P<off>0x[0-9a-f]+|\d+))?"
    r"(?: \[(?P<file>[^\]:]+):(?P<line>-?\d+)\])?"
    r"(?:/frame (?P<fp>0x[0-9a-f]+|0))?(?: \[(?P<file2>[^\]:]+):(?P<line2>-?\d+)\])?\s*$"
)
_FRAME_START = re.compile(r"(?P<name>[A-Za-z_?.$][\w.$?]*)\(\)(?: at)?(?:\s+[^\s]*)?(?:/frame)?\s*$")
_STACK_FRAME = re.compile(r"#(?P<n>\d+)\s+(?P<pc>0x[0-9a-f]+) at (?P<sym>[^\s+]+?)(?:\+(?P<off>0x[0-9a-f]+|\d+))?$")
_KGDB_FRAME = re.compile(
    r"#(?P<n>\d+)\s+(?:(?P<pc>0x[0-9a-f]+) in )?(?P<name>[\w.$?]+|<signal handler called>)(?: ?\((?P<rest>.*))?$"
)
_KGDB_PLACE = re.compile(r"(?:^|[\s)])(?:at (?P<file>[^\s:]+):(?P<line>\d+)|from (?P<module>/\S+))\s*$")
_OLD_ARM_FRAME = re.compile(r"\s*(?:pc|sp)\s*=\s*0x[0-9a-f]+\s+(?:lr|fp)\s*=")
_TRAP_LINE = re.compile(r"-{2,3} (?P<what>(?:trap|syscall|interrupt|exception|unhandled|system error|unknown|invalid|kthread|user)\b.*?)(?: -{2,3})?$")
_FATAL_TRAP = re.compile(r"Fatal trap (?P<n>\d+): (?P<name>.+?) while in (?P<mode>\w+)(?: mode)?\s*$")
_FATAL_TRAP_CUT = re.compile(r"Fatal trap (?P<n>\d+): (?P<name>[a-zA-Z ()/-]{3,60})$")
_PANIC = re.compile(r"panic: ?(?P<message>.*)$")
_PANIC_MIDDLE = re.compile(r"(?<![\w./-])(?<!after )panic: (?P<message>.+)$")
_SETTING = re.compile(r"\s*(?P<key>[A-Za-z][\w #]{1,24}?)\s*(?:=|:)\s+(?P<value>\S.*)$")
_PROCESS = re.compile(r"(?P<pid>\d+) \((?P<name>.*)\)")
_THREAD_LINE = re.compile(r"\[ ?thread pid (?P<pid>\d+) tid (?P<tid>\d+) ?\]")
_CURTHREAD = re.compile(rf"{_HEX}: pid (?P<pid>\d+)(?: tid (?P<tid>\d+))?.*?\"(?P<name>[^\"]*)\"")
_TRACING = re.compile(r"Tracing (?:command (?P<command>.+?) )?pid (?P<pid>\d+) tid (?P<tid>\d+)(?: td \S+)?(?: \(CPU (?P<cpu>\d+)\))?")
_SLEEPING = re.compile(r"Sleeping thread \(tid (?P<tid>\d+), pid (?P<pid>-?\d+)\) owns a non-sleepable lock")
_TRACE_OF = re.compile(r"KDB: stack backtrace of thread (?P<tid>\d+):")
_ORDER = re.compile(r"lock order reversal:?(?P<how>.*)$")
_ORDER_LOCK = re.compile(rf"\s*(?P<n>1st|2nd|3rd) (?:{_HEX} )?(?P<lock>.+?) @ (?P<file>\S.*)$")
_ORDER_CUT = re.compile(rf"\s*(?P<n>1st|2nd|3rd) {_HEX} (?P<lock>.+)$")
_HELD = re.compile(
    rf"\s*(?P<how>exclusive|shared) (?P<cls>[a-z]+(?: [a-z]+)*?) (?P<lock>.+?) r = \d+ \({_HEX}\)(?: locked)? @ (?P<file>\S+)"
)
_HELD_BY = re.compile(rf"Process (?P<pid>\d+) \((?P<name>.*)\) thread {_HEX} \((?P<tid>\d+)\)")
_LOCKS_HELD = re.compile(r"(?P<what>.+?) with the following (?:non-sleepable )?locks held:$|Thread \S+ exiting with the following locks held:$")
_MISMATCH = re.compile(r"(?:shared lock of|exclusive lock of|shared unlock of|exclusive unlock of|forbidden unlock of) \(.+\) .+ @ \S+:\d+$")
_MISMATCH_FROM = re.compile(r"while (?:exclusively|share) locked from \S+:\d+$")
_DUPLICATE = re.compile(r'acquiring duplicate lock of same type: "?(?P<lock>[^"]*)"?$')
_ESTABLISHED = re.compile(r"lock order .+ established at:$")
_ATTEMPTED = re.compile(r"lock order .+ attempted at:$")
_RACE = re.compile(r".*CSan: Racy Access \[(?P<one>.*?)>?\] \[(?P<two>.*?)>?\]")
_SANITIZER = re.compile(r"(?P<which>ASan|MSan): (?P<what>[A-Z].*)$")
_WARN_ONLY = re.compile(r"KASSERT failed: (?P<message>.+)$")
_MBUFS = re.compile(r"(?:\[zone: (?P<zone>[^\]]+)\] )?(?P<what>kern\.ipc\.\w+ limit reached)")
_LEAKED = re.compile(
    r"Warning: memory type (?P<type>.+?) leaked memory on destroy \(\d+ allocations, \d+ bytes leaked\)"
    r"|Freed UMA keg \((?P<keg>.+?)\) was not empty \(\d+ items\)"
)
_RIP = re.compile(r"rip (?P<rip>0x[0-9a-f]+|[0-9a-f]{8,16}) rsp ")
_REGISTERS = re.compile(r"\s*(?:x\d+|r[a-z0-9]{1,2}|e[a-z]{2}|sp|lr|elr|spsr|far|esr|pc)\s*[:=]\s*(?:0x)?[0-9a-f]{4,16}\b")
_REGISTER = re.compile(r"\b(?P<name>x\d+|r[a-z0-9]{1,2}|lr|far|elr|esr|e[a-z]{2})\s*[:=]\s*(?:0x)?(?P<value>[0-9a-f]{4,16})\b")
_BREAK = re.compile(r"KDB: enter: (?P<how>(?:line )?break\b.*|break sequence on console|manual escape to debugger)$", re.I)
_VERSION = re.compile(r"(?:@\(#\))?(?P<version>FreeBSD \d+\.\d+-[A-Z][\w.-]+.*)$")
_VERSION_STRING = re.compile(r"\s*Version String: (?P<version>FreeBSD .+)$")
_PANIC_STRING = re.compile(r"\s*Panic String: ?(?P<message>.*)$")
_BANNER = re.compile(r"---<<BOOT>>---|Copyright \(c\) 1992-\d{4} The FreeBSD Project")
_FAREWELL = re.compile(
    r"Uptime: \d|Rebooting\.\.\.|^rebooting|The operating system has halted|(?:reboot|halt|power-down) by |exiting on signal 15|cpu_reset"
    r"|KDB: reboot requested"
)
_BOOT_FAILED: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?:^|\s)mountroot> ?"), "no root file system: the kernel asks at mountroot>"),
    (re.compile(r"Loader variables:$"), ""),
    (re.compile(r"BTX halted"), "BTX halted"),
    (re.compile(r"(?:No|no) bootable (?:device|medium|disk|kernel|option)"), ""),
    (re.compile(r"can't load 'kernel'"), ""),
    (re.compile(r"don't know how to load module '(?:/boot/)?kernel"), ""),
    (re.compile(r"Can't work out which disk we are booting from"), ""),
    (re.compile(r"Boot failed|ERROR: cannot open /boot/"), ""),
    (re.compile(r"ERROR: ABORTING BOOT"), "rc: ABORTING BOOT"),
)
_MOUNT_FAILED = re.compile(r"Mounting from (?P<what>\S+) failed with error (?P<error>-?\d+)")
_FOREIGN = re.compile(r"goroutine \d+ \[|^\s*runtime\.|Starting stack trace\.\.\.|trap type \d+, code=|not syncing|^\s*main\.\w+\(|NetBSD |OpenBSD |exit status 2$")
_PROMPT = re.compile(r"\s*(?:>\s*)?db(?:\{\d+\})?> ?")
_SCRIPT_PROMPT = re.compile(r"db:\d+:[\w.-]+> ")
_NESTED = frozenset({"vpanic", "kern_reboot", "db_trap", "trap_fatal"})
_CORE_TEXT = re.compile(r"Unread portion of the kernel message buffer|dumped core - see |unread portion of the kernel")
_ARM_EC = {0x20: "instruction abort", 0x21: "instruction abort", 0x22: "PC alignment fault", 0x24: "data abort",
           0x25: "data abort", 0x26: "SP alignment fault", 0x2F: "system error", 0x3C: "breakpoint", 0x00: "undefined instruction"}  # fmt: skip


@dataclass(slots=True)
class _Trace:
    """One backtrace of a report."""

    of: int | None = None  # tid
    role: str = ""  # "", established, kgdb
    frames: list[Frame] = field(default_factory=list)
    reached: bool = False  # came to where threads begin
    cut: bool = False  # ended inside a frame
    pending: str = ""  # a trap line that waits for its frame
    width: int = 0  # digits of frame addresses so far

    def add(self, frame: Frame) -> None:
        if self.pending:
            rip = re.search(r"(?:rip|eip) = (0x[0-9a-f]+)", self.pending)
            frame = replace(frame, trap=self.pending, address=frame.address or (rip[1] if rip else ""))
            self.pending = ""
        if len(self.frames) < _FRAMES:
            self.frames.append(frame)
        if naming.is_root(frame.function):
            self.reached = True


@dataclass(slots=True)
class _Event:
    """A report that is being read."""

    opener: str
    start: int
    kind: Kind | None = None
    single: bool = False  # reported, not fatal: over with its backtrace
    confirmed: bool = False
    from_kernel: bool = False
    trap: int | None = None
    trap_name: str = ""
    trap_line: str = ""
    message: str | None = None
    message_width: int = 0
    message_open: bool = False
    prelude: str = ""  # WITNESS' words before its panic
    fields: dict[str, str] = field(default_factory=dict)
    tid: int | None = None
    pid: int | None = None
    thread: str = ""
    process: str = ""
    locks: list[str] = field(default_factory=list)
    lock_names: list[str] = field(default_factory=list)
    own_locks: list[str] = field(default_factory=list)
    locks_of: int | None = None
    traces: list[_Trace] = field(default_factory=list)
    trace: _Trace | None = None
    registers: bool = False
    freed_in: list[str] = field(default_factory=list)
    debugger: bool = False
    frozen: bool = False  # inside a fault of the debugger itself
    over: bool = False  # said goodbye
    head: list[str] = field(default_factory=list)
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=_TAIL))
    loose: list[str] = field(default_factory=list)  # lines without meaning since the last with one
    last: int = 0
    since: int = 0
    dropped: int = 0
    notes: list[str] = field(default_factory=list)
    core_text: bool = False
    info: bool = False
    version: str = ""
    follow: int = 0  # number of lines seen after the opener

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def keep(self, text: str) -> None:
        if len(self.head) < _HEAD:
            self.head.append(text)
        else:
            if len(self.tail) == _TAIL:
                self.dropped += 1
            self.tail.append(text)

    def meant(self, number: int, text: str) -> None:
        for loose in self.loose:
            self.keep(loose)
        self.loose.clear()
        self.keep(text)
        self.last = number
        self.since = 0

    def meaningless(self, text: str) -> None:
        self.since += 1
        if len(self.loose) < 200:
            self.loose.append(text)

    @property
    def has_frames(self) -> bool:
        return any(trace.frames for trace in self.traces)

    def set(self, key: str, value: str) -> None:
        self.fields.setdefault(key, value)


def _number(text: str) -> int | None:
    try:
        return int(text, 0)
    except ValueError:
        try:
            return int(text, 16)
        except ValueError:
            return None


class _Reader:
    """Lines in, finished reports out, at most one report open."""

    def __init__(self) -> None:
        self.done: list[Panic] = []
        self.event: _Event | None = None
        self.side: _Event | None = None  # a WITNESS report inside ... nothing else is open
        self.version = ""
        self.arch = ""
        self.want_version = False
        self.banner_at = -100
        self.booted = False
        self.lines_since_boot = 0
        self.farewell = False
        self.recent: deque[str] = deque(maxlen=12)
        self.mount_failed = ""
        self.root_asked = False
        self.core_text = False
        self.seen_once: set[str] = set()  # single-line reports of this boot
        self.held = ""  # first half of a line that seems wrapped
        self.held_number = 0
        self.boots = 0
        self.keys: list[tuple[object, ...]] = []
        self.full = False

    # -- whole log ---------------------------------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        return self.event is None and not self.held and not self.want_version

    def line(self, number: int, raw: str) -> None:
        """Take one line as it stands in the log."""
        if "\r" in raw:
            for part in raw.split("\r"):
                if part:
                    self.line(number, part)
            return
        text, kernel = clean(raw)
        if len(text) > 200:
            parts = unflow(text)
            if len(parts) > 1:
                for part in parts:
                    self._joined(number, part, kernel, len(part))
                return
        self._joined(number, text, kernel, len(raw))

    def _joined(self, number: int, text: str, kernel: bool, width: int) -> None:
        """Put together what was wrapped in the middle of a frame."""
        if self.held:
            first, self.held = self.held, ""
            for joined in (first + text.strip(), first + " " + text.strip()):
                found = _FRAME.match(joined.strip())
                if (found and self._complete(found)) or (
                    first.startswith("---") and joined.endswith("---") and "---" not in text[:-3]
                ):
                    if self.event:
                        self.event.note("wrapped lines were joined")
                    self.take(number, joined, kernel, width)
                    return
            self.take(self.held_number, first, kernel, len(first))
        if self.event is not None and self._seems_wrapped(text):
            self.held, self.held_number = text, number
            return
        self.take(number, text, kernel, width)

    def _complete(self, found: re.Match[str]) -> bool:
        width = self.event.trace.width if self.event and self.event.trace else 0
        if found["sym"] != found["name"] and not _same_name(found["name"], found["sym"]):
            return False
        if width and not found["fp"]:
            return False
        return not width or len(found["fp"]) >= width - 1 or found["fp"] == "0"

    def _seems_wrapped(self, text: str) -> bool:
        event = self.event
        if event is None or event.trace is None:
            return False
        stripped = text.strip()
        if stripped.startswith("--- ") and not stripped.endswith("---"):
            return "rip = " in stripped or (len(stripped) > 40 and "esr" not in stripped and stripped[4:8] in ("trap", "sysc", "inte"))
        if "()" not in stripped or not _FRAME_START.match(stripped):
            found = _FRAME.match(stripped) if "() at" in stripped else None
            return found is not None and not self._complete(found)
        found = _FRAME.match(stripped)
        return found is None or not self._complete(found)

    def finish(self) -> None:
        """The log is over."""
        if self.held:
            first, self.held = self.held, ""
            self.take(self.held_number, first, False, len(first))
        self.close(at_end=True)
        if self.root_asked and self.mount_failed:
            self.root_asked = False

    # -- a line ------------------------------------------------------------------------------------------------

    def take(self, number: int, text: str, kernel: bool, width: int) -> None:  # noqa: C901
        """One cleaned line."""
        self.lines_since_boot += 1
        if self.want_version:
            self._banner_line(text)
        if text:
            self.recent.append(text)
        event = self.event
        if event is not None:
            event.follow += 1
        if _interesting(text) and self._opens(number, text, kernel, width):
            return
        event = self.event
        if event is None:
            return
        if self._continues(event, number, text):
            event.meant(number, text)
            return
        event = self.event
        if event is None:
            return
        if not event.confirmed and _FOREIGN.search(text):
            self.event = None
            return
        event.meaningless(text)
        if event.trace is not None and event.trace.frames and text.strip():
            event.trace = None  # whatever frames follow belong to another backtrace
            if event.single:
                self.close()
                return
        limit = _DEBUGGER_END if event.debugger else _IDLE_END
        if event.single and not event.has_frames:
            limit = 8
        if not event.confirmed:
            limit = 12
        if event.since >= limit:
            self.close()

    def _banner_line(self, text: str) -> None:
        found = _VERSION.match(text)
        if found:
            self.version = found["version"]
            self.want_version = False
        elif self.lines_since_boot > 12:
            self.want_version = False
        self._architecture(text)

    def _architecture(self, text: str) -> None:
        for word, arch in (("amd64", "amd64"), ("arm64", "arm64"), ("aarch64", "arm64"), ("i386", "i386"), ("powerpc64", "powerpc64"), ("riscv", "riscv64")):
            if re.search(rf"\b{word}\b", text):
                self.arch = arch

    # -- openers -----------------------------------------------------------------------------------------------

    def _opens(self, number: int, text: str, kernel: bool, width: int) -> bool:  # noqa: C901
        """Does the line begin a report, end one, or say something by itself?  True when nothing is left to do."""
        event = self.event
        if text.startswith(("FFaa", "ppaa")):
            text = undouble(text)
            if self.event:
                self.event.note("two CPUs printed at once")
        if _BANNER.search(text):
            self._boot(number, text)
            return True
        if _CORE_TEXT.search(text):
            self.core_text = True
            return False
        if text.startswith(("  Version String: ", "Version String: ")) and (found := _VERSION_STRING.match(text)):
            self.version = found["version"]
            self._architecture(text)
            return event is None
        if _FAREWELL.search(text):
            self.farewell = True
            if event is not None and event.kind is not None and event.single:
                self.close()
            return self.event is None
        if found := _PANIC_STRING.match(text):
            return self._info_panic(number, text, found["message"].strip())
        if found := _FATAL_TRAP.match(text) or _FATAL_TRAP_CUT.match(text):
            return self._fatal_trap(number, text, kernel, int(found["n"]), found["name"])
        if text.startswith("Fatal double fault"):
            return self._fatal_trap(number, text, kernel, 23, "double fault")
        if text.startswith("Fatal data abort"):
            return self._fatal_trap(number, text, kernel, 0x25, "data abort")
        if text.startswith("panic:"):
            found = _PANIC.match(text)
            return found is not None and self._panic(number, text, kernel, found["message"], width, True)
        if found := _SLEEPING.match(text):
            self._start(number, text, "sleeping", kernel, Kind.SLEEPING_THREAD)
            assert self.event is not None
            self.event.tid, self.event.pid = int(found["tid"]), int(found["pid"])
            self.event.confirmed = True
            return True
        if self._witness_opens(number, text, kernel):
            return True
        if found := _BREAK.match(text):
            if event is None or event.single:
                self._start(number, text, "break", kernel, Kind.HANG)
                assert self.event is not None
                self.event.message = text.removeprefix("KDB: enter: ")
                self.event.confirmed = self.event.debugger = True
                return True
            return False
        if self._one_line(number, text):
            return event is None
        if self._boot_failure(number, text, kernel):
            return True
        if "panic: " in text and event is None and (found := _PANIC_MIDDLE.search(text)) and not re.search(r"[#$%] ", text[: found.start()]):
            return self._panic(number, text, False, found["message"], width, False)
        if event is None and re.match(r"(?:vpanic|panic|trap_fatal)\(\) at |#\d+ .* (?:at|in) (?:vpanic|panic|trap_fatal)[+ ]", text):
            self._start(number, "", "frames", kernel, None)
            assert self.event is not None
            self.event.trace = _Trace()
            self.event.traces.append(self.event.trace)
            return False
        if event is None and text.startswith("KDB: stack backtrace"):
            self._start(number, "", "frames", kernel, None)
            return False
        if event is None and text.startswith("Stopped at"):
            self._start(number, "", "frames", kernel, None)
            assert self.event is not None
            self.event.debugger = True
            return False
        return False

    def _start(self, number: int, text: str, opener: str, kernel: bool, kind: Kind | None, single: bool = False) -> None:
        previous = self.event
        self.close()
        event = _Event(opener, number, kind, single)
        event.from_kernel = kernel
        event.last = number
        event.core_text = self.core_text
        if previous is not None and previous.opener == "frames" and not previous.has_frames:
            event.debugger = previous.debugger
            event.fields.update(previous.fields)
        if text:
            event.keep(text)
        self.event = event

    def _fatal_trap(self, number: int, text: str, kernel: bool, trap: int, name: str) -> bool:
        event = self.event
        if event is not None and not event.single and event.confirmed:
            if event.debugger and event.since < _IDLE_END and (event.has_frames or event.registers) and not event.over:
                event.frozen = True
                event.note(f"the debugger itself trapped: {text.strip()}")
                return False
            if not event.has_frames and event.message is None and event.trap is not None and event.since < 8 and not event.registers:
                event.note("two CPUs trapped at once: their fields may be mixed")
                return False
        self._start(number, text.strip(), "trap", kernel, Kind.DOUBLE_FAULT if trap == 23 else Kind.TRAP)
        event = self.event
        assert event is not None
        event.trap, event.trap_name, event.trap_line = trap, name.strip(), text.strip()
        event.confirmed = True
        return True

    def _panic(self, number: int, text: str, kernel: bool, message: str, width: int, at_start: bool) -> bool:
        event = self.event
        message = message.strip()
        if _FOREIGN.search(text) or message.startswith("runtime error:"):
            return False
        if event is not None and not event.single:
            if event.frozen:
                return False
            if event.message is None and event.kind is not Kind.HANG and event.since < _IDLE_END:
                event.message, event.message_width, event.message_open = message, width, True
                event.from_kernel = event.from_kernel or kernel
                event.meant(number, text)
                return True
            if message == event.message and (event.debugger or not event.has_frames):
                return False
            if not event.has_frames and event.confirmed and event.since < 8 and event.message is not None and not event.over:
                event.note(f"panicked again: {message}")
                event.meant(number, text)
                return True
        prelude: _Event | None = None
        if event is not None and event.single and event.kind in (Kind.WITNESS, Kind.LOR) and not event.has_frames:
            prelude = event
            self.event = None
        self._start(number, text, "panic", kernel, None)
        event = self.event
        assert event is not None
        if prelude is not None:
            event.start = prelude.start
            event.head = prelude.head + event.head
            event.prelude = prelude.message or ""
            event.own_locks, event.locks, event.lock_names = prelude.own_locks, prelude.locks, prelude.lock_names
            event.confirmed = True
        event.message, event.message_width, event.message_open = message, width, True
        if not at_start:
            event.opener = "middle"
        return True

    def _info_panic(self, number: int, text: str, message: str) -> bool:
        if not message:
            return False
        self._start(number, text.strip(), "info", True, None)
        event = self.event
        assert event is not None
        event.message = message
        event.confirmed = event.info = True
        event.version = self.version
        self.close()
        return True

    def _witness_opens(self, number: int, text: str, kernel: bool) -> bool:
        event = self.event
        fatal_open = event is not None and not event.single
        kind, message, lock = None, "", ""
        if found := _ORDER.match(text):
            kind, message = Kind.LOR, text.strip().rstrip(":")
        elif found := _DUPLICATE.match(text):
            kind, message, lock = Kind.WITNESS, text.strip(), found["lock"]
        elif _LOCKS_HELD.match(text) and len(text) < 300:
            kind, message = Kind.WITNESS, text.strip().rstrip(":")
        elif _MISMATCH.match(text):
            kind, message = Kind.WITNESS, text.strip()
        elif found := _WARN_ONLY.match(text):
            kind, message = Kind.KASSERT, found["message"].strip()
        elif found := _RACE.match(text):
            kind, message = Kind.KCSAN, text[text.index("CSan") :].strip()
        elif (found := _SANITIZER.match(text)) is not None:
            kind = Kind.KASAN if found["which"] == "ASan" else Kind.KMSAN
            message = text.strip()
        if kind is None:
            return False
        if fatal_open:
            assert event is not None
            if event.debugger or event.confirmed and event.since < 8 and not event.over:
                return False  # the debugger shows locks, or a report on the way down
        self._start(number, text, "report", kernel, kind, single=True)
        event = self.event
        assert event is not None
        event.message = message
        event.confirmed = kind is not Kind.LOR or kernel or text.startswith("lock order reversal:")
        if kind is Kind.LOR:
            event.confirmed = False
        if lock:
            event.lock_names.append(lock)
        return True

    def _one_line(self, number: int, text: str) -> bool:
        event = self.event
        if event is not None and not event.single:
            return False
        if " limit reached" in text and (found := _MBUFS.search(text)):
            kind, message, locks = Kind.MBUFS, found.group(), ()
        elif found := _LEAKED.match(text):
            kind, message, locks = Kind.LEAK, text.strip(), ()
            self.close()
        else:
            return False
        key = f"{kind}:{naming.normalize(message)}"
        if key in self.seen_once:
            return True
        self.seen_once.add(key)
        one = _Event("line", number, kind, True, confirmed=True, message=message, last=number)
        one.keep(text)
        one.locks.extend(locks)
        self._emit(one)
        return True

    def _boot_failure(self, number: int, text: str, kernel: bool) -> bool:
        if found := _MOUNT_FAILED.search(text):
            self.mount_failed = f"Mounting from {found['what']} failed with error {found['error']}"
            return self.event is None
        event = self.event
        if event is not None and not event.single:
            return False
        for pattern, message in _BOOT_FAILED:
            if not pattern.search(text):
                continue
            if text.startswith("Loader variables"):
                return True
            if "mountroot>" in text:
                if "mountroot" in self.seen_once or not (self.mount_failed or self.booted or kernel or text.strip() == "mountroot>"):
                    return True
                self.seen_once.add("mountroot")
                message = self.mount_failed or message
            elif not (self.booted or self.lines_since_boot < 400) or len(text) > 120:
                return False
            message = message or text.strip()
            key = "boot:" + naming.normalize(message)
            if key in self.seen_once:
                return True
            self.seen_once.add(key)
            self.close()
            one = _Event("boot", number, Kind.BOOT_FAILURE, False, confirmed=True, message=message, last=number)
            for line in list(self.recent)[:-1]:
                one.keep(line)
            one.keep(text)
            self.farewell = True  # what follows is no surprise
            self._emit(one)
            return True
        return False

    def _boot(self, number: int, text: str) -> None:
        if number - self.banner_at < 6:
            self.banner_at = number
            return
        spoke = self.event is not None and not self.event.single
        lines = list(self.recent)[:-1]
        self.close()
        if self.booted and not spoke and not self.farewell and self.lines_since_boot > 12 and not self.core_text:
            one = _Event("boot", max(number - 1, 1), Kind.REBOOT, False, confirmed=True, last=number)
            one.message = "rebooted without a word"
            for line in [*lines, text]:
                one.keep(line)
            self._emit(one)
        self.booted = True
        self.boots += 1
        self.banner_at = number
        self.lines_since_boot = 0
        self.farewell = False
        self.want_version = True
        self.mount_failed = ""
        self.seen_once.clear()

    # -- inside a report ---------------------------------------------------------------------------------------

    def _continues(self, event: _Event, number: int, text: str) -> bool:  # noqa: C901
        """Does the line belong to the open report?  What it says is put into it."""
        stripped = text.strip()
        if not stripped:
            return False
        if event.frozen:
            if _PROMPT.match(text):
                event.frozen = False
            return event.since < 30
        first = stripped[0]
        if first == "#" and self._numbered_frame(event, stripped):
            return True
        if ") at " in stripped and (found := _FRAME.match(stripped)) and self._frame(event, found):
            return True
        trace = event.trace
        if first == "-" and trace is not None and (found := _TRAP_LINE.match(stripped)):
            trace.pending = found["what"]
            if found["what"].startswith(("syscall", "user", "kthread")):
                trace.reached = True
            event.confirmed = True
            return True
        if trace is not None and trace.frames:
            if trace.role == "kgdb" and self._kgdb_rest(trace, stripped):
                return True
            if _OLD_ARM_FRAME.match(text):
                return True
            if found := _FRAME_START.match(stripped):
                trace.add(Frame(found["name"]))
                trace.cut = True
                return True
        if self._new_trace(event, stripped):
            return True
        if self._setting(event, text, stripped):
            event.message_open = False
            return True
        if self._locks(event, text):
            return True
        if stripped.startswith("KDB: ") or stripped.startswith(("Uptime: ", "Dumping ", "Automatic reboot", "Rebooting", "cpu_reset")):
            event.confirmed = True
            event.message_open = False
            if stripped.startswith("Uptime: "):
                event.set("uptime", stripped.removeprefix("Uptime: "))
            if stripped.startswith(("Uptime", "Dumping", "Automatic", "Rebooting")):
                event.over = True
            if stripped.startswith("KDB: enter"):
                event.debugger = True
            return True
        if stripped.startswith("Stopped at"):
            event.debugger = True
            return True
        if event.kind is Kind.WITNESS and _MISMATCH_FROM.match(stripped):
            event.message = f"{event.message} {stripped}"
            return True
        if event.message_open and event.follow <= 4:
            return self._message_rest(event, stripped)
        return False

    def _message_rest(self, event: _Event, stripped: str) -> bool:
        """A panic message that was wrapped."""
        message = event.message or ""
        opened = message.endswith((" at", "@", ",", "(", ":", " for")) or message.count("(") > message.count(")")
        if (event.message_width >= 66 or opened) and len(message) < 600 and not _FOREIGN.search(stripped) and "://" not in stripped:
            hard = event.message_width in (80, 132) and not opened
            event.message = message + ("" if hard else " ") + stripped
            event.message_width = len(stripped)
            event.note("wrapped lines were joined")
            return True
        event.message_open = False
        return False

    def _frame(self, event: _Event, found: re.Match[str]) -> bool:
        name, symbol = found["name"], found["sym"]
        if name != symbol and not _same_name(name, symbol) and not symbol.startswith("0x") and found["off"]:
            return False
        trace = event.trace
        if trace is None or (trace.frames and trace.role in ("kgdb",)):
            trace = self._begin(event)
        event.confirmed = event.confirmed or trace.role != "other"
        if name.startswith(("0x", "??")) or name in ("0", ""):
            name = "??"
        cut = symbol != found["name"] and not _same_name(found["name"], symbol)
        file = found["file"] or found["file2"] or ""
        line = found["line"] or found["line2"]
        trace.add(
            Frame(
                name.removeprefix("fbsd_"),
                None if cut or found["off"] is None else int(found["off"], 0),
                file=file,
                line=int(line) if line else None,
                address=symbol if symbol.startswith("0x") else "",
            )
        )
        trace.cut = cut
        if found["fp"]:
            trace.width = max(trace.width, len(found["fp"]))
        return True

    def _numbered_frame(self, event: _Event, stripped: str) -> bool:
        if found := _STACK_FRAME.match(stripped):
            trace = event.trace
            if trace is None or (found["n"] == "0" and trace.frames):
                trace = self._begin(event)
            offset = found["off"]
            trace.add(Frame(found["sym"].removeprefix("fbsd_"), int(offset, 0) if offset else 0, address=found["pc"]))
            event.confirmed = True
            return True
        if (found := _KGDB_FRAME.match(stripped)) and (found["rest"] is not None or found["name"].startswith("<")):
            trace = event.trace
            if trace is None or trace.role != "kgdb" or (found["n"] == "0" and trace.frames):
                trace = self._begin(event, role="kgdb")
            event.confirmed = True
            if found["name"].startswith("<"):
                trace.pending = "trap"
                return True
            trace.add(Frame(found["name"], address=found["pc"] or ""))
            self._kgdb_rest(trace, found["rest"] or "")
            return True
        return False

    @staticmethod
    def _kgdb_rest(trace: _Trace, text: str) -> bool:
        if place := _KGDB_PLACE.search(text):
            frame = trace.frames[-1]
            if not frame.file and not frame.module:
                trace.frames[-1] = replace(
                    frame,
                    file=place["file"] or "",
                    line=int(place["line"]) if place["line"] else None,
                    module=Path(place["module"]).name if place["module"] else "",
                )
            return True
        return bool(re.match(r"\w+=|    |\S+\)$", text)) and not text.startswith(("---", "(kgdb)"))

    @staticmethod
    def _begin(event: _Event, of: int | None = None, role: str = "") -> _Trace:
        """A new backtrace; those that cannot matter are read but not kept."""
        trace = _Trace(of=of, role=role)
        event.trace = trace
        mine = of is None or of == event.tid
        kept = sum(bool(t.frames) for t in event.traces)
        if kept < 6 and (mine or event.tid is None or event.kind is Kind.SLEEPING_THREAD):
            event.traces.append(trace)
        else:
            trace.role = "other"
        return trace

    def _new_trace(self, event: _Event, stripped: str) -> bool:
        if stripped.startswith("KDB: stack backtrace"):
            found = _TRACE_OF.match(stripped)
            self._begin(event, of=int(found["tid"]) if found else None)
            event.message_open = False
            event.confirmed = event.confirmed or event.opener != "frames"
            return True
        if stripped in ("stack backtrace:", "Stack backtrace:") or _ATTEMPTED.match(stripped):
            self._begin(event)
            return True
        if _ESTABLISHED.match(stripped):
            self._begin(event, role="established")
            return True
        if stripped.startswith("Tracing ") and (found := _TRACING.match(stripped)):
            tid, pid = int(found["tid"]), int(found["pid"])
            event.debugger = True
            if event.tid is None and (event.pid in (None, pid)) and not any(t.of for t in event.traces):
                event.tid = tid
                event.pid = pid if event.pid is None else event.pid
            if tid == event.tid:
                event.process = event.process or found["command"] or ""
                if found["cpu"]:
                    event.set("cpuid", found["cpu"])
            self._begin(event, of=tid)
            return True
        return False

    def _setting(self, event: _Event, text: str, stripped: str) -> bool:  # noqa: C901
        """``cpuid = 1`` and its like; register blocks."""
        if stripped.startswith("cpuid =") or stripped.startswith("cpuid\t") or stripped.startswith("cpuid  "):
            if found := re.match(r"cpuid\s*= (\d+)", stripped):
                if event.fields.get("cpuid", found[1]) != found[1] and event.trap is not None and not event.has_frames and event.message is None:
                    event.note("two CPUs trapped at once: their fields may be mixed")
                event.set("cpuid", found[1])
                event.confirmed = True
                return True
            return False
        if found := _THREAD_LINE.search(stripped):
            if event.tid is None:
                event.tid, event.pid = int(found["tid"]), int(found["pid"])
            event.debugger = event.confirmed = True
            return True
        if found := _RIP.match(stripped):
            event.set("instruction pointer", found["rip"])
            event.registers = True
            return True
        if found := _SETTING.match(text):
            key, value = found["key"].strip(), found["value"].strip()
            if key in _KEYS:
                event.confirmed = True
                if key in ("fault virtual address", "instruction pointer", "rip", "far", "elr"):
                    event.registers = True
                if key == "current process":
                    if event.pid is None and (process := _PROCESS.match(value)):
                        event.pid, event.thread = int(process["pid"]), process["name"]
                    return True
                if key == "trap number" and event.trap is None and value.isdigit():
                    event.trap = int(value)
                if key == "rip":
                    key = "instruction pointer"
                event.set(key, value)
                return True
            if key == "curthread" and (who := _CURTHREAD.match(value)):
                if event.tid is None or str(event.tid) == who["tid"]:
                    event.tid = int(who["tid"]) if who["tid"] else event.tid
                    event.pid = int(who["pid"])
                    event.thread = event.thread or who["name"]
                return True
            if key in _PCPU:
                return True
        if _REGISTERS.match(text):
            for register in _REGISTER.finditer(text):
                name, value = register["name"], register["value"]
                if "deadc0de" in value and len(event.freed_in) < 8 and name not in event.freed_in:
                    event.freed_in.append(name)
                if name in ("far", "esr", "elr"):
                    event.set(name, "0x" + value)
            event.registers = True
            return True
        return stripped.startswith(("= DPL", "rax 0x", "rcx 0x", "r8 0x", "r11 0x", "r14 0x", "cs 0x", "fsbase 0x"))

    @staticmethod
    def _locks(event: _Event, text: str) -> bool:
        if found := _ORDER_LOCK.match(text) or (_ORDER_CUT.match(text) if event.kind is Kind.LOR else None):
            if event.kind not in (Kind.LOR, Kind.WITNESS):
                return False
            event.confirmed = True
            name = re.sub(r" \([^()]*(?:\([^()]*\)[^()]*)*\)$", "", found["lock"]).strip()
            if event.opener == "report" and name not in event.lock_names or event.kind is Kind.LOR:
                event.lock_names.append(name)
            return True
        if found := _HELD_BY.match(text):
            event.locks_of = int(found["tid"])
            return True
        if found := _HELD.match(text):
            name = re.sub(r" \([^()]*\)$", "", found["lock"])
            held = f"{found['how']} {found['cls']} {name} @ {naming.normalize(found['file'])}"
            mine = event.locks_of is None or event.tid is None or event.locks_of == event.tid
            kept = event.own_locks if mine else event.locks
            if held not in kept and len(kept) < 64:
                kept.append(held)
            if event.kind is Kind.WITNESS and name not in event.lock_names:
                event.lock_names.append(name)
            return True
        return False

    # -- the end of a report -----------------------------------------------------------------------------------

    def close(self, at_end: bool = False) -> None:
        """End the open report, if any, and keep it if it is one."""
        event, self.event = self.event, None
        if event is None:
            return
        if event.opener == "frames" and not self._tells_of_panic(event):
            return
        if not event.confirmed:
            alone = sum(bool(line.strip()) for line in event.loose) <= 2
            if event.opener == "middle" or event.kind is Kind.LOR:
                if not (event.kind is Kind.LOR and (event.from_kernel or at_end and alone)):
                    return
            elif not event.message or not (event.from_kernel or (at_end and alone)):
                return
        self._emit(event)

    @staticmethod
    def _tells_of_panic(event: _Event) -> bool:
        names = {frame.function for trace in event.traces for frame in trace.frames if trace.role != "other"}
        return bool(names & {"vpanic", "panic", "trap_fatal", "dblfault_handler"})

    def _emit(self, event: _Event) -> None:
        if len(self.done) >= _LIMIT:
            self.full = True
            return
        panic = self._panic_of(event)
        key = self._key(event, panic)
        for i in range(len(self.done) - 1, max(-1, len(self.done) - 9), -1):
            if self._same(self.keys[i], key, event):
                if event.core_text or not panic.fatal:
                    self.done[i] = _merged(self.done[i], panic)
                else:
                    self.done[i] = _merged(self.done[i], panic)
                return
        if self.done and self._nested(event, panic):
            before = self.done[-1]
            self.done[-1] = replace(before, notes=(*before.notes, f"panicked again: {panic.message}"), last_line=panic.last_line)
            return
        self.done.append(panic)
        self.keys.append(key)

    def _key(self, event: _Event, panic: Panic) -> tuple[object, ...]:
        marks = tuple(
            value
            for value in (event.fields.get("time", ""), event.fields.get("stack pointer", ""), event.fields.get("uptime", ""))
            if value
        )
        return (panic.kind, panic.normalized, marks, self.boots, bool(event.has_frames), event.info)

    @staticmethod
    def _same(old: tuple[object, ...], new: tuple[object, ...], event: _Event) -> bool:
        """The same report, printed a second time: core.txt and bug reports quote the message buffer again."""
        if old[:2] != new[:2]:
            return False
        if isinstance(new[0], Kind) and new[0] in (Kind.MBUFS, Kind.LEAK, Kind.REBOOT):
            return False
        if old[3] != new[3] and not event.core_text:
            return False
        old_marks, new_marks = old[2], new[2]
        assert isinstance(old_marks, tuple) and isinstance(new_marks, tuple)
        if old_marks and new_marks:
            return bool(set(old_marks) & set(new_marks))
        # one of the two is a bare mention, or a part (frames only, info.N) of the other
        return bool(event.core_text or old[5] or new[5] or not (old_marks or new_marks) and not (old[4] and new[4])
                    or not (old[4] and new[4]))  # fmt: skip

    @staticmethod
    def _nested(event: _Event, panic: Panic) -> bool:
        """A panic on the way down of another: its own stack shows the first."""
        if not panic.fatal or event.opener not in ("panic", "trap"):
            return False
        names = [frame.function for frame in panic.frames]
        return sum(name == "vpanic" for name in names) > 1 or any(
            name in ("kern_reboot", "doadump", "db_trap", "db_command_loop") for name in names[4:]
        )

    def _panic_of(self, event: _Event) -> Panic:  # noqa: C901
        trace = _primary(event)
        frames = _with_places(trace.frames, event) if trace else []
        panic_line = event.message
        trap, trap_name = event.trap, event.trap_name
        kind = event.kind
        message = event.trap_line or panic_line or ""
        if event.opener == "frames" and not message:
            inside = next((f.trap for f in frames if f.trap and not is_interrupt(f.trap)), "")
            trapped = any(f.function in ("trap_fatal", "dblfault_handler") for f in frames)
            if trapped and (found := re.match(r"trap (0x[0-9a-f]+|\d+)", inside)):
                trap = int(found[1], 0)
                trap_name = naming.TRAP_NAMES.get(trap, "")
        if trap is None and panic_line is not None:
            trap = naming.trap_number(panic_line)
            trap_name = panic_line if trap is not None else ""
        arch = self._arch_of(event, frames)
        if kind in (None, Kind.TRAP):
            kind, trap, trap_name = _kind_of(event, frames, trap, trap_name, panic_line or "")
        assert kind is not None
        if arch == "arm64" and (esr := _number(event.fields.get("esr", ""))) is not None:
            trap = esr >> 26
            trap_name = _ARM_EC.get(trap, trap_name or "exception")
        if kind is Kind.DOUBLE_FAULT:
            trap, trap_name = 23, "double fault"
        normalized = _normalized(kind, event, trap_name, message, panic_line)
        address = _fault_address(event, panic_line or "")
        instruction = event.fields.get("instruction pointer", event.fields.get("elr", "")).rpartition(":")[2].split(" ")[0]
        jump = bool(address and instruction) and _number(address) == _number(instruction)
        suggestion = ""
        if address and (number := _number(address)) is not None:
            suggestion = naming.suggests(number, arch, jump)
        elif event.freed_in:
            suggestion = f"freed memory (0xdeadc0de in {', '.join(event.freed_in)})"
        loop = ()
        if kind in (Kind.DOUBLE_FAULT, Kind.TRAP, Kind.PANIC):
            loop = naming.cycle(frames, 2 if kind is Kind.DOUBLE_FAULT else 4)
        where = naming.culprit(frames)
        if kind is Kind.KCSAN and (race := _RACE.match(panic_line or "")):
            where = "+".join(sorted({side.rpartition("<")[2].rstrip(">") for side in (race["one"], race["two"])}))
        if loop and kind is Kind.DOUBLE_FAULT:
            where = loop[0]
        locks = tuple(event.lock_names if kind in (Kind.LOR,) or (kind is Kind.WITNESS and not event.own_locks) else [])
        locks = locks or tuple(event.own_locks or ([] if event.tid is not None else event.locks))
        lines = [*event.head, *([f"[... {event.dropped} lines ...]"] if event.dropped else []), *event.tail]
        head, tail = event.head, list(event.tail)
        if event.dropped:
            lines = [*head, f"[... {event.dropped} lines ...]", *tail]
        cpu = event.fields.get("cpuid", "").split(";")[0].strip()
        fatal = kind not in (Kind.KCSAN, Kind.LOR, Kind.WITNESS, Kind.MBUFS, Kind.LEAK) and not event.single
        return Panic(
            kind=kind,
            message=message,
            normalized=normalized,
            signature=naming.signature(kind, normalized, where, loop, locks if kind is Kind.LOR else ()),
            fatal=fatal,
            trap=trap,
            trap_name=trap_name,
            fault_address=address,
            fault_suggests=suggestion,
            instruction=instruction,
            thread=event.thread,
            tid=event.tid,
            pid=event.pid,
            process=event.process,
            cpu=int(cpu) if cpu.isdigit() else None,
            frames=tuple(frames),
            culprit=where,
            cycle=loop,
            points=naming.points(frames),
            locks=locks,
            uptime=event.fields.get("uptime", ""),
            version=event.version or self.version,
            arch=arch,
            first_line=event.start,
            last_line=max(event.last, event.start),
            log="\n".join(lines),
            missing=_missing(kind, event, trace, fatal),
            notes=tuple(event.notes),
        )

    def _arch_of(self, event: _Event, frames: list[Frame]) -> str:
        if "esr" in event.fields or "far" in event.fields or any(f.function.startswith(("handle_el", "do_el")) for f in frames):
            return "arm64"
        pointer = event.fields.get("instruction pointer", "")
        if pointer:
            return "i386" if re.fullmatch(r"0x[0-9a-f]+:0x[0-9a-f]{8}", pointer) else "amd64"
        if any("rip =" in f.trap for f in frames):
            return "amd64"
        return self.arch


_KEYS = frozenset(
    {
        "fault virtual address", "fault code", "instruction pointer", "stack pointer", "frame pointer", "code segment",
        "processor eflags", "current process", "trap number", "time", "rip", "rsp", "rbp", "far", "esr", "elr", "spsr",
    }
)  # fmt: skip
_PCPU = frozenset(
    {"dynamic pcpu", "curpcb", "fpcurthread", "idlethread", "self", "curpmap", "tssp", "rsp0", "kcr3", "ucr3", "scr3",
     "gs32p", "ldt", "tss", "curvnet", "spin locks held", "curthread", "commontssp"}
)  # fmt: skip
_QUICK = re.compile(
    "|".join(re.escape(word.decode()) for word in _ALARMS) + r"|Tracing |mountroot|lock of \(|Mounting from|panic:$"
)


def _interesting(text: str) -> bool:
    return _QUICK.search(text) is not None


def _same_name(name: str, symbol: str) -> bool:
    return name == symbol or symbol.startswith("0x") or name.removeprefix("fbsd_") == symbol.removeprefix("fbsd_")


def _primary(event: _Event) -> _Trace | None:
    """The backtrace that tells of the event: the sleeper's for a sleeping thread, else the first of its own."""
    traces = [t for t in event.traces if t.frames and t.role != "established"]
    if event.kind is Kind.SLEEPING_THREAD:
        traces.sort(key=lambda t: t.of != event.tid)
    else:
        mine = [t for t in traces if t.of is None or event.tid is None or t.of == event.tid]
        traces = mine or traces
        printed = [t for t in traces if t.role != "kgdb"]
        traces = printed or traces
        if len(traces) > 1 and traces[0].cut and len(traces[1].frames) > len(traces[0].frames):
            traces = traces[1:]
    return traces[0] if traces else None


def _with_places(frames: list[Frame], event: _Event) -> list[Frame]:
    """Frames with the files and lines that kgdb printed of the same stack."""
    kgdb = next((t.frames for t in event.traces if t.role == "kgdb" and t.frames), None)
    if kgdb is None or frames is kgdb:
        return list(frames)
    placed: list[Frame] = []
    at = 0
    for frame in frames:
        found = next((i for i in range(at, min(at + 12, len(kgdb))) if kgdb[i].function == frame.function), None)
        if found is not None and not frame.file:
            other = kgdb[found]
            frame = replace(frame, file=other.file, line=other.line, module=other.module, address=frame.address or other.address)
            at = found + 1
        placed.append(frame)
    return placed


_ASSERTION = re.compile(
    r"^Assertion .* failed|(?: at|@) ?\S+\.[chsS]:\d+|recurs\w+ on non-recursive|not owned|not locked|NOT in |witness_warn|excl->|share->"
)


def _kind_of(
    event: _Event, frames: list[Frame], trap: int | None, trap_name: str, message: str
) -> tuple[Kind, int | None, str]:
    if trap == 23 or message == "double fault":
        return Kind.DOUBLE_FAULT, 23, "double fault"
    if message.startswith("ASan:"):
        return Kind.KASAN, trap, trap_name
    if message.startswith("MSan:"):
        return Kind.KMSAN, trap, trap_name
    if re.match(r"vm_fault failed: (?:0x)?[0-9a-f]+", message) or re.match(r"Unhandled EL1 \w+ abort", message):
        return Kind.TRAP, trap, trap_name or "data abort"
    if event.kind is Kind.TRAP or (trap is not None and trap_name):
        return Kind.TRAP, trap, trap_name
    if message.startswith("sleeping thread"):
        return Kind.SLEEPING_THREAD, trap, trap_name
    if "possible deadlock" in message or "held too long" in message or re.search(r"spin ?lock.*too long", message):
        return Kind.DEADLOCK, trap, trap_name
    if message.startswith("watchdog timeout"):
        return Kind.WATCHDOG, trap, trap_name
    if re.match(r"mountroot:|no init$|(?:Going nowhere|init died)|vfs_mountroot|cannot mount root", message):
        return Kind.BOOT_FAILURE, trap, trap_name
    if _ASSERTION.search(message) or any(f.function in ("kassert_panic", "vkassert_panic") for f in frames):
        return Kind.KASSERT, trap, trap_name
    return Kind.PANIC, trap, trap_name


def _normalized(kind: Kind, event: _Event, trap_name: str, message: str, panic_line: str | None) -> str:
    if kind in (Kind.TRAP, Kind.DOUBLE_FAULT) and trap_name:
        return trap_name
    if event.prelude:
        prelude = naming.normalize(event.prelude)
        locks = ", ".join(dict.fromkeys(event.lock_names))
        return f"{naming.normalize(panic_line or message)}: {prelude}" + (f": {locks}" if locks else "")
    if kind is Kind.KCSAN and (race := _RACE.match(message)):
        sides = [re.sub(r"^Cpu\d+ |Addr=\S+ |PC=\S+<", "", side) for side in (race["one"], race["two"])]
        return "CSan: Racy Access " + " / ".join(sorted(side.rstrip(">") for side in sides))
    normal = naming.normalize(message)
    if kind is Kind.WITNESS and event.lock_names and not any(name in normal for name in event.lock_names):
        normal += ": " + ", ".join(dict.fromkeys(event.lock_names))
    return normal


def _fault_address(event: _Event, message: str) -> str:
    for key in ("fault virtual address", "far"):
        if value := event.fields.get(key):
            value = value.split(" ")[0]
            return value if value.startswith("0x") else "0x" + value if _number("0x" + value) is not None else ""
    if found := re.search(r"(?:nofault entry, addr: |Invalid access, .* at )(0x[0-9a-f]+|[0-9a-f]{8,16})", message):
        return found[1] if found[1].startswith("0x") else "0x" + found[1]
    return ""


def _missing(kind: Kind, event: _Event, trace: _Trace | None, fatal: bool) -> tuple[str, ...]:
    missing: list[str] = []
    if kind in (Kind.MBUFS, Kind.LEAK, Kind.REBOOT, Kind.BOOT_FAILURE) and not event.has_frames and event.opener != "panic":
        return ()
    if not (event.message or event.trap_line):
        missing.append("message")
    if trace is None:
        missing.append("backtrace")
    elif trace.cut or not trace.reached:
        missing.append("end of the backtrace")
    if kind is Kind.LOR and len(event.lock_names) < 2:
        missing.append("locks")
    if kind in (Kind.TRAP, Kind.DOUBLE_FAULT) and not event.registers:
        missing.append("registers")
    if fatal and not event.thread and event.tid is None and event.pid is None:
        missing.append("thread")
    return tuple(missing)


def _merged(one: Panic, two: Panic) -> Panic:
    """Two readings of one report: the fuller, with what only the other knows."""
    full, other = (two, one) if (len(two.frames) > 0) > (len(one.frames) > 0) else (one, two)
    changes: dict[str, object] = {
        name: getattr(other, name)
        for name in (
            "trap", "trap_name", "fault_address", "fault_suggests", "instruction", "thread", "tid", "pid", "process",
            "cpu", "uptime", "version", "arch", "locks", "message",
        )
        if getattr(full, name) in ("", None, ()) and getattr(other, name) not in ("", None, ())
    }  # fmt: skip
    known = {"thread": full.thread or other.thread or full.tid or other.tid or full.pid, "registers": full.instruction or other.instruction,
             "message": full.message or other.message}  # fmt: skip
    changes["missing"] = tuple(word for word in full.missing if not known.get(word))
    changes["notes"] = tuple(dict.fromkeys((*full.notes, *other.notes)))
    changes["first_line"] = min(one.first_line, two.first_line)
    return replace(full, **changes)  # type: ignore[arg-type]


def _feed(reader: _Reader, source: Source) -> None:
    number = 0
    rest = b""
    part = ""
    skipped = b""
    find: Callable[[bytes], bool] = lambda data: any(word in data for word in _ALARMS)  # noqa: E731
    for name, piece in chunks(source):
        if name != part:
            if rest:
                number += 1
                reader.line(number, rest[:_LONGEST_LINE].decode("utf-8", "replace"))
                rest = b""
            if part and name == "panic.txt":
                reader.close()
            part = name
            reader.core_text = True  # one dump told in several files
        if name == "version.txt":
            found = _VERSION.match(piece.decode("utf-8", "replace").strip().partition("\n")[0])
            if found:
                reader.version = found["version"]
                reader._architecture(piece.decode("utf-8", "replace"))
            continue
        if name == "panic.txt":
            if not reader.done and reader.event is None:
                reader._info_panic(number, "panic.txt", piece.decode("utf-8", "replace").strip())
            continue
        data = rest + piece
        cut = data.rfind(b"\n") + 1
        rest = data[cut:]
        data = data[:cut]
        if len(rest) > 4 * _LONGEST_LINE:
            data, rest = data + rest[:_LONGEST_LINE] + b"\n", rest[-_LONGEST_LINE:]
        if reader.idle and not find(data):
            number += data.count(b"\n")
            reader.lines_since_boot += data.count(b"\n")
            if data:
                skipped = data[-2048:]
            continue
        if skipped:
            reader.recent.extend(clean(line)[0] for line in skipped.decode("utf-8", "replace").splitlines()[1:] if line.strip())
            skipped = b""
        number = _feed_lines(reader, data, number)
    if rest:
        number += 1
        reader.line(number, rest[:_LONGEST_LINE].decode("utf-8", "replace"))
    reader.finish()


_SPLIT = re.compile(b"|".join(re.escape(word) for word in _ALARMS))


def _feed_lines(reader: _Reader, data: bytes, number: int) -> int:
    """The lines of a piece with an alarm in it; while nothing is open, straight to the next alarm."""
    at = 0
    end = len(data)
    while at < end:
        if reader.idle:
            found = _SPLIT.search(data, at)
            stop = end if found is None else data.rfind(b"\n", at, found.start()) + 1
            if stop > at:
                skipped = data.count(b"\n", at, stop)
                number += skipped
                reader.lines_since_boot += skipped
                reader.recent.extend(
                    clean(line)[0] for line in data[max(at, stop - 1024) : stop].decode("utf-8", "replace").splitlines() if line.strip()
                )
                at = stop
                if at >= end:
                    break
        stop = data.index(b"\n", at)
        number += 1
        reader.line(number, data[at : min(stop, at + _LONGEST_LINE)].decode("utf-8", "replace"))
        at = stop + 1
    return number


def scan(source: Source) -> Iterator[Panic]:
    """What ``read`` gives, one after the other."""
    yield from read(source)


def read(source: Source, kernel: Path | None = None) -> list[Panic]:
    """What happened, in the order of the log.

    ``source``: text, bytes, a path, or a stream of either; raw console, dmesg, textdump tar, info.N,
    core.txt, bug report; gzip, bzip2 and xz are unpacked.  ``kernel``: a folder with the kernel and its
    symbols, for files and lines.  Never raises for what the log says; OSError when it cannot be read.
    At most 1000 reports are kept.
    """
    reader = _Reader()
    _feed(reader, source)
    found = _without_mentions(reader.done)
    if kernel is not None and found:
        from harness.panic.symbols import Symbols

        symbols = Symbols(kernel)
        found = [symbols.place(panic) for panic in found]
    return found


def _without_mentions(panics: list[Panic]) -> list[Panic]:
    """Without those that say nothing but a trap's or panic's name which another report tells in full."""
    told = {(p.kind, p.normalized) for p in panics if p.frames}
    return [
        p
        for p in panics
        if p.frames or not p.fatal or p.instruction or p.cpu is not None or (p.kind, p.normalized) not in told
    ]
