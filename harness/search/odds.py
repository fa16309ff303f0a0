"""When is it settled that a candidate is good or bad, if a bad one shows it in some of its runs only?

Wald's sequential probability ratio test, with the share of runs in which a bad candidate shows the symptom not
assumed but learnt: Beta(1/2 + shown, 1/2 + not shown) after the runs of the failing end (Jeffreys' prior).  Its
mixture likelihood keeps Wald's bound on the average over what that share may be; as it is learnt from few runs,
half of the error is spent on that, so that with confidence c a bad candidate passes for good with probability
under 1 - c whatever its share is (tests/search counts).  A. Wald, Sequential Analysis, 1947, ch. 3 and 4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


def _ln_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


@dataclass(frozen=True)
class Share:
    """What is known of the share of runs in which a bad candidate shows the symptom."""

    shown: int = 0
    unshown: int = 0

    @property
    def likely(self) -> float:
        """The share to be expected: 0 to 1."""
        return (self.shown + 0.5) / (self.shown + self.unshown + 1)

    def plus(self, shown: int, unshown: int) -> Share:
        """What is known after more runs of something bad."""
        return Share(self.shown + shown, self.unshown + unshown)

    def ln_likelihood(self, shown: int, unshown: int) -> float:
        """ln P(these runs | the candidate is bad)."""
        a, b = self.shown + 0.5, self.unshown + 0.5
        return _ln_beta(a + shown, b + unshown) - _ln_beta(a, b)


@dataclass(frozen=True)
class Sequential:
    """The sequential test: ``noise`` is the share of runs in which a good candidate shows the symptom."""

    share: Share
    confidence: float = 0.99
    noise: float = 0.0

    def ln_odds(self, shown: int, unshown: int) -> float:
        """ln(P(runs | bad) / P(runs | good)); plus infinity when a good one cannot have shown it."""
        if self.noise > 0:
            as_good = shown * math.log(self.noise) + unshown * math.log1p(-self.noise)
        elif shown:
            return math.inf
        else:
            as_good = 0.0
        return self.share.ln_likelihood(shown, unshown) - as_good

    def verdict(self, shown: int, unshown: int) -> bool | None:
        """True: bad; False: good; None: more runs are needed."""
        bound = math.log((1 + self.confidence) / (1 - self.confidence))  # an error of (1 - confidence) / 2
        odds = self.ln_odds(shown, unshown)
        return True if odds >= bound else False if odds <= -bound else None

    def error(self, shown: int, unshown: int) -> float:
        """How probable it is, at even odds before, that the likelier of the two is wrong."""
        return 1 / (1 + math.exp(min(700.0, abs(self.ln_odds(shown, unshown)))))

    def wanted(self, shown: int, unshown: int, most: int = 10_000) -> int:
        """How many more runs without the symptom would say good."""
        for n in range(1, most):
            if self.verdict(shown, unshown + n) is False:
                return n
        return most


def fewest(share: float, confidence: float) -> float:
    """Runs without the symptom that rule out a bad candidate whose share is known exactly: the least there can be."""
    if share >= 1:
        return 1.0
    return max(1.0, math.log(1 - confidence) / math.log1p(-share))
