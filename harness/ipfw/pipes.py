"""Pipes, queues and schedulers: the words of their ``config`` and the text of their ``show``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_BW = re.compile(r"^([\d.]+)\s*([KMGkmg]?)(bit|Byte|byte|b|B)?(?:/s|ps)?$")
_SCALE = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


def parse_bandwidth(word: str) -> float | None:
    """bit/s of ipfw's bandwidth words (``10Mbit/s``, ``1MByte/s``, ``64000``); None for what is none."""
    found = _BW.match(word.strip())
    if not found:
        return None
    value, scale, unit = found.groups()
    octets = bool(unit) and unit[0] == "B"
    return float(value) * _SCALE[scale.lower()] * (8 if octets else 1)


@dataclass(frozen=True)
class PipeConfig:
    """What a ``config`` command asks for; None where it does not say.

    ``bandwidth`` bit/s (0: no limit), ``delay`` ms, ``slots`` packets, ``octets`` bytes (of the queue),
    ``burst`` bytes, ``plr`` a ratio, ``weight`` of a queue, ``parent`` its pipe or scheduler, ``type`` of
    a scheduler.
    """

    kind: str
    number: int
    bandwidth: float | None = None
    delay: int | None = None
    slots: int | None = None
    octets: int | None = None
    burst: int | None = None
    plr: float | None = None
    weight: int | None = None
    parent: int | None = None
    type: str | None = None


_SIZE = re.compile(r"^(\d+(?:\.\d+)?)([KMkm]?)(?:[Bb](?:ytes?)?)?$")


def _number(word: str) -> float:
    found = _SIZE.match(word)
    if not found:
        raise ValueError(word)
    return float(found.group(1)) * {"": 1, "k": 1024, "m": 1024 * 1024}[found.group(2).lower()]


def parse_config(text: str) -> PipeConfig:
    """What a ``pipe|queue|sched N config ...`` command asks for.

    Words that this model does not follow (masks, AQM parameters) are left to the guest to judge.
    Raises ValueError for what is no config command.
    """
    words = text.split()
    if len(words) < 3 or words[0] not in ("pipe", "queue", "sched") or words[2] != "config":
        raise ValueError(f"not a config command: {text}")
    kind, number = words[0], int(words[1])
    got: dict[str, float | int | str | None] = {}
    rest = words[3:]
    i = 0
    while i < len(rest):
        word, value = rest[i], rest[i + 1] if i + 1 < len(rest) else ""
        try:
            match word:
                case "bw" | "bandwidth":
                    # 'bw 10 Mbit/s' is two words for ipfw as well.
                    if i + 2 < len(rest) and re.fullmatch(r"[\d.]+", value) and re.match(r"[KMG]?(bit|Byte)", rest[i + 2]):
                        value += rest[i + 2]
                        i += 1
                    got["bandwidth"] = parse_bandwidth(value)
                case "delay":
                    found = re.fullmatch(r"(\d+)(?:ms)?", value)
                    got["delay"] = int(found.group(1)) if found else None
                case "queue":
                    sized = re.fullmatch(r"(\d+)(.*)", value)
                    if sized and sized.group(2):
                        got["octets"] = int(_number(value))
                    elif sized:
                        # ipfw takes a plain number above 100 (the slot limit) for bytes only with a unit.
                        got["slots"] = int(value)
                case "burst":
                    got["burst"] = int(_number(value))
                case "plr":
                    got["plr"] = float(value) if re.fullmatch(r"[\d.]+", value) else None
                case "weight":
                    got["weight"] = int(value)
                case "pipe" | "sched":
                    got["parent"] = int(value)
                case "type":
                    got["type"] = value.lower()
                case _:
                    i -= 1
        except ValueError:
            pass
        i += 2
    return PipeConfig(kind, number, **got)  # type: ignore[arg-type]


@dataclass(frozen=True)
class ShownPipe:
    """A pipe, queue or scheduler as ``show`` prints it, with the sums over its flows.

    ``packets`` and ``bytes`` are totals passed in so far, ``queued_*`` what waits now, ``drops`` so far.
    """

    number: int
    bandwidth: float | None = None
    delay: int | None = None
    slots: int | None = None
    octets: int | None = None
    burst: int | None = None
    plr: float | None = None
    weight: int | None = None
    parent: int | None = None
    type: str | None = None
    flows: int = 0
    packets: int = 0
    bytes: int = 0
    queued_packets: int = 0
    queued_bytes: int = 0
    drops: int = 0
    text: str = field(default="", compare=False)


_PIPE_HEAD = re.compile(
    r"^(\d{5}):\s+(?P<bw>unlimited|[\d.]+ [KMG]?(?:bit|Byte)/s)\s+(?P<delay>\d+) ms(?: burst (?P<burst>\S+(?: [KM]?B\w*)?))?"
)
_QUEUE_HEAD = re.compile(
    r"^q(?P<number>\d+)\s+(?P<size>\d+)\s*(?P<unit>sl\.|[KM]?B) ?(?:plr (?P<plr>[\d.]+)\S*)?"
    r".*?(?:sched (?P<sched>\d+))?(?: weight (?P<weight>\d+))?(?: lmax.*)?$"
)
_SCHED_HEAD = re.compile(r"^\s*sched (?P<number>\d+) type (?P<type>\S+)")
_FLOW = re.compile(r"^\s*\d+\s+\S+\s+\S+\s+\S+\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*$")


def _shown_size(size: str, unit: str) -> tuple[int | None, int | None]:
    if unit == "sl.":
        return int(size), None
    return None, int(size) * {"B": 1, "KB": 1024, "MB": 1024 * 1024}[unit]


def parse_show(output: str, kind: str) -> dict[int, ShownPipe]:
    """Objects by number from ``ipfw pipe show``, ``ipfw queue show`` or ``ipfw sched show``.

    ``kind`` says which it was.  Lines that fit no known form (kernel messages among them) are passed over.
    """
    head = {"pipe": _PIPE_HEAD, "queue": _QUEUE_HEAD, "sched": _PIPE_HEAD}[kind]
    found: dict[int, dict[str, object]] = {}
    current: dict[str, object] | None = None
    for line in output.replace("\r", "").splitlines():
        if m := head.match(line):
            if kind == "queue":
                number = int(m.group("number"))
                current = found.setdefault(number, {"number": number, "text": ""})
                current["slots"], current["octets"] = _shown_size(m.group("size"), m.group("unit"))
                current["plr"] = float(m.group("plr") or 0)
                current["weight"] = int(m.group("weight") or 0)
                current["parent"] = int(m.group("sched") or 0)
            else:
                number = int(m.group(1))
                current = found.setdefault(number, {"number": number, "text": ""})
                bw = m.group("bw")
                current["bandwidth"] = 0.0 if bw == "unlimited" else parse_bandwidth(bw.replace(" ", ""))
                current["delay"] = int(m.group("delay"))
                if m.group("burst"):
                    current["burst"] = _burst(m.group("burst"))
        elif current is None:
            continue
        elif m := _FLOW.match(line):
            names = ("packets", "bytes", "queued_packets", "queued_bytes", "drops")
            for name, value in zip(names, m.groups(), strict=True):
                current[name] = int(str(current.get(name, 0))) + int(value)
            current["flows"] = int(str(current.get("flows", 0))) + 1
        elif m := _SCHED_HEAD.match(line):
            current["type"] = m.group("type").lower()
        elif kind != "queue" and (m := _QUEUE_HEAD.match(line)):
            current["slots"], current["octets"] = _shown_size(m.group("size"), m.group("unit"))
            current["plr"] = float(m.group("plr") or 0)
        if current is not None:
            current["text"] = f"{current['text']}{line}\n"
    return {n: ShownPipe(**fields) for n, fields in found.items()}  # type: ignore[arg-type]


def _burst(text: str) -> int:
    m = re.match(r"([\d.]+)\s*([KMG]?)", text)
    if not m:
        return 0
    return int(float(m.group(1)) * {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}[m.group(2)])


def differences(asked: PipeConfig, shown: ShownPipe | None) -> list[str]:
    """What the guest shows otherwise than asked for, in words; empty when all agrees.

    ``show`` rounds bandwidths to three decimals of its unit and sizes in bytes to KB: what is printed in
    fewer digits is compared in these digits.
    """
    if shown is None:
        return [f"{asked.kind} {asked.number} is not there"]
    out = []
    if asked.bandwidth is not None and shown.bandwidth is not None:
        if abs(asked.bandwidth - shown.bandwidth) > max(1.0, asked.bandwidth * 1e-3):
            out.append(f"bw {asked.bandwidth:g} bit/s, shown {shown.bandwidth:g}")
    for name, unit in (("delay", "ms"), ("slots", "slots"), ("weight", "")):
        want, have = getattr(asked, name), getattr(shown, name)
        if want is not None and have is not None and want != have:
            out.append(f"{name} {want}{unit}, shown {have}{unit}")
    if asked.octets is not None and shown.octets is not None and abs(asked.octets - shown.octets) >= 1024:
        out.append(f"queue {asked.octets} bytes, shown {shown.octets}")
    if asked.plr is not None and shown.plr is not None and abs(asked.plr - shown.plr) > 1e-5:
        out.append(f"plr {asked.plr:g}, shown {shown.plr:g}")
    return out
