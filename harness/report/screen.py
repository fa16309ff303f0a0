"""What a terminal can show: the console, the marks, a small plot of dots and a line of bars.

Works without colour, without Unicode and on a pipe; nothing here knows what is plotted.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console
from rich.text import Text

from harness.run.result import Result, Verdict

# Colours by name, so that they follow the user's own terminal theme, dark or light.
SERIES = ("cyan", "magenta", "green", "yellow", "blue", "red", "bright_cyan", "bright_magenta")
VERDICTS = {
    Verdict.PASS: "green",
    Verdict.FAIL: "red",
    Verdict.PANIC: "magenta",
    Verdict.HANG: "yellow",
    Verdict.ERROR: "bright_red",
}
_PIPE_WIDTH = 140
# Less than this is nothing, for an axis.
_LEAST = 1e-9
_BARS = "▁▂▃▄▅▆▇█"
_ASCII_BARS = "_.-=+*%#"
_ASCII_DOTS = "*+xo#@%&"


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # not an exit status of rich's: the command knows what that means


def make_console(file: TextIO | None = None, *, stderr: bool = False) -> Console:
    """A console that takes no markup and no emoji from the text, and never fails on an encoding.

    On a terminal as wide as it is, up to what reads well; elsewhere wide enough that tables do not wrap.
    """
    stream = file or (sys.stderr if stderr else sys.stdout)
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")
    console = _Console(file=stream, markup=False, emoji=False, highlight=False)
    if console.width < 1 or (not console.is_terminal and not int_or_0(os.environ.get("COLUMNS", ""))):
        console.width = _PIPE_WIDTH
    return console


def int_or_0(text: str) -> int:
    """The number, of what is none 0."""
    return int(text) if text.isdecimal() else 0


def unicode_ok(console: Console) -> bool:
    """Whether the console shows more than ASCII."""
    return console.encoding.lower().startswith("utf")


def mark(result: Result, console: Console) -> tuple[str, str]:
    """The sign before a run and its style: as declared, not as declared, the harness's own error."""
    utf = unicode_ok(console)
    if result.as_expected:
        return ("✓" if utf else "ok"), "green"
    if result.verdict is Verdict.ERROR:
        return ("!" if utf else "!!"), "bright_red"
    return ("✗" if utf else "NO"), "red"


def sparkline(values: Sequence[float], top: float, width: int, *, utf: bool = True) -> str:
    """Bars of ``values`` against ``top``, averaged down to ``width`` characters."""
    bars = _BARS if utf else _ASCII_BARS
    if not values or top <= 0:
        return ""
    width = min(width, len(values))
    text = ""
    for i in range(width):
        part = values[i * len(values) // width : max(i * len(values) // width + 1, (i + 1) * len(values) // width)]
        mean = sum(part) / len(part)
        text += " " if mean <= 0 else bars[min(len(bars) - 1, int(mean / top * len(bars)))]
    return text


def nice(top: float, steps: int = 4) -> float:
    """A round step so that ``steps`` or fewer of them reach ``top``: 1, 2, 2.5 or 5 times a power of ten."""
    if top < _LEAST or not math.isfinite(top):
        return 1.0
    power = 10.0 ** math.floor(math.log10(top / steps))
    return next(f * power for f in (1, 2, 2.5, 5, 10, 20) if f * power * steps >= top * 0.9999)


@dataclass(frozen=True)
class Line:
    """One series of a plot: its style and its points, x ascending."""

    style: str
    x: Sequence[float]
    y: Sequence[float]


def plot(
    lines: Sequence[Line],
    *,
    width: int,
    height: int,
    x_end: float,
    unit: float,
    x_name: str = "s",
    marks: Sequence[float] = (),
    utf: bool = True,
) -> list[Text]:
    """A plot of dots, from (0, 0) to (``x_end``, the highest y): rows of text with axes.

    ``unit`` divides y for the labels; ``marks`` are moments shown above.  ``width`` and ``height`` are those
    of the plot's own area in characters; without Unicode a character holds one dot, with it 2 x 4 (Braille).
    """
    sx, sy = (2, 4) if utf else (1, 1)
    top = max((y for line in lines for y in line.y if math.isfinite(y)), default=0.0)
    step = nice(top if top >= _LEAST else unit)
    ceiling = max(step, math.ceil(top / step - 1e-3) * step)
    x_end = x_end if x_end >= _LEAST else 1.0
    columns, rows = width * sx, height * sy
    dots: dict[tuple[int, int], list[int]] = {}

    def put(cx: int, cy: int, series: int) -> None:
        if 0 <= cx < columns and 0 <= cy < rows:
            row, column = (rows - 1 - cy) // sy, cx // sx
            dots.setdefault((row, column), []).append(series << 8 | _dot(cx % sx, (rows - 1 - cy) % sy))

    for series, line in enumerate(lines):
        points = [
            (x / x_end * (columns - 1), y / ceiling * (rows - 1))
            for x, y in zip(line.x, line.y, strict=True)
            if 0 <= x <= x_end and 0 <= y < math.inf
        ]
        for (x0, y0), (x1, y1) in zip(points[:1] + points[:-1], points, strict=True):
            n = max(1, round(max(abs(x1 - x0), abs(y1 - y0))))
            for i in range(n + 1):
                put(round(x0 + (x1 - x0) * i / n), round(y0 + (y1 - y0) * i / n), series)

    labels = {round((rows - 1) * k * step / ceiling): k * step for k in range(round(ceiling / step) + 1)}
    by_row = {(rows - 1 - y) // sy: f"{value / unit:g}" for y, value in labels.items()}
    margin = max(len(t) for t in by_row.values())
    out: list[Text] = []
    if marks:
        above = [" "] * width
        for m in marks:
            if 0 <= m <= x_end:
                above[min(width - 1, round(m / x_end * (width - 1)))] = "▾" if utf else "v"
        out.append(Text(" " * (margin + 2) + "".join(above).rstrip(), "yellow"))
    for row in range(height):
        tick = by_row.get(row)
        text = Text(f"{tick or '':>{margin}} {('┤' if tick else '│') if utf else '|'}", "dim")
        for column in range(width):
            here = dots.get((row, column))
            if not here:
                text.append(" ")
                continue
            series = max({d >> 8 for d in here}, key=lambda s, h=here: (sum(d >> 8 == s for d in h), s))  # type: ignore[misc]
            bits = 0
            for d in here:
                bits |= d & 255
            text.append(chr(0x2800 | bits) if utf else _ASCII_DOTS[series % len(_ASCII_DOTS)], lines[series].style)
        out.append(text)
    out.append(Text(" " * margin + (" └" + "─" * width if utf else " +" + "-" * width), "dim"))
    ruler = [" "] * (width + 8)
    x_step = nice(x_end, 6)
    for k in range(int(x_end / x_step + 1e-6) + 1):
        label = f"{k * x_step:g}" + (f" {x_name}" if (k + 1) * x_step > x_end * (1 + 1e-6) else "")
        at = round(k * x_step / x_end * (width - 1))
        ruler[at : at + len(label)] = label
    out.append(Text(" " * (margin + 2) + "".join(ruler).rstrip(), "dim"))
    return out


def _dot(x: int, y: int) -> int:
    """The bit of a Braille character for the dot at column x, row y from above."""
    return (0x01, 0x02, 0x04, 0x40)[y] if x == 0 else (0x08, 0x10, 0x20, 0x80)[y]
