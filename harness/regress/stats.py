"""Is the difference of two small samples real, how large is it, and what could have been seen at all?

The decision is Student's: Welch's t for two independent samples (as ministat(1), but without its assumption
of equal variances), the paired t where trial i of one side belongs to trial i of the other (one seed).  A
rank test (Mann-Whitney, Wilcoxon) stands beside it.  Of samples that do not vary a t cannot be had:
``difference`` says what is done then.  scipy takes a second to load, so it is loaded where it is asked.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

POWER = 0.9  # how surely the least difference that is stated would have been seen


@dataclass(frozen=True)
class Difference:
    """Candidate minus base.  All in the metric's unit but ``p`` and ``p_rank``.

    ``low`` and ``high`` bound the difference at the confidence asked for, ``least`` is the smallest one that
    this many trials of this spread show in 9 of 10 tries; both are infinite where there are too few trials.
    ``test``: "paired t", "Welch t", "exact" (a kernel on the virtual clock whose figure no seed changes),
    "permutation" (no spread on either side), "identical" (not one trial differs) or "none" (too few).
    """

    n_base: int
    n_candidate: int
    base: float
    candidate: float
    sd_base: float
    sd_candidate: float
    difference: float
    low: float
    high: float
    p: float
    p_rank: float
    least: float
    test: str

    @property
    def share(self) -> float | None:
        """The difference as a share of the base's mean; None of nothing."""
        return self.difference / abs(self.base) if self.base else None


def difference(
    base: Sequence[float], candidate: Sequence[float], paired: bool, confidence: float, exact: bool = False
) -> Difference:
    """Compare two samples.  ``paired``: they are of one length and entry i belongs to entry i.

    ``exact``: each trial repeats to the last bit (the virtual clock), so a figure without spread is a fact.
    Samples without spread on a wall clock are given the odds of such a split by chance (permutation).
    """
    # Nothing that is measured is smaller than 1e-100 and not 0; the squares of such a spread would be 0.
    a, b = (np.where(np.abs(x) < 1e-100, 0.0, x) for x in (np.asarray(base, float), np.asarray(candidate, float)))
    n, m = len(a), len(b)
    mean_a, mean_b = (float(x.mean()) if len(x) else math.nan for x in (a, b))
    # Of equal figures the mean is a rounding away, and they have no spread.
    sd_a, sd_b = (float(x.std(ddof=1)) if len(x) > 1 and np.ptp(x) > 0 else 0.0 for x in (a, b))
    delta = mean_b - mean_a

    def made(low: float, high: float, p: float, rank: float, least: float, test: str) -> Difference:
        return Difference(n, m, mean_a, mean_b, sd_a, sd_b, delta, low, high, p, rank, least, test)

    if n < 2 or m < 2 or (paired and n != m):
        return made(-math.inf, math.inf, 1.0, 1.0, math.inf, "none")
    scale = max(float(np.abs(a).max()), float(np.abs(b).max()), 1e-300)
    d = b - a if paired else None
    spread = float(np.ptp(d)) if d is not None else max(float(np.ptp(a)), float(np.ptp(b)))
    if spread <= 1e-12 * scale:
        if abs(delta) <= 1e-12 * scale:
            return made(0.0, 0.0, 1.0, 1.0, 0.0, "identical")
        chance = 2.0 ** (1 - n) if paired else 2.0 / math.comb(n + m, n)
        return made(delta, delta, 0.0 if exact else min(1.0, chance), chance, 0.0, "exact" if exact else "permutation")
    from scipy import stats

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy warns of ties and of near-equal values; both are dealt with
        if d is not None:
            error, df = float(d.std(ddof=1)) / math.sqrt(n), float(n - 1)
            rank = float(stats.wilcoxon(d, zero_method="zsplit", method=_method(np.abs(d[d != 0]), n)).pvalue)
        else:
            va, vb = sd_a**2 / n, sd_b**2 / m
            error = math.sqrt(va + vb)
            share = va / (va + vb)
            df = 1 / (share**2 / (n - 1) + (1 - share) ** 2 / (m - 1))
            rank = float(stats.mannwhitneyu(a, b, method=_method(np.concatenate([a, b]), n + m)).pvalue)
    p = float(2 * stats.t.sf(abs(delta) / error, df))
    reach = float(stats.t.ppf(0.5 + confidence / 2, df))
    least = (reach + float(stats.t.ppf(POWER, df))) * error
    return made(delta - reach * error, delta + reach * error, p, rank, least, "paired t" if paired else "Welch t")


def _method(values: np.ndarray[Any, Any], n: int) -> str:
    """How a rank test has its odds: counted where there are no ties (and few values), else from the normal."""
    return "exact" if n <= 30 and len(np.unique(values)) == n else "asymptotic"


def holm(ps: Sequence[float]) -> list[float]:
    """The p-values corrected for their number (Holm): below alpha with at most alpha's odds of any false one."""
    order = sorted(range(len(ps)), key=lambda i: ps[i])
    out, worst = [0.0] * len(ps), 0.0
    for k, i in enumerate(order):
        worst = max(worst, min(1.0, (len(ps) - k) * ps[i]))
        out[i] = worst
    return out


def more_often(bad_base: int, n_base: int, bad_candidate: int, n_candidate: int) -> float:
    """The odds (Fisher, one-sided) that a candidate no worse than its base looks at least as bad as this."""
    from scipy import stats

    table = [[bad_candidate, n_candidate - bad_candidate], [bad_base, n_base - bad_base]]
    return float(stats.fisher_exact(table, alternative="greater").pvalue)


def wanted(now: Difference, limit: float) -> int:
    """How many trials of each side would show a difference of ``limit``, by the spread seen so far."""
    n = min(now.n_base, now.n_candidate)
    if now.test in ("identical", "exact", "permutation") or now.least <= limit:
        return n
    if limit <= 0 or not math.isfinite(now.least):
        return 10**9
    return math.ceil(n * (now.least / limit) ** 2)
