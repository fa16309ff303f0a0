"""From dngen's lines to a flow's figures.

Lines that a kernel message has torn are left out and counted: a figure is never made of half a line.
"""

from __future__ import annotations

import json
import math
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

    ``rate`` is bit/s of IP packets received (for tcp: of payload) over the time from the first to the
    last of them; ``loss`` the share of the packets sent that never arrived; ``duplicates`` and
    ``reordered`` packets.  ``t`` holds the middles of the intervals (s from the run's t = 0), ``rates``
    bit/s in each, ``low``, ``p50`` and ``p99`` the delays in each (s; empty for tcp).  ``histogram`` pairs
    a delay (s, the upper end of a bucket not more than 1.6 % wide) with a count.  ``late`` is the most (s) that a
    sender was behind its schedule, ``torn`` the lines that could not be read.
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


def _lines(text: str) -> tuple[list[dict[str, Any]], int]:
    good, torn = [], 0
    for line in text.splitlines():
        line = line.strip()
        if '"dngen":1' not in line:
            continue
        try:
            value = json.loads(line)
        except ValueError:
            torn += 1
            continue
        if isinstance(value, dict) and isinstance(value.get("t0"), int) and isinstance(value.get("t1"), int):
            good.append(value)
        else:
            torn += 1
    return good, torn


def _int(line: dict[str, Any] | None, key: str) -> int | None:
    value = line.get(key) if line else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _delay(final: dict[str, Any], histogram: list[tuple[float, int]]) -> Delay | None:
    shown = final.get("delay")
    if not isinstance(shown, dict) or not histogram:
        return None
    n = sum(count for _, count in histogram)
    mean = float(shown.get("sum", 0.0)) / n
    variance = max(0.0, float(shown.get("sumsq", 0.0)) / n - mean * mean)
    low, high = shown["min"] / NS, shown["max"] / NS

    def p(share: float) -> float:
        return min(max(percentile(histogram, share), low), high)

    return Delay(
        min=low, mean=mean / NS, p50=p(0.5), p90=p(0.9), p95=p(0.95), p99=p(0.99), p999=p(0.999), max=high,
        std=math.sqrt(variance) / NS,
    )  # fmt: skip


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
        if isinstance(delay, dict) and all(isinstance(delay.get(k), int) for k in ("min", "p50", "p99")):
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
    final = recv_final or {}
    histogram = [
        (pair[0] / NS, pair[1])
        for pair in final.get("hist", [])
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(v, int) for v in pair)
    ]
    received = _int(recv_final, "received") or 0
    distinct = _int(recv_final, "distinct")
    sent = _int(sent_final, "sent") if proto != "tcp" else None
    octets = _int(recv_final, "bytes") or 0
    first, last = _int(recv_final, "first") or 0, _int(recv_final, "last") or 0
    rate = 0.0
    if last > first:
        # The first packet marks the beginning: its own bytes came before the time that is counted.
        counted = octets - (octets // received if received and proto != "tcp" else 0)
        rate = counted * 8 / ((last - first) / NS)
    lost = max(0, sent - (distinct or 0)) if sent is not None and recv_final is not None else None
    return FlowMetrics(
        proto=proto, sent=sent, received=received, lost=lost,
        loss=lost / sent if lost is not None and sent else (0.0 if lost == 0 else None),
        bytes=octets, rate=rate,
        duplicates=_int(recv_final, "duplicates"), reordered=_int(recv_final, "reordered"),
        errors={k: v for k, v in (sent_final or {}).get("errors", {}).items() if isinstance(v, int)},
        delay=_delay(final, histogram),
        start=max(0.0, (first - zero) / NS) if first else 0.0, end=max(0.0, (last - zero) / NS) if last else 0.0,
        late=(_int(sent_final, "late") or 0) / NS,
        t=t, rates=rates, low=low, p50=p50, p99=p99, histogram=histogram, torn=torn_s + torn_r,
    )  # fmt: skip


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
