"""Histogram, sequence and schedule, each against a model that is obviously right."""

from __future__ import annotations

import ctypes
import math
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

I64, U64, U32 = ctypes.c_int64, ctypes.c_uint64, ctypes.c_uint32
WINDOW = 131072
times = st.one_of(st.integers(0, 2**41 - 1), st.integers(0, 5000), st.integers(10**6, 10**8))
quiet = settings(max_examples=200, deadline=None)


@quiet
@given(st.lists(times, min_size=1, max_size=200), st.sampled_from([6, 8, 10]), st.integers(0, 200))
def test_histogram_against_sorted_samples(parts, values, bits, split):
    asked = [1, 500, 900, 950, 990, 999, 1000]
    out = (I64 * (4 + len(asked)))()
    parts.parts_hist(
        bits, (I64 * len(values))(*values), len(values), (U32 * len(asked))(*asked), len(asked), split, out
    )
    ordered = sorted(values)
    assert out[0] == ordered[0]
    assert out[1] == (2 * sum(values) + len(values)) // (2 * len(values))
    assert out[2 + len(asked)] == ordered[-1]
    assert out[3 + len(asked)] == len(values)
    for got, thousandths in zip(out[2:], asked, strict=False):
        true = ordered[max(1, math.ceil(Fraction(thousandths, 1000) * len(values))) - 1]
        assert true <= got <= true + true // 2**bits, (thousandths, true, got)


@quiet
@given(times, st.sampled_from([6, 8, 10]))
def test_bucket_holds_its_value(parts, value, bits):
    upper = parts.parts_upper(bits, I64(value))
    assert value <= upper <= value + value // 2**bits
    assert parts.parts_upper(bits, I64(upper)) == upper  # the upper end is in the bucket itself


def test_what_is_off_the_scale_keeps_its_maximum(parts):
    out = (I64 * 5)()
    parts.parts_hist(8, (I64 * 2)(1, 2**50), 2, (U32 * 1)(1000), 1, 2, out)
    assert list(out) == [1, (1 + 2**50 + 1) // 2, 2**50, 2**50, 2]


def model(seqs):
    """RFC 4737's reordering and exact duplicates, with a set instead of a window."""
    seen, next_expected, out = set(), 0, Counter()
    for s in seqs:
        if next_expected - s > WINDOW:
            out["beyond"] += 1
        elif s in seen:
            out["duplicates"] += 1
        else:
            if s < next_expected:
                out["reordered"] += 1
                out["extent"] = max(out["extent"], next_expected - s)
            out["received"] += 1
            seen.add(s)
            next_expected = max(next_expected, s + 1)
    return [out["received"], out["duplicates"], out["reordered"], out["beyond"], next_expected, out["extent"]]


@quiet
@given(
    st.lists(
        st.one_of(st.integers(0, 60), st.integers(0, 3 * WINDOW), st.integers(WINDOW - 3, WINDOW + 3)),
        max_size=120,
    )
)
def test_sequence_against_a_set(parts, seqs):
    out = (U64 * 6)()
    parts.parts_seq((U64 * len(seqs))(*seqs), len(seqs), out)
    assert list(out) == model(seqs)


def pace(parts, *, mrate=0, upps=0, on=0, off=0, length=10**9, senders=1, sender=0, sizes=((1000, 1),)):
    room = 200_000
    due, size = (I64 * room)(), (U32 * room)()
    n = parts.parts_pace(
        U64(mrate), U64(upps), I64(on), I64(off), I64(length), senders, sender,
        (U32 * len(sizes))(*(s for s, _ in sizes)), (U32 * len(sizes))(*(w for _, w in sizes)), len(sizes),
        due, size, room,
    )  # fmt: skip
    return due[:n], size[:n]


@quiet
@given(st.integers(10_000, 10**9), st.integers(64, 65535), st.integers(1, 5))
def test_schedule_never_drifts(parts, rate, size, sender_count):
    length = min(10**9, 10**9 * 8 * size * 300 // rate)
    shares = [rate * 1000 // sender_count + (k < rate * 1000 % sender_count) for k in range(sender_count)]
    for k, share in enumerate(shares):
        due, sizes = pace(
            parts, mrate=rate * 1000, length=length, senders=sender_count, sender=k, sizes=((size, 1),)
        )
        gap = Fraction(size * 8 * 10**12, share)
        for n, when in enumerate(due):
            # Every one of them within a nanosecond or two of where arithmetic without error has it.
            assert abs(when - due[0] - n * gap) < 1
        assert set(sizes) <= {size}
        assert not due or length - due[-1] <= gap + 1


@quiet
@given(st.integers(1, 10**11))
def test_packets_per_second_are_exact(parts, upps):
    due, _sizes = pace(parts, upps=upps, length=min(10**9, 10**15 * 50 // upps))
    assert all(abs(when - n * Fraction(10**15, upps)) < 1 for n, when in enumerate(due))


def test_senders_take_turns(parts):
    dues = [pace(parts, mrate=8_000_000_000, senders=4, sender=k)[0] for k in range(4)]
    together = sorted(w for due in dues for w in due)
    assert together == [n * 10**6 for n in range(1000)]


def test_mixed_sizes_are_in_proportion_and_shuffled(parts):
    _due, sizes = pace(parts, upps=1_200_000_000, sizes=((64, 7), (576, 4), (1500, 1)))
    assert Counter(sizes) == {64: 700, 576: 400, 1500: 100}
    assert sizes == pace(parts, upps=1_200_000_000, sizes=((64, 7), (576, 4), (1500, 1)))[1]
    assert len({tuple(sizes[i : i + 12]) for i in range(0, 1200, 12)}) > 50
    assert (
        sizes != pace(parts, upps=1_200_000_000, senders=2, sender=1, sizes=((64, 7), (576, 4), (1500, 1)))[1]
    )


def test_on_and_off(parts):
    due, _sizes = pace(parts, upps=1_000_000_000, on=3 * 10**8, off=2 * 10**8, length=10**9)
    assert len(due) == 600
    assert all(w % (5 * 10**8) < 3 * 10**8 for w in due)
    assert due[299:301] == [299 * 10**6, 500 * 10**6]


@pytest.mark.parametrize("upps", [0])
def test_no_packets_without_time(parts, upps):
    assert pace(parts, upps=1_000_000, length=0) == ([], [])
