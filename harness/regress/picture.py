"""Pictures of samples as SVG text: every trial a dot, groups one below or beside the other, means marked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from statistics import fmean, median

from matplotlib.ticker import MaxNLocator

from harness.scenario.quantity import shown

COLOURS = ("var(--s0)", "var(--s1)")


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = (high - low) * 0.06 or abs(high) * 0.01 or 1.0
    return low - room, high + room


def _ticks(low: float, high: float, n: int) -> list[float]:
    return [float(t) for t in MaxNLocator(n).tick_values(low, high) if low <= t <= high]


def strips(groups: Sequence[tuple[str, Sequence[float]]], unit: str, width: int = 640) -> str:
    """Distributions side by side on one axis: a row a group, its mean a bar, dots that coincide stacked."""
    values = [v for _, g in groups for v in g if math.isfinite(v)]
    if not values:
        return ""
    low, high = _range(values)
    left, right, row = 90, 14, 46
    height = row * len(groups) + 26

    def x(v: float) -> float:
        return left + (v - low) / (high - low) * (width - left - right)

    out = [f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(", ".join(n for n, _ in groups))}">']
    for t in _ticks(low, high, 5):
        out.append(f'<line x1="{x(t):.1f}" y1="0" x2="{x(t):.1f}" y2="{height - 20}" stroke="var(--grid)"/>')
        out.append(f'<text x="{x(t):.1f}" y="{height - 5}" text-anchor="middle" class="tick">{escape(shown(t, unit))}</text>')
    for k, (name, group) in enumerate(groups):
        y, colour = row * k + row / 2, COLOURS[k % len(COLOURS)]
        out.append(f'<text x="0" y="{y + 4:.1f}" class="name">{escape(name)}</text>')
        stacked: dict[int, int] = {}
        for v in sorted(group):
            place = round(x(v) / 7)
            n = stacked[place] = stacked.get(place, 0) + 1
            rise = max(5 - row / 2, min(row / 2 - 5, (n // 2) * (5.0 if n % 2 else -5.0)))
            out.append(
                f'<circle cx="{x(v):.1f}" cy="{y + rise:.1f}" r="3.2" fill="{colour}" fill-opacity=".55">'
                f"<title>{escape(shown(v, unit))}</title></circle>"
            )
        if group:
            m = x(fmean(group))
            out.append(f'<line x1="{m:.1f}" y1="{y - 17}" x2="{m:.1f}" y2="{y + 17}" stroke="{colour}" stroke-width="2.5"/>')
    return "\n".join([*out, "</svg>"])


def over(groups: Sequence[tuple[str, Sequence[float]]], unit: str, standalone: bool = False) -> str:
    """A metric over kernels: a column a kernel, every run a dot, medians joined by a line."""
    values = [v for _, g in groups for v in g]
    if not values:
        return ""
    low, high = _range(values)
    left, top, bottom = 84, 10, 120
    step = max(36, min(110, 900 // max(1, len(groups))))
    width, height = left + step * len(groups) + 60, 300 + bottom

    def y(v: float) -> float:
        return top + (high - v) / (high - low) * (height - top - bottom)

    def x(k: int) -> float:
        return left + step * (k + 0.5)

    own = ' xmlns="http://www.w3.org/2000/svg"' if standalone else ""
    out = [f'<svg{own} viewBox="0 0 {width} {height}" role="img" aria-label="the metric over kernels">']
    if standalone:
        out.append("<style>:root{--s0:#0072b2;--s1:#d55e00;--grid:#e4e7eb} text{font:12px sans-serif;fill:#333}</style>")
    for t in _ticks(low, high, 6):
        out.append(f'<line x1="{left}" y1="{y(t):.1f}" x2="{width - 60}" y2="{y(t):.1f}" stroke="var(--grid)"/>')
        out.append(f'<text x="{left - 8}" y="{y(t) + 4:.1f}" text-anchor="end" class="tick">{escape(shown(t, unit))}</text>')
    line = " ".join(f"{x(k):.1f},{y(median(g)):.1f}" for k, (_, g) in enumerate(groups))
    out.append(f'<polyline points="{line}" fill="none" stroke="var(--s0)" stroke-width="2"/>')
    for k, (name, group) in enumerate(groups):
        for n, v in enumerate(group):
            shift = ((n * 7) % 11 - 5) * step / 40
            out.append(
                f'<circle cx="{x(k) + shift:.1f}" cy="{y(v):.1f}" r="3" fill="var(--s0)" fill-opacity=".45">'
                f"<title>{escape(shown(v, unit))}</title></circle>"
            )
        place = f"{x(k):.1f},{height - bottom + 16}"
        out.append(
            f'<text transform="translate({place}) rotate(35)" class="tick">{escape(name[:40])}</text>'
        )
    return "\n".join([*out, "</svg>"])
