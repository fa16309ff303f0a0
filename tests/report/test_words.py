"""Figures and names read as they should."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report import words
from harness.run.result import ExpectationResult, Verdict

from . import make


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1.0, "1.00"),
        (9.996, "10.0"),
        (99.96, "100"),
        (12.34, "12.3"),
        (999.6, "1000"),
        (-0.5, "-0.500"),
        (0.00123, "0.00123"),
        (1234.0, "1234"),
        (2.5e9, "2.5e+09"),
        (float("inf"), "inf"),
    ],
)
def test_three_digits(value: float, text: str) -> None:
    assert words.three(value) == text


@pytest.mark.parametrize(
    ("bits", "text"),
    [(None, "–"), (0, "0 bit/s"), (999.9, "1.00 kbit/s"), (9.98e6, "9.98 Mbit/s"), (1e10, "10.0 Gbit/s")],
)
def test_rate(bits: float | None, text: str) -> None:
    assert words.rate(bits) == text


@pytest.mark.parametrize(
    ("s", "text"),
    [
        (None, "–"),
        (0, "0 s"),
        (0.0201, "20.1 ms"),
        (0.9999, "1.00 s"),
        (3.2e-6, "3.20 µs"),
        (5e-9, "5.00 ns"),
        (70, "70.0 s"),
    ],
)
def test_seconds(s: float | None, text: str) -> None:
    assert words.seconds(s) == text


@pytest.mark.parametrize(
    ("s", "text"),
    [(0.84, "0.84 s"), (12.04, "12.0 s"), (59.99, "1 min 00 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")],
)
def test_duration(s: float, text: str) -> None:
    assert words.duration(s) == text


def test_a_small_loss_is_not_none() -> None:
    assert [words.share(x) for x in (None, 0.0, 1e-6, 0.0123, 1.0)] == [
        "–",
        "0 %",
        "<0.01 %",
        "1.23 %",
        "100 %",
    ]


@pytest.mark.parametrize(
    ("condition", "text"),
    [("< 20%", "5.06 %"), ("0.1 % .. 9 %", "5.06 %"), ("2 +- 2%", "0.05058"), ("0", "0.05058")],
)
def test_a_share_is_measured_as_it_was_asked_for(condition: str, text: str) -> None:
    e = ExpectationResult(metric="x.loss", condition=condition, measured=0.05058, unit="ratio", holds=True)
    assert words.measured(e) == text


def test_nothing_measured_is_said() -> None:
    e = ExpectationResult(metric="x.rate", condition="1", measured=None, unit="bit/s", holds=False)
    assert words.measured(e) == "nothing to measure"
    assert words.broken(e) == "x.rate: expected 1, measured nothing to measure"


def test_escapes_and_controls_go() -> None:
    assert words.clean("a\x1b[31mb\x1b]0;title\x07c\r\nd\x00") == "abc\nd\ufffd"
    assert words.clean("\u202egnp.exe") == "\ufffdgnp.exe"
    assert words.one_line("a\n  b\tc", 4) == "a b…"


@given(st.text())
def test_clean_text_obeys_nobody(text: str) -> None:
    out = words.clean(text)
    assert "\x1b" not in out and "\x9b" not in out and "\r" not in out
    assert out == words.clean(out)
    out.encode()


@given(st.floats())
def test_every_number_has_words(x: float) -> None:
    for say in (words.three, words.rate, words.seconds, words.size, words.share):
        assert say(x)


def test_outcome_says_what_was_declared() -> None:
    assert words.outcome(make.result()) == "pass"
    assert words.outcome(make.result(Verdict.PANIC, Verdict.PANIC)) == "panic, as declared"
    assert words.outcome(make.result(Verdict.PANIC)) == "panic, declared pass"
    assert words.outcome(make.result(Verdict.FAIL, Verdict.PANIC, as_expected=True)) == "fail, as allowed"
    assert words.outcome(make.result(Verdict.PANIC, Verdict.PANIC, as_expected=False)).startswith("panic, but not")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n"])
@pytest.mark.parametrize("carriage_returns_counted", [False, True])
def test_a_panic_is_found_on_the_console_however_its_lines_were_counted(end: str, carriage_returns_counted: bool) -> None:
    raw = make.console().replace("\r\n", end)
    counted = raw.replace("\r\n", "\n").replace("\r", "\n") if carriage_returns_counted else raw.replace("\r", "")
    numbers = [n for n, line in enumerate(counted.split("\n"), 1) if line.strip()]
    first = len(make.CONSOLE_BEFORE)
    p = make.panic(first_line=numbers[first], last_line=numbers[first + len(make.PANIC_LINES) - 1])
    lines = words.console_lines(raw)
    at = words.place(lines, p)
    assert at is not None
    assert [x.text.rstrip() for x in lines[at[0] : at[1]]] == [x.rstrip() for x in make.PANIC_LINES]


def test_a_panic_that_is_not_on_the_console() -> None:
    assert words.place(words.console_lines("a\nb\nc\n"), make.panic()) is None
    assert words.place([], make.panic()) is None
