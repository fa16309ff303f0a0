"""A report while it is being read."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field, replace

from harness.panic import naming
from harness.panic.model import Frame, Kind

HEAD, TAIL = 400, 80  # lines of a report that are kept
IDLE_END = 40  # lines without meaning after which a report is over
FRAMES = 2048  # of one backtrace


@dataclass(slots=True)
class Trace:
    """One backtrace of a report."""

    of: int | None = None  # tid
    pid: int | None = None
    command: str = ""
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
        if len(self.frames) < FRAMES:
            self.frames.append(frame)
        if naming.is_root(frame.function):
            self.reached = True


@dataclass(slots=True)
class Event:
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
    hung: tuple[str, int, str] | None = None  # command, pid and what it waited in when last asked (^T)
    thread: str = ""
    process: str = ""
    locks: list[str] = field(default_factory=list)
    lock_names: list[str] = field(default_factory=list)
    own_locks: list[str] = field(default_factory=list)
    locks_of: int | None = None
    paused: Trace | None = None  # a backtrace that another message interrupted
    traces: list[Trace] = field(default_factory=list)
    trace: Trace | None = None
    registers: bool = False
    freed_in: list[str] = field(default_factory=list)
    debugger: bool = False
    frozen: bool = False  # inside a fault of the debugger itself
    over: bool = False  # said goodbye
    head: list[str] = field(default_factory=list)
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL))
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
        if len(self.head) < HEAD:
            self.head.append(text)
        else:
            if len(self.tail) == TAIL:
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
