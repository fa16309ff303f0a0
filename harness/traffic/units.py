"""Units as people write them: text -> float in SI units, and back.

Rates are bit/s, times seconds, sizes bytes, packet rates packets/s.  FreeBSD's own words (``Kbit/s``,
``MByte/s``, ``KB``) mean here what they mean to ipfw(8).  Every parser raises ValueError with one
sentence that fits behind "what is wrong".
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping

RATE: Mapping[str, float] = {
    "bit/s": 1.0, "kbit/s": 1e3, "Kbit/s": 1e3, "Mbit/s": 1e6, "Gbit/s": 1e9, "Tbit/s": 1e12,
    "Byte/s": 8.0, "B/s": 8.0, "kByte/s": 8e3, "KByte/s": 8e3, "MByte/s": 8e6, "GByte/s": 8e9,
    "kB/s": 8e3, "KB/s": 8e3, "MB/s": 8e6, "GB/s": 8e9,
    "bps": 1.0, "kbps": 1e3, "Kbps": 1e3, "Mbps": 1e6, "Gbps": 1e9,
}  # fmt: skip
TIME: Mapping[str, float] = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
SIZE: Mapping[str, float] = {
    "B": 1.0, "byte": 1.0, "bytes": 1.0, "Byte": 1.0, "Bytes": 1.0,
    "kB": 1e3, "KB": 1024.0, "KiB": 1024.0, "MB": 1048576.0, "MiB": 1048576.0, "GiB": 1073741824.0,
    "kByte": 1e3, "KByte": 1024.0, "KBytes": 1024.0, "MByte": 1048576.0, "MBytes": 1048576.0,
}  # fmt: skip
PPS: Mapping[str, float] = {
    "pps": 1.0, "kpps": 1e3, "Kpps": 1e3, "Mpps": 1e6, "packets/s": 1.0, "packet/s": 1.0, "pkt/s": 1.0, "pkts/s": 1.0,
}  # fmt: skip
RATIO: Mapping[str, float] = {"%": 0.01}
COUNT: Mapping[str, float] = {"packets": 1.0, "packet": 1.0, "pkts": 1.0, "pkt": 1.0}

KINDS: Mapping[str, Mapping[str, float]] = {
    "bit/s": RATE, "s": TIME, "bytes": SIZE, "packets/s": PPS, "ratio": RATIO, "packets": COUNT,
}  # fmt: skip
NAMES: Mapping[str, str] = {
    "bit/s": "a rate (10Mbit/s)", "s": "a time (20ms)", "bytes": "a size (1500, 64KB)",
    "packets/s": "a packet rate (1000pps)", "ratio": "a ratio (2%)", "packets": "a number of packets",
}  # fmt: skip

_TEXT = re.compile(r"^(\d{1,30}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,3})?)\s*([^\s\d.+-][^\s\d]{0,20})?$", re.ASCII)


def kind_of(unit: str) -> str | None:
    """The kind ("bit/s", "s", "bytes", "packets/s", "ratio", "packets") that a unit's word measures."""
    return next((kind for kind, table in KINDS.items() if unit in table), None)


def split(text: str) -> tuple[float, str]:
    """Number and unit ("" where there is none) of a quantity's text."""
    found = _TEXT.match(text.strip())
    if not found:
        negative = text.strip().startswith("-")
        raise ValueError(f"{_quoted(text)} is {'negative' if negative else 'no number with a unit'}")
    value = float(found[1])
    if not math.isfinite(value):
        raise ValueError(f"{_quoted(text)} is too large")
    return value, found[2] or ""


def _quoted(text: str) -> str:
    shown = text if len(text) <= 40 else text[:37] + "..."
    return ascii(shown) if not shown.isprintable() else f"'{shown}'"


def _nearest(unit: str, table: Mapping[str, float]) -> str:
    same = [u for u in table if u.lower() == unit.lower()]
    near = same or difflib.get_close_matches(unit, list(table), n=1, cutoff=0.5)
    return f" (did you mean '{near[0]}'?)" if near else ""


def _parse(text: str, kind: str, plain: bool = False) -> float:
    value, unit = split(text)
    table = KINDS[kind]
    if unit in table:
        return value * table[unit] if table[unit] >= 1 or unit == "%" else value / round(1 / table[unit])
    if not unit and (plain or value == 0):
        return value
    if not unit:
        raise ValueError(f"{_quoted(text)} has no unit, wanted {NAMES[kind]}")
    other = kind_of(unit)
    if other:
        raise ValueError(f"{_quoted(text)} is {NAMES[other].split(' (')[0]}, wanted {NAMES[kind]}")
    raise ValueError(f"unknown unit {_quoted(unit)}, wanted {NAMES[kind]}{_nearest(unit, table)}")


def parse_rate(text: str) -> float:
    """bit/s of ``10Mbit/s``, ``1MByte/s``; a number without unit only for 0."""
    return _parse(text, "bit/s")


def parse_time(text: str) -> float:
    """Seconds of ``20ms``, ``5s``, ``1min``; a number without unit only for 0."""
    return _parse(text, "s")


def parse_size(text: str) -> float:
    """Bytes of ``1500``, ``64KB`` (1024 each, as for ipfw), ``1MiB``."""
    return _parse(text, "bytes", plain=True)


def parse_pps(text: str) -> float:
    """Packets/s of ``1000pps``, ``1Mpps``; a number without unit only for 0."""
    return _parse(text, "packets/s")


def parse_ratio(text: str) -> float:
    """A ratio of ``2%`` or ``0.02``."""
    return _parse(text, "ratio", plain=True)


_SHOWN = {
    "bit/s": ("Gbit/s", "Mbit/s", "kbit/s", "bit/s"), "s": ("s", "ms", "us", "ns"), "bytes": ("",),
    "packets/s": ("Mpps", "kpps", "pps"), "packets": ("",), "ratio": ("",),
}  # fmt: skip


def _plain(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def text(value: float, kind: str) -> str:
    """The shortest text that the kind's parser reads as exactly ``value``."""
    if value == 0:
        return "0"
    best = ""
    for unit in _SHOWN[kind]:
        factor = KINDS[kind].get(unit, 1.0)
        shown = _plain(value / factor if factor >= 1 else value * round(1 / factor)) + unit
        try:
            same = _parse(shown, kind, plain=True) == value
        except ValueError:
            same = False
        if same and (not best or len(shown) < len(best)):
            best = shown
    return best or repr(value) + _SHOWN[kind][-1 if kind != "s" else 0]
