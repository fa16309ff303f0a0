"""A panic as a report for upstream: Markdown that needs no knowledge of dnh to be read."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from harness.panic.model import Panic, is_interrupt

_LOG = 160  # lines of the log that are quoted
_KERNEL: dict[str, Any] = {"release": "", "ident": "", "flavour": "", "patches": [], "compiler": ""}
_GUEST: dict[str, Any] = {"kind": "", "accelerator": "", "ncpu": 1}
# After these the debugger shows threads that have nothing to do with it.
_OTHERS = re.compile(r"(?:db> )?\s*(?:Tracing command |alltrace\b|ps\b)")


def markdown(group: Any, facts: list[tuple[str, str]], frame_text: Any) -> str:
    """The report of a Group: environment, scenario, steps, what happened, frames, log."""
    sighting = group.example
    folder = Path(sighting.folder) if sighting.folder else None
    run = _run(folder)
    scenario = _read(folder, "scenario.yaml") or _read(folder, "scenario.yml")
    log = excerpt(sighting.panic)
    return str(
        _template().render(
            group=group,
            panic=sighting.panic,
            command=sighting.command or run.get("command", ""),
            seed=sighting.seed,
            kernel=_KERNEL | dict(run.get("kernel") or {}),
            guest=_GUEST | dict(run.get("guest") or {}),
            digest=sighting.kernel,
            scenario=scenario.strip("\n"),
            facts=[(name, value) for name, value in facts if name not in ("kernel", "lines")],
            frame_text=frame_text,
            log=log,
            fence=_fence(log + scenario),
        )
    )


def excerpt(panic: Panic) -> str:
    """The log without what the debugger said of other threads, and not longer than a reader bears."""
    lines = [line for line in panic.log.split("\n") if line.strip() not in ("", "--More--")]
    seen_frames = False
    for i, line in enumerate(lines):
        seen_frames = seen_frames or "() at " in line
        if seen_frames and _OTHERS.match(line):
            lines = lines[:i]
            break
    if len(lines) > _LOG:
        left = len(lines) - _LOG
        lines = [*lines[: _LOG - 40], f"[... {left} lines ...]", *lines[-40:]]
    return "\n".join(lines).rstrip()


def _read(folder: Path | None, name: str) -> str:
    try:
        return (folder / name).read_text(errors="replace") if folder else ""
    except OSError:
        return ""


def _run(folder: Path | None) -> dict[str, Any]:
    """What the run's result.json says; empty for a panic that was read from a log."""
    try:
        run = json.loads(_read(folder, "result.json") or "{}")
    except ValueError:
        return {}
    return run if isinstance(run, dict) else {}


def _fence(text: str) -> str:
    """A code fence that the text does not end."""
    longest, run = 2, 0
    for character in text:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    return "`" * (longest + 1)


@cache
def _template() -> Any:
    # imported here: reading a log, which every run does, needs no templates
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.tests["interrupt"] = is_interrupt
    return environment.get_template("export.md.j2")
