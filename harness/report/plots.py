"""Plots as SVG text for inside an HTML page: colours from its CSS, text as text, the same bytes each time.

matplotlib draws; what it leaves is then made fit for a page that holds many plots: no metadata, no size of
its own, no identifier twice, a title and a description for who cannot see it, and names that show on hover.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

SLOTS = 8
"""Colours of series; a series beyond them takes the same colours dashed, then dotted."""
_DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)))
# Colours that no plot uses, each replaced by a variable of the page's CSS.
_INK, _MUTED, _GRID, _EVENT = "#010101", "#010102", "#010103", "#010104"
_VARIABLES = {_INK: "ink", _MUTED: "muted", _GRID: "grid", _EVENT: "event"}
_VARIABLES |= {f"#0102{i:02x}": f"s{i}" for i in range(SLOTS)}
_RC: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "dnh",
    "svg.id": "dnh",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8,
    "axes.edgecolor": _GRID,
    "axes.labelcolor": _MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "xtick.color": _GRID,
    "ytick.color": _GRID,
    "xtick.labelcolor": _MUTED,
    "ytick.labelcolor": _MUTED,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "path.simplify": True,
    "path.simplify_threshold": 0.3,
}
MOST_POINTS = 800
"""Points of one curve that are drawn; of more, a few of each stretch: its ends, least and greatest."""
_MOST_EVENTS = 12
_DIRECT = 4


@dataclass(frozen=True)
class Curve:
    """One series: x ascending, y in base units (bit/s, s, packets, share); ``low``/``high`` a band about it.

    ``slot`` gives the colour, so that a flow has the same one in every plot.  ``faint`` draws it thin.
    """

    label: str
    slot: int
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    faint: bool = False
    steps: bool = False


@dataclass(frozen=True)
class Unit:
    """How an axis reads: its name, and what a value is divided by."""

    name: str
    divisor: float = 1.0


def rate_unit(top: float) -> Unit:
    """The unit for rates up to ``top`` bit/s."""
    for factor, name in ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s")):
        if top >= factor:
            return Unit(name, factor)
    return Unit("bit/s")


def time_unit(top: float) -> Unit:
    """The unit for times up to ``top`` s."""
    for factor, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if top >= factor:
            return Unit(name, factor)
    return Unit("ns", 1e-9)


def over_time(
    curves: Sequence[Curve],
    *,
    key: str,
    title: str,
    description: str,
    unit: Unit,
    end: float,
    events: Sequence[float] = (),
) -> str:
    """Curves over the time of a run, 0 to ``end`` s, from zero up, with the moments of events marked.

    ``key`` makes the identifiers inside unique in the page.
    """
    with mpl.rc_context(_RC):
        figure, axes = _axes(Unit(f"{unit.name}", unit.divisor))
        top = 0.0
        for c in map(_thinned, curves):
            y = [v / unit.divisor for v in c.y]
            top = max([top, *(v for v in y if math.isfinite(v))])
            _draw(axes, c, c.x, y)
            if c.low and c.high:
                axes.fill_between(
                    c.x,
                    [v / unit.divisor for v in c.low],
                    [v / unit.divisor for v in c.high],
                    color=_colour(c.slot),
                    alpha=0.16,
                    linewidth=0,
                    gid=_gid(f"{c.label}: least to p99"),
                )
                top = max([top, *(v / unit.divisor for v in c.high if math.isfinite(v))])
        axes.set_xlim(0, end if end > 0 else 1)
        axes.set_ylim(0, top * 1.08 if top > 0 else 1)
        axes.set_xlabel("time, s", loc="right")
        axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 2.5, 5, 10]))
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        _name_lines(axes, [c for c in curves if not c.faint], unit.divisor)
        _mark_events(axes, [t for t in events if 0 <= t <= end])
        return _svg(figure, key, title, description)


def distribution(curves: Sequence[Curve], *, key: str, title: str, description: str) -> str:
    """Cumulative distributions: x a time in s (log scale), y the share that took at most that."""
    with mpl.rc_context(_RC):
        figure, axes = _axes(Unit("share of packets", 0.01))
        axes.set_xscale("log")
        axes.set_autoscalex_on(False)  # which warns where every delay is 0
        for c in map(_thinned, curves):
            _draw(axes, c, c.x, [100 * v for v in c.y])
        xs = [x for c in curves for x in c.x if x > 0]
        low, high = (min(xs), max(xs)) if xs else (1e-3, 1.0)
        if high / low < 4:
            middle = math.sqrt(low * high)
            low, high = middle / 2, middle * 2
        axes.set_xlim(low / 1.08, high * 1.08)
        ticks = _log_ticks(low / 1.08, high * 1.08)
        axes.set_xticks(ticks)
        axes.minorticks_off()
        axes.xaxis.set_major_formatter(FuncFormatter(_time_tick))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g} %"))
        axes.grid(axis="x", color=_GRID, linewidth=0.6)
        axes.set_ylim(0, 103)
        axes.set_yticks([0, 25, 50, 75, 100])
        axes.set_xlabel("delay", loc="right")
        return _svg(figure, key, title, description)


def _time_tick(x: float, _: object = None) -> str:
    unit = time_unit(x * 1.0001)
    return f"{float(f'{x / unit.divisor:.3g}'):g} {unit.name}"


def _log_ticks(low: float, high: float) -> list[float]:
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7)):
        found = [
            f * 10.0**p
            for p in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            for f in steps
            if low <= f * 10.0**p <= high
        ]
        if len(found) >= 3:
            return found[:: max(1, len(found) // 7 + (len(found) % 7 > 0 and len(found) > 7))]
    return found


def _axes(unit: Unit) -> tuple[Figure, Any]:
    figure = Figure(figsize=(5.8, 2.45))
    FigureCanvasSVG(figure)
    axes = figure.add_axes((0.085, 0.17, 0.895, 0.7))
    figure.patch.set_alpha(0)
    axes.patch.set_alpha(0)
    axes.grid(axis="y", color=_GRID, linewidth=0.6)
    axes.set_title(unit.name, loc="left", fontsize=8, color=_MUTED, pad=7, x=-0.07)
    return figure, axes


def _colour(slot: int) -> str:
    return f"#0102{slot % SLOTS:02x}"


def _gid(label: str) -> str:
    """A name as an identifier that survives XML; taken back in ``_svg``."""
    return "name-" + label.encode().hex()


def _draw(axes: Any, c: Curve, x: Sequence[float], y: Sequence[float]) -> None:
    axes.plot(
        x,
        y,
        color=_colour(c.slot),
        linestyle=_DASHES[min(c.slot // SLOTS, len(_DASHES) - 1)],
        linewidth=0.8 if c.faint else 1.6,
        alpha=0.6 if c.faint else 1.0,
        drawstyle="steps-post" if c.steps else "default",
        # A single point makes no line.
        marker="o" if len(x) == 1 else "",
        markersize=3.5,
        gid=_gid(c.label),
    )


def _name_lines(axes: Any, curves: Sequence[Curve], divisor: float) -> None:
    """Few curves are named where they end, unless the names would touch: the page has a legend as well."""
    if not 1 < len(curves) <= _DIRECT:
        return
    low, high = axes.get_ylim()
    left, right = axes.get_xlim()
    gap = (high - low) * 0.075
    near = left + 0.8 * (right - left)
    ends = [(c.y[-1] / divisor, c) for c in curves if len(c.x) and c.x[-1] >= near and math.isfinite(c.y[-1])]
    if len(ends) < len(curves):
        return
    ends.sort(key=lambda end: end[0])
    if any(b[0] - a[0] < gap for a, b in pairwise(ends)):
        return
    for y, c in ends:
        axes.annotate(
            _short(c.label), (1.0, y), xycoords=("axes fraction", "data"), xytext=(4, 0),
            textcoords="offset points",
            fontsize=7.5, color=_INK, va="center", annotation_clip=False, parse_math=False,
        )  # fmt: skip
    box = axes.get_position()
    longest = max(len(_short(c.label)) for c in curves)
    axes.set_position((box.x0, box.y0, box.width - 0.012 * longest - 0.01, box.height))


def _short(label: str) -> str:
    return label if len(label) <= 12 else label[:11] + "…"


def _mark_events(axes: Any, events: Sequence[float]) -> None:
    _, high = axes.get_ylim()
    if len(events) > _MOST_EVENTS:
        axes.plot(events, [high] * len(events), "|", color=_EVENT, markersize=5, clip_on=False, gid=_gid("events"))
        return
    last = -math.inf
    left, right = axes.get_xlim()
    for n, t in enumerate(events, 1):
        axes.axvline(t, color=_EVENT, linewidth=0.9, linestyle=(0, (3, 2)), gid=_gid(f"event {n}"))
        if t - last > (right - left) * 0.025:
            axes.annotate(
                str(n), (t, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 2),
                textcoords="offset points",
                fontsize=7.5, color=_EVENT, ha="center", va="bottom", annotation_clip=False,
            )  # fmt: skip
            last = t


def _thinned(c: Curve) -> Curve:
    n = len(c.x)
    if n <= MOST_POINTS:
        return c
    keep: set[int] = {0, n - 1}
    parts = MOST_POINTS // 3
    for k in range(parts):
        stretch = range(k * n // parts, (k + 1) * n // parts)
        keep |= {stretch[0], min(stretch, key=lambda i: c.y[i]), max(stretch, key=lambda i: c.y[i])}
    at = sorted(keep)
    return Curve(
        c.label, c.slot, [c.x[i] for i in at], [c.y[i] for i in at],
        [c.low[i] for i in at] if c.low else (), [c.high[i] for i in at] if c.high else (), c.faint, c.steps,
    )  # fmt: skip


def _svg(figure: Figure, key: str, title: str, description: str) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.S)
    box = re.search(r'viewBox="[^"]*"', text)
    head = text.index(">") + 1
    opening = (
        f'<svg {box.group() if box else ""} role="img" aria-labelledby="{key}-t {key}-d">'
        f'<title id="{key}-t">{escape(title)}</title><desc id="{key}-d">{escape(description)}</desc>'
    )
    text = opening + text[head:]
    text = re.sub(r'<style type="text/css">.*?</style>', "", text, flags=re.S)
    # Names for the hover; every other identifier goes unless something refers to it.
    text = re.sub(
        r'id="name-([0-9a-f]*)">',
        lambda m: f"><title>{escape(bytes.fromhex(m.group(1)).decode())}</title>",
        text,
    )
    used = set(re.findall(r"(?:url\(#|href=\"#)([^)\"]+)", text))
    text = re.sub(
        r' id="([^"]+)"',
        lambda m: f' id="{key}-{m.group(1)}"' if m.group(1) in used else m.group() if m.group(1).startswith(key) else "",
        text,
    )
    text = re.sub(r'="url\(#([^)]+)\)', rf'="url(#{key}-\1)', text)
    text = re.sub(r'(?:xlink:)?href="#([^"]+)"', rf'href="#{key}-\1"', text)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, f"var(--{variable})")
    # The page's own font, and no rotation by nothing.
    text = re.sub(r"font-family: [^;\"]*; ?", "", text)
    text = re.sub(r' transform="rotate\(-?0 [^)]*\)"', "", text)
    # Coordinates finer than a hundredth of a point are weight only.
    text = re.sub(r"(-?\d+\.\d{2})\d+", r"\1", text)
    return re.sub(r">\s+<", "><", text).strip()
