"""Console text in, what happened out.

The log is taken in pieces.  A piece without one of the kernel's words of alarm is passed over whole; from
such a word on, lines are read one by one until the report is over.  Memory does not grow with the log.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from harness.panic import naming
from harness.panic import patterns as p
from harness.panic.clean import clean, undouble, unflow
from harness.panic.event import Event, Trace
from harness.panic.judge import Marks, merged, nested, panic_of, same
from harness.panic.model import Frame, Kind, Panic
from harness.panic.sources import NEWEST_FIRST, Source, chunks

_LONGEST_LINE = 1 << 14
_LIMIT = 1000  # reports of one log
_PANICKING = ("vpanic", "panic", "kassert_panic", "kdb_backtrace", "db_trace_self_wrapper")
_HEX_DIGITS = tuple("0123456789abcdef")
_IDLE_END, _DEBUGGER_END = 40, 4000  # lines without meaning after which a report is over


class _Reader:
    """Lines in, finished reports out, at most one report open."""

    def __init__(self) -> None:
        self.done: list[Panic] = []
        self.event: Event | None = None
        self.version = ""
        self.arch = ""
        self.want_version = False
        self.banner_at = -100
        self.booted = False
        self.lines_since_boot = 0
        self.farewell = False
        self.recent: deque[str] = deque(maxlen=12)
        self.mount_failed = ""
        self.core_text = False
        self.seen_once: set[str] = set()  # single-line reports of this boot
        self.held = ""  # first half of a line that seems wrapped
        self.held_number = 0
        self.boots = 0
        self.marks: list[Marks] = []
        self.full = False

    # -- whole log

    @property
    def idle(self) -> bool:
        return self.event is None and not self.held and not self.want_version

    def line(self, number: int, raw: str) -> None:
        """Take one line as it stands in the log."""
        event = self.event
        if event is not None and (trace := event.trace) is not None and not (event.frozen or self.held):
            # most lines of a report are plain frames: straight to them
            found = p.PLAIN_FRAME.match(raw)
            if found is not None and found["sym"] == found["name"] and len(found["fp"]) >= trace.width - 1:
                self.lines_since_boot += 1
                event.follow += 1
                self._frame(event, found)
                event.meant(number, raw.rstrip("\r"))
                return
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
                found = p.FRAME.match(joined.strip())
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
            return "rip = " in stripped or (
                len(stripped) > 40 and "esr" not in stripped and stripped[4:8] in ("trap", "sysc", "inte")
            )
        if "()" not in stripped or not p.FRAME_START.match(stripped):
            found = p.FRAME.match(stripped) if "() at" in stripped else None
            return found is not None and not self._complete(found)
        found = p.FRAME.match(stripped)
        return found is None or not self._complete(found)

    def finish(self) -> None:
        """The log is over."""
        if self.held:
            first, self.held = self.held, ""
            self.take(self.held_number, first, False, len(first))
        self.close(at_end=True)

    # -- a line

    def take(self, number: int, text: str, kernel: bool, width: int) -> None:
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
        if not event.confirmed and p.FOREIGN.search(text):
            self.event = None
            return
        event.meaningless(text)
        if event.trace is not None and event.trace.frames and text.strip():
            # frames that follow at once are the same backtrace around another CPU's message
            event.paused = None if event.trace.reached else event.trace
            event.trace = None
        if event.since > 2:
            event.paused = None
            if event.single and event.has_frames:
                self.close()
                return
        limit = _DEBUGGER_END if event.debugger else _IDLE_END
        if event.single and not event.has_frames:
            limit = 8
        if not event.confirmed:
            limit = 4 if event.kind is None else 12
        if event.since >= limit:
            self.close()

    def _banner_line(self, text: str) -> None:
        found = p.VERSION.match(text)
        if found:
            self.version = found["version"]
            self.want_version = False
        elif self.lines_since_boot > 12:
            self.want_version = False
        self._architecture(text)

    def _architecture(self, text: str) -> None:
        for word, arch in (
            ("amd64", "amd64"),
            ("arm64", "arm64"),
            ("aarch64", "arm64"),
            ("i386", "i386"),
            ("powerpc64", "powerpc64"),
            ("riscv", "riscv64"),
        ):
            if re.search(rf"\b{word}\b", text):
                self.arch = arch

    # -- openers

    def _opens(self, number: int, text: str, kernel: bool, width: int) -> bool:
        """Does the line begin a report, end one, or say something by itself?  True: it is done with."""
        event = self.event
        if text.startswith(("FFaa", "ppaa")):
            text = undouble(text)
            if self.event:
                self.event.note("two CPUs printed at once")
        if p.BANNER.search(text):
            self._boot(number, text)
            return True
        if not self.version and (found := p.RELEASE.search(text)):
            self.version = found.group()
            self._architecture(text)
        if p.CORE_TEXT.search(text):
            self.core_text = True
            return False
        if text.startswith(("  Version String: ", "Version String: ")) and (
            found := p.VERSION_STRING.match(text)
        ):
            self.version = found["version"]
            self._architecture(text)
            return event is None
        if p.FAREWELL.search(text):
            self.farewell = True
            if event is not None and event.kind is not None and event.single:
                self.close()
            return self.event is None
        if found := p.PANIC_STRING.match(text):
            return self._info_panic(number, text, found["message"].strip())
        if found := p.FATAL_TRAP.match(text) or p.FATAL_TRAP_CUT.match(text):
            return self._fatal_trap(number, text, kernel, int(found["n"]), found["name"])
        if text.startswith("Fatal double fault"):
            return self._fatal_trap(number, text, kernel, 23, "double fault")
        if text.startswith("Fatal data abort"):
            return self._fatal_trap(number, text, kernel, 0x25, "data abort")
        if text.startswith("panic:"):
            found = p.PANIC.match(text)
            return found is not None and self._panic(number, text, kernel, found["message"], width)
        if found := p.SLEEPING.match(text):
            self._start(number, text, "sleeping", kernel, Kind.SLEEPING_THREAD)
            assert self.event is not None
            self.event.tid, self.event.pid = int(found["tid"]), int(found["pid"])
            self.event.confirmed = True
            return True
        if self._witness_opens(number, text, kernel):
            return True
        if found := p.BREAK.search(text):
            if event is None or event.single:
                self._start(number, text, "break", kernel, Kind.HANG)
                assert self.event is not None
                self.event.message = found["how"] or found["nmi"]
                self.event.confirmed = self.event.debugger = True
                return True
            return False
        if self._one_line(number, text):
            return event is None
        if self._boot_failure(number, text, kernel):
            return True
        if "panic: " in text and event is None and (found := p.PANIC_MIDDLE.search(text)):
            return self._panic(number, text, False, found["message"], width, at_start=False)
        return self._bare_frames(number, text, kernel)

    def _bare_frames(self, number: int, text: str, kernel: bool) -> bool:
        """The debugger's words, or frames, without a panic's before them: the log may begin there."""
        event = self.event
        if event is not None and event.opener == "frames":
            # in alltrace every thread comes with its own heading; only the one that panicked is of interest
            found = p.TRACING.match(text)
            if not found or not event.has_frames or self._tells_of_panic(event):
                return False
        elif (
            event is not None
            and not (event.single and event.has_frames and text.startswith("KDB: stack backtrace"))
        ) or not p.BARE_FRAMES.match(text):
            return False
        self._start(number, "", "frames", kernel, None)
        return False

    def _start(
        self, number: int, text: str, opener: str, kernel: bool, kind: Kind | None, *, single: bool = False
    ) -> None:
        self.close()
        event = Event(opener, number, kind, single)
        event.from_kernel = kernel
        event.last = number
        event.core_text = self.core_text
        if text:
            event.keep(text)
        self.event = event

    def _fatal_trap(self, number: int, text: str, kernel: bool, trap: int, name: str) -> bool:
        event = self.event
        if event is not None and not event.single and event.confirmed:
            if (
                event.debugger
                and event.since < _IDLE_END
                and (event.has_frames or event.registers)
                and not event.over
            ):
                event.frozen = True
                event.note(f"the debugger itself trapped: {text.strip()}")
                return False
            if (
                not event.has_frames
                and event.message is None
                and event.trap is not None
                and event.since < 8
                and not event.registers
            ):
                event.note("two CPUs trapped at once: their fields may be mixed")
                return False
            if event.message == name.strip() and not (event.has_frames or event.registers):
                self.event = None  # a summary's title: here is the thing itself
        self._start(number, text.strip(), "trap", kernel, Kind.DOUBLE_FAULT if trap == 23 else Kind.TRAP)
        event = self.event
        assert event is not None
        event.trap, event.trap_name, event.trap_line = trap, name.strip(), text.strip()
        event.confirmed = True
        return True

    def _panic(
        self, number: int, text: str, kernel: bool, message: str, width: int, *, at_start: bool = True
    ) -> bool:
        event = self.event
        message = message.strip()
        if p.FOREIGN.search(text) or message.startswith("runtime error:"):
            return False
        if event is not None and not event.single:
            if event.frozen:
                return False
            if event.message is None and event.kind is not Kind.HANG and event.since < _IDLE_END:
                event.message, event.message_width, event.message_open = message, width, True
                event.from_kernel = event.from_kernel or kernel
                event.meant(number, text)
                return True
            asked = any("show panic" in line for line in list(self.recent)[-3:])
            if message == event.message and (asked or not event.has_frames):
                return False
            if (
                not event.has_frames
                and event.confirmed
                and event.since < 8
                and event.message is not None
                and not event.over
            ):
                event.note(f"panicked again: {message}")
                event.meant(number, text)
                return True
        prelude: Event | None = None
        if (
            event is not None
            and event.single
            and event.kind in (Kind.WITNESS, Kind.LOR)
            and not event.has_frames
        ):
            prelude = event
            self.event = None
        self._start(number, text, "panic", kernel, None)
        event = self.event
        assert event is not None
        if prelude is not None:
            event.start = prelude.start
            event.head = prelude.head + event.head
            event.prelude = prelude.message or ""
            event.own_locks, event.locks, event.lock_names = (
                prelude.own_locks,
                prelude.locks,
                prelude.lock_names,
            )
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
        if found := p.ORDER.search(text):
            kind, message = Kind.LOR, found.group().strip().rstrip(":")
        elif found := p.DUPLICATE.match(text):
            kind, message, lock = Kind.WITNESS, text.strip(), found["lock"]
        elif found := p.SPIN.match(text):
            kind, message, lock = Kind.WITNESS, "spin lock held too long", found["lock"]
        elif p.LOCKS_HELD.match(text) and len(text) < 300:
            kind, message = Kind.WITNESS, text.strip().rstrip(":")
        elif p.MISMATCH.match(text):
            kind, message = Kind.WITNESS, text.strip()
        elif found := p.WARN_ONLY.match(text):
            kind, message = Kind.KASSERT, found["message"].strip()
        elif found := p.RACE.match(text):
            kind, message = Kind.KCSAN, text[text.index("CSan") :].strip()
        elif (found := p.SANITIZER.match(text)) is not None:
            kind = Kind.KASAN if found["which"] == "ASan" else Kind.KMSAN
            message = text.strip()
        if kind is None:
            return False
        if fatal_open:
            assert event is not None
            if event.debugger or (event.confirmed and event.since < 8 and not event.over):
                return False  # the debugger shows locks, or a report on the way down
        self._start(number, text, "report", kernel, kind, single=True)
        event = self.event
        assert event is not None
        event.message = message
        event.confirmed = kind is not Kind.LOR  # people write of order reversals, too: its locks must follow
        if lock:
            event.lock_names.append(lock)
        return True

    def _one_line(self, number: int, text: str) -> bool:
        event = self.event
        if event is not None and not event.single:
            return False
        if " limit reached" in text and (found := p.MBUFS.search(text)):
            kind, message, locks = Kind.MBUFS, found.group(), ()
        elif found := p.LEAKED.match(text):
            kind, message, locks = Kind.LEAK, text.strip(), ()
            self.close()
        else:
            return False
        key = f"{kind}:{naming.normalize(message)}"
        if key in self.seen_once:
            return True
        self.seen_once.add(key)
        one = Event("line", number, kind, True, confirmed=True, message=message, last=number)
        one.keep(text)
        one.locks.extend(locks)
        self._emit(one)
        return True

    def _boot_failure(self, number: int, text: str, kernel: bool) -> bool:
        if found := p.MOUNT_FAILED.search(text):
            self.mount_failed = f"Mounting from {found['what']} failed with error {found['error']}"
            return self.event is None
        event = self.event
        if event is not None and not event.single:
            return False
        for pattern, words in p.BOOT_FAILED:
            message = words
            if not pattern.search(text):
                continue
            if text.startswith("Loader variables"):
                return True
            if "mountroot>" in text:
                if "mountroot" in self.seen_once or not (self.mount_failed or self.booted or kernel):
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
            one = Event(
                "boot", number, Kind.BOOT_FAILURE, False, confirmed=True, message=message, last=number
            )
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
        if (
            self.booted
            and not spoke
            and not self.farewell
            and self.lines_since_boot > 12
            and not self.core_text
        ):
            one = Event("boot", max(number - 1, 1), Kind.REBOOT, False, confirmed=True, last=number)
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

    # -- inside a report

    def _continues(self, event: Event, number: int, text: str) -> bool:
        """Does the line belong to the open report?  What it says is put into it."""
        stripped = text.strip()
        if not stripped:
            return False
        if event.frozen:
            if p.PROMPT.match(text):
                event.frozen = False
            return event.since < 30
        first = stripped[0]
        if first == "#" and self._numbered_frame(event, stripped):
            return True
        if ") at " in stripped and (found := p.FRAME.match(stripped)) and self._frame(event, found):
            return True
        if stripped.endswith(_HEX_DIGITS) and (found := p.BARE_FRAME.match(stripped)):
            if event.trace is None and found["sym"] in _PANICKING:
                self._begin(event)
                event.confirmed = True
            if event.trace is not None:
                event.trace.add(Frame(found["sym"], _offset(found["off"])))
                return True
        trace = event.trace
        if first == "-" and trace is not None and (found := p.TRAP_LINE.match(stripped)):
            trace.pending = found["what"]
            if found["what"].startswith(("syscall", "user", "kthread")):
                trace.reached = True
            return True
        if trace is not None:
            if trace.frames and trace.role == "kgdb" and self._kgdb_rest(trace, stripped):
                return True
            if p.OLD_ARM_FRAME.match(text):
                return True
            if found := p.FRAME_START.match(stripped):
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
        if stripped.startswith(
            ("KDB: ", "Uptime: ", "Dumping ", "Automatic reboot", "Rebooting", "cpu_reset")
        ):
            entered = stripped.startswith("KDB: enter: ") and not stripped.endswith(": panic")
            event.confirmed = event.confirmed or not entered
            event.message_open = False
            if stripped.startswith("Uptime: "):
                event.set("uptime", stripped.removeprefix("Uptime: "))
            if stripped.startswith(("Uptime", "Dumping", "Automatic", "Rebooting")):
                event.over = True
            if stripped.startswith("KDB: enter"):
                event.debugger = True
            return True
        if stripped.startswith("GNU gdb ") and event.message and not event.has_frames:
            event.confirmed = True  # savecore's summary: the message buffer follows
            event.message_open = False
            return True
        if stripped.startswith(("Stopped at", "--More--", "db>")):
            event.debugger = True
            return True
        if event.kind is Kind.WITNESS and p.MISMATCH_FROM.match(stripped):
            event.message = f"{event.message} {stripped}"
            return True
        if event.message_open and event.follow <= 4:
            return self._message_rest(event, stripped)
        return False

    def _message_rest(self, event: Event, stripped: str) -> bool:
        """A panic message that was wrapped."""
        message = event.message or ""
        opened = message.endswith((" at", "@", ",", "(", ":", " for")) or message.count("(") > message.count(
            ")"
        )
        if (
            (event.message_width >= 66 or opened)
            and len(message) < 600
            and not p.FOREIGN.search(stripped)
            and "://" not in stripped
        ):
            hard = event.message_width in (80, 132) and not message.endswith((" at", "@", ",", ":", " for"))
            hard = hard or bool(p.PATH_CUT.search(message) and p.PATH_GOES_ON.match(stripped))
            event.message = message + ("" if hard else " ") + stripped
            event.message_width = len(stripped)
            event.note("wrapped lines were joined")
            return True
        event.message_open = False
        return False

    def _frame(self, event: Event, found: re.Match[str]) -> bool:
        name, symbol = found["name"], found["sym"]
        # arm64 until 12 names the caller behind "at", with the program counters in the next line
        caller = name != symbol and not _same_name(name, symbol) and bool(found["off"])
        if caller and (found["fp"] or found["args"]):
            return False
        trace = event.trace
        if trace is None and event.paused is not None:
            trace = event.trace = event.paused
            event.note("a message of another CPU lies within the backtrace")
        elif trace is None or (trace.frames and trace.role == "kgdb"):
            trace = self._begin(event)
        event.confirmed = event.confirmed or event.message is None or name in _PANICKING
        if name.startswith(("0x", "??")) or name in ("0", ""):
            name = "??"
        cut = not caller and symbol != found["name"] and not _same_name(found["name"], symbol)
        file = found["file"] or found["file2"] or ""
        line = found["line"] or found["line2"]
        trace.add(
            Frame(
                name.removeprefix("fbsd_"),
                None if cut or caller or found["off"] is None else _offset(found["off"]),
                file=file,
                line=int(line) if line else None,
                address=symbol if symbol.startswith("0x") else "",
            )
        )
        trace.cut = cut
        if found["fp"]:
            trace.width = max(trace.width, len(found["fp"]))
        return True

    def _numbered_frame(self, event: Event, stripped: str) -> bool:
        if found := p.STACK_FRAME.match(stripped):
            trace = event.trace
            if trace is None and event.paused is not None and found["n"] != "0":
                trace = event.trace = event.paused
                event.note("a message of another CPU lies within the backtrace")
            if trace is None or (found["n"] == "0" and trace.frames):
                trace = self._begin(event)
            offset = found["off"]
            trace.add(Frame(found["sym"].removeprefix("fbsd_"), _offset(offset), address=found["pc"]))
            event.confirmed = event.confirmed or event.message is None or found["sym"] in _PANICKING
            return True
        if (found := p.KGDB_FRAME.match(stripped)) and (
            found["rest"] is not None or found["name"].startswith("<")
        ):
            trace = event.trace
            if trace is None and event.paused is not None and found["n"] != "0":
                trace = event.trace = event.paused
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
    def _kgdb_rest(trace: Trace, text: str) -> bool:
        if place := p.KGDB_PLACE.search(text):
            frame = trace.frames[-1]
            if not frame.file and not frame.module:
                trace.frames[-1] = replace(
                    frame,
                    file=place["file"] or "",
                    line=int(place["line"]) if place["line"] else None,
                    module=Path(place["module"]).name if place["module"] else "",
                )
            return True
        return p.KGDB_REST.match(text) is not None

    @staticmethod
    def _begin(event: Event, of: int | None = None, role: str = "") -> Trace:
        """A new backtrace; those that cannot matter are read but not kept."""
        trace = Trace(of=of, role=role)
        event.trace = trace
        mine = of is None or of == event.tid
        kept = sum(bool(t.frames) for t in event.traces)
        if kept < 6 and (mine or event.tid is None or event.kind is Kind.SLEEPING_THREAD):
            event.traces.append(trace)
        else:
            trace.role = "other"
        return trace

    def _new_trace(self, event: Event, stripped: str) -> bool:
        if stripped.startswith("KDB: stack backtrace"):
            if event.single and any(t.frames for t in event.traces):
                return False  # of a panic right after the report
            found = p.TRACE_OF.match(stripped)
            self._begin(event, of=int(found["tid"]) if found else None)
            event.message_open = False
            event.confirmed = event.confirmed or event.opener != "frames"
            return True
        if stripped in ("stack backtrace:", "Stack backtrace:") or p.ATTEMPTED.match(stripped):
            self._begin(event)
            return True
        if p.ESTABLISHED.match(stripped):
            self._begin(event, role="established")
            return True
        if stripped.startswith("Tracing ") and (found := p.TRACING.match(stripped)):
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

    def _setting(self, event: Event, text: str, stripped: str) -> bool:
        """``cpuid = 1`` and its like; register blocks."""
        if stripped.startswith(("cpuid =", "cpuid\t", "cpuid  ")):
            if found := re.match(r"cpuid\s*= (\d+)", stripped):
                if (
                    event.fields.get("cpuid", found[1]) != found[1]
                    and event.trap is not None
                    and not event.has_frames
                    and event.message is None
                ):
                    event.note("two CPUs trapped at once: their fields may be mixed")
                event.set("cpuid", found[1])
                event.confirmed = True
                return True
            return False
        if found := p.THREAD_LINE.search(stripped):
            if event.tid is None:
                event.tid, event.pid = int(found["tid"]), int(found["pid"])
            event.debugger = True
            return True
        if found := p.RIP.match(stripped):
            event.set("instruction pointer", found["rip"])
            event.registers = True
            return True
        if found := p.SETTING.match(text):
            key, value = found["key"].strip(), found["value"].strip()
            if key in p.KEYS:
                event.confirmed = True
                if key in ("fault virtual address", "instruction pointer", "rip", "far", "elr"):
                    event.registers = True
                if key == "current process":
                    if event.pid is None and (process := p.PROCESS.match(value)):
                        event.pid, event.thread = int(process["pid"]), process["name"] or ""
                    return True
                if key == "version":
                    event.version = value if value.startswith("FreeBSD ") else event.version
                if key == "trap number" and event.trap is None and value.isdigit() and len(value) < 5:
                    event.trap = int(value)
                if key == "rip":
                    key = "instruction pointer"
                event.set(key, value)
                return True
            if key == "curthread" and (who := p.CURTHREAD.match(value)):
                if event.tid is None or str(event.tid) == who["tid"]:
                    event.tid = int(who["tid"]) if who["tid"] else event.tid
                    event.pid = int(who["pid"])
                    event.thread = event.thread or who["name"]
                return True
            if key in p.PCPU:
                return True
        if p.REGISTERS.match(text):
            for register in p.REGISTER.finditer(text):
                name, value = register["name"], register["value"]
                if "deadc0de" in value and len(event.freed_in) < 8 and name not in event.freed_in:
                    event.freed_in.append(name)
                if name in ("far", "esr", "elr"):
                    event.set(name, "0x" + value)
            event.registers = True
            return True
        return stripped.startswith(
            ("= DPL", "rax 0x", "rcx 0x", "r8 0x", "r11 0x", "r14 0x", "cs 0x", "fsbase 0x")
        )

    @staticmethod
    def _locks(event: Event, text: str) -> bool:
        if found := p.ORDER_LOCK.match(text) or (p.ORDER_CUT.match(text) if event.kind is Kind.LOR else None):
            if event.kind not in (Kind.LOR, Kind.WITNESS):
                return False
            event.confirmed = True
            name = re.sub(r" \([^()]*(?:\([^()]*\)[^()]*)*\)$", "", found["lock"]).strip()
            if event.kind is Kind.LOR or name not in event.lock_names:
                event.lock_names.append(name)
            return True
        if found := p.HELD_BY.match(text):
            event.locks_of = int(found["tid"])
            return True
        if found := p.HELD.match(text):
            name = re.sub(r" \([^()]*\)$", "", found["lock"])
            held = f"{found['how']} {found['cls']} {name}"
            held += f" @ {naming.normalize(found['file'])}" if found["file"] else ""
            mine = event.locks_of is None or event.tid is None or event.locks_of == event.tid
            kept = event.own_locks if mine else event.locks
            if held not in kept and len(kept) < 64:
                kept.append(held)
            if event.kind is Kind.WITNESS and name not in event.lock_names:
                event.lock_names.append(name)
            return True
        return False

    # -- the end of a report

    def close(self, at_end: bool = False) -> None:
        """End the open report, if any, and keep it if it is one."""
        event, self.event = self.event, None
        if event is None:
            return
        if event.opener == "frames" and not self._tells_of_panic(event):
            return
        if not event.confirmed:
            alone = event.follow <= 3
            if event.opener == "middle" or event.kind is Kind.LOR:
                if not (event.kind is Kind.LOR and (event.from_kernel or (at_end and alone))):
                    return
            elif not event.message or not (event.from_kernel or (at_end and alone)):
                return
        self._emit(event)

    @staticmethod
    def _tells_of_panic(event: Event) -> bool:
        names = {frame.function for trace in event.traces for frame in trace.frames if trace.role != "other"}
        return bool(names & {"vpanic", "panic", "trap_fatal", "dblfault_handler"})

    def _emit(self, event: Event) -> None:
        panic = panic_of(event, self.version, self.arch)
        marks = Marks.of(event, panic, self.boots)
        for i in range(len(self.done) - 1, max(-1, len(self.done) - 9), -1):
            if same(self.marks[i], marks, event.core_text):
                self.done[i] = merged(self.done[i], panic)
                return
        if self.done and self.marks[-1].boot == self.boots and nested(event, panic):
            before = self.done[-1]
            notes = (*before.notes, f"panicked again: {panic.message}")
            self.done[-1] = replace(before, notes=notes, last_line=panic.last_line)
            return
        if len(self.done) == _LIMIT:
            if not self.full:
                self.full = True
                last = self.done[-1]
                self.done[-1] = replace(last, notes=(*last.notes, "the log holds more: not read"))
            return
        self.done.append(panic)
        self.marks.append(marks)


def _interesting(text: str) -> bool:
    return p.QUICK.search(text) is not None


def _offset(text: str | None) -> int:
    """An offset as the debugger prints it: hexadecimal with its mark, or a bare digit."""
    return int(text, 16 if text.startswith("0x") else 10) if text else 0


def _same_name(name: str, symbol: str) -> bool:
    return (
        name == symbol
        or symbol.startswith("0x")
        or name.removeprefix("fbsd_") == symbol.removeprefix("fbsd_")
    )


def _feed(reader: _Reader, source: Source) -> None:
    number = 0
    rest = b""
    part = ""
    skipped = b""
    total = 0  # lines of a log that was turned round
    for name, piece in chunks(source):
        if reader.full:
            return
        if name != part:
            if rest:
                number += 1
                reader.line(number, rest[:_LONGEST_LINE].decode("utf-8", "replace"))
                rest = b""
            if part and name == "panic.txt":
                reader.close()
            part = name
            reader.core_text = name != NEWEST_FIRST  # one dump told in several files
        if name == "version.txt":
            found = p.VERSION.match(piece.decode("utf-8", "replace").strip().partition("\n")[0])
            if found:
                reader.version = found["version"]
                reader._architecture(piece.decode("utf-8", "replace"))
            continue
        total = piece.count(b"\n") + 1 if name == NEWEST_FIRST else 0
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
        if reader.idle and not any(word in data for word in p.ALARMS):
            number += data.count(b"\n")
            reader.lines_since_boot += data.count(b"\n")
            if data:
                skipped = data[-2048:]
            continue
        if skipped:
            reader.recent.extend(
                clean(line)[0] for line in skipped.decode("utf-8", "replace").splitlines()[1:] if line.strip()
            )
            skipped = b""
        number = _feed_lines(reader, data, number)
    if rest:
        number += 1
        reader.line(number, rest[:_LONGEST_LINE].decode("utf-8", "replace"))
    reader.finish()
    if total:
        reader.done = [
            replace(
                panic,
                first_line=total + 1 - panic.last_line,
                last_line=total + 1 - panic.first_line,
                notes=(*panic.notes, "the log has its newest line first"),
            )
            for panic in reader.done
        ]


_SPLIT = re.compile(b"|".join(re.escape(word) for word in p.ALARMS))


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
                    clean(line)[0]
                    for line in data[max(at, stop - 1024) : stop].decode("utf-8", "replace").splitlines()
                    if line.strip()
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
    Reading ends after 1000 reports, with a note in the last.
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
