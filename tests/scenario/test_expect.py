
"""Expectations: their values are those of Python's arithmetic, their dimensions those of physics."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.panic import Kind, Panic
from harness.scenario.expect import (
    FUNCTIONS,
    ExpressionError,
    MetricPath,
    evaluate,
    evaluate_text,
    parse_expectation,
    parse_expression,
    parse_text,
)
from harness.scenario.quantity import Quantity

VALUES = {
    "gold.rate": 6e6, "bronze.rate": 3e6, "gold.delay.p99": 0.15, "gold.delay.p50": 0.02, "gold.loss": 0.25,
    "gold.sent": 1000.0, "gold.received": 750.0, "gold.lost": 250.0, "gold.bytes": 750_000.0,
    "router.pipe.1.drops": 250.0, "router.rule.100.packets": 2000.0, "router.if.lan.opackets": 1000.0,
    'router.sysctl."net.x"': 7.0, "gold.rate[1s..2s]": 5e6, "gold.errors.ENOBUFS": 3.0, "empty.rate": 0.0,
}  # fmt: skip


def resolve(path: MetricPath) -> Quantity | None:
    value = VALUES.get(path.text)
    return None if value is None else Quantity(value, path.unit)


def holds(metric: str, condition: str) -> bool:
    return evaluate(parse_expectation(metric, condition), resolve).holds


TRUE = [
    ("gold.rate / bronze.rate", "2 +- 2%"),
    ("gold.rate / bronze.rate", "2"),
    ("gold.rate - bronze.rate", "3Mbit/s"),
    ("gold.rate + bronze.rate", "9Mbit/s +- 1kbit/s"),
    ("gold.rate * 2", "12 Mbit/s"),
    ("2 * gold.rate - 3 * bronze.rate", "3Mbit/s"),
    ("gold.rate - bronze.rate - bronze.rate", "0"),
    ("gold.rate / bronze.rate / 2", "1"),
    ("(gold.rate + bronze.rate) / 3", "> 2.9Mbit/s"),
    ("gold.rate", "750KByte/s"),
    ("gold.rate", "5.9Mbit/s..6.1Mbit/s"),
    ("gold.rate", "> bronze.rate"),
    ("gold.rate", "== 2 * bronze.rate"),
    ("gold.rate[1s..2s]", "5Mbit/s"),
    ("gold.rate[1000ms..2s]", "= 5Mbit/s"),
    ("gold.delay.p99", "< 200ms"),
    ("gold.delay.p99", "150ms"),
    ("gold.delay.p99 - gold.delay.p50", "130ms +- 1us"),
    ("gold.loss", "25%"),
    ("gold.loss", "20%..0.3"),
    ("gold.lost", "!= 0"),
    ("gold.sent - gold.received", "250"),
    ("gold.sent - gold.received", "250 packets"),
    ("gold.lost + 50", "300"),
    ("gold.bytes", "> 700000"),
    ("gold.errors.ENOBUFS", "<= 3"),
    ("router.rule.100.packets / router.if.lan.opackets", "2"),
    ("router.sysctl.net.x", "7"),
    ('router.sysctl."net.x"', "6..8"),
    ("jain(gold.rate, bronze.rate)", "0.9 +- 0.0001"),
    ("min(gold.rate, bronze.rate)", "3Mbit/s"),
    ("max(gold.rate, bronze.rate, 7Mbit/s)", "7Mbit/s"),
    ("mean(gold.rate, bronze.rate)", "4.5Mbit/s"),
    ("sum(gold.rate, bronze.rate)", "9Mbit/s"),
    ("abs(bronze.rate - gold.rate)", "3Mbit/s"),
    ("-gold.rate + gold.rate", "0"),
    ("gold.bytes / 1s", "6Mbit/s"),
    ("gold.rate * 1s", "750000B"),
    ("gold.received / 1s", "750pps"),
    ("gold.rate", "±1Mbit/s".replace("±", "6Mbit/s ± ")),
]  # fmt: skip


@pytest.mark.parametrize(("metric", "condition"), TRUE)
def test_holds(metric: str, condition: str) -> None:
    metric = metric.replace("sysctl.net.x", 'sysctl."net.x"')
    result = evaluate(parse_expectation(metric, condition), resolve)
    assert result.holds, result
    assert result.why == ""
    assert (result.metric, result.condition) == (metric, condition)


FALSE = [
    ("gold.rate", "< 6Mbit/s", "gold.rate is 6 Mbit/s, wanted < 6 Mbit/s"),
    ("gold.rate", "!= 6Mbit/s", "gold.rate is 6 Mbit/s, wanted != 6 Mbit/s"),
    ("gold.rate / bronze.rate", "3 +- 2%", "gold.rate / bronze.rate is 2, wanted between 2.94 and 3.06"),
    ("gold.delay.p99", "1ms..5ms", "gold.delay.p99 is 150 ms, wanted between 1 ms and 5 ms"),
    ("gold.lost", "0", "gold.lost is 250 packets, wanted 0 packets"),
    ("nobody.rate", "> 0", "nothing was measured for nobody.rate"),
    ("gold.rate", "> nobody.rate", "nothing was measured for nobody.rate"),
    ("gold.rate / empty.rate", "1", "gold.rate / empty.rate divides by zero"),
    ("jain(empty.rate, empty.rate)", "1", "jain(empty.rate, empty.rate) divides by zero"),
]


@pytest.mark.parametrize(("metric", "condition", "why"), FALSE)
def test_does_not_hold(metric: str, condition: str, why: str) -> None:
    result = evaluate(parse_expectation(metric, condition), resolve)
    assert not result.holds
    assert result.why == why


WRONG = [
    ("gold.rate", "200ms", "a time where a rate is wanted", 0),
    ("gold.rate", "5", "a number without a unit where a rate is wanted", 0),
    ("gold.rate + gold.delay.p50", "0", "a rate + a time makes no sense", 10),
    ("gold.rate + 1", "0", "a rate + a plain number makes no sense", 10),
    ("jain(gold.rate, gold.loss)", "1", "jain() of a rate and a plain number makes no sense", 16),
    ("gold.rate * bronze.rate", "0", "this comes to something that has no unit", 10),
    ("gold.rate +", "0", "the end where it makes no sense", 11),
    ("(gold.rate", "0", "the end where it makes no sense, wanted ')'", 10),
    ("gold.rate)", "0", "')' where it makes no sense", 9),
    ("gold rate", "0", "'gold' is no metric", 0),
    ("gold.rate rate", "0", "'rate' where it makes no sense", 10),
    ("gold.rate < 5", "0", "'<' belongs to the condition, behind the colon", 10),
    ("jian(gold.rate)", "1", "unknown function 'jian' (did you mean 'jain'?)", 0),
    ("abs(gold.rate, gold.rate)", "0", "abs takes one argument", 0),
    ("gold.delay", "0", "which delay? delay.min", 5),
    ("gold.delay.p98", "0", "unknown metric 'delay.p98' (did you mean 'delay.p9", 5),
    ("gold.delay.p50[1s..2s]", "0", "only a rate can be had over a window", 0),
    ("gold.rate[1..2s]", "0", "'1' where it makes no sense, wanted a time (2s)", 10),
    (
        "router.pipe.drops",
        "0",
        "'router.pipe.drops' is no metric; write for example router.pipe.100.packets",
        7,
    ),
    ("router.pipe.1.drop", "0", "unknown metric 'drop' (did you mean 'drops'?)", 14),
    ("gold.rate", "10Mbits", "unknown unit 'Mbits' (did you mean 'Mbit/s'?)", 2),
    ("gold.rate", "< ", "the end where it makes no sense", 2),
    ("gold.rate", "1Mbit/s 2Mbit/s", "'2Mbit/s' where it makes no sense, wanted the end of the condition", 8),
    ("gold.rate", "$5", "'$' means nothing here", 0),
    ("gold.rate", "1e300bit/s", "'1e300bit/s' is too large", 0),
    ("gold.rate", "1 / 0", "a number without a unit", 2),
    ("gold.loss", "1 / 0", "this divides by zero", 2),
    ("gold.loss", "> 100%", "this can never hold: what is measured is between 0 and 1", 2),
    ("gold.loss", "1.1..2", "this can never hold", 0),
    ("jain(gold.rate)", "> 1", "this can never hold", 2),
    ("gold.rate", "< 0", "this can never hold: what is measured is never below 0", 2),
    ("gold.rate", "5Mbit/s..1Mbit/s", "this range is empty", 0),
    ("gold.rate", "5Mbit/s +- -1kbit/s", "a tolerance cannot be negative", 11),
    ("+".join(["1"] * 150), "0", "an expression that is too long", 0),
    ("(" * 40 + "gold.rate" + ")" * 40, "0", "an expression that is nested too deeply", 30),
    ("gold.rate", "x" * 2000, "an expression of 2000 characters", 0),
]


@pytest.mark.parametrize(
    ("metric", "condition", "message", "offset"), WRONG, ids=[f"{a[:20]}|{b[:20]}" for a, b, *_ in WRONG]
)
def test_wrong(metric: str, condition: str, message: str, offset: int) -> None:
    with pytest.raises(ExpressionError) as e:
        parse_expectation(metric, condition)
    assert str(e.value).startswith(message)
    if len(metric) < 100:
        assert e.value.offset == offset


NUMBERS = st.integers(1, 1000).map(str)
METRICS = st.sampled_from(["gold.loss", 'router.sysctl."net.x"', "gold.rate / bronze.rate"])
EXPRESSIONS = st.recursive(
    NUMBERS | METRICS.map(lambda m: f"({m})" if "/" in m else m),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"{t[0]}{t[1]} {t[2]}"),
        inner.map(lambda i: f"-{i}"),
        st.tuples(st.sampled_from([f for f in FUNCTIONS if f not in ("abs", "jain")]), inner, inner).map(
            lambda t: f"{t[0]}({t[1]}, {t[2]})"
        ),
        inner.map(lambda i: f"abs({i})"),
    ),
    max_leaves=12,
)


def _python(text: str) -> float | None:
    for metric in sorted(VALUES, key=len, reverse=True):
        text = text.replace(metric, f"({VALUES[metric]!r})")
    names = {
        "sum": lambda *v: math.fsum(v), "mean": lambda *v: math.fsum(v) / len(v), "min": min, "max": max, "abs": abs,
        "__builtins__": {},
    }  # fmt: skip
    try:
        return float(eval(text, names))
    except (ZeroDivisionError, OverflowError):
        return None


@given(EXPRESSIONS)
def test_values_are_those_of_python(text: str) -> None:
    try:
        tree = parse_expression(text)
    except ExpressionError as e:
        assert "too long" in str(e) or "too deeply" in str(e)
        return
    del tree
    wanted = _python(text)
    got = evaluate(parse_expectation(text, "!= 123456.789"), resolve)
    if wanted is None or not math.isfinite(wanted):
        assert got.measured is None
    else:
        assert got.measured == pytest.approx(wanted, rel=1e-9, abs=1e-12)


@given(st.text(max_size=60) | st.text('gold.rate bronze()+-*/<>=.,[]0123456789smM%"', max_size=60))
def test_nothing_else_than_an_expression_error(text: str) -> None:
    for metric, condition in ((text, "0"), ("gold.rate", text)):
        try:
            parse_expectation(metric, condition)
        except ExpressionError as e:
            assert 0 <= e.offset <= max(len(text), len(metric))


PANIC = Panic(
    kind=Kind.DOUBLE_FAULT, message="double fault", normalized="double fault", signature="double-fault-ip_output-1a2b",
    culprit="ip_output", cycle=("ip_output", "pfil_run_hooks", "ipfw_check_packet"), points=("dummynet",),
)  # fmt: skip


@pytest.mark.parametrize(
    ("key", "text", "console", "panic", "expected"),
    [
        ("console", "/lock order reversal/", "x\nlock order reversal:\n", None, True),
        ("console", "not /lock order reversal/", "x\nlock order reversal:\n", None, False),
        ("console", "not /^Lock/i", "x\nlock order\n", None, False),
        ("console", "a+b", "a+b", None, True),
        ("panic.message", "/double .*t$/", "", PANIC, True),
        ("panic.message", "fault", "", PANIC, True),
        ("panic.message", "page fault", "", PANIC, False),
        ("panic.function", "ip_output", "", PANIC, True),
        ("panic.function", "ip_out", "", PANIC, False),
        ("panic.function", "/^ip_out/", "", PANIC, True),
        ("panic.kind", "double-fault", "", PANIC, True),
        ("panic.kind", "trap", "", PANIC, False),
        ("panic.signature", "double-fault-ip_output", "", PANIC, True),
        ("panic.signature", "double-fault-ip_output-1a2b", "", PANIC, True),
        ("panic.point", "dummynet", "", PANIC, True),
        ("panic.cycle", ("ip_output", "ipfw_check_packet"), "", PANIC, True),
        ("panic.cycle", ("ipfw_check_packet", "ip_output"), "", PANIC, True),
        ("panic.cycle", ("ether_output_frame",), "", PANIC, False),
        ("panic.message", "fault", "", None, False),
    ],
)
def test_text(key: str, text: str, console: str, panic: Panic | None, expected: bool) -> None:
    result = evaluate_text(parse_text(key, text), console, panic)
    assert result.holds is expected
    assert bool(result.why) is not expected


def test_text_wrong() -> None:
    with pytest.raises(ExpressionError, match="did you mean 'double-fault'") as e:
        parse_text("panic.kind", " double-falt")
    assert e.value.offset == 1
    with pytest.raises(ExpressionError, match="not a regular expression") as e:
        parse_text("console", "not /a(/")
    assert e.value.offset == 6
    with pytest.raises(ExpressionError, match="an empty text"):
        parse_text("console", "")
