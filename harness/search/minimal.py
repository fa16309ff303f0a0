"""Delta debugging: the smallest part of a set that still has a property (A. Zeller, R. Hildebrandt, 2002)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
Holds = Callable[[Sequence[T]], bool]
"""Does the property hold of this part?  What cannot be tried counts as no."""


def ddmin(items: Sequence[T], holds: Holds[T]) -> list[T]:
    """A part of ``items`` of which the property holds, and of no part of it with one item less.

    The property holds of all ``items``; this is not asked again.
    """
    left = list(items)
    asked: dict[frozenset[int], bool] = {}
    index = {id(item): n for n, item in enumerate(left)}

    def ask(part: list[T]) -> bool:
        key = frozenset(index[id(item)] for item in part)
        if key not in asked:
            asked[key] = holds(part)
        return asked[key]

    if len(left) >= 1 and ask([]):
        return []
    parts = 2
    while len(left) >= 2:
        size = -(-len(left) // parts)
        chunks = [left[i : i + size] for i in range(0, len(left), size)]
        for chunk in chunks:
            if ask(chunk):
                left, parts = chunk, 2
                break
        else:
            for chunk in chunks if len(chunks) > 2 else []:
                rest = [item for item in left if all(item is not c for c in chunk)]
                if ask(rest):
                    left, parts = rest, max(parts - 1, 2)
                    break
            else:
                if parts >= len(left):
                    break
                parts = min(len(left), parts * 2)
    return left


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
    """As ddmin, by taking away as much as goes at a time, from large parts to single items.

    Asks less than ddmin where most items can go, and treats a set that one item alone does not carry.
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
