"""``dnh agree``: one scenario on two guests, metric by metric: do they say the same?

What is compared is what the scenario looks at (the left sides of its expectations), and of every flow its
rate, its loss and its median delay.  A run may be repeated; then medians are compared.  Where the slower
guest has the scenario's rates scaled, the other one gets them scaled alike.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError
from harness.report.commands import check_targets, put
from harness.report.progress import Progress as Bars
from harness.report.screen import make_console
from harness.report.words import cell as cell_words
from harness.report.words import one_line
from harness.run import guests
from harness.run.cells import cell_title, load_files, run_again, title
from harness.run.many import run_many
from harness.run.result import Result, Verdict
from harness.run.runner import Plan, Progress
from harness.run.store import Store
from harness.scenario import Scenario
from harness.scenario.quantity import shown


@dataclass(frozen=True)
class Tolerance:
    """How far two values may lie apart: ``share`` of the larger one, or ``least`` in the metric's unit."""

    share: float
    least: float
    words: str

    def agree(self, a: float, b: float) -> bool:
        """Do they?"""
        return abs(a - b) <= max(self.share * max(abs(a), abs(b)), self.least)


#: By the metric's unit, and for what TCP does of its own, which no two stacks do alike.  A tick is 1 ms.
_UDP = {
    "bit/s": Tolerance(0.03, 1e3, "3 %"),
    "s": Tolerance(0.05, 2.2e-3, "5 % or 2.2 ms"),
    "ratio": Tolerance(0.03, 0.025, "3 % or 0.025"),
    "packets": Tolerance(0.03, 2.0, "3 % or 2"),
    "bytes": Tolerance(0.03, 3000.0, "3 % or 3000 bytes"),
    "": Tolerance(0.03, 0.0, "3 %"),
}
_TCP = {
    "bit/s": Tolerance(0.15, 1e3, "15 %"),
    "s": Tolerance(0.35, 20e-3, "35 % or 20 ms"),
    "ratio": Tolerance(0.15, 0.05, "15 % or 0.05"),
}


@dataclass(frozen=True)
class Row:
    """One metric on both guests; ``None`` where it was not measured.  Verdicts have no numbers."""

    metric: str
    a: str
    b: str
    tolerance: str
    agrees: bool


def _values(result: Result) -> dict[str, tuple[float | None, str, bool]]:
    """What a run measured: metric -> value, unit, and whether TCP has a part in it."""
    tcp = {name for name, flow in result.flows.items() if flow.proto == "tcp"}
    out: dict[str, tuple[float | None, str, bool]] = {}
    for e in result.expectations:
        if e.unit or isinstance(e.measured, int | float):
            value = float(e.measured) if isinstance(e.measured, int | float) else None
            out[e.metric] = (value, e.unit or "", any(f"{name}." in e.metric for name in tcp))
    for name, flow in result.flows.items():
        if flow.proto != "ping":
            out.setdefault(f"{name}.rate", (flow.rate, "bit/s", name in tcp))
        if flow.loss is not None:
            out.setdefault(f"{name}.loss", (flow.loss, "ratio", name in tcp))
        if flow.delay is not None:
            out.setdefault(f"{name}.delay.p50", (flow.delay.p50, "s", name in tcp))
    return out


def compare(a: Sequence[Result], b: Sequence[Result]) -> list[Row]:
    """The rows of one cell: repeats on the one guest against repeats on the other.

    A drop counter or a queue's peak depends on when it was looked at; it agrees with more room (15 %).
    """
    verdicts = ["/".join(dict.fromkeys(str(r.verdict) for r in side)) for side in (a, b)]
    rows = [Row("verdict", verdicts[0], verdicts[1], "the same", verdicts[0] == verdicts[1])]
    if all(r.verdict is Verdict.PANIC for r in (*a, *b)):
        names = ["/".join(dict.fromkeys(r.panic.name if r.panic else "-" for r in side)) for side in (a, b)]
        return [*rows, Row("panic", names[0], names[1], "the same", names[0] == names[1])]
    seen = [[_values(r) for r in side] for side in (a, b)]
    for metric in dict.fromkeys(m for side in seen for one in side for m in one):
        both: list[float | None] = []
        unit, tcp = next(one[metric][1:] for side in seen for one in side if metric in one)
        for side in seen:
            known = [v for one in side if metric in one and (v := one[metric][0]) is not None]
            both.append(statistics.median(known) if known else None)
        tolerance = (_TCP if tcp else _UDP).get(unit) or _UDP.get(unit) or _UDP[""]
        if metric.endswith((".drops", ".queue.max")):
            tolerance = Tolerance(0.15, 5.0, "15 % or 5")
        elif metric.endswith((".duplicates", ".reordered")):
            tolerance = Tolerance(0.0, 0.0, "the same")
        x, y = both
        agrees = x is None and y is None if x is None or y is None else tolerance.agree(x, y)
        rows.append(Row(metric, _text(x, unit), _text(y, unit), tolerance.words, agrees))
    return rows


def _text(value: float | None, unit: str) -> str:
    return "–" if value is None else shown(value, unit)


@dataclass(frozen=True)
class Section:
    """The rows of one cell of one scenario."""

    scenario: str
    cell: str
    scale: float
    rows: tuple[Row, ...]

    @property
    def title(self) -> str:
        """Scenario, cell, and the factor of its rates where there is one."""
        scaled = f"(rates x {self.scale:g})" if self.scale != 1 else ""
        return " ".join(x for x in (self.scenario, f"[{self.cell}]" if self.cell else "", scaled) if x)


def markdown(sections: Sequence[Section], names: tuple[str, str]) -> str:
    """The table for docs/."""
    lines = []
    for s in sections:
        lines += [f"### {s.title}", "", f"| metric | {names[0]} | {names[1]} | tolerance | |", "|---|---|---|---|---|"]
        lines += [
            f"| `{r.metric}` | {r.a} | {r.b} | {r.tolerance} | {'agrees' if r.agrees else '**does not**'} |" for r in s.rows
        ]
        lines.append("")
    return "\n".join(lines)


def _show(sections: Sequence[Section], names: tuple[str, str], left_out: Sequence[str]) -> None:
    console = make_console()
    width = max((len(r.metric) for s in sections for r in s.rows), default=10)
    for s in sections:
        console.print(f"\n  {s.title}", style="bold", highlight=False)
        console.print(f"     {'':<{width}}  {names[0]:>16}  {names[1]:>16}", style="dim", highlight=False)
        for r in s.rows:
            sign = "✓" if r.agrees else "✗"
            end = f"agrees ({r.tolerance})" if r.agrees else f"does not agree ({r.tolerance})"
            console.print(
                f"  {sign}  {r.metric:<{width}}  {r.a:>16}  {r.b:>16}  {end}",
                style=None if r.agrees else "red", highlight=False, soft_wrap=True,
            )  # fmt: skip
    for words in left_out:
        console.print(f"  -  {words}", style="dim", highlight=False)
    rows = [r for s in sections for r in s.rows]
    good = sum(r.agrees for r in rows)
    console.print(f"\n  {names[0]} and {names[1]}: {good} of {len(rows)} metrics agree\n", style="bold", highlight=False)


@dataclass(frozen=True)
class _OnTwo:
    """What came of scenarios on two guests: of each cell the scenario, the factor of its rates, both guests' results."""

    compared: list[tuple[Scenario, float, list[Result], list[Result]]]
    left_out: list[str]


def _on_two(args: argparse.Namespace, pair: tuple[str, str]) -> _OnTwo:
    """Run scenarios on two guests, the slower kind first: what it does to the rates is done to the other's, too."""
    cells = load_files(args.scenarios, args.set)
    kinds = [guests.check(word)[0] for word in pair]
    makers = {word: guests.maker(word) for word in pair}
    order = sorted((0, 1), key=lambda side: kinds[side] == "usermode")
    store = Store(args.out)
    out = _OnTwo([], [])
    with Bars(total=2 * len(cells) * args.repeat) as bars:
        for scenario in cells:
            if missing := [k for k in kinds if scenario.guests and k not in scenario.guests]:
                out.left_out.append(f"{cell_title(scenario)}: not for {', '.join(missing)}")
                continue
            results: dict[int, list[Result]] = {0: [], 1: []}
            scale: float | None = None
            for side in order:
                for n in range(args.repeat):
                    seed = scenario.seed + n
                    plan = Plan(scenario, seed, n, pair[side], run_again(scenario, seed, pair[side], args.set), scale)
                    bars.start(f"{id(plan)}", f"{title(plan)} on {pair[side]}")
                    [(result, _)] = run_many([plan], makers[pair[side]], store, 1, _phases(bars, plan))
                    bars.done(f"{id(plan)}", result)
                    results[side].append(result)
                    scale = result.scale if scenario.scale else None
            out.compared.append((scenario, scale or 1.0, results[0], results[1]))
    return out


def _phases(bars: Bars, plan: Plan) -> Callable[[Plan], Progress]:
    return lambda _plan: lambda phase, fraction: bars.phase(f"{id(plan)}", phase, fraction)


def agree(args: argparse.Namespace) -> int:
    """``dnh agree``.  0: all metrics agree; 1: some do not; 3: a run failed for want of machinery."""
    words = list(args.guest or [])
    if len(words) > 2:
        raise UsageError("dnh agree compares two guests")
    pair = (words[0], words[1]) if len(words) == 2 else ("usermode", words[0] if words else "qemu")
    if pair[0] == pair[1]:
        raise UsageError(f"{pair[0]} with itself: name two guests")
    if args.repeat < 1:
        raise UsageError(f"--repeat {args.repeat}: at least 1")
    check_targets(args.markdown)
    outcome = _on_two(args, pair)
    sections = []
    for scenario, scale, a, b in outcome.compared:
        sections.append(Section(one_line(scenario.name), cell_words(dict(scenario.cell)), scale, tuple(compare(a, b))))
    if args.markdown:
        put(args.markdown, markdown(sections, pair))
    if args.markdown != "-":
        _show(sections, pair, outcome.left_out)
    results = [r for _s, _f, a, b in outcome.compared for r in (*a, *b)]
    if any(r.verdict is Verdict.ERROR for r in results):
        return 3
    return 0 if sections and all(r.agrees for s in sections for r in s.rows) else 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words after ``dnh agree``."""
    parser.add_argument("scenarios", nargs="+", metavar="SCENARIO|FOLDER", type=Path)
    parser.add_argument("--guest", action="append", metavar="KIND[:NAME]", help="once or twice (usermode and qemu)")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="runs on each; medians are compared")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a value of the scenario")
    parser.add_argument("--markdown", metavar="FILE", help="write the table ('-': to the output)")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where the runs' folders go")
    parser.set_defaults(run=agree)
