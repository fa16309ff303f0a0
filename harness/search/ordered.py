"""The first bad one of a list that begins good and ends bad, where an answer may be wrong or not to be had."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from harness.search.journal import Outcome

Ask = Callable[[int, bool], Outcome]
"""What is item n: good, bad or neither; firmly: with the odds that the whole answer shall have."""


@dataclass(frozen=True)
class Turn:
    """Between ``good`` and ``bad`` it turns.  ``unknown``: those in between that could not be tried."""

    good: int
    bad: int
    unknown: tuple[int, ...] = ()


def first_bad(good: int, bad: int, ask: Ask) -> Turn:
    """Halve what lies between ``good`` and ``bad``; at the end ask the last good one once more, firmly.

    What passed for good by chance lies at or behind the culprit, and so does the last one that passed: asking
    that one again finds every such error.  Then the search goes on below it.
    """
    known: dict[int, Outcome] = {bad: Outcome.BAD}
    low, high = good, bad
    while True:
        while True:
            between = [n for n in range(low + 1, high) if known.get(n) is not Outcome.NEITHER]
            if not between:
                break
            middle = (low + high) / 2
            at = min(between, key=lambda n: (abs(n - middle), n))
            known[at] = ask(at, False)
            if known[at] is Outcome.GOOD:
                low = at
            elif known[at] is Outcome.BAD:
                high = at
        if ask(low, True) is not Outcome.BAD or low == good:
            unknown = tuple(n for n in range(low + 1, high) if known.get(n) is Outcome.NEITHER)
            return Turn(low, high, unknown)
        known[low] = Outcome.BAD
        high, low = low, max((n for n, o in known.items() if o is Outcome.GOOD and n < low), default=good)


def steps(items: int) -> int:
    """How many questions settle which of ``items`` it is, when every answer is right: ceil(log2)."""
    return math.ceil(math.log2(items)) if items > 1 else 0
