"""A comparison on the terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.regress.model import Case, Metric, Outcome, Report
from harness.scenario.quantity import shown

STYLE = {
    Outcome.WORSE: "bold red", Outcome.BETTER: "green", Outcome.SMALL: "yellow", Outcome.NOISE: "dim",
    Outcome.SAME: "dim", Outcome.UNMEASURED: "magenta",
}  # fmt: skip


def signed(value: float, unit: str) -> str:
    """A difference with its sign."""
    return ("+" if value >= 0 else "-") + shown(abs(value), unit)


def share(m: Metric, value: float | None) -> str:
    """A difference as a share of the base's mean, or in the metric's unit where there is none."""
    if value is None:
        return "–"
    return f"{value / abs(m.base_mean):+.2%}" if m.base_mean else signed(value, m.unit)


def interval(m: Metric) -> str:
    """The interval that holds the difference."""
    if m.low is None or m.high is None:
        return "–"
    return f"{share(m, m.low)} .. {share(m, m.high)}"


def chance(p: float) -> str:
    """A p-value for people."""
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}" if p < 0.1 else f"{p:.2f}"


def least(m: Metric) -> str:
    """The least difference that would have been seen."""
    if m.least is None:
        return "–"
    return f"{m.least / abs(m.base_mean):.2%}" if m.base_mean else shown(m.least, m.unit)


def means(m: Metric) -> tuple[str, str]:
    """Mean and standard deviation of both sides."""
    return (
        "–" if m.base_mean is None else shown(m.base_mean, m.unit) + _pm(m.base_sd, m.unit),
        "–" if m.candidate_mean is None else shown(m.candidate_mean, m.unit) + _pm(m.candidate_sd, m.unit),
    )


def _pm(sd: float, unit: str) -> str:
    return f" ± {shown(sd, unit)}" if sd else ""


def verdict_text(counts: dict[str, int]) -> str:
    """'7 pass, 1 panic'."""
    return ", ".join(f"{n} {v}" for v, n in sorted(counts.items(), key=lambda kv: -kv[1])) or "none"


def show(report: Report, folder: Path | None = None, console: Console | None = None) -> None:
    """Print it: a table a cell, what got worse, how sure that is."""
    c = console or Console(highlight=False)
    c.width = max(c.width, 110)  # a table that is cut off says nothing; a terminal that is narrow wraps it
    c.print(f"base       {report.base.title}", soft_wrap=True)
    c.print(f"candidate  {report.candidate.title}", soft_wrap=True)
    for case in report.cases:
        _case(c, case)
    for line in report.not_run:
        c.print(f"not run: {line}", style="dim", soft_wrap=True)
    c.print()
    if report.regressions:
        n = len(report.regressions)
        c.print(Text(f"{n} regression{'s' if n > 1 else ''}", style="bold red"))
        for line in report.regressions:
            c.print(f"  ✗ {line}", soft_wrap=True)
    else:
        c.print(Text("no regression", style="green"))
    c.print(
        f"{report.tests} tests, Holm-corrected: odds of a false alarm at most {report.alpha:.3g} in all; {report.seconds} s",
        style="dim", soft_wrap=True,
    )  # fmt: skip
    if folder is not None:
        c.print(f"folder  {folder}", style="dim", soft_wrap=True)


def _case(c: Console, case: Case) -> None:
    how = "paired by seed" if case.paired else "independent"
    c.print()
    c.print(Text(case.title, style="bold").append(f"  {case.trials} trials each, {how}", style="dim"))
    v = case.verdicts
    line = Text("  verdicts: ").append(verdict_text(v.base)).append(" -> ").append(verdict_text(v.candidate))
    line.append(f"  {v.outcome}", style=STYLE[v.outcome])
    c.print(line)
    for word, found in (("new", v.new_signatures), ("gone", v.gone_signatures)):
        for signature, n in found.items():
            c.print(f"  {word}: {signature} ({n}x)", soft_wrap=True)
    if case.errors:
        c.print(f"  {case.errors} trials failed in the machinery and are left out", style="magenta")
    if not case.metrics:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 1), show_edge=False)
    for name, side in (("  metric", "left"), ("base", "right"), ("candidate", "right"), ("difference", "right"),
                       ("interval", "right"), ("p", "right"), ("could see", "right"), ("", "left")):  # fmt: skip
        table.add_column(name, justify=side, no_wrap=True)  # type: ignore[arg-type]
    for m in case.metrics:
        a, b = ("–" if x is None else shown(x, m.unit) for x in (m.base_mean, m.candidate_mean))
        table.add_row(
            f"  {m.metric}", a, b, share(m, m.difference), interval(m), chance(m.p_corrected), least(m),
            Text(m.outcome, style=STYLE[m.outcome]),
        )  # fmt: skip
    c.print(table, soft_wrap=True)
