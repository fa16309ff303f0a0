"""Lines in, finished reports out."""

from __future__ import annotations

from harness.panic import patterns as p
from harness.panic.clean import clean, unflow
from harness.panic.event import IDLE_END
from harness.panic.frames import complete, frame, seems_wrapped
from harness.panic.inside import continues
from harness.panic.openers import Openers

_DEBUGGER_END = 4000  # lines without meaning after which a report is over that went on in the debugger


class LineReader(Openers):
    """Cleans lines, joins wrapped ones, and gives each to the report that is open or that it opens."""

    def __init__(self) -> None:
        super().__init__()
        self.held = ""  # first half of a line that seems wrapped
        self.held_number = 0

    @property
    def idle(self) -> bool:
        """Nothing is open: only a word of alarm can begin something."""
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
                frame(event, found)
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
                if (found and complete(self.event, found)) or (
                    first.startswith("---") and joined.endswith("---") and "---" not in text[:-3]
                ):
                    if self.event:
                        self.event.note("wrapped lines were joined")
                    self.take(number, joined, kernel, width)
                    return
            self.take(self.held_number, first, kernel, len(first))
        if self.event is not None and seems_wrapped(self.event, text):
            self.held, self.held_number = text, number
            return
        self.take(number, text, kernel, width)

    def finish(self) -> None:
        """The log is over."""
        if self.held:
            first, self.held = self.held, ""
            self.take(self.held_number, first, False, len(first))
        self.close(at_end=True)

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
        if _interesting(text) and self.opens(number, text, kernel, width):
            return
        event = self.event
        if event is None:
            return
        if continues(event, text):
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
        limit = _DEBUGGER_END if event.debugger else IDLE_END
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
        self.architecture(text)


def _interesting(text: str) -> bool:
    return p.QUICK.search(text) is not None
