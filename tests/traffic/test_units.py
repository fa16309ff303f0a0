"""Units: what is read, what is refused and with which hint."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.traffic import units


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (units.parse_rate, "20Mbit/s", 2e7),
        (units.parse_rate, "1.5 Mbit/s", 1.5e6),
        (units.parse_rate, "64Kbit/s", 64000.0),
        (units.parse_rate, "1MByte/s", 8e6),
        (units.parse_time, "10ms", 0.01),
        (units.parse_time, "100us", 1e-4),
        (units.parse_time, "0.1ms", 1e-4),
        (units.parse_time, "3ns", 3e-9),
        (units.parse_time, 0, 0.0),
        (units.parse_size, "1500B", 1500.0),
        (units.parse_size, 1500, 1500.0),
        (units.parse_size, "64KB", 65536.0),
        (units.parse_pps, "1000pps", 1000.0),
        (units.parse_pps, "1.5kpps", 1500.0),
    ],
)
def test_reads(parse, text, value):
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text", "hint"),
    [
        (units.parse_rate, "20mbit/s", "'Mbit/s'"),
        (units.parse_rate, "20Mbps", "'Mbit/s'"),
        (units.parse_rate, "20MBit/s", "'Mbit/s'"),
        (units.parse_rate, "20M", "'Mbit/s'"),
        (units.parse_rate, "3MB/s", "'MByte/s'"),
        (units.parse_rate, 20000, "needs a unit"),
        (units.parse_rate, "20", "needs a unit"),
        (units.parse_rate, True, "not a rate"),
        (units.parse_time, "5MS", "'ms'"),
        (units.parse_time, "5m", "'min'"),
        (units.parse_time, "5µs", "'us'"),
        (units.parse_time, "five", "not a time"),
        (units.parse_time, "1e999s", "too much"),
        (units.parse_time, float("nan"), "not a time"),
        (units.parse_size, "64kB", "'KB'"),
        (units.parse_pps, "5p/s", "'pps'"),
    ],
)
def test_refuses_with_the_nearest_unit(parse, text, hint):
    with pytest.raises(ValueError) as e:
        parse(text)
    assert hint in str(e.value)
    assert "\n" not in str(e.value)


numbers = st.floats(1e-9, 1e12, allow_nan=False)


@given(numbers)
def test_what_is_written_reads_back(value):
    for write, read in (
        (units.format_time, units.parse_time),
        (units.format_rate, units.parse_rate),
        (units.format_size, units.parse_size),
        (units.format_pps, units.parse_pps),
    ):
        assert read(write(value)) == pytest.approx(value, rel=1e-15)


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text):
    for parse in (units.parse_rate, units.parse_time, units.parse_size, units.parse_pps):
        try:
            assert isinstance(parse(text), float)
        except ValueError as e:
            assert str(e)


def test_words():
    assert units.format_time(0.01) == "10ms"
    assert units.format_time(90) == "90s"
    assert units.format_time(0) == "0s"
    assert units.format_rate(2e7) == "20 Mbit/s"
    assert units.format_size(1500) == "1500B"
    assert units.format_size(65536) == "64KB"
    assert units.format_pps(1000) == "1000pps"
