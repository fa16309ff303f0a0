"""Results on a terminal: one run in full, many as a table with what went wrong below it."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from harness.panic import Panic
from harness.report import words
from harness.report.flows import Flow, flows, run_end
from harness.report.load import NotRun, Run, known
from harness.report.screen import SERIES, VERDICTS, Line, make_console, mark, plot, sparkline, unicode_ok
from harness.run.result import Result, Verdict

_WIDEST = 110
_FRAMES = 8
_DETAILS = 10
_LISTED_EVENTS = 6
_FLOWS = 40
_REASONS = 12
_NOTES = 4
_NARROWEST = 8
_NARROW = 96


def show(runs: Sequence[Run], not_run: Sequence[NotRun] = (), console: Console | None = None) -> None:
    """One run in full; of several the table, and the first that are not as declared."""
    console = console or make_console()
    if len(runs) == 1 and not not_run:
        show_one(runs[0], console)
    else:
        show_many(runs, not_run, console)


def show_one(run: Run, console: Console | None = None) -> None:
    """Everything about one run that fits a screen."""
    console = console or make_console()
    r = run.result
    width = min(console.width, _WIDEST) - 4
    parts: list[RenderableType] = [_head(r, console)]
    seen = flows(r)
    if any(f.rates for f in seen):
        parts += [Text(), *_plot(r, seen, console, width)]
    if seen:
        parts += [Text(), _flow_table(seen, console, width)]
    if r.expectations:
        parts += [Text(), _expectations(r, console, width)]
    if r.events:
        parts += [Text(), _events(r, width)]
    if r.panic is not None:
        parts += [Text(), _panic(r.panic, console, width)]
    for report in r.reports[:3]:
        parts += [Text(), _panic(report, console, width, reported=True)]
    if len(r.reports) > 3:
        parts.append(Text(f"and {words.several(len(r.reports) - 3, 'more report')}, in result.json", "dim"))
    parts += [Text(), _foot(run)]
    _print(console, parts, width)


def _print(console: Console, parts: Sequence[RenderableType], width: int) -> None:
    block = Padding(Group(*parts), (1, 2, 1, 2), expand=False)
    if console.is_terminal:
        console.print(block, width=width + 4)
        return
    with console.capture() as capture:
        console.print(block, width=width + 4)
    # Nobody wants the blanks that fill a line up in a file.
    console.file.write("\n".join(line.rstrip() for line in capture.get().split("\n")))
    console.file.flush()


def _head(r: Result, console: Console) -> RenderableType:
    sign, style = mark(r, console)
    head = Text.assemble((f"{sign} ", f"bold {style}"), (words.outcome(r), f"bold {style}"), "   ", (words.title(r), "bold"))
    lines = [head]
    facts = [
        words.guest(r),
        words.one_line(f"{r.kernel.release} {r.kernel.flavour}"),
        "+ " + words.one_line(", ".join(r.kernel.patches)) if r.kernel.patches else "",
        f"seed {r.seed}",
        f"{r.guest.clock} clock",
        words.duration(r.durations.total),
    ]
    if known(r):
        dot = " · " if unicode_ok(console) else " - "
        lines.append(Text("  " + dot.join(fact for fact in facts if fact), "dim"))
    held = [e.holds for e in r.expectations]
    if not r.as_expected or r.verdict is not Verdict.PASS:
        # A reason of several lines (a compiler's words) keeps them.
        said = [line for x in r.reasons for line in words.clean(x).split("\n")] or [words.why(r)]
        lines += [Text(f"  {x}") for x in said[:_REASONS] if x.strip()]
        if len(said) > _REASONS:
            lines.append(Text(f"  and {words.several(len(said) - _REASONS, 'more line')}, in result.json", "dim"))
    elif held:
        lines.append(Text(f"  {'the expectation holds' if len(held) == 1 else f'all {len(held)} expectations hold'}"))
    lines += [Text(f"  {words.one_line(x)}", "dim") for x in r.notes[:_NOTES]]
    return Group(*lines)


def _style(flow: Flow) -> str:
    return SERIES[flow.slot % len(SERIES)]


def _plot(r: Result, seen: Sequence[Flow], console: Console, width: int) -> list[RenderableType]:
    utf = unicode_ok(console)
    shown = [f for f in seen if f.rates][: len(SERIES)]
    top = max((y for f in shown for y in f.rates), default=0.0)
    factor, unit = next(((k, u) for k, u in ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s")) if top >= k), (1.0, "bit/s"))
    legend = Text(f"{unit} ", "dim")
    for f in shown:
        legend.append("  ━━ " if utf else f"  {'*+xo#@%&'[shown.index(f)]} ", _style(f)).append(f.name)
    if r.events and len(r.events) <= _LISTED_EVENTS:
        legend.append("  ▾ " if utf else "  v ", "yellow").append("event", "dim")
    legend.truncate(width, overflow="ellipsis")
    rows = plot(
        [Line(_style(f), f.times, f.rates) for f in shown],
        width=max(20, width - 10),
        height=11 if console.height >= 34 or not console.is_terminal else 8,
        x_end=run_end(r),
        unit=factor,
        marks=[e.t for e in r.events] if len(r.events) <= 40 else [],
        utf=utf,
    )
    return [legend, *rows]


def _rows(
    names: Sequence[str],
    rows: Sequence[Sequence[Text | str]],
    width: int,
    *,
    right: Sequence[int] = (),
    free: Sequence[int] = (),
    first: int = 0,
) -> Table:
    """A table without lines, at most ``width`` wide: the longest of the columns ``free`` give way.

    With ``first`` the first of them gives way before the others, down to that width.
    """
    cells = [[Text(c) if isinstance(c, str) else c for c in row] for row in rows]
    widths = [max([cell_len(name), *(row[i].cell_len for row in cells)]) for i, name in enumerate(names)]
    while free and sum(widths) + 2 * (len(names) - 1) > width:
        longest = max(free, key=lambda i: widths[i])
        if first and widths[free[0]] > first:
            longest = free[0]
        if widths[longest] <= _NARROWEST:
            break
        widths[longest] -= 1
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for i, name in enumerate(names):
        table.add_column(name, justify="right" if i in right else "left", no_wrap=True, width=widths[i])
    for row in cells:
        for cell, limit in zip(row, widths, strict=True):
            cell.truncate(limit, overflow="ellipsis")
        table.add_row(*row)
    return table


def _flow_table(seen: Sequence[Flow], console: Console, width: int) -> RenderableType:
    names = ["flow", "", "rate", "sent", "loss", "dup", "reorder", "delay p50", "p99"]
    wide = width >= 96
    top = max((y for f in seen for y in f.rates), default=0.0)
    rows: list[list[Text | str]] = []
    for f in seen[:_FLOWS]:
        row: list[Text | str] = [
            Text(f.name, _style(f)),
            Text(f.kind, "dim"),
            words.rate(f.rate),
            words.count(f.sent),
            words.share(f.loss),
            words.count(f.duplicates),
            words.count(f.reordered),
            words.seconds(f.p50),
            words.seconds(f.p99),
        ]
        if wide:
            row.append(Text(sparkline(f.rates, top, 16, utf=unicode_ok(console)), _style(f)))
        rows.append(row)
    table = _rows([*names, *(["over time"] if wide else [])], rows, width, right=range(2, 9), free=[0])
    if len(seen) > _FLOWS:
        return Group(table, Text(f"and {words.several(len(seen) - _FLOWS, 'more flow')}, in result.json", "dim"))
    return table


def _expectations(r: Result, console: Console, width: int) -> RenderableType:
    utf = unicode_ok(console)
    rows: list[list[Text | str]] = [
        [
            Text("✓" if utf else "ok", "green") if e.holds else Text("✗" if utf else "NO", "red"),
            words.one_line(e.metric),
            words.one_line(e.condition),
            Text(words.measured(e), "" if e.holds else "bold red"),
            Text("" if e.holds else words.one_line(e.why), "dim"),
        ]
        for e in r.expectations
    ]
    return _rows(["", "expected", "", "measured", ""], rows, width, free=[1, 2, 3, 4])


def _events(r: Result, width: int) -> RenderableType:
    if len(r.events) > _LISTED_EVENTS:
        failed = sum(e.status != 0 for e in r.events)
        text = f"{len(r.events)} events from {words.seconds(r.events[0].t)} to {words.seconds(r.events[-1].t)}"
        return Text(text + (f", {failed} of them with an exit status other than 0" if failed else ""), "dim")
    rows: list[list[Text | str]] = [
        [
            words.seconds(e.t),
            words.one_line(e.on),
            words.one_line(e.command),
            Text(
                f"status {e.status}: {words.one_line(e.output, 60)}".rstrip(": ") if e.status else "",
                "yellow",
            ),
        ]
        for e in r.events
    ]
    return _rows(["event", "on", "command", ""], rows, width, right=[0], free=[1, 2, 3])


def _panic(p: Panic, console: Console, width: int, *, reported: bool = False) -> RenderableType:
    style = "yellow" if reported else VERDICTS[Verdict.PANIC]
    message = words.one_line(p.message)
    lines: list[RenderableType] = [
        Rule(Text(f"{'reported' if reported else 'panic'} ", style), style="dim", align="left",
             characters="─" if unicode_ok(console) else "-"),
        Text(message, "bold"),
    ]  # fmt: skip
    facts = _pairs()
    # The arrows say in which order the calls go round.
    arrow = " → " if unicode_ok(console) else " -> "
    for name, value in (
        ("in", p.culprit),
        ("fault at", words.fault(p)),
        ("thread", " ".join(x for x in (p.process, f"[{p.thread}]" if p.thread else "") if x)),
        ("repeats", arrow.join((*p.cycle, p.cycle[0])) if p.cycle else ""),
        ("locks", ", ".join(p.locks)),
        ("signature", p.signature),
    ):
        if value:
            facts.add_row(Text(name, "dim"), words.one_line(value))
    lines.append(facts)
    told = words.told_frames(p)
    stack = [words.frame(f) for f in told[:_FRAMES]]
    if stack:
        more = len(told) - len(stack)
        lines += [Text(f"  {line}", "" if p.culprit and line.startswith(p.culprit) else "dim") for line in stack]
        if more > 0:
            lines.append(Text(f"  and {words.several(more, 'more frame')}", "dim"))
    return Group(*lines)


def _pairs() -> Table:
    """A table of names and values; a value that is too long goes on in the next line, to be copied whole."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _foot(run: Run) -> RenderableType:
    table = _pairs()
    if run.result.command:
        table.add_row(Text("run again", "dim"), words.command(run.result))
    if run.folder is not None:
        table.add_row(Text("folder", "dim"), _home(run.folder))
    return table


def _home(path: Path) -> str:
    try:
        return f"~/{words.quoted(path.relative_to(Path.home()))}"
    except (ValueError, RuntimeError):
        return words.quoted(path)


def show_many(runs: Sequence[Run], not_run: Sequence[NotRun] = (), console: Console | None = None) -> None:
    """The table of many runs, what went wrong in those that are not as declared, and the sum."""
    console = console or make_console()
    width = console.width - 4
    parts: list[RenderableType] = []
    if runs or not_run:
        parts.append(_index(runs, not_run, console, width))
    alike: dict[tuple[object, ...], list[Run]] = {}
    for run in runs:
        if not run.result.as_expected:
            alike.setdefault(_sameness(run.result), []).append(run)
    for found in list(alike.values())[:_DETAILS]:
        r = found[0].result
        parts += [Text(), _head(r, console)]
        if any(not e.holds for e in r.expectations):
            parts.append(_expectations(r, console, min(width, _WIDEST)))
        if r.panic is not None:
            parts.append(_panic(r.panic, console, min(width, _WIDEST)))
        parts.append(_foot(found[0]))
        if len(found) > 1:
            parts.append(Text(f"and {words.several(len(found) - 1, 'run')} like it", "dim"))
    if len(alike) > _DETAILS:
        parts += [Text(), Text(f"and {words.several(len(alike) - _DETAILS, 'more thing')} that went wrong", "dim")]
    parts += [Text(), *_tally(runs), *_scaled(runs), *_times(runs), _sum(runs, not_run, console)]
    _print(console, parts, width)


def _sameness(r: Result) -> tuple[object, ...]:
    """Equal for runs that went wrong in the same way: repeats are told once."""
    broken = tuple(e.metric for e in r.expectations if not e.holds)
    what = r.panic.signature if r.panic else broken or tuple(r.reasons[:1])
    return (r.scenario.file, r.scenario.name, words.cell(r.scenario.cell), r.verdict, what)


def _index(runs: Sequence[Run], not_run: Sequence[NotRun], console: Console, width: int) -> Table:
    """The table; a column in which there is nothing, or the same guest everywhere, is left out."""
    columns: dict[str, list[Text]] = {
        name: [] for name in ("", "scenario", "cell", "guest", "verdict", "declared", "time", "why")
    }

    def add(*row: Text) -> None:
        for column, cell in zip(columns.values(), row, strict=True):
            column.append(cell)

    for run in runs:
        r = run.result
        add(
            Text(*mark(r, console)),
            Text(words.one_line(r.scenario.name) + (f" #{r.repeat + 1}" if r.repeat else "")),
            Text(words.cell(r.scenario.cell)),
            Text(words.guest(r)),
            Text(str(r.verdict), VERDICTS[r.verdict]),
            Text(words.declared(r), "dim"),
            Text(words.duration(r.durations.total), "dim"),
            Text(words.why(r), "dim" if r.as_expected else ""),
        )
    for n in not_run:
        dim = [
            "-",
            words.one_line(n.name),
            words.cell(n.cell),
            "",
            "not run",
            "",
            "",
            words.one_line(n.reason),
        ]
        add(*(Text(x, "dim") for x in dim))
    if not any(columns["cell"]):
        del columns["cell"]
    if len({words.guest(run.result) for run in runs}) == 1:
        del columns["guest"]
    if width < _NARROW:
        # What went wrong is told below.
        del columns["why"]
    names = list(columns)
    rows = list(zip(*columns.values(), strict=True))
    # Why gives way first: what went wrong is told in full below.
    given = [names.index(n) for n in ("why", "scenario", "cell", "guest") if n in names]
    return _rows(names, rows, width, right=[names.index("time")], free=given, first=28 if "why" in names else 0)


def _scaled(runs: Sequence[Run]) -> list[Text]:
    """What is to be known of runs that went as declared: rates scaled, guests that booted twice."""
    notes = Counter(words.one_line(n) for run in runs for n in run.result.notes)
    lines = [Text(f"  {note}" + (f"  ({n} runs)" if n > 1 else ""), "dim") for note, n in notes.most_common(_DETAILS)]
    return [*lines, Text()] if lines else []


def _tally(runs: Sequence[Run]) -> list[Text]:
    """What came of each cell that was repeated: how often which verdict, and of panics how often which one."""
    cells: dict[tuple[str, str, str], list[Result]] = {}
    for run in runs:
        r = run.result
        cells.setdefault((words.one_line(r.scenario.name), words.cell(r.scenario.cell), words.guest(r)), []).append(r)
    lines = []
    for (name, cell, _guest), of in cells.items():
        if len(of) < 2:
            continue
        came = Counter((r.verdict, words.one_line(r.panic.signature) if r.panic else "") for r in of).most_common()
        told = [Text.assemble(f"{n} ", (str(v), VERDICTS[v]), f" {signature}".rstrip()) for (v, signature), n in came]
        title = Text(f"  {' '.join(x for x in (name, cell) if x)}: {len(of)} runs")
        # What is the same every time is told in the same line.
        lines += [Text(", ").join([title, *told])] if len(told) == 1 else [title, *(Text("    ") + t for t in told)]
    return [*lines, Text()] if lines else []


def _times(runs: Sequence[Run]) -> list[Text]:
    """How long the repeats took, those from a warm start beside those that booted: n, median, least and most."""
    again = {words.one_line(run.result.scenario.name) for run in runs if run.result.repeat}
    repeated = [run.result for run in runs if words.one_line(run.result.scenario.name) in again]
    lines = []
    for start in ("warm", "cold"):
        of = [r.durations for r in repeated if r.durations.start == start and r.durations.started]
        for what, values in (("whole run", [d.total for d in of]), ("to the first command", [d.boot for d in of])):
            if not values:
                continue
            lines.append(Text(
                f"  {len(of)} {start}   {what}: median {words.duration(statistics.median(values))}, "
                f"least {words.duration(min(values))}, most {words.duration(max(values))}"
            ))  # fmt: skip
    return [*lines, Text()] if lines else []


def _sum(runs: Sequence[Run], not_run: Sequence[NotRun], console: Console) -> Text:
    good = sum(run.result.as_expected for run in runs)
    utf = unicode_ok(console)
    if good == len(runs):
        line = Text.assemble((f"{'✓' if utf else 'ok'} ", "green"), (f"all {len(runs)} runs as declared", "bold"))
    else:
        line = Text.assemble(
            (f"{'✗' if utf else 'NO'} ", "red"),
            (f"{len(runs) - good} of {len(runs)} runs not as declared", "bold"),
        )
    verdicts = Counter(run.result.verdict for run in runs)
    guests = {words.guest(run.result) for run in runs}
    if len(guests) == 1:
        line.append(f" on {guests.pop()}")
    counts = [f"{verdicts[v]} {v}" for v in Verdict if verdicts[v]] + ([f"{len(not_run)} not run"] if not_run else [])
    line.append("   " + ", ".join(counts), "dim")
    return line
