"""One self-contained HTML page for one run or many: it fetches nothing; one input gives one text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.panic import Panic
from harness.report import words
from harness.report.flows import Flow, flows, run_end
from harness.report.load import NotRun, Run, known
from harness.run.result import QueueSeries, Result, Verdict

MOST_PLOTTED = 60
"""Runs of one page that get plots; of more, those that are not as declared and the first of each scenario."""
_FLOWS, _EVENTS, _REPORTS, _COUNTERS, _QUEUES = 200, 200, 20, 500, 8
_BEFORE, _AFTER, _CONSOLE = 12, 6, 160
_FRAMES = 16
_LEGEND = 24
_QUEUE_COLOURS = (7, 3, 4, 5, 6, 2, 1, 0)


def html(runs: Sequence[Run], not_run: Sequence[NotRun] = ()) -> str:
    """The page.  Names and console text are escaped; the bytes depend on the arguments alone."""
    environment = Environment(
        loader=PackageLoader("harness.report", ""), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    text = environment.get_template("page.html.j2").render(page=_page(runs, not_run))
    # What no text file should hold has been taken out of every value; lone surrogates would not even encode.
    return text.encode("utf-8", "replace").decode("utf-8")


@dataclass
class _Plot:
    title: str
    note: str
    svg: Markup
    legend: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class _Body:
    """What the template's ``body`` shows of a run."""

    key: str
    name: str
    title: str
    sign: str
    tone: str
    verdict: str
    declared: str
    as_expected: bool
    outcome: str
    guest: str
    time: str
    why: str
    command: str
    cell: list[tuple[str, str]]
    cell_text: str
    open: bool
    reasons: list[str]
    facts: list[tuple[str, str]]
    identity: list[tuple[str, str]]
    expectations: list[dict[str, Any]]
    flows: list[dict[str, Any]]
    more_flows: int
    events: list[dict[str, Any]]
    more_events: int
    marked: bool
    broken: bool
    panic: dict[str, Any] | None
    reports: list[dict[str, Any]]
    counters: list[tuple[str, str]]
    legend: list[dict[str, Any]] = field(default_factory=list)
    plots: list[_Plot] = field(default_factory=list)
    no_plots: str = ""
    console: list[dict[str, str]] = field(default_factory=list)
    console_title: str = ""


def _page(runs: Sequence[Run], not_run: Sequence[NotRun]) -> dict[str, Any]:
    plotted = _plotted(runs)
    single = len(runs) == 1 and not not_run
    bodies = [_body(run, n, n - 1 in plotted, single) for n, run in enumerate(runs, 1)]
    wrong = [b for b in bodies if not b.as_expected]
    counts = Counter(b.verdict for b in bodies)
    shown = [{"name": str(v), "n": counts[v], "tone": str(v)} for v in Verdict if counts[v]]
    sum_ = ", ".join(f"{c['n']} {c['name']}" for c in shown) or "nothing was run"
    if not_run:
        sum_ += f", {len(not_run)} not run"
    headline = f"all {len(runs)} runs as declared" if not wrong else f"{len(wrong)} of {len(runs)} runs not as declared"
    names = {b.name for b in bodies}
    title = names.pop() if len(names) == 1 else f"{len(runs)} runs"
    return {
        "title": title,
        "single": single,
        "runs": bodies,
        "not_run": [
            {"name": words.one_line(n.name), "cell": words.cell(n.cell), "reason": words.one_line(n.reason)} for n in not_run
        ],
        "cells": any(b.cell for b in bodies) or any(n.cell for n in not_run),
        "counts": shown,
        "total": len(runs) + len(not_run),
        "wrong": len(wrong),
        "good": not wrong,
        "headline": headline,
        "sum": sum_,
        "footer": _footer(runs),
    }


def _footer(runs: Sequence[Run]) -> str:
    started = sorted(run.result.durations.started for run in runs if run.result.durations.started)
    when = f" Started {words.one_line(started[0])[:19].replace('T', ' ')} UTC." if started else ""
    return "Rates and sizes are those of IP packets; times are the guest's, from the start of the flows." + when


def _plotted(runs: Sequence[Run]) -> set[int]:
    if len(runs) <= MOST_PLOTTED:
        return set(range(len(runs)))
    wrong = [i for i, run in enumerate(runs) if not run.result.as_expected]
    first: dict[tuple[str, str], int] = {}
    for i, run in enumerate(runs):
        first.setdefault((run.result.scenario.file, run.result.scenario.name), i)
    return set([*wrong, *first.values()][:MOST_PLOTTED])


def _body(run: Run, n: int, plotted: bool, single: bool) -> _Body:
    r = run.result
    key = f"run-{n}"
    seen = flows(r)
    reasons = [words.clean(x).strip() for x in r.reasons[:12]]
    if not reasons and r.as_expected and r.verdict is Verdict.PASS and r.expectations:
        held = len(r.expectations)
        reasons = ["The expectation holds." if held == 1 else f"All {held} expectations hold."]
    elif not reasons and words.why(r):
        reasons = [words.why(r)]
    body = _Body(
        key=key,
        name=words.one_line(r.scenario.name) or "(no name)",
        title=words.title(r),
        sign="✓" if r.as_expected else "!" if r.verdict is Verdict.ERROR else "✗",
        tone="good" if r.as_expected else str(r.verdict) if r.verdict is not Verdict.PASS else "bad",
        verdict=str(r.verdict),
        declared=str(r.declared),
        as_expected=r.as_expected,
        outcome=words.outcome(r),
        guest=words.guest(r),
        time=words.duration(r.durations.total),
        why=words.one_line(words.why(r), 200),
        command=words.command(r),
        cell=[(words.one_line(k), words.one_line(str(v))) for k, v in r.scenario.cell.items()],
        cell_text=words.cell(r.scenario.cell) + (f" #{r.repeat + 1}" if r.repeat else ""),
        open=not r.as_expected and n <= MOST_PLOTTED,
        reasons=reasons,
        facts=_facts(r),
        identity=_identity(run),
        expectations=[
            {
                "metric": words.one_line(e.metric),
                "condition": words.one_line(e.condition),
                "measured": words.measured(e),
                "holds": e.holds,
                "why": "" if e.holds else words.one_line(e.why),
            }
            for e in r.expectations
        ],
        flows=[_flow_row(f) for f in seen[:_FLOWS]],
        more_flows=max(0, len(seen) - _FLOWS),
        events=[
            {
                "n": i,
                "t": words.seconds(e.t),
                "on": words.one_line(e.on),
                "command": words.one_line(e.command),
                "status": e.status,
                "output": words.one_line(e.output, 300),
            }
            for i, e in enumerate(r.events[:_EVENTS], 1)
        ],
        more_events=max(0, len(r.events) - _EVENTS),
        marked=bool(r.events),
        broken=any(not e.holds for e in r.expectations),
        panic=None if r.panic is None else _panic(r.panic),
        reports=[_panic(p) for p in r.reports[:_REPORTS]],
        counters=[(words.one_line(k), words.count(v)) for k, v in list(r.counters.items())[:_COUNTERS]],
    )
    _add_console(body, run)
    if plotted:
        _add_plots(body, r, seen)
    elif seen:
        body.no_plots = "Of very many runs only some are plotted; 'dnh report' of this run's folder alone draws it."
    return body


def _facts(r: Result) -> list[tuple[str, str]]:
    if not known(r):
        return []
    found = [
        (
            "guest",
            words.guest(r) + (f" ({words.one_line(r.guest.accelerator)})" if r.guest.accelerator else ""),
        ),
        ("kernel", words.one_line(f"{r.kernel.release} {r.kernel.flavour}")),
        ("patches", words.one_line(", ".join(r.kernel.patches))),
        ("clock", r.guest.clock),
        ("seed", str(r.seed)),
        ("repeat", str(r.repeat + 1) if r.repeat else ""),
        ("took", words.duration(r.durations.total)),
    ]
    return [(k, v) for k, v in found if v]


def _identity(run: Run) -> list[tuple[str, str]]:
    r = run.result
    d = r.durations
    spent = f"{words.duration(d.boot)}, {words.duration(d.setup)}, {words.duration(d.run)}"
    found = [
        ("kernel", r.kernel.ident),
        ("kernel digest", r.kernel.digest),
        ("compiler", r.kernel.compiler),
        ("CPUs", str(r.guest.ncpu) if known(r) else ""),
        ("scenario file", r.scenario.file),
        ("scenario sha256", r.scenario.sha256),
        ("boot, set-up, run", spent if known(r) else ""),
        ("folder", "" if run.folder is None else str(run.folder)),
        ("files", " ".join(sorted({"result.json", *r.files.values()}))),
    ]
    return [(k, words.one_line(v)) for k, v in found if v]


def _flow_row(f: Flow) -> dict[str, Any]:
    return {
        **_key(f),
        "kind": f.kind,
        "cells": [
            words.rate(f.rate),
            words.count(f.sent),
            words.count(f.received),
            words.share(f.loss),
            words.count(f.duplicates),
            words.count(f.reordered),
            words.seconds(f.p50),
            words.seconds(f.p99),
            words.seconds(f.longest),
        ],
    }


def _key(f: Flow) -> dict[str, Any]:
    """Colour and stroke of a flow, as in the plots (plots.SLOTS colours, then dashed, then dotted)."""
    return {"name": f.name, "colour": f.slot % 8, "dash": ("", "dash", "dot")[min(2, f.slot // 8)]}


def _panic(p: Panic) -> dict[str, Any]:
    facts = [
        ("in", p.culprit),
        ("signature", p.signature),
        ("kind", str(p.kind)),
        ("trap", " ".join(x for x in (str(p.trap) if p.trap is not None else "", p.trap_name) if x)),
        ("fault address", words.fault(p)),
        ("thread", " ".join(x for x in (p.process, p.thread if p.thread != p.process else "") if x)),
        ("cpu", "" if p.cpu is None else str(p.cpu)),
        ("repeats", " → ".join((*p.cycle, p.cycle[0])) if p.cycle else ""),
        ("interception points", ", ".join(p.points)),
        ("locks", ", ".join(p.locks)),
        ("uptime", p.uptime),
    ]
    told = words.told_frames(p)
    notes = [*(f"Missing in the console: {', '.join(p.missing)}." for _ in range(bool(p.missing))), *p.notes]
    return {
        "message": words.one_line(p.message) or "(no message)",
        "facts": [(k, words.one_line(v)) for k, v in facts if v],
        "frames": [
            {"text": words.frame(f), "here": bool(p.culprit) and f.function == p.culprit and f is _culprit(p)}
            for f in told[:_FRAMES]
        ],
        "more": max(0, len(told) - _FRAMES),
        "notes": words.one_line(" ".join(notes)),
        "log": _cut(words.log(p)),
    }


def _culprit(p: Panic) -> object:
    return next((f for f in p.struck_frames if f.function == p.culprit), None)


def _cut(lines: list[str], most: int = _CONSOLE) -> list[str]:
    if len(lines) <= most:
        return lines
    head = most * 2 // 3
    return [*lines[:head], f"[… {len(lines) - most} lines left out …]", *lines[len(lines) - (most - head) :]]


def _add_console(body: _Body, run: Run) -> None:
    """The console around a panic, its lines marked; of a run that went wrong otherwise, the console's end."""
    r = run.result
    lines = [x for x in words.console_lines(run.console()) if not words.CHATTER.fullmatch(x.text.strip())]
    p = r.panic
    if p is not None:
        told = words.log(p)
        at = words.place(lines, p)
        marked = told if at is None else [words.clean(x.text) for x in lines[at[0] : at[1]]]
        before = lines[max(0, at[0] - _BEFORE) : at[0]] if at else []
        after = lines[at[1] : at[1] + _AFTER] if at else []
        start = words.one_line(p.message)[:48]
        body.console = [
            *({"text": words.clean(x.text), "mark": ""} for x in before),
            *({"text": x, "mark": "p m" if start and start in x else "p"} for x in _cut(marked)),
            *({"text": words.clean(x.text), "mark": ""} for x in after),
        ]
        body.console_title = "The console around it"
    elif not r.as_expected and r.verdict in (Verdict.HANG, Verdict.ERROR) and lines:
        body.console = [{"text": words.clean(x.text), "mark": ""} for x in lines[-40:]]
        body.console_title = "The end of the console"


def _add_plots(body: _Body, r: Result, seen: Sequence[Flow]) -> None:
    # matplotlib takes half a second to load: only who draws pays for it.
    from harness.report import plots

    end = run_end(r)
    moments = [e.t for e in r.events]
    body.legend = [_key(f) for f in seen[:_LEGEND]]

    def add(title: str, note: str, svg: str, legend: list[dict[str, Any]] | None = None) -> None:
        # The text comes from plots.py, which escapes every name in it.
        body.plots.append(_Plot(title, note, Markup(svg), legend or []))

    many = len(seen) > plots.SLOTS * 3
    sending = [f for f in seen if f.rates]
    if sending:
        top = max(max(f.rates) for f in sending)
        add(
            "Throughput",
            "received, over time",
            plots.over_time(
                [plots.Curve(f.name, f.slot, f.times, f.rates, faint=many) for f in sending],
                key=f"{body.key}-rate",
                title=f"Throughput over time: {body.title}",
                description=_listing((f.name, f"{words.rate(f.rate)} on the whole") for f in sending),
                unit=plots.rate_unit(top),
                end=end,
                events=moments,
            ),
        )
    delayed = [f for f in seen if f.delay_times]
    if delayed:
        top = max(max(f.delay_high) for f in delayed)
        add(
            "Delay",
            "median, and the band from least to p99, over time",
            plots.over_time(
                [
                    plots.Curve(f.name, f.slot, f.delay_times, f.delay_median, f.delay_low, f.delay_high, faint=many)
                    for f in delayed
                ],
                key=f"{body.key}-delay",
                title=f"Delay over time: {body.title}",
                description=_listing(
                    (f.name, f"median {words.seconds(f.p50)}, 99 % within {words.seconds(f.p99)}") for f in delayed
                ),
                unit=plots.time_unit(top),
                end=end,
                events=moments,
            ),
        )
    spread = [f for f in seen if f.cdf]
    if spread:
        add(
            "Delay",
            "share of packets that took at most so long",
            plots.distribution(
                [plots.Curve(f.name, f.slot, [x for x, _ in f.cdf], [y for _, y in f.cdf], faint=many) for f in spread],
                key=f"{body.key}-cdf",
                title=f"Distribution of delay: {body.title}",
                description=_listing(
                    (f.name, f"median {words.seconds(f.p50)}, 99 % within {words.seconds(f.p99)}") for f in spread
                ),
            ),
        )
    queues = [q for q in r.queues if q.t]
    # A pipe whose packets wait in its queues has nothing in its own: it would only hide the axis.
    queues = [q for q in queues if any(q.packets)] or queues
    queues.sort(key=lambda q: (-max(q.packets, default=0), q.host, q.kind, q.number))
    shown = sorted(queues[:_QUEUES], key=lambda q: (q.host, q.kind, q.number))
    if shown:
        left = len(queues) - len(shown)
        names = [_queue_name(q, shown) for q in shown]
        # Other colours than those of the first flows: a queue is not the flow of the same number.
        curves = [
            plots.Curve(name, _QUEUE_COLOURS[i], q.t, [float(n) for n in q.packets], steps=True)
            for i, (q, name) in enumerate(zip(shown, names, strict=True))
        ]
        note = names[0] if len(shown) == 1 else "packets waiting, over time"
        add(
            "Queue length",
            note + (f"; the {len(shown)} longest of {len(shown) + left}" if left else ""),
            plots.over_time(
                curves,
                key=f"{body.key}-queue",
                title=f"Queue length over time: {body.title}",
                description=_listing((_queue_name(q, ()), f"at most {max(q.packets, default=0)} packets") for q in shown),
                unit=plots.Unit("packets"),
                end=end,
                events=moments,
            ),
            [{"name": c.label, "colour": c.slot, "dash": ""} for c in curves] if len(curves) > 1 else [],
        )


def _queue_name(q: QueueSeries, among: Sequence[QueueSeries]) -> str:
    name = f"{q.kind} {q.number}"
    return name if {x.host for x in among} == {q.host} else f"{words.one_line(q.host)} {name}"


def _listing(pairs: Iterable[tuple[str, str]]) -> str:
    found = [f"{name}: {text}" for name, text in pairs]
    return "; ".join(found[:12]) + (f"; and {len(found) - 12} more" if len(found) > 12 else "")
