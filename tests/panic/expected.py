"""What a log of the corpus must read as: the part of a Panic that its YAML file holds."""

from __future__ import annotations

from typing import Any

from harness.panic import Panic
from harness.panic.commands import frame_text

FRAMES = 16  # of each report; the rest adds nothing but length
_PLAIN = (
    "signature",
    "fatal",
    "message",
    "normalized",
    "trap",
    "trap_name",
    "fault_address",
    "fault_suggests",
    "instruction",
    "thread",
    "tid",
    "pid",
    "process",
    "cpu",
    "culprit",
    "uptime",
    "version",
    "arch",
    "first_line",
    "last_line",
)
_LISTS = ("cycle", "points", "locks", "missing", "notes")


def reading(panic: Panic) -> dict[str, Any]:
    """The panic in the corpus' words; what is empty is left out."""
    known: dict[str, Any] = {"kind": panic.kind.value}
    for name in _PLAIN:
        value = getattr(panic, name)
        if value not in ("", None):
            known[name] = value
    for name in _LISTS:
        if getattr(panic, name):
            known[name] = list(getattr(panic, name))
    if panic.frames:
        known["frame_count"] = len(panic.frames)
        known["frames"] = [
            frame_text(f) + (f"  --- {f.trap.split(',')[0]}" if f.trap else "") for f in panic.frames[:FRAMES]
        ]
    return known
