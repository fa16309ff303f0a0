"""A flow as a report shows it: its figures, its series cut to what was measured, its distribution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.report import words
from harness.run.result import Result
from harness.traffic import FlowMetrics


@dataclass(frozen=True)
class Flow:
    """One flow of a result.  None and empty: not measured.

    Times in s from t = 0, rates bit/s of IP packets, ``loss`` a share.  ``times`` are the middles of the
    intervals of ``rates``; ``delay_times`` those of the three delay series (least, median, p99).  ``cdf``
    pairs a delay with the share of packets that took at most so long.  ``slot`` is the flow's place among
    the flows and with it its colour.
    """

    name: str
    slot: int
    kind: str
    rate: float | None
    sent: int | None
    received: int
    loss: float | None
    duplicates: int | None
    reordered: int | None
    p50: float | None
    p99: float | None
    longest: float | None
    times: Sequence[float]
    rates: Sequence[float]
    delay_times: Sequence[float]
    delay_low: Sequence[float]
    delay_median: Sequence[float]
    delay_high: Sequence[float]
    cdf: Sequence[tuple[float, float]]


def flows(result: Result) -> list[Flow]:
    """The flows of a result, in its order."""
    return [_flow(name, slot, m) for slot, (name, m) in enumerate(result.flows.items())]


def _flow(name: str, slot: int, m: FlowMetrics) -> Flow:
    n = min(len(m.t), len(m.rates))
    # Before the first packet an interval's delay is 0 for want of one.
    measured = min(len(m.t), len(m.low), len(m.p50), len(m.p99))
    first = next((i for i in range(measured) if m.p50[i] > 0), measured)
    total = sum(count for _, count in m.histogram)
    cdf: list[tuple[float, float]] = []
    seen = 0
    for value, count in m.histogram if total else ():
        if not cdf:
            cdf.append((m.delay.min if m.delay and 0 < m.delay.min <= value else value, 0.0))
        seen += count
        cdf.append((value, seen / total))
    return Flow(
        name=words.one_line(name),
        slot=slot,
        kind=words.one_line(m.proto),
        rate=m.rate,
        sent=m.sent,
        received=m.received,
        loss=m.loss,
        duplicates=m.duplicates,
        reordered=m.reordered,
        p50=m.delay.p50 if m.delay else None,
        p99=m.delay.p99 if m.delay else None,
        longest=m.delay.max if m.delay else None,
        times=m.t[:n],
        rates=m.rates[:n],
        delay_times=m.t[first:measured],
        delay_low=m.low[first:measured],
        delay_median=m.p50[first:measured],
        delay_high=m.p99[first:measured],
        cdf=cdf,
    )


def run_end(result: Result) -> float:
    """The last moment (s) of the run at which anything was measured or done."""
    ends = [0.0]
    for m in result.flows.values():
        ends.append(m.end)
        if m.t:
            ends.append(m.t[-1] + ((m.t[-1] - m.t[-2]) / 2 if len(m.t) > 1 else 0.0))
    ends += [q.t[-1] for q in result.queues if q.t]
    ends += [e.t for e in result.events]
    return max(ends)
