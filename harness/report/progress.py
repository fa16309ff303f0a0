"""How far runs are: bars on a terminal, plain lines in a pipe."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.progress import Progress as Bars
from rich.table import Column
from rich.text import Text

from harness.report import words
from harness.report.screen import make_console, mark
from harness.run.result import Result

PHASES = ("build", "boot", "setup", "run")
_HEARTBEAT = 30.0


class _Elapsed(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(words.duration(task.elapsed or 0.0) if task.started else "", style="dim")


class Progress:
    """Progress of ``total`` runs, several at once, told from any thread.

    ``phase(key, name, fraction)`` says where the run ``key`` is: a name of PHASES (or any other word) and
    how much of it is done, 0 to 1, None when nobody knows.  ``done(key, result)`` ends it.  What is never
    told is never shown, so a caller may leave out what it does not know.

    On a terminal the bars go away at the end and one line a finished run stays (when there are several);
    elsewhere lines are printed: each end of a run, each phase of a single run, every build that says
    how far it is, and a sign of life every half minute.
    """

    def __init__(self, total: int = 1, console: Console | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.console = console or make_console(stderr=True)
        self._total = total
        self._clock = clock
        self._lock = threading.RLock()
        self._titles: dict[str, str] = {}
        self._told: dict[str, tuple[str, float]] = {}
        self._tasks: dict[str, TaskID] = {}
        self._finished = 0
        self._bars: Bars | None = None
        self._all: TaskID | None = None

    def __enter__(self) -> Self:
        if self.console.is_terminal and not self.console.is_dumb_terminal:
            width = 24 if self.console.width >= 90 else 12
            utf = self.console.encoding.lower().startswith("utf")
            self._bars = Bars(
                SpinnerColumn("dots" if utf else "line", style="dim", finished_text=" "),
                TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, ratio=1)),
                TextColumn(
                    "{task.fields[phase]}",
                    style="dim",
                    markup=False,
                    table_column=Column(min_width=9, no_wrap=True),
                ),
                BarColumn(
                    width,
                    style="bright_black",
                    complete_style="cyan",
                    finished_style="cyan",
                    pulse_style="cyan",
                ),
                _Elapsed(),
                console=self.console,
                transient=True,
                expand=True,
            )
            if self._total > 1:
                self._all = self._bars.add_task("all runs", total=self._total, phase=f"0/{self._total}")
            self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def start(self, key: str, title: str) -> None:
        """A run (or a build that several runs wait for) begins."""
        with self._lock:
            self._titles[key] = words.one_line(title)
            if self._bars is not None:
                self._tasks[key] = self._bars.add_task(self._titles[key], total=None, phase="")

    def phase(self, key: str, name: str, fraction: float | None = None, note: str = "") -> None:
        """The run ``key`` is in phase ``name``, ``fraction`` of it done; ``note`` (or what follows ": ") says with what."""
        name, _, more = name.partition(": ")
        note = note or more
        with self._lock:
            if key not in self._titles:
                self.start(key, key)
            if self._bars is not None:
                done = None if fraction is None else min(1.0, max(0.0, fraction))
                text = f"{name} {words.one_line(note, 40)}".rstrip()
                task = self._tasks[key]
                self._bars.update(task, total=None if done is None else 1.0, completed=done or 0.0, phase=text)
                return
            now = self._clock()
            last, when = self._told.setdefault(key, ("", now))
            # A build that never says how far it is has mostly been done before.
            new = name != last and (self._total == 1 or (name == "build" and fraction is not None))
            if not new and now - when < _HEARTBEAT:
                if name != "build":
                    self._told[key] = (name, when)
                return
            self._told[key] = (name, now)
            known = "" if fraction is None or name not in (last, "build") else f" {fraction:.0%}"
            more = f" ({words.one_line(note)})" if note else ""
            self._say(Text(f"{self._titles[key]}: {name}{known}{more}"))

    def expect(self, total: int) -> None:
        """There are ``total`` runs in all, more than was known at the beginning."""
        with self._lock:
            self._total = total
            if self._bars is not None and self._all is not None:
                self._bars.update(self._all, total=total)

    def done(self, key: str, result: Result | None = None) -> None:
        """The run ``key`` has ended, with this result (None: it was a build, or there is none)."""
        with self._lock:
            title = self._titles.pop(key, key)
            self._told.pop(key, None)
            task = self._tasks.pop(key, None)
            if self._bars is not None and task is not None:
                self._bars.remove_task(task)
            if result is None:
                return
            self._finished += 1
            if self._bars is not None and self._all is not None:
                self._bars.update(self._all, completed=self._finished, phase=f"{self._finished}/{self._total}")
            if self._total > 1:
                self._say(self._line(title, result))

    def say(self, text: str) -> None:
        """A line of its own, above the bars."""
        with self._lock:
            self._say(Text(words.clean(text)))

    def _line(self, title: str, result: Result) -> Text:
        sign, style = mark(result, self.console)
        line = Text.assemble((sign, style), " ", title, "  ", (words.outcome(result), style if not result.as_expected else ""))
        line.append(f"  {words.duration(result.durations.total)}", "dim")
        if not result.as_expected and words.why(result):
            line.append(f"  {words.why(result)}", "dim")
        if not self.console.is_terminal:
            line = Text(f"[{self._finished}/{self._total}] ").append_text(line)
        return line

    def _say(self, line: Text) -> None:
        whole = not self.console.is_terminal
        self.console.print(line, soft_wrap=whole, no_wrap=True, overflow="ignore" if whole else "ellipsis")
