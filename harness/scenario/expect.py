"""The language of ``expect``: an expression over what was measured, and a condition on it.

    gold.rate / bronze.rate: 2 +- 2%
    jain(a.rate, b.rate): ">= 0.98"
    gold.delay.p99: < 200ms
    gold.rate[2s..4s]: 5Mbit/s +- 100kbit/s
    router.pipe.1.queue.max: 1..50

Left side::

    sum     := product (("+" | "-") product)*
    product := unary (("*" | "/") unary)*
    unary   := "-" unary | "(" sum ")" | FUNCTION "(" sum ("," sum)* ")" | METRIC | NUMBER [UNIT]

Right side::

    ("<" | "<=" | ">" | ">=" | "==" | "!=") sum  |  sum "+-" sum  |  sum ".." sum  |  sum

Functions: jain, min, max, sum, mean, abs.  Every expression has a dimension (data, time, packets) which
is known before anything runs, so that a rate is never compared with milliseconds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.panic import Kind, Panic
from harness.scenario import quantity as q
from harness.scenario.quantity import Dims, Quantity
from harness.scenario.words import listed, nearest, quoted

VERDICTS = ("pass", "fail", "panic", "hang", "error")

FLOW_METRICS: Mapping[str, str] = {
    "rate": "bit/s", "sent": "packets", "received": "packets", "lost": "packets", "loss": "ratio",
    "duplicates": "packets", "reordered": "packets", "errors": "packets", "bytes": "bytes", "late": "s",
    "delay.min": "s", "delay.mean": "s", "delay.p50": "s", "delay.p90": "s", "delay.p95": "s",
    "delay.p99": "s", "delay.p999": "s", "delay.max": "s", "delay.std": "s", "delay.jitter": "s",
}  # fmt: skip
"""Metric of a flow -> unit.  ``errors`` may be followed by the name of one: errors.ENOBUFS."""

HOST_METRICS: Mapping[str, Mapping[str, str]] = {
    "rule": {"packets": "packets", "bytes": "bytes"},
    "pipe": {
        "packets": "packets", "bytes": "bytes", "drops": "packets", "queue.max": "packets",
        "queue.mean": "packets", "queue.bytes.max": "bytes", "queue.bytes.mean": "bytes",
    },
    "if": {
        "ipackets": "packets", "opackets": "packets", "ierrors": "packets", "oerrors": "packets",
        "ibytes": "bytes", "obytes": "bytes", "idrops": "packets", "odrops": "packets",
        "collisions": "packets",
    },
    "sysctl": {},
}  # fmt: skip
"""Kind of thing in a host -> its metrics -> unit.  queue and sched are as pipe; a sysctl is one number."""

_AS_PIPE = ("pipe", "queue", "sched")
_MAX_LENGTH, _MAX_TOKENS, _MAX_DEPTH = 1000, 200, 30


class ExpressionError(ValueError):
    """What is wrong with an expression, and where: ``offset`` counts characters of its text from 0."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


class ExpectationResult(BaseModel):
    """One line of ``expect``: its text as written, what was measured, whether it holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str
    condition: str
    measured: float | str | None = Field(description="None: there was nothing to measure")
    unit: str = Field(default="", description="bit/s, s, ratio, packets, bytes or empty")
    holds: bool
    why: str = Field(default="", description="one sentence when it does not hold")


@dataclass(frozen=True)
class MetricPath:
    """One metric: ``gold.delay.p99`` is owner gold, kind flow, field delay.p99.

    ``kind`` is flow, rule, pipe, queue, sched, if or sysctl; ``name`` says which rule, pipe, interface or
    sysctl and is empty for a flow; ``window`` are seconds of the run, for ``rate`` alone.
    """

    text: str
    owner: str
    kind: str
    name: str
    field: str
    unit: str
    window: tuple[float, float] | None = None


# --- tree ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Number:
    value: float  # in the base unit of dims (rates: bytes/s)
    dims: Dims
    bare: bool  # written without a unit
    at: int


@dataclass(frozen=True)
class Metric:
    path: MetricPath
    at: int


@dataclass(frozen=True)
class Negative:
    of: Node
    at: int


@dataclass(frozen=True)
class Binary:
    op: str
    left: Node
    right: Node
    at: int


@dataclass(frozen=True)
class Call:
    name: str
    args: tuple[Node, ...]
    at: int


Node = Number | Metric | Negative | Binary | Call


@dataclass(frozen=True)
class Condition:
    """``op`` is a comparison, ``+-`` (centre a, tolerance b) or ``..`` (from a to b)."""

    op: str
    a: Node
    b: Node | None = None
    relative: bool = False


# --- tokens ----------------------------------------------------------------------------------------

_NUMBER = re.compile(r"\d{1,30}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_UNIT = re.compile(
    r"[ \t]*(" + "|".join(sorted((re.escape(w) for w in q.WORDS), key=len, reverse=True)) + r")(?![\w(/])",
    re.ASCII,
)
_PATH = re.compile(r'[A-Za-z_]\w*(?:\.(?:"[^"\n]*"|\w+))*', re.ASCII)
_SIGN = re.compile(r"\+-|±|\.\.|<=|>=|==|!=|[-+*/(),\[\]<>=]")
_SPACE = re.compile(r"[ \t\n]+")


@dataclass(frozen=True)
class _Token:
    kind: Literal["number", "path", "sign", "end"]
    text: str
    at: int
    value: float = 0.0
    dims: Dims = q.PLAIN
    bare: bool = True


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        if m := _SPACE.match(text, at):
            at = m.end()
            continue
        start = at
        if m := _NUMBER.match(text, at):
            value, at = float(m[0]), m.end()
            unit = _UNIT.match(text, at)
            if unit:
                at = unit.end()
                factor, dims = q.WORDS[unit[1]]
                value = q.scaled(value, factor) / (8 if dims == q.RATE else 1)
                yield _Token("number", text[start:at], start, value, dims, bare=False)
            elif m2 := re.compile(r"[A-Za-z_%µ][\w/%]*").match(text, at):
                raise ExpressionError(f"unknown unit {quoted(m2[0])}{nearest(m2[0], q.WORDS)}", at)
            else:
                yield _Token("number", m[0], start, value)
            if value > q.LARGEST:
                raise ExpressionError(f"{quoted(text[start:at])} is too large", start)
            continue
        for kind, pattern in (("path", _PATH), ("sign", _SIGN)):
            if m := pattern.match(text, at):
                at = m.end()
                yield _Token("path" if kind == "path" else "sign", "+-" if m[0] == "±" else m[0], start)
                break
        else:
            raise ExpressionError(f"{quoted(text[at])} means nothing here", at)
    yield _Token("end", "", len(text))


# --- parser ----------------------------------------------------------------------------------------

FUNCTIONS = ("jain", "min", "max", "sum", "mean", "abs")
_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=", "=")


class _Parser:
    def __init__(self, text: str) -> None:
        if len(text) > _MAX_LENGTH:
            raise ExpressionError(f"an expression of {len(text)} characters (at most {_MAX_LENGTH})")
        self.text = text
        self.tokens: list[_Token] = []
        for token in _tokens(text):
            self.tokens.append(token)
            if len(self.tokens) > _MAX_TOKENS:
                raise ExpressionError("an expression that is too long", token.at)
        self.next = 0
        self.depth = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.next]

    def take(self, *signs: str) -> _Token | None:
        token = self.token
        if token.kind == "sign" and token.text in signs:
            self.next += 1
            return token
        return None

    def need(self, sign: str) -> None:
        if not self.take(sign):
            raise self.unexpected(f"wanted '{sign}'")

    def unexpected(self, wanted: str) -> ExpressionError:
        token = self.token
        what = quoted(token.text) if token.kind != "end" else "the end"
        return ExpressionError(f"{what} where it makes no sense, {wanted}", token.at)

    def end(self) -> None:
        if self.token.kind != "end":
            raise self.unexpected("wanted an operator (+ - * /) or the end")

    def sum(self) -> Node:
        left = self.product()
        while sign := self.take("+", "-"):
            left = Binary(sign.text, left, self.product(), sign.at)
        return left

    def product(self) -> Node:
        left = self.unary()
        while sign := self.take("*", "/"):
            left = Binary(sign.text, left, self.unary(), sign.at)
        return left

    def unary(self) -> Node:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise ExpressionError("an expression that is nested too deeply", self.token.at)
        try:
            return self._unary()
        finally:
            self.depth -= 1

    def _unary(self) -> Node:
        token = self.token
        if sign := self.take("-"):
            return Negative(self.unary(), sign.at)
        if self.take("("):
            inside = self.sum()
            self.need(")")
            return inside
        if token.kind == "number":
            self.next += 1
            return Number(token.value, token.dims, token.bare, token.at)
        if token.kind == "path":
            self.next += 1
            if self.take("("):
                return self.call(token)
            return Metric(self.metric(token), token.at)
        raise self.unexpected("wanted a metric (gold.rate), a number or a function")

    def call(self, name: _Token) -> Node:
        if name.text not in FUNCTIONS:
            raise ExpressionError(
                f"unknown function {quoted(name.text)}{nearest(name.text, FUNCTIONS)}", name.at
            )
        args = [self.sum()]
        while self.take(","):
            args.append(self.sum())
        self.need(")")
        if name.text == "abs" and len(args) != 1:
            raise ExpressionError("abs takes one argument", name.at)
        return Call(name.text, tuple(args), name.at)

    def metric(self, token: _Token) -> MetricPath:
        owner, kind, name, field_, unit = _metric(token.text, token.at)
        window = None
        text = token.text
        if self.take("["):
            start, end = self.moment(), None
            self.need("..")
            end = self.moment()
            self.need("]")
            if start >= end:
                raise ExpressionError(f"the window of {token.text} ends before it begins", token.at)
            if (kind, field_) != ("flow", "rate"):
                raise ExpressionError(
                    f"only a rate can be had over a window, not {quoted(token.text)}", token.at
                )
            window = (start, end)
            text = f"{text}[{q.exact(start, 's')}..{q.exact(end, 's')}]"
        return MetricPath(text, owner, kind, name, field_, unit, window)

    def moment(self) -> float:
        token = self.token
        if token.kind != "number" or (token.dims != q.TIME and token.value != 0):
            raise self.unexpected("wanted a time (2s)")
        self.next += 1
        return token.value


def _parts(path: str) -> list[tuple[str, int]]:
    return [(m[1] if m[1] is not None else m[2], m.start()) for m in re.finditer(r'"([^"]*)"|([^."]+)', path)]


def _metric(path: str, at: int) -> tuple[str, str, str, str, str]:
    parts = _parts(path)
    owner = parts[0][0]
    if len(parts) == 1:
        raise ExpressionError(f"{quoted(owner)} is no metric; write for example {owner[:30]}.rate", at)
    word, place = parts[1]
    place += at
    if word in ("rule", *_AS_PIPE):
        if len(parts) < 4 or not parts[2][0].isdigit() or len(parts[2][0]) > 5:
            raise ExpressionError(
                f"{quoted(path)} is no metric; write for example {owner[:30]}.{word}.100.packets", place
            )
        name, rest = parts[2][0], parts[3:]
        known = HOST_METRICS["pipe" if word in _AS_PIPE else word]
    elif word == "if":
        if len(parts) < 4:
            raise ExpressionError(
                f"{quoted(path)} is no metric; write for example {owner[:30]}.if.lan.opackets", place
            )
        name, rest, known = parts[2][0], parts[3:], HOST_METRICS["if"]
    elif word == "sysctl":
        name = ".".join(p for p, _ in parts[2:])
        if not re.fullmatch(r"[A-Za-z_][\w.%-]*", name, re.ASCII):
            raise ExpressionError(
                f'{quoted(path)} names no sysctl; write {owner[:30]}.sysctl."net.x.y"', place
            )
        return owner, "sysctl", name, "", ""
    else:
        name, rest, known = "", parts[1:], FLOW_METRICS
    field_ = ".".join(p for p, _ in rest)
    kind = word if name else "flow"
    if (
        kind == "flow"
        and len(rest) == 2
        and rest[0][0] == "errors"
        and re.fullmatch(r"[A-Z][A-Z0-9]+", rest[1][0])
    ):
        return owner, "flow", "", field_, "packets"
    if field_ not in known:
        if kind == "flow":
            known = {**known, **dict.fromkeys(("rule.", "pipe.", "queue.", "sched.", "if.", "sysctl."), "")}
        if field_ == "delay":
            raise ExpressionError(
                f"which delay? {listed((k for k in known if k.startswith('delay.')), 10)}", rest[0][1] + at
            )
        close = nearest(field_, [k for k in known if not k.endswith(".")])
        close = close or f" (known: {listed((k for k in known if not k.endswith('.')), 20)})"
        raise ExpressionError(f"unknown metric {quoted(field_)}{close}", rest[0][1] + at)
    return owner, kind, name, field_, known[field_]


def parse_expression(text: str) -> Node:
    """The tree of a left side, its dimensions checked.  Raises ExpressionError."""
    parser = _Parser(text)
    node = parser.sum()
    token = parser.token
    if token.kind == "sign" and token.text in (*_COMPARISONS, "+-", ".."):
        raise ExpressionError(f"'{token.text}' belongs to the condition, behind the colon", token.at)
    parser.end()
    dims(node)
    return node


def parse_condition(text: str, left: Node) -> Condition:
    """The condition on ``left``, its dimensions checked against it.  Raises ExpressionError."""
    parser = _Parser(text)
    if sign := parser.take(*_COMPARISONS):
        condition = Condition("==" if sign.text == "=" else sign.text, parser.sum())
    else:
        a = parser.sum()
        if parser.take("+-"):
            token = parser.token
            b = parser.sum()
            relative = isinstance(b, Number) and token.text.endswith("%")
            condition = Condition("+-", a, b, relative)
        elif parser.take(".."):
            condition = Condition("..", a, parser.sum())
        else:
            condition = Condition("==", a)
    if parser.token.kind != "end":
        raise parser.unexpected("wanted the end of the condition")
    want = dims(left)
    for side in (condition.a, condition.b):
        if side is None or (condition.relative and side is condition.b):
            continue
        have = dims(side)
        if not _fits(left, want, side, have):
            what = f"{_called(have)} where {_called(want)} is wanted"
            if have == q.PLAIN and want != q.PLAIN:
                what = f"a number without a unit where {_called(want)} is wanted"
            raise ExpressionError(what, side.at)
    _possible(condition, left)
    return condition


# --- dimensions ------------------------------------------------------------------------------------


def _called(of: Dims) -> str:
    return q.CALLED.get(of, "something without a unit of its own")


def _fits(a: Node, a_dims: Dims, b: Node, b_dims: Dims) -> bool:
    """May a and b be added and compared?  A bare number fits what is counted, and 0 fits all."""
    if a_dims == b_dims:
        return True
    for node, other in ((a, b_dims), (b, a_dims)):
        plain = _bare(node)
        if plain is not None and (plain == 0 or other in (q.PACKETS, q.DATA)):
            return True
    return False


def _bare(node: Node) -> float | None:
    """The value of a bare number (with its sign), else None."""
    if isinstance(node, Number) and node.bare:
        return node.value
    if isinstance(node, Negative):
        inside = _bare(node.of)
        return None if inside is None else -inside
    return None


def dims(node: Node) -> Dims:
    """The dimension of an expression, ratios and plain numbers being (0, 0, 0).

    Raises ExpressionError for a sum or comparison of unlike things, or a result that no unit measures.
    """
    found = _dims(node)
    if found not in q.UNIT:
        raise ExpressionError(
            "this comes to something that has no unit; compare rates, times, sizes, counts or ratios", node.at
        )
    return found


def _dims(node: Node) -> Dims:
    if isinstance(node, Number):
        return node.dims
    if isinstance(node, Metric):
        return q.DIMS[node.path.unit]
    if isinstance(node, Negative):
        return _dims(node.of)
    if isinstance(node, Binary):
        left, right = _dims(node.left), _dims(node.right)
        if node.op in "+-":
            if not _fits(node.left, left, node.right, right):
                raise ExpressionError(f"{_called(left)} {node.op} {_called(right)} makes no sense", node.at)
            return right if _bare(node.left) is not None else left
        sign = 1 if node.op == "*" else -1
        return (left[0] + sign * right[0], left[1] + sign * right[1], left[2] + sign * right[2])
    kinds = [_dims(a) for a in node.args]
    first = next((k for a, k in zip(node.args, kinds, strict=True) if _bare(a) is None), kinds[0])
    lead = next((a for a in node.args if _bare(a) is None), node.args[0])
    for arg, kind in zip(node.args, kinds, strict=True):
        if not _fits(lead, first, arg, kind):
            raise ExpressionError(
                f"{node.name}() of {_called(first)} and {_called(kind)} makes no sense", arg.at
            )
    return q.PLAIN if node.name == "jain" else first


def metrics(node: Node) -> Iterator[Metric]:
    """All metrics of an expression."""
    if isinstance(node, Metric):
        yield node
    elif isinstance(node, Negative):
        yield from metrics(node.of)
    elif isinstance(node, Binary):
        yield from metrics(node.left)
        yield from metrics(node.right)
    elif isinstance(node, Call):
        for arg in node.args:
            yield from metrics(arg)


def _bounds(node: Node) -> tuple[float, float]:
    """Between what an expression must lie whatever is measured, in base units."""
    if isinstance(node, Metric):
        if node.path.kind == "sysctl":
            return -math.inf, math.inf
        return 0.0, 1.0 if node.path.field == "loss" else math.inf
    if isinstance(node, Number):
        return node.value, node.value
    if isinstance(node, Negative):
        low, high = _bounds(node.of)
        return -high, -low
    if isinstance(node, Call):
        if node.name == "jain":
            return 0.0, 1.0
        inside = [_bounds(a) for a in node.args]
        if node.name == "abs":
            return 0.0, math.inf
        if min(low for low, _ in inside) >= 0:
            return 0.0, math.inf
        return -math.inf, math.inf
    low = min(_bounds(node.left)[0], _bounds(node.right)[0])
    return (0.0, math.inf) if low >= 0 and node.op != "-" else (-math.inf, math.inf)


def _possible(c: Condition, left: Node) -> None:
    """Raises ExpressionError for a range that is empty and a condition that nothing measured can meet."""
    constant = not any(True for side in (c.a, c.b) if side is not None for _ in metrics(side))
    if not constant:
        return
    nothing: Callable[[MetricPath], Quantity | None] = lambda _path: None  # noqa: E731
    a = _value(c.a, nothing)
    b = _value(c.b, nothing) if c.b is not None else None
    if a is None or (c.b is not None and b is None):
        raise ExpressionError("this divides by zero", c.a.at)
    low, high = _bounds(left)
    if c.op == "..":
        assert b is not None
        if a > b:
            raise ExpressionError("this range is empty: it ends below where it begins", c.a.at)
        never = b < low or a > high
    elif c.op == "+-":
        assert b is not None
        assert c.b is not None
        if b < 0:
            raise ExpressionError("a tolerance cannot be negative", c.b.at)
        width = abs(a) * b if c.relative else b
        never = a + width < low or a - width > high
    else:
        never = {
            "<": a <= low, "<=": a < low, ">": a >= high, ">=": a > high, "!=": False,
            "==": not low <= a <= high,
        }[c.op]  # fmt: skip
    if never:
        reach = f"between {low:g} and {high:g}" if high < math.inf else f"never below {low:g}"
        raise ExpressionError(f"this can never hold: what is measured is {reach}", c.a.at)


# --- values ----------------------------------------------------------------------------------------

Resolve = Callable[[MetricPath], Quantity | None]


def _value(node: Node, resolve: Resolve) -> float | None:
    """The value in base units (rates: bytes/s); None where something was not measured or divides by zero."""
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Metric):
        found = resolve(node.path)
        if found is None or not math.isfinite(found.value):
            return None
        return found.value / 8 if node.path.unit == "bit/s" else found.value
    if isinstance(node, Negative):
        inside = _value(node.of, resolve)
        return None if inside is None else -inside
    if isinstance(node, Binary):
        left, right = _value(node.left, resolve), _value(node.right, resolve)
        if left is None or right is None or (node.op == "/" and right == 0):
            return None
        result = {"+": left + right, "-": left - right, "*": left * right}.get(node.op)
        return left / right if result is None else result
    values = [_value(a, resolve) for a in node.args]
    known = [v for v in values if v is not None]
    return _apply(node.name, known) if len(known) == len(values) else None


def _apply(name: str, values: Sequence[float]) -> float | None:
    match name:
        case "min":
            return min(values)
        case "max":
            return max(values)
        case "abs":
            return abs(values[0])
        case "jain":
            squares = math.fsum(v * v for v in values)
            return math.fsum(values) ** 2 / (len(values) * squares) if squares else None
    total = math.fsum(values)
    return total / len(values) if name == "mean" else total


def measure(tree: Node, resolve: Resolve) -> float | None:
    """What the expression came to, in ``unit_of`` it; None where something was not measured."""
    value = _value(tree, resolve)
    return None if value is None or not math.isfinite(value) else _base(value, unit_of(tree))


def unit_of(node: Node) -> str:
    """The unit of an expression: bit/s, s, ratio, packets, bytes or empty."""
    if isinstance(node, Metric):
        return node.path.unit
    found = dims(node)
    return "ratio" if found == q.PLAIN else q.UNIT[found]


def _base(value: float, unit: str) -> float:
    """From an expression's inner value to one in ``unit``."""
    return value * 8 if unit == "bit/s" else value


# --- expectations ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Expectation:
    """One line about what was measured: both texts as written, and their trees."""

    metric: str
    condition: str
    left: Node = field(compare=False, repr=False)
    right: Condition = field(compare=False, repr=False)


@dataclass(frozen=True)
class TextExpectation:
    """One line about what the kernel said: ``metric`` is console or panic.message, .function and so on.

    A ``pattern`` between slashes is a regular expression, anything else is looked for as it stands.
    """

    metric: str
    condition: str
    negated: bool = False
    pattern: re.Pattern[str] | None = field(default=None, compare=False)
    words: tuple[str, ...] = ()


PANIC_KEYS = (
    "panic.message",
    "panic.function",
    "panic.signature",
    "panic.kind",
    "panic.cycle",
    "panic.point",
)
SPECIAL = ("verdict", "reports", "console", *PANIC_KEYS)
_REGEX = re.compile(r"^/(.*)/(i?)$", re.DOTALL)


def parse_text(key: str, text: str | Sequence[str]) -> TextExpectation:
    """A line of ``console`` or ``panic.*``.  Raises ExpressionError."""
    if not isinstance(text, str):
        if not text:
            raise ExpressionError("an empty list")
        return TextExpectation(key, "[" + ", ".join(text) + "]", words=tuple(text))
    wanted = text.strip()
    offset = len(text) - len(text.lstrip())
    negated = wanted.startswith("not ")
    if negated:
        offset += len(wanted) - len(wanted[4:].lstrip())
        wanted = wanted[4:].strip()
    if not wanted or wanted == "/":
        raise ExpressionError("an empty text", offset)
    if len(wanted) > _MAX_LENGTH:
        raise ExpressionError(f"a text of {len(wanted)} characters (at most {_MAX_LENGTH})", offset)
    found = _REGEX.match(wanted)
    if not found:
        if key == "panic.kind" and wanted not in [str(k) for k in Kind]:
            raise ExpressionError(
                f"unknown kind of panic {quoted(wanted)}{nearest(wanted, [str(k) for k in Kind])}", offset
            )
        return TextExpectation(key, text, negated, None, (wanted,))
    try:
        pattern = re.compile(found[1], re.MULTILINE | (re.IGNORECASE if found[2] else 0))
    except (re.error, RecursionError, OverflowError) as e:
        at = getattr(e, "pos", None) or 0
        raise ExpressionError(f"not a regular expression: {getattr(e, 'msg', e)}", offset + 1 + at) from None
    return TextExpectation(key, text, negated, pattern)


def parse_expectation(left: str, right: str) -> Expectation:
    """One line about a metric, both sides parsed and checked.  Raises ExpressionError."""
    tree = parse_expression(left)
    return Expectation(left, right, tree, parse_condition(right, tree))


def evaluate(expectation: Expectation, resolve: Resolve) -> ExpectationResult:
    """Does it hold?  ``resolve`` gives a metric's value in its unit, None for what was not measured."""
    left, c = expectation.left, expectation.right
    unit = unit_of(left)

    def result(measured: float | None, holds: bool, why: str = "") -> ExpectationResult:
        return ExpectationResult(
            metric=expectation.metric, condition=expectation.condition, measured=measured, unit=unit,
            holds=holds, why=why,
        )  # fmt: skip

    values: list[float] = []
    for side in (left, c.a, c.b):
        if side is None:
            continue
        value = _value(side, resolve)
        if value is None or not math.isfinite(value):
            missing = [m.path.text for m in metrics(side) if _value(m, resolve) is None]
            if missing:
                return result(None, False, f"nothing was measured for {', '.join(dict.fromkeys(missing))}")
            return result(None, False, f"{expectation.metric} divides by zero")
        values.append(_base(value, unit) if not (side is c.b and c.relative) else value)
    x, a = values[0], values[1]
    if c.op == "+-":
        width = abs(a) * values[2] if c.relative else values[2]
        low, high = a - width, a + width
        holds = (
            low <= x <= high or math.isclose(x, low, rel_tol=1e-12) or math.isclose(x, high, rel_tol=1e-12)
        )
        wanted = f"between {q.shown(low, unit)} and {q.shown(high, unit)}"
    elif c.op == "..":
        holds = a <= x <= values[2]
        wanted = f"between {q.shown(a, unit)} and {q.shown(values[2], unit)}"
    else:
        same = math.isclose(x, a, rel_tol=1e-12)
        holds = {
            "<": x < a,
            "<=": x <= a or same,
            ">": x > a,
            ">=": x >= a or same,
            "==": same,
            "!=": not same,
        }[c.op]
        wanted = f"{c.op} {q.shown(a, unit)}" if c.op != "==" else q.shown(a, unit)
    why = "" if holds else f"{expectation.metric} is {q.shown(x, unit)}, wanted {wanted}"
    return result(x, holds, why)


def evaluate_text(
    expectation: TextExpectation, console: str, panic: Panic | None = None
) -> ExpectationResult:
    """Does a line about the console or the panic hold?"""
    key = expectation.metric
    if key == "console":
        said: list[str] = [console]
    elif panic is None:
        return ExpectationResult(
            metric=key,
            condition=expectation.condition,
            measured=None,
            holds=False,
            why="there was no panic to look at",
        )
    else:
        said = {
            "panic.message": [panic.message],
            "panic.function": [panic.culprit],
            "panic.signature": [panic.signature, panic.name],
            "panic.kind": [str(panic.kind)],
            "panic.cycle": list(panic.cycle),
            "panic.point": list(panic.points),
        }[key]
    exact = key not in ("console", "panic.message")
    if expectation.pattern is not None:
        met = any(expectation.pattern.search(s) for s in said)
    elif key == "panic.cycle":
        met = _in_cycle(expectation.words, said)
    elif exact:
        met = any(word in said for word in expectation.words)
    else:
        met = any(word in s for word in expectation.words for s in said)
    holds = met != expectation.negated
    measured = (
        None if key == "console" else (" -> ".join(said) if key == "panic.cycle" else (said or [""])[0])
    )
    why = ""
    if not holds and key == "console":
        looked_for = expectation.condition.removeprefix("not ").strip()
        why = f"the console {'says' if met else 'never says'} {looked_for}"
    elif not holds:
        why = f"{key} is {measured or 'not known'}, wanted {expectation.condition}"
    return ExpectationResult(
        metric=key, condition=expectation.condition, measured=measured, holds=holds, why=why
    )


def _in_cycle(wanted: Sequence[str], cycle: Sequence[str]) -> bool:
    """Do the wanted functions follow one another in the cycle, wherever it starts, others between or not?"""
    if not cycle:
        return not wanted
    for start in range(len(cycle)):
        turn = iter([*cycle[start:], *cycle[:start]])
        if all(any(w == f for f in turn) for w in wanted):
            return True
    return False
