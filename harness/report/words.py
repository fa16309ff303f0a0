"""How figures, verdicts and names read, the same on a terminal, in XML and in HTML."""

from __future__ import annotations

import math
import re
import shlex
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from harness.panic import Frame, Panic
from harness.run.result import ExpectationResult, Result, Verdict

NOTHING = "–"

_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]|\x9b[0-?]*[ -/]*[@-~]")
# What XML 1.0 cannot hold, and what a terminal would obey: controls, lone surrogates, non-characters.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Marks that turn the direction of the text around them: they can make a name read as another.
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")


# A condition on a share in per cent ('< 2%'), not one with a tolerance ('2 +- 2%').
_PERCENT = re.compile(r"[^\d]*[\d.]+\s*%")


def clean(text: str) -> str:
    """The text without terminal escapes; what XML 1.0 or a terminal must not get becomes U+FFFD."""
    text = _ESCAPES.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _BIDI.sub("\ufffd", _FORBIDDEN.sub("\ufffd", text))


def one_line(text: str, limit: int = 0) -> str:
    """The text cleaned and on one line, cut with an ellipsis at ``limit`` characters (0: not cut)."""
    text = " ".join(clean(text).split())
    return text if not limit or len(text) <= limit else text[: limit - 1].rstrip() + "…"


def three(x: float) -> str:
    """A number to three significant digits, never in exponent form below 1e6: 0.998, 12.3, 9980."""
    if not math.isfinite(x):
        return str(x)
    if x == 0:
        return "0"
    size = math.floor(math.log10(abs(x)))
    if -6 <= size <= 6 and round(abs(x), 2 - size) >= 10 ** (size + 1):
        size += 1
    if not -4 <= size <= 6:
        return f"{x:.3g}"
    return f"{x:.{max(0, 2 - size)}f}"


def _scaled(x: float, unit: str, steps: Iterable[tuple[float, str]]) -> str:
    for factor, prefix in steps:
        # 0.9995 rounds up to the next unit
        if abs(x) >= factor * 0.9995:
            return f"{three(x / factor)} {prefix}{unit}"
    return f"{three(x)} {unit}"


def rate(bits: float | None) -> str:
    """Bits per second in words: 9.98 Mbit/s."""
    return NOTHING if bits is None else _scaled(bits, "bit/s", ((1e9, "G"), (1e6, "M"), (1e3, "k")))


def seconds(s: float | None) -> str:
    """A time in s, in the unit that suits it: 20.1 ms."""
    if s is None:
        return NOTHING
    if s == 0:
        return "0 s"
    for factor, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if abs(s) >= factor * 0.9995:
            return f"{three(s / factor)} {unit}"
    return f"{three(s / 1e-9)} ns"


def duration(s: float) -> str:
    """How long something took on the wall: 0.84 s, 12 s, 3 min 20 s, 2 h 05 min."""
    if s < 59.95:
        return f"{s:.2f} s" if s < 9.995 else f"{s:.1f} s"
    minutes, rest = divmod(round(s), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def size(n: float | None) -> str:
    """Bytes in words: 1.2 MB."""
    return NOTHING if n is None else _scaled(n, "B", ((1e9, "G"), (1e6, "M"), (1e3, "k")))


def count(n: int | None) -> str:
    """A whole number with thin spaces between thousands."""
    return NOTHING if n is None else f"{n:,}".replace(",", "\u2009")


def share(x: float | None) -> str:
    """A ratio as per cent; a loss that is not quite nothing does not read as nothing."""
    if x is None:
        return NOTHING
    if x == 0:
        return "0 %"
    return "<0.01 %" if 0 < x < 1e-4 else f"{three(x * 100)} %"


def measured(e: ExpectationResult) -> str:
    """What an expectation measured, with its unit."""
    value = e.measured
    if value is None:
        return "nothing to measure"
    if isinstance(value, str):
        return one_line(value)
    if e.unit == "bit/s":
        return rate(value)
    if e.unit == "s":
        return seconds(value)
    if e.unit == "bytes":
        return size(value)
    if e.unit == "packets":
        return f"{count(int(value))} packets" if float(value).is_integer() else f"{three(value)} packets"
    if _PERCENT.match(e.condition):
        return share(value)
    return f"{value:.5g}"


def cell(values: Mapping[str, object]) -> str:
    """A matrix cell: bw=10Mbit/s queue=50."""
    return " ".join(f"{one_line(k)}={one_line(str(v))}" for k, v in values.items())


def guest(result: Result) -> str:
    """The guest in one word: usermode, qemu:15.1."""
    g = result.guest
    if g.name in ("", g.kind):
        return one_line(g.kind)
    return one_line(g.name if g.name.startswith(f"{g.kind}:") else f"{g.kind}:{g.name}")


def title(result: Result) -> str:
    """What a run is called: its scenario, its cell, its repeat."""
    words = [one_line(result.scenario.name) or one_line(result.scenario.file) or "(no name)"]
    if result.scenario.cell:
        words.append(f"[{cell(result.scenario.cell)}]")
    if result.repeat:
        words.append(f"#{result.repeat + 1}")
    return " ".join(words)


def declared(result: Result) -> str:
    """All verdicts that the scenario declares."""
    return " or ".join([result.declared, *result.also_declared])


def outcome(result: Result) -> str:
    """The verdict against the declared one, in words."""
    if result.as_expected:
        if result.verdict is not result.declared:
            return f"{result.verdict}, as allowed"
        return f"{result.verdict}" if result.verdict is Verdict.PASS else f"{result.verdict}, as declared"
    if result.verdict is result.declared:
        # Right verdict, wrong panic.
        return f"{result.verdict}, but not the one that was declared"
    return f"{result.verdict}, declared {declared(result)}"


def why(result: Result) -> str:
    """One line that says why the verdict is what it is; empty when there is nothing to say."""
    if result.reasons:
        return one_line(result.reasons[0])
    if result.panic is not None:
        return one_line(result.panic.message)
    for e in result.expectations:
        if not e.holds:
            return broken(e)
    return ""


def broken(e: ExpectationResult) -> str:
    """One line about an expectation that does not hold."""
    return one_line(e.why or f"{e.metric}: expected {e.condition}, measured {measured(e)}")


def frame(f: Frame) -> str:
    """A frame as FreeBSD prints it: ip_output+0x1a2 (ip_output.c:812)."""
    text = f.function + (f"+{f.offset:#x}" if f.offset is not None else "")
    if f.file:
        text += f" ({PurePath(f.file).name}{f':{f.line}' if f.line is not None else ''})"
    return one_line(text)


_MACHINERY = frozenset(
    ("db_trace_self_wrapper", "db_trace_self", "kdb_backtrace", "kdb_enter", "vpanic", "panic", "kassert_panic")
)


def told_frames(panic: Panic) -> Sequence[Frame]:
    """The frames that say where it happened, without the panic's own before them; all where no other is."""
    struck = panic.struck_frames
    first = next((i for i, f in enumerate(struck) if f.function not in _MACHINERY), 0)
    return struck[first:]


def several(n: int, noun: str) -> str:
    """1 run, 2 runs."""
    return f"{n} {noun}{'s' if n != 1 else ''}"


def command(result: Result) -> str:
    """The command that runs exactly this again."""
    return one_line(result.command) if "\n" not in result.command.strip() else clean(result.command).strip()


CHATTER = re.compile(r"(?:[#>] ?)*@dnh:\w+:\w+(?::\d+)?@")
"""What the harness prints on a console to find its way: nothing for a reader."""


@dataclass(frozen=True)
class ConsoleLine:
    """A line of a console, and its numbers: by newlines alone, and with carriage returns counted too."""

    text: str
    number: int
    as_text: range


def console_lines(console: str) -> list[ConsoleLine]:
    """The lines of a console's raw text: where a line was written over, what stood there last."""
    found: list[ConsoleLine] = []
    at = 1
    for number, raw in enumerate(console.rstrip().split("\n") if console.strip() else (), 1):
        parts = raw.split("\r")
        if len(parts) > 1 and not parts[-1]:
            parts.pop()
        text = next((x for x in reversed(parts) if x), "")
        found.append(ConsoleLine(text, number, range(at, at + len(parts))))
        at += len(parts)
    return found


def place(lines: Sequence[ConsoleLine], panic: Panic) -> tuple[int, int] | None:
    """Where in ``lines`` a panic stands, from and up to; None when it is not there.

    Its line numbers are tried both ways, for they depend on how the log was read.
    """
    head = clean(panic.log).strip().partition("\n")[0].strip()
    if not head:
        return None
    for first, last in (
        ([x.number for x in lines], [x.number for x in lines]),
        ([x.as_text[0] for x in lines], [x.as_text[-1] for x in lines]),
    ):
        start = bisect_right(first, panic.first_line) - 1
        if 0 <= start < len(lines) and head in clean(lines[start].text):
            return start, max(start + 1, min(len(lines), bisect_left(last, panic.last_line) + 1))
    return None


def log(panic: Panic) -> list[str]:
    """The lines a panic was read from, without the empty ones of a console that ends its lines twice."""
    lines = clean(panic.log).rstrip().split("\n") if panic.log.strip() else []
    if sum(not line.strip() for line in lines) * 3 > len(lines):
        lines = [line for line in lines if line.strip()]
    return lines


def fault(panic: Panic) -> str:
    """The address of a fault and what it looks like; empty when there is none."""
    if panic.fault_address and panic.fault_suggests:
        return one_line(f"{panic.fault_address} ({panic.fault_suggests})")
    return one_line(panic.fault_address or panic.fault_suggests)


def quoted(path: object) -> str:
    """A path as a shell takes it."""
    return shlex.quote(str(path))
