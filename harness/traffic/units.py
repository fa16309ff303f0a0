"""Units as ipfw(8) and FreeBSD people write them: ``20Mbit/s``, ``10ms``, ``1500B``, ``64KB``, ``1000pps``.

Numbers become floats of the base unit: bit/s, seconds, bytes, packets/s.  Every function raises
ValueError with one sentence that names the nearest right unit.
"""

from __future__ import annotations

import difflib
import math
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
_NUMBER = re.compile(r"^\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-zµμ%/]*)\s*$")


def _parse(text: str | int | float, units: dict[str, float], what: str, bare: bool) -> float:
    if isinstance(text, bool):
        raise ValueError(f"{text} is not {what}")
    if isinstance(text, (int, float)):
        if not math.isfinite(text):
            raise ValueError(f"{text} is not {what}")
        if bare or text == 0:
            return float(text)
        raise ValueError(f"{text} needs a unit to be {what}: {_some(units)}")
    found = _NUMBER.match(text)
    if not found:
        raise ValueError(f"'{text}' is not {what}: a number with {_some(units)}")
    number, unit = float(found.group(1)), found.group(2)
    if not math.isfinite(number):
        raise ValueError(f"'{text}' is too much to be {what}")
    if unit in units:
        # Multiply by what is exact in binary where that is possible: 10ms is 0.01, not 0.010000000000000002.
        scale = units[unit]
        return number / round(1 / scale) if scale < 1 else number * scale
    if unit == "" and (bare or number == 0):
        return number
    if unit == "":
        raise ValueError(f"'{text}' needs a unit to be {what}: {_some(units)}")
    near = _nearest(unit, units)
    hint = f" (did you mean '{near}'?)" if near else f": {_some(units)}"
    raise ValueError(f"'{unit}' is no unit of {what}{hint}")


#: What people write elsewhere; only those that the table in question knows are offered.
_ELSEWHERE = {
    "bps": "bit/s", "bits/s": "bit/s", "b/s": "bit/s", "Kbps": "Kbit/s", "kbps": "Kbit/s", "Kb/s": "Kbit/s",
    "Mbps": "Mbit/s", "Mb/s": "Mbit/s", "mbps": "Mbit/s", "Mbit": "Mbit/s", "M": "Mbit/s", "Gbps": "Gbit/s",
    "Gb/s": "Gbit/s", "Gbit": "Gbit/s", "G": "Gbit/s", "Kbit": "Kbit/s", "B/s": "Byte/s", "KB/s": "KByte/s",
    "MB/s": "MByte/s", "GB/s": "GByte/s", "MBps": "MByte/s", "sec": "s", "secs": "s", "second": "s",
    "seconds": "s", "msec": "ms", "msecs": "ms", "usec": "us", "µs": "us", "μs": "us", "nsec": "ns",
    "m": "min", "mins": "min", "hour": "h", "hours": "h", "b": "B", "byte": "B", "bytes": "B", "k": "KB",
    "K": "KB", "kB": "KB", "kb": "KB", "KiB": "KB", "MiB": "MB", "p/s": "pps", "packets/s": "pps",
    "pkt/s": "pps", "pkts/s": "pps", "packets": "pps",
}  # fmt: skip


def _nearest(unit: str, units: dict[str, float]) -> str | None:
    """The unit that was most likely meant: known from elsewhere, the same but for its case, spelt like it."""
    known = _ELSEWHERE.get(unit)
    if known in units:
        return known
    # Of those that differ in case alone, the one with the usual prefix: m is Mega here, never milli.
    same = [u for u in units if u.lower() == unit.lower()]
    return next(iter(same or difflib.get_close_matches(unit, units, 1, 0.5)), None)


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


def _format(value: float, units: dict[str, float], words: tuple[str, ...], gap: str) -> str:
    """In the first of ``words`` (largest first) that leaves at least 1, with as many digits as it takes."""
    if value == 0:
        return f"0{gap}{words[0]}"
    word = next((w for w in words if abs(value) >= units[w]), words[-1])
    scale = units[word]
    number = value * round(1 / scale) if scale < 1 else value / scale
    short = f"{number:.6g}"
    # Six digits read well; where they are not the whole truth, all of them.
    if "e" in short or _parse(short + word, units, "a value", False) != value:
        short = f"{number:.17g}" if number != int(number) else f"{int(number)}"
    return f"{short}{gap}{word}"


def format_time(seconds: float) -> str:
    """``10ms``: the largest unit that leaves a number of at least 1."""
    return _format(seconds, TIME, ("s", "ms", "us", "ns"), "")


def format_rate(bps: float) -> str:
    """``10 Mbit/s``, as ipfw shows bandwidths."""
    return _format(bps, RATE, ("Gbit/s", "Mbit/s", "Kbit/s", "bit/s"), " ")


def format_size(size: float) -> str:
    """``1500B``, and ``64KB`` where it comes out even."""
    words = tuple(w for w in ("MB", "KB") if size and size % SIZE[w] == 0)
    return _format(size, SIZE, (*words, "B"), "")


def format_pps(pps: float) -> str:
    """``1000pps``."""
    return _format(pps, PACKET_RATE, ("pps",), "")
