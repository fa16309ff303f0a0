"""Small things that every message of this package needs: quoting, and the nearest right word."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def quoted(text: object, limit: int = 60) -> str:
    """The user's words within a message: one line, printable, not too long."""
    shown = str(text)
    if len(shown) > limit:
        shown = shown[: limit - 3] + "..."
    return "'" + printable(shown) + "'"


def printable(text: str) -> str:
    """``text`` with everything that would break a line or a terminal written as an escape."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def nearest(word: str, known: Iterable[str]) -> str:
    """`` (did you mean 'x'?)`` for a word that is close to a known one, else nothing."""
    choices = list(known)[:500]
    word = word[:80]
    same = [c for c in choices if c.lower() == word.lower()]
    near = same or difflib.get_close_matches(word, choices, n=1, cutoff=0.6)
    if not near and len(word) > 3:
        near = [c for c in choices if c.startswith(word)][:1]
    return f" (did you mean {quoted(near[0])}?)" if near else ""


def listed(words: Iterable[str], limit: int = 8) -> str:
    """``a, b, c``; the rest of a long list is counted."""
    all_of = list(words)
    more = f" and {len(all_of) - limit} more" if len(all_of) > limit else ""
    return ", ".join(printable(w) for w in all_of[:limit]) + more
