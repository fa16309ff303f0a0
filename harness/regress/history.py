"""``dnh history METRIC``: what the runs that are kept here have measured, kernel by kernel."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from markupsafe import Markup
from rich.table import Table
from rich.text import Text

from harness.errors import UsageError
from harness.regress import picture
from harness.regress.html import render
from harness.report.commands import put
from harness.report.screen import make_console
from harness.run.judge import Measured
from harness.run.result import Result, Verdict
from harness.run.store import Store, StoredRun
from harness.scenario import ExpressionError
from harness.scenario import expect as x
from harness.scenario.quantity import shown


@dataclass
class Kernel:
    """A kernel and what its runs have measured, in the order in which they ran."""

    name: str
    digest: str
    first: str
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Of its values."""
        return median(self.values)


@dataclass
class Series:
    """One cell of a scenario over kernels, in the order in which they first ran."""

    scenario: str
    unit: str
    kernels: list[Kernel] = field(default_factory=list)


def collect(metric: str, runs: Iterable[StoredRun]) -> list[Series]:
    """The metric over the kernels of ``runs``, a series for each cell of each scenario.

    Raises UsageError for what is no metric.
    """
    try:
        tree = x.parse_expression(metric)
    except ExpressionError as e:
        raise UsageError(f"{metric}: {e}") from None
    unit = x.unit_of(tree)
    found: dict[tuple[str, str], dict[str, Kernel]] = {}
    for run in runs:
        if run.verdict not in (Verdict.PASS, Verdict.FAIL):
            continue
        result = _read(run.folder)
        if result is None:
            continue
        value = x.measure(tree, Measured(result.flows, result.queues, result.counters).resolve)
        if value is None:
            continue
        cell = " ".join(f"{k}={v}" for k, v in run.cell.items())
        kernels = found.setdefault((run.scenario, cell), {})
        key = f"{result.kernel.digest} {result.guest.kind}"
        kernel = kernels.setdefault(key, Kernel(_name(result), result.kernel.digest, run.started))
        kernel.values.append(value)
    return [
        Series(f"{name} [{cell}]" if cell else name, unit, sorted(kernels.values(), key=lambda k: k.first))
        for (name, cell), kernels in sorted(found.items())
    ]


def _read(folder: Path) -> Result | None:
    try:
        return Result.model_validate_json((folder / "result.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None  # removed since, or of another version


def _name(r: Result) -> str:
    """How the kernel was named on the command line, with its patches where the name does not say."""
    words = shlex.split(r.command)
    name = words[words.index("--guest") + 1] if "--guest" in words[:-1] else r.guest.kind
    name = re.sub(r"[^+@,=]*/([^/+@,=]+)", r"\1", name)  # the last part of a path says enough here
    extra = [p for p in r.kernel.patches if Path(p).name.split("@")[0] not in name]
    return " ".join([name, r.kernel.release, r.kernel.flavour, *extra])


def show(args: argparse.Namespace) -> int:
    """Collect, print and write."""
    store = Store(args.runs)
    rows = list(store.runs())
    if args.scenario:
        word = args.scenario.lower()
        rows = [r for r in rows if word in r.scenario.lower() or word in r.file.lower()]
    series = collect(args.metric, rows[-args.last :])
    if not series:
        raise UsageError(f"no run kept in {store.root} has measured {args.metric}")
    if args.json:
        text = json.dumps([asdict(s) for s in series], indent=1) + "\n"
        put(args.json, text)
    if args.svg:
        if len(series) > 1:
            names = ", ".join(s.scenario for s in series)
            raise UsageError(f"--svg holds one scenario; choose with --scenario: {names}")
        put(args.svg, picture.over(_groups(series[0]), series[0].unit, standalone=True) + "\n")
    if args.html:
        put(args.html, page(args.metric, series))
    if args.json != "-":
        _print(args.metric, series)
    return 0


def _groups(s: Series) -> list[tuple[str, list[float]]]:
    return [(k.name, k.values) for k in s.kernels]


def page(metric: str, series: list[Series]) -> str:
    """The page of a metric's history."""
    units = {s.unit for s in series}
    unit = units.pop()
    return render(
        "history.html.j2", title=f"{metric} over kernels", series=series,
        picture=lambda s: Markup(picture.over(_groups(s), s.unit)),
        shown=lambda v: shown(v, unit),
    )  # fmt: skip


WIDTH = 40


def _print(metric: str, series: list[Series]) -> None:
    c = make_console()
    for s in series:
        values = [v for k in s.kernels for v in k.values]
        low, high = min(values), max(values)
        c.print(Text.assemble((metric, "bold"), f"  {s.scenario}"), soft_wrap=True)
        table = Table(box=None, pad_edge=False, padding=(0, 1))
        for name, side in (("  kernel", "left"), ("runs", "right"), ("median", "right"), ("least to most", "left")):
            table.add_column(name, justify=side, no_wrap=True)  # type: ignore[arg-type]
        for k in s.kernels:
            table.add_row(f"  {k.name}", str(len(k.values)), shown(k.median, s.unit), _line(k.values, low, high))
        c.print(table, soft_wrap=True)
        c.print(f"  {shown(low, s.unit)} .. {shown(high, s.unit)}", style="dim")


def _line(values: list[float], low: float, high: float) -> str:
    """A kernel's values on the series' axis: a dash from least to most, a dot at the median."""

    def at(v: float) -> int:
        return round((v - low) / (high - low) * (WIDTH - 1)) if high > low else WIDTH // 2

    cells = [" "] * WIDTH
    for i in range(at(min(values)), at(max(values)) + 1):
        cells[i] = "─"
    cells[at(median(values))] = "●"
    return "".join(cells)
