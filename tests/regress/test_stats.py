"""The tests that decide: against scipy's own, on samples without spread, and their odds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from harness.regress.stats import Difference, difference, holm, more_often, wanted


def test_is_welch_and_the_paired_t() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(10, 1, 8), rng.normal(11, 2, 12)
    d = difference(list(a), list(b), paired=False, confidence=0.95)
    said = scipy_stats.ttest_ind(b, a, equal_var=False)
    assert (d.test, d.p) == ("Welch t", pytest.approx(said.pvalue))
    assert (d.low, d.high) == pytest.approx(tuple(said.confidence_interval(0.95)))
    assert d.p_rank == pytest.approx(scipy_stats.mannwhitneyu(a, b).pvalue)
    d = difference(list(a), list(b[:8]), paired=True, confidence=0.99)
    said = scipy_stats.ttest_rel(b[:8], a)
    assert (d.test, d.p) == ("paired t", pytest.approx(said.pvalue))
    assert (d.low, d.high) == pytest.approx(tuple(said.confidence_interval(0.99)))


def test_samples_without_spread() -> None:
    same = difference([5.0] * 6, [5.0] * 6, True, 0.99)
    assert (same.test, same.p, same.low, same.high, same.least) == ("identical", 1.0, 0.0, 0.0, 0.0)
    assert difference([5.0] * 6, [4.75] * 6, True, 0.99, exact=True).p == 0.0
    odds = difference([5.0] * 6, [4.75] * 6, False, 0.99)
    assert (odds.test, odds.p) == ("permutation", pytest.approx(2 / math.comb(12, 6)))
    assert difference([0.0] * 6, [0.0] * 6, False, 0.99).share is None
    none = difference([1.0], [2.0], False, 0.99)
    assert (none.test, none.p) == ("none", 1.0)
    assert difference([], [], True, 0.99).test == "none"
    one_side = difference([5.0] * 6, [5.0, 5.1, 4.9, 5.0, 5.2, 4.8], False, 0.99)
    assert one_side.test == "Welch t" and one_side.p > 0.5


@settings(max_examples=100, deadline=None)
@example([(0.0, 0.0), (0.0, 3.7e-122)], False)
@example([(0.0, 0.0), (0.0, 2e-100)], False)
@given(st.lists(st.tuples(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12)), max_size=12), st.booleans())
def test_any_samples_give_a_sane_answer(pairs: list[tuple[float, float]], paired: bool) -> None:
    d = difference([a for a, _ in pairs], [b for _, b in pairs], paired, 0.99)
    assert 0 <= d.p <= 1 and 0 <= d.p_rank <= 1 and d.least >= 0
    assert d.low <= d.high


def test_least_difference_is_found_nine_times_of_ten() -> None:
    rng = np.random.default_rng(2)
    found = 0
    for _ in range(300):
        a, b = rng.normal(100, 3, 10), rng.normal(100, 3, 10)
        least = 5.6  # what 10 and 10 trials of this spread show at 1 %: asked of the code below
        found += difference(list(a), list(b + least), False, 0.99).p < 0.01
    assert 250 <= found <= 290
    told = [difference(list(rng.normal(100, 3, 10)), list(rng.normal(100, 3, 10)), False, 0.99).least for _ in range(60)]
    assert float(np.median(told)) == pytest.approx(5.6, rel=0.08)


def test_false_alarms_of_many_metrics_stay_below_alpha() -> None:
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(200):
        ps = [difference(list(rng.normal(1, 1, 8)), list(rng.normal(1, 1, 8)), False, 0.99).p for _ in range(4)]
        alarms += min(holm(ps)) < 0.05
    assert alarms <= 20  # 10 are allowed


def test_holm() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_verdicts() -> None:
    assert more_often(0, 8, 8, 8) < 0.001
    assert more_often(0, 8, 1, 8) == pytest.approx(0.5)
    assert more_often(3, 8, 0, 8) == 1.0


def test_trials_wanted() -> None:
    def made(least: float, test: str = "Welch t") -> Difference:
        return Difference(8, 8, 1, 1, 1, 1, 0, -1, 1, 0.5, 0.5, least, test)

    assert wanted(made(0.02), 0.02) == 8
    assert wanted(made(0.04), 0.02) == 32
    assert wanted(made(0.0, "identical"), 0.0) == 8
    assert wanted(made(0.04), 0.0) > 1000
