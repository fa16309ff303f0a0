"""The reports of one log: the one that is open, and those that are done."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import replace

from harness.panic.event import Event
from harness.panic.judge import Marks, merged, nested, panic_of, same
from harness.panic.model import Kind, Panic

_LIMIT = 1000  # reports of one log


class Collector:
    """At most one report open; what is known of the boot that it belongs to."""

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
        self.boots = 0
        self.marks: list[Marks] = []
        self.full = False

    def architecture(self, text: str) -> None:
        """Take note of the architecture that the line names."""
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

    def start(
        self, number: int, text: str, opener: str, kernel: bool, kind: Kind | None, *, single: bool = False
    ) -> None:
        """Open a report; the one that is open is closed."""
        self.close()
        event = Event(opener, number, kind, single)
        event.from_kernel = kernel
        event.last = number
        event.core_text = self.core_text
        if text:
            event.keep(text)
        self.event = event

    def close(self, at_end: bool = False) -> None:
        """End the open report, if any, and keep it if it is one."""
        event, self.event = self.event, None
        if event is None:
            return
        if event.opener == "frames" and not self.tells_of_panic(event):
            return
        if not event.confirmed:
            alone = event.follow <= 3
            if event.opener == "middle" or event.kind is Kind.LOR:
                if not (event.kind is Kind.LOR and (event.from_kernel or (at_end and alone))):
                    return
            elif not event.message or not (event.from_kernel or (at_end and alone)):
                return
        self.emit(event)

    @staticmethod
    def tells_of_panic(event: Event) -> bool:
        """Do the frames show that the kernel panicked?"""
        frames = [frame for trace in event.traces for frame in trace.frames if trace.role != "other"]
        panicked = {"vpanic", "panic", "trap_fatal", "dblfault_handler"} & {frame.function for frame in frames}
        return bool(panicked) and (len(frames) > 1 or frames[0].offset is not None)

    def emit(self, event: Event) -> None:
        """Keep a report that is over; one that was printed twice is merged."""
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
