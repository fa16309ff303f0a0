"""Where things are: the program's data (in the checkout or in the wheel), its cache, its runs."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def data_dir(name: str) -> Path:
    """The folder ``vm``, ``scenarios`` or ``kernel-patches``: beside harness/ in a checkout, inside it in a wheel."""
    inside = _PACKAGE / "_data" / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def cache_dir(*parts: str) -> Path:
    """A folder of the program's cache (~/.cache/dnh, or under $XDG_CACHE_HOME, or $DNH_CACHE), created."""
    if os.environ.get("DNH_CACHE"):
        base = Path(os.environ["DNH_CACHE"])
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dnh"
    path = base.joinpath(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


def state_dir(*parts: str) -> Path:
    """A folder of the program's state (~/.local/state/dnh, or under $XDG_STATE_HOME, or $DNH_STATE), created."""
    if os.environ.get("DNH_STATE"):
        base = Path(os.environ["DNH_STATE"])
    else:
        base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "dnh"
    path = base.joinpath(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path
