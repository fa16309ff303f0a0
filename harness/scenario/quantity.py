"""Quantities: a value with what it measures, their arithmetic, and text that reads back exactly.

A quantity is a float in the base unit of its dimension: bit/s, s, bytes, packets, packets/s, or a plain
number.  The words of units are those of ``harness.traffic.units``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from harness.traffic import units

Dims = tuple[int, int, int]
"""Exponents of data (bytes), time (s) and packets."""

PLAIN: Dims = (0, 0, 0)
DATA: Dims = (1, 0, 0)
TIME: Dims = (0, 1, 0)
PACKETS: Dims = (0, 0, 1)
RATE: Dims = (1, -1, 0)
PACKET_RATE: Dims = (0, -1, 1)

#: The name of each dimension's base unit, and what one calls it.  (Inside an expression rates are bytes/s.)
UNIT: Mapping[Dims, str] = {
    PLAIN: "", DATA: "bytes", TIME: "s", PACKETS: "packets", RATE: "bit/s", PACKET_RATE: "packets/s",
}  # fmt: skip
CALLED: Mapping[Dims, str] = {
    PLAIN: "a plain number", DATA: "a size", TIME: "a time", PACKETS: "a number of packets", RATE: "a rate",
    PACKET_RATE: "a packet rate",
}  # fmt: skip
DIMS: Mapping[str, Dims] = {**{name: dims for dims, name in UNIT.items()}, "ratio": PLAIN}

_COUNTS = {"packets": 1.0, "packet": 1.0, "pkts": 1.0, "pkt": 1.0}
_TABLES: list[tuple[Mapping[str, float], Dims]] = [
    (units.TIME, TIME), (units.RATE, RATE), (units.SIZE, DATA), (units.PACKET_RATE, PACKET_RATE),
    (_COUNTS, PACKETS), ({"%": 0.01}, PLAIN),
]  # fmt: skip
WORDS: Mapping[str, tuple[float, Dims]] = {
    word: (factor, dims) for table, dims in _TABLES for word, factor in table.items()
}
"""Every unit's word with its factor and dimension."""

LARGEST = 1e18


@dataclass(frozen=True)
class Quantity:
    """A measured value; ``unit`` is "bit/s", "s", "bytes", "packets", "packets/s", "ratio" or empty."""

    value: float
    unit: str = ""

    def __str__(self) -> str:
        return shown(self.value, self.unit)


def scaled(number: float, factor: float) -> float:
    """number * factor, exact where the factor is the inverse of a whole number (9 * 1e-3 is 0.009)."""
    return number / round(1 / factor) if factor < 1 else number * factor


_STEPS: Mapping[str, tuple[str, ...]] = {
    "bit/s": ("Gbit/s", "Mbit/s", "kbit/s", "bit/s"), "s": ("s", "ms", "us", "ns"),
    "packets/s": ("Mpps", "kpps", "pps"), "bytes": ("",), "packets": ("",), "": ("",), "ratio": ("",),
}  # fmt: skip


def exact(value: float, unit: str) -> str:
    """The shortest text that reads back as exactly ``value`` (an amount in ``unit``)."""
    if value == 0:
        return "0"
    best = ""
    for word in _STEPS[unit]:
        factor = WORDS[word][0] if word else 1.0
        number = value / factor if factor >= 1 else value * round(1 / factor)
        for text in (_digits(float(f"{number:.12g}")), _digits(number)):
            if scaled(float(text), factor) == value and (not best or len(text + word) < len(best)):
                best = text + word
    return best or _digits(value) + (unit if unit in WORDS else "")


def _digits(number: float) -> str:
    return (
        str(int(number))
        if math.isfinite(number) and number == int(number) and abs(number) < 1e15
        else repr(number)
    )


def shown(value: float, unit: str) -> str:
    """A measured value for people: four digits and a fitting unit."""
    if not math.isfinite(value):
        return str(value)
    if unit in ("ratio", ""):
        return f"{value:.4g}"
    if unit in ("bytes", "packets"):
        text = f"{value:.0f}" if value == int(value) else f"{value:.4g}"
        return f"{text} {unit}"
    steps = _STEPS[unit]
    word = next((w for w in steps if abs(value) >= WORDS[w][0] * 0.99995), steps[-1])
    number = value / WORDS[word][0]
    return f"{number:.0f} {word}" if 1e4 <= abs(number) < 1e15 else f"{number:.4g} {word}"


_RATE_WORD = re.compile(
    r"(?<![\w.])(\d{1,18}(?:\.\d{1,12})?)(\s*)([KkMG]?(?:bit|Byte)/s|[kKM]?pps)(?![\w/])", re.ASCII
)


def scale_rates(text: str, factor: float) -> str:
    """``text`` with every rate in it (``10Mbit/s``, ``1000pps``) multiplied by ``factor``, to whole units."""

    def one(found: re.Match[str]) -> str:
        number, word = float(found[1]) * factor, found[3]
        lower = {"G": "M", "M": "K", "k": "", "K": ""}
        # ipfw takes whole numbers only; below a bit/s there is nothing.
        while abs(number - round(number)) > 1e-9 * number and word[0] in lower:
            word = lower[word[0]] + word[1:]
            if word == "Kpps":
                word = "kpps"
            number *= 1000
        return f"{round(number)}{found[2]}{word}"

    return _RATE_WORD.sub(one, text)
