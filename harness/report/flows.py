"""A flow as a report shows it, whatever the traffic measured of it: figures, series, distribution."""

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
    intervals of ``rates``; ``delay_times`` those of the three delay series.  ``cdf`` pairs a delay with the
    share of packets that took at most so long.  ``slot`` is the flow's place and with it its colour.
    """

    name: str
    slot: int
    kind: str
    rate: float | None
    sent: int | None
    received: int | None
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
    total = sum(count for _, count in m.histogram)
    seen = 0
    cdf: list[tuple[float, float]] = []
    for value, count in m.histogram:
        seen += count
        cdf.append((value, seen / total))
    return Flow(
        name=words.one_line(name), slot=slot, kind=m.proto, rate=m.rate, sent=m.sent, received=m.received,
        loss=m.loss, duplicates=m.duplicates, reordered=m.reordered,
        p50=m.delay.p50 if m.delay else None, p99=m.delay.p99 if m.delay else None,
        longest=m.delay.max if m.delay else None,
        times=m.t, rates=m.rates, delay_times=m.t if m.p50 else [], delay_low=m.low, delay_median=m.p50,
        delay_high=m.p99, cdf=cdf,
    )  # fmt: skip


def run_end(result: Result) -> float:
    """The last moment of the run that anything was measured at, s."""
    ends = [f.times[-1] + (f.times[-1] - f.times[-2]) / 2 if len(f.times) > 1 else f.times[-1] for f in flows(result) if f.times]
    ends += [q.t[-1] for q in result.queues if q.t]
    ends += [e.t for e in result.events]
    return max(ends, default=0.0)
