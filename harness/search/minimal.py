"""The smallest part of a set that still has a property (after delta debugging, A. Zeller, R. Hildebrandt, 2002)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
Holds = Callable[[Sequence[T]], bool]
"""Does the property hold of this part?  What cannot be tried counts as no."""


def needed(items: Sequence[T], holds: Holds[T]) -> list[T]:
    """A part of ``items`` of which the property holds, and of no part of it with one item less.

    For a property that more items never take away, and that holds of all ``items`` (this is not asked again).
    Each needed item is found by halving: behind it the property comes.  So k of n items cost about k log2(n)
    questions, where ddmin of the same authors asks up to n^2.
    """
    base: list[T] = []
    rest = list(items)
    while rest and not holds(base):
        low, high = 0, len(rest)
        while high - low > 1:
            middle = (low + high) // 2
            if holds([*base, *rest[:middle]]):
                high = middle
            else:
                low = middle
        base.append(rest[high - 1])
        rest = rest[: high - 1]
    return base


def smaller(items: Sequence[T], found: Sequence[T], needed: Sequence[T], holds: Holds[T], most: int = 60) -> list[T] | None:
    """A part smaller than ``found`` of which the property holds, with all of ``needed`` in it; None: there is none.

    Raises OverflowError when more than ``most`` parts would have to be asked: then nobody knows.
    """
    others = [item for item in items if all(item is not n for n in needed)]
    sizes = range(len(needed), len(found))
    parts = [c for size in sizes for c in itertools.combinations(others, size - len(needed))]
    if len(parts) > most:
        raise OverflowError
    return next(([*needed, *part] for part in parts if holds([*needed, *part])), None)


def simpler(items: Sequence[T], holds: Holds[T]) -> list[T]:
    """What is left of ``items`` when no item more can go: taken away in large parts first, at last one by one.

    Delta debugging by complements alone; right also where the property comes and goes with more items.
    """
    left = list(items)
    size = len(left)
    while size >= 1 and left:
        at, gone = 0, False
        while at < len(left):
            rest = left[:at] + left[at + size :]
            if holds(rest):
                left, gone = rest, True
            else:
                at += size
        if size == 1 and not gone:
            break
        size = max(1, size // 2) if size > 1 else 1
    return left
