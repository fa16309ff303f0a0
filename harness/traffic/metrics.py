"""From dngen's lines to a flow's figures.

Lines that a kernel message has torn are left out and counted: a figure is never made of half a line.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

NS = 1e9


@dataclass(frozen=True)
class Delay:
    """One-way delay (round trip for a ping) in seconds, over all packets that arrived."""

    min: float
    mean: float
    p50: float
    p90: float
    p95: float
    p99: float
    p999: float
    max: float
    std: float


@dataclass(frozen=True)
class FlowMetrics:
    """What came of one flow.

    ``rate`` is bit/s of IP packets received (for tcp: of payload) over the flow's active time: from the
    first arrival to the last one, and to where packets that never came would have been the first or the
    last; ``loss`` the share of the packets sent that never arrived; ``duplicates`` and ``reordered`` packets.
    ``t`` holds the middles of the intervals (s from the run's t = 0), ``rates`` bit/s in each, ``low``,
    ``p50`` and ``p99`` the delays in each (s; for tcp those of blocks of 16 KiB, from the call of send).
    ``histogram`` pairs a delay (s, the upper end of a bucket not more than 0.4 % wide) with a count; a
    duplicate has no delay.  ``late`` is the most (s) that a sender was behind its schedule, ``missed`` the
    packets that a sender too slow for its schedule has left out, ``too_old`` packets that came too late to
    know whether they were duplicates, ``torn`` the lines that could not be read.
    """

    proto: str
    sent: int | None = None
    received: int = 0
    lost: int | None = None
    loss: float | None = None
    bytes: int = 0
    rate: float = 0.0
    duplicates: int | None = None
    reordered: int | None = None
    errors: dict[str, int] = field(default_factory=dict)
    delay: Delay | None = None
    start: float = 0.0
    end: float = 0.0
    late: float = 0.0
    t: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    histogram: list[tuple[float, int]] = field(default_factory=list)
    torn: int = 0
    missed: int = 0
    too_old: int = 0


def percentile(histogram: Sequence[tuple[float, int]], share: float) -> float:
    """The value that ``share`` (0..1) of the counted ones do not exceed.  Raises ValueError when empty."""
    total = sum(count for _, count in histogram)
    if total == 0:
        raise ValueError("an empty histogram has no percentiles")
    want = max(1, math.ceil(share * total))
    seen = 0
    for value, count in histogram:
        seen += count
        if seen >= want:
            return value
    return histogram[-1][0]


def jain(rates: Sequence[float]) -> float:
    """Jain's fairness index: 1 when all are equal, 1/n when one has all.  NaN for none or all zero."""
    squares = sum(r * r for r in rates)
    return sum(rates) ** 2 / (len(rates) * squares) if squares else math.nan


_MARK = '{"dngen":1,'
_LARGEST = 2**63 - 1
_decoder = json.JSONDecoder()


def _lines(text: str) -> tuple[list[dict[str, Any]], int]:
    """dngen's lines in what a console showed, and how many there are that cannot be read.

    What stands before a line (a prompt) or after it (a message of the kernel) does it no harm.
    """
    good, torn = [], 0
    for line in text.splitlines():
        at = line.find(_MARK)
        if at < 0:
            torn += '"dngen":1' in line
            continue
        try:
            value, _end = _decoder.raw_decode(line, at)
        except (ValueError, RecursionError):
            torn += 1
            continue
        if _sane(value):
            good.append(value)
        else:
            torn += 1
    return good, torn


def _sane(value: dict[str, Any]) -> bool:
    """Is it a line of dngen's in every part that is used here?"""
    counts = (
        "packets", "bytes", "received", "distinct", "sent", "duplicates", "reordered", "first", "last",
        "late", "missed", "too_old", "first_bytes",
    )  # fmt: skip
    delay, histogram, errors = value.get("delay", {}), value.get("hist", []), value.get("errors", {})
    return (
        isinstance(value.get("kind"), str)
        and all(_count(value.get(key)) for key in ("t0", "t1"))
        and all(_count(value[key]) for key in counts if key in value)
        and isinstance(delay, dict)
        and (not delay or all(_count(delay.get(key)) for key in ("min", "mean", "p50", "p99", "max")))
        and all(_count(delay[key], 2**128) for key in ("sum", "sumsq") if key in delay)
        and isinstance(histogram, list)
        and all(isinstance(pair, list) and len(pair) == 2 and all(map(_count, pair)) for pair in histogram)
        and isinstance(errors, dict)
        and all(map(_count, errors.values()))
    )


def _count(value: object, largest: int = _LARGEST) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= largest


def _int(line: dict[str, Any] | None, key: str) -> int | None:
    return line.get(key) if line else None


def _delay(final: dict[str, Any], histogram: list[tuple[float, int]]) -> Delay | None:
    shown = final.get("delay")
    n = sum(count for _, count in histogram)
    if not shown or not n:
        return None
    total: int = shown.get("sum", 0)
    squares: int = shown.get("sumsq", 0)
    # In whole numbers: the difference of two large squares leaves nothing of a float.
    variance = max(0, n * squares - total * total) / (n * n)
    low: float = shown["min"] / NS
    high: float = shown["max"] / NS

    def p(share: float) -> float:
        return min(max(percentile(histogram, share), low), high)

    return Delay(
        min=low, mean=total / n / NS, p50=p(0.5), p90=p(0.9), p95=p(0.95), p99=p(0.99), p999=p(0.999),
        max=high, std=math.sqrt(variance) / NS,
    )  # fmt: skip


def _rate(proto: str, sent: dict[str, Any], final: dict[str, Any]) -> float:
    """bit/s over the active time: see FlowMetrics."""
    octets, received = final.get("bytes", 0), final.get("received", 0)
    first, last, delay = final.get("first", 0), final.get("last", 0), final.get("delay")
    if not octets:
        return 0.0
    # The first packet marks the beginning: its own bytes came before the time that is counted.
    octets -= final.get("first_bytes", octets // received if received and proto != "tcp" else 0)
    if proto == "udp" and delay and sent.get("sent"):
        # Packets at the beginning and at the end that never arrived belong to the flow's time all the same.
        began = sent.get("first", first) + delay["max"]
        if first > began:
            octets, first = final["bytes"], began
        last = max(last, sent.get("last", last) + delay["min"])
    return octets * 8 * NS / (last - first) if last > first else 0.0


def read_flow(proto: str, sender: str, receiver: str, zero: int | None = None) -> FlowMetrics:
    """A flow's figures from what its sender and its receiver printed (for a ping: both the same text).

    ``zero`` is the guest's clock (ns) at t = 0; by default the sender's own start.
    """
    sent_lines, torn_s = _lines(sender)
    recv_lines, torn_r = _lines(receiver) if proto != "ping" else (sent_lines, 0)
    sent_final = next((x for x in reversed(sent_lines) if x.get("kind") == "final"), None)
    recv_final = next((x for x in reversed(recv_lines) if x.get("kind") == "final"), None)
    if zero is None:
        zero = min((x["t0"] for x in [*sent_lines, *recv_lines]), default=0)
    t: list[float] = []
    rates: list[float] = []
    low: list[float] = []
    p50: list[float] = []
    p99: list[float] = []
    for line in recv_lines:
        if line.get("kind") != "interval" or line["t1"] <= line["t0"]:
            continue
        seconds = (line["t1"] - line["t0"]) / NS
        t.append(round(((line["t0"] + line["t1"]) / 2 - zero) / NS, 6))
        rates.append((_int(line, "bytes") or 0) * 8 / seconds)
        delay = line.get("delay")
        if delay:
            low.append(delay["min"] / NS)
            p50.append(delay["p50"] / NS)
            p99.append(delay["p99"] / NS)
        elif p50:
            low.append(low[-1])
            p50.append(p50[-1])
            p99.append(p99[-1])
        else:
            low.append(0.0)
            p50.append(0.0)
            p99.append(0.0)
    if not any(p50):
        low, p50, p99 = [], [], []
    # Intervals before the first packet and after the last one say nothing of the flow.
    while rates and rates[-1] == 0 and len(rates) > 1 and rates[-2] == 0:
        for series in (t, rates, low, p50, p99):
            if series:
                series.pop()
    final = recv_final or _from_intervals(recv_lines)
    histogram = [(upper / NS, count) for upper, count in final.get("hist", [])]
    received = _int(final, "received") or 0
    distinct = _int(recv_final, "distinct")
    sent = _int(sent_final, "sent") if proto != "tcp" else None
    octets = _int(final, "bytes") or 0
    first, last = _int(final, "first") or 0, _int(final, "last") or 0
    rate = _rate(proto, sent_final or {}, final)
    lost = max(0, sent - (distinct or 0)) if sent is not None and recv_final is not None else None
    return FlowMetrics(
        proto=proto, sent=sent, received=received, lost=lost,
        loss=lost / sent if lost is not None and sent else (0.0 if lost == 0 else None),
        bytes=octets, rate=rate,
        duplicates=_int(recv_final, "duplicates"), reordered=_int(recv_final, "reordered"),
        errors=dict((sent_final or {}).get("errors", {})),
        delay=_delay(final, histogram),
        start=max(0.0, (first - zero) / NS) if first else 0.0,
        end=max(0.0, (last - zero) / NS) if last else 0.0,
        late=(_int(sent_final, "late") or 0) / NS,
        t=t, rates=rates, low=low, p50=p50, p99=p99, histogram=histogram, torn=torn_s + torn_r,
        missed=_int(sent_final, "missed") or 0, too_old=_int(recv_final, "too_old") or 0,
    )  # fmt: skip


def _from_intervals(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """What a receiver without a last line (torn, or the kernel died before it) has told all the same."""
    busy = [x for x in lines if x.get("kind") == "interval" and x.get("bytes")]
    if not busy:
        return {}
    return {
        "received": sum(x.get("packets", 0) for x in busy), "bytes": sum(x["bytes"] for x in busy),
        "first_bytes": 0, "first": busy[0]["t0"], "last": busy[-1]["t1"],
    }  # fmt: skip


def merge(flows: Sequence[FlowMetrics]) -> FlowMetrics:
    """Several flows of one run as one: counts added, rates summed interval by interval, delays together.

    Percentiles are those of the merged histogram.  Intervals that do not lie at the same time are put to
    the nearest of the first flow's.  Raises ValueError for none.
    """
    if not flows:
        raise ValueError("nothing to merge")
    base = max(flows, key=lambda f: len(f.t))
    rates = [0.0] * len(base.t)
    for flow in flows:
        for when, rate in zip(flow.t, flow.rates, strict=True):
            rates[min(range(len(base.t)), key=lambda i, when=when: abs(base.t[i] - when))] += rate  # type: ignore[misc]
    counts: Counter[float] = Counter()
    errors: Counter[str] = Counter()
    for flow in flows:
        counts.update(dict(flow.histogram))
        errors.update(flow.errors)
    histogram = sorted(counts.items())
    sent = [f.sent for f in flows if f.sent is not None]
    lost = [f.lost for f in flows if f.lost is not None]
    active = [f for f in flows if f.end > f.start]
    start, end = min((f.start for f in active), default=0.0), max((f.end for f in active), default=0.0)
    return FlowMetrics(
        proto=base.proto, sent=sum(sent) if sent else None, received=sum(f.received for f in flows),
        lost=sum(lost) if lost else None, loss=sum(lost) / sum(sent) if lost and sum(sent) else None,
        bytes=sum(f.bytes for f in flows),
        rate=sum(f.rate * (f.end - f.start) for f in active) / (end - start) if end > start else 0.0,
        duplicates=_sum(f.duplicates for f in flows), reordered=_sum(f.reordered for f in flows),
        errors=dict(errors), start=start, end=end, late=max(f.late for f in flows),
        t=list(base.t), rates=rates, histogram=histogram,
        delay=_merged_delay([f.delay for f in flows], [_size(f) for f in flows], histogram),
        torn=sum(f.torn for f in flows), missed=sum(f.missed for f in flows),
        too_old=sum(f.too_old for f in flows),
    )  # fmt: skip


def _sum(values: Iterable[int | None]) -> int | None:
    known = [v for v in values if v is not None]
    return sum(known) if known else None


def _size(flow: FlowMetrics) -> int:
    return sum(count for _, count in flow.histogram)


def _merged_delay(
    delays: Sequence[Delay | None], sizes: Sequence[int], histogram: Sequence[tuple[float, int]]
) -> Delay | None:
    parts = [(d, n) for d, n in zip(delays, sizes, strict=True) if d is not None and n]
    total = sum(n for _, n in parts)
    if not total:
        return None
    mean = sum(d.mean * n for d, n in parts) / total
    variance = sum((d.std**2 + (d.mean - mean) ** 2) * n for d, n in parts) / total
    low, high = min(d.min for d, _ in parts), max(d.max for d, _ in parts)
    p50, p90, p95, p99, p999 = (
        min(max(percentile(histogram, share), low), high) for share in (0.5, 0.9, 0.95, 0.99, 0.999)
    )
    return Delay(low, mean, p50, p90, p95, p99, p999, high, math.sqrt(variance))


def window_rate(metrics: FlowMetrics, start: float, end: float) -> float | None:
    """bit/s between two times of the run (s), from the intervals whose middle lies there; None for none."""
    inside = [r for t, r in zip(metrics.t, metrics.rates, strict=True) if start <= t < end]
    return sum(inside) / len(inside) if inside else None


def total_rate(flows: Iterable[FlowMetrics]) -> float:
    """bit/s of all together."""
    return sum(f.rate for f in flows)


def start_of(sender: str) -> int | None:
    """The guest's clock (ns) at the beginning of a sender's schedule; None when it did not say."""
    lines, _torn = _lines(sender)
    final = next((x for x in reversed(lines) if x.get("kind") == "final"), None)
    return _int(final, "t0")
