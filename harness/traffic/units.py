"""Units as ipfw(8) and FreeBSD people write them: ``20Mbit/s``, ``10ms``, ``1500B``, ``64KB``, ``1000pps``.

Numbers become floats of the base unit: bit/s, seconds, bytes, packets/s.  Every function raises
ValueError with one sentence that names the nearest right unit.
"""

from __future__ import annotations

import difflib
import re

TIME = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
RATE = {
    "bit/s": 1.0, "Kbit/s": 1e3, "kbit/s": 1e3, "Mbit/s": 1e6, "Gbit/s": 1e9,
    "Byte/s": 8.0, "KByte/s": 8e3, "MByte/s": 8e6, "GByte/s": 8e9,
}  # fmt: skip
SIZE = {
    "B": 1.0, "Byte": 1.0, "Bytes": 1.0, "KB": 1024.0, "KByte": 1024.0, "KBytes": 1024.0,
    "MB": 1024.0**2, "MByte": 1024.0**2, "MBytes": 1024.0**2,
}  # fmt: skip
PACKET_RATE = {"pps": 1.0, "kpps": 1e3, "Kpps": 1e3, "Mpps": 1e6}
_NUMBER = re.compile(r"^\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-z%/]*)\s*$")


def _parse(text: str | int | float, units: dict[str, float], what: str, bare: bool) -> float:
    if isinstance(text, bool):
        raise ValueError(f"{text} is not {what}")
    if isinstance(text, (int, float)):
        if bare or text == 0:
            return float(text)
        raise ValueError(f"{text} needs a unit to be {what}: {_some(units)}")
    found = _NUMBER.match(text)
    if not found:
        raise ValueError(f"'{text}' is not {what}: a number with {_some(units)}")
    number, unit = float(found.group(1)), found.group(2)
    if unit in units:
        # Multiply by what is exact in binary where that is possible: 10ms is 0.01, not 0.010000000000000002.
        scale = units[unit]
        return number / round(1 / scale) if scale < 1 else number * scale
    if unit == "" and (bare or number == 0):
        return number
    if unit == "":
        raise ValueError(f"'{text}' needs a unit to be {what}: {_some(units)}")
    near = difflib.get_close_matches(unit, units, 1, 0.5) or [
        u for u in units if u.lower() == unit.lower()
    ]
    hint = f" (did you mean '{near[0]}'?)" if near else f": {_some(units)}"
    raise ValueError(f"'{unit}' is no unit of {what}{hint}")


def _some(units: dict[str, float]) -> str:
    names = list(units)
    return ", ".join(names[:5])


def parse_time(text: str | int | float) -> float:
    """Seconds of ``10ms``, ``2s``, ``1min``."""
    return _parse(text, TIME, "a time", False)


def parse_rate(text: str | int | float) -> float:
    """bit/s of ``20Mbit/s``, ``1MByte/s``."""
    return _parse(text, RATE, "a rate", False)


def parse_size(text: str | int | float) -> float:
    """Bytes of ``1500``, ``1500B``, ``64KB``."""
    return _parse(text, SIZE, "a size", True)


def parse_pps(text: str | int | float) -> float:
    """Packets/s of ``1000pps``, ``10kpps``."""
    return _parse(text, PACKET_RATE, "a packet rate", False)


def format_time(seconds: float) -> str:
    """``10ms``: the largest unit that leaves a number of at least 1."""
    for unit in ("s", "ms", "us", "ns"):
        if abs(seconds) >= TIME[unit] * 0.9995 or unit == "ns":
            return f"{seconds / TIME[unit]:.6g}{unit}"
    return f"{seconds:g}s"


def format_rate(bps: float) -> str:
    """``10 Mbit/s``, as ipfw shows bandwidths."""
    for unit in ("Gbit/s", "Mbit/s", "Kbit/s"):
        if abs(bps) >= RATE[unit]:
            return f"{bps / RATE[unit]:.4g} {unit}"
    return f"{bps:.4g} bit/s"
