"""``dnh panic`` and ``dnh panics``: a log read, and what the store has seen.

Knows nothing of where runs are kept: the caller brings them as Sightings.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.errors import MachineryError, UsageError
from harness.panic import export
from harness.panic.model import Frame, Panic
from harness.panic.reader import read

JSON_SCHEMA = "dnh-panics/1"
_SHOWN = 24  # frames on a terminal, without --all


@dataclass(frozen=True, slots=True)
class Sighting:
    """A panic and the run that it came in.  Times are ISO 8601; all but the panic may be empty."""

    panic: Panic
    scenario: str = ""
    cell: str = ""
    kernel: str = ""
    guest: str = ""
    when: str = ""
    folder: str = ""
    seed: int | None = None
    command: str = ""


# dnh panic FILE


def add_panic_arguments(parser: argparse.ArgumentParser) -> None:
    """``dnh panic FILE|- [--json] [--kernel DIR] [--all]``."""
    parser.add_argument(
        "file", metavar="FILE", help="console log, dmesg, textdump, info.N, core.txt, bug report; - is stdin"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--kernel",
        metavar="DIR",
        type=Path,
        help="folder with the kernel and its symbols: shows files and lines",
    )
    parser.add_argument("--all", action="store_true", help="show every frame")


def run_panic(args: argparse.Namespace) -> int:
    """Read one log and tell what happened.

    0: the log tells of nothing, or only of reports that stop no kernel; 1: of a panic, hang, reboot or
    failed boot; 2: no such file or kernel folder; 3: it cannot be read.
    """
    try:
        found = read(sys.stdin.buffer if args.file == "-" else Path(args.file), args.kernel)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as exc:
        raise UsageError(f"{args.file}: {exc.strerror}") from exc
    except OSError as exc:
        raise MachineryError(f"{args.file}: {exc.strerror}") from exc
    if args.json:
        document = {"schema": JSON_SCHEMA, "panics": [panic.to_dict() for panic in found]}
        print(json.dumps(document, indent=1, ensure_ascii=False))
    else:
        console = Console(highlight=False, soft_wrap=True)
        if not found:
            console.print(f"{args.file}: no panic, no report", markup=False)
        for i, panic in enumerate(found):
            if i:
                console.print()
            show(panic, console, None if args.all else _SHOWN)
    return 1 if any(panic.fatal for panic in found) else 0


def show(panic: Panic, console: Console, frames: int | None = _SHOWN) -> None:
    """A panic for the eye: its name, what is known, its frames."""
    console.print(Text(panic.signature, style="bold red" if panic.fatal else "bold yellow"))
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column(overflow="fold")
    for name, value in facts(panic):
        rows.add_row(name, Text(value))
    console.print(rows)
    shown = panic.frames if frames is None else panic.frames[:frames]
    for frame in shown:
        if frame.trap:
            console.print(Text(f"    --- {frame.trap} ---", style="dim"))
        style = "bold" if frame.function == panic.culprit else ""
        console.print(Text("    " + frame_text(frame), style=style))
    if len(shown) < len(panic.frames):
        console.print(Text(f"    ... {len(panic.frames) - len(shown)} more", style="dim"))


def facts(panic: Panic) -> list[tuple[str, str]]:
    """What is known of a panic, in words, in the order of importance."""
    trap = panic.trap_name if panic.trap is None else f"{panic.trap} {panic.trap_name}"
    who = [
        panic.thread or "",
        f"pid {panic.pid}" if panic.pid is not None else "",
        f"({panic.process})" if panic.process else "",
        f"tid {panic.tid}" if panic.tid is not None else "",
        f"on CPU {panic.cpu}" if panic.cpu is not None else "",
    ]
    address = panic.fault_address + (
        f"  {panic.fault_suggests}" if panic.fault_address else panic.fault_suggests
    )
    all_facts = (
        ("kind", panic.kind.value + ("" if panic.fatal else " (the kernel went on)")),
        ("message", panic.message),
        ("trap", trap),
        ("address", address),
        ("instruction", panic.instruction),
        ("culprit", panic.culprit),
        ("cycle", " -> ".join((*panic.cycle, panic.cycle[0])) if panic.cycle else ""),
        ("points", ", ".join(panic.points)),
        ("thread", " ".join(word for word in who if word)),
        ("locks", "; ".join(panic.locks)),
        ("uptime", panic.uptime),
        (
            "kernel",
            f"{panic.version} ({panic.arch})"
            if panic.version and panic.arch not in panic.version
            else panic.version or panic.arch,
        ),
        ("lines", f"{panic.first_line}-{panic.last_line}" if panic.first_line else ""),
        ("missing", ", ".join(panic.missing)),
        ("notes", "; ".join(panic.notes)),
    )
    return [(name, value) for name, value in all_facts if value.strip()]


def frame_text(frame: Frame) -> str:
    """``function+0x12 at file:line [module]``."""
    text = frame.function + (f"+{frame.offset:#x}" if frame.offset is not None else "")
    if frame.inlined:
        text += " (inlined)"
    if frame.file:
        text += f" at {frame.file}" + (f":{frame.line}" if frame.line else "")
    return text + (f" [{frame.module}]" if frame.module else "")


# dnh panics


def add_panics_arguments(parser: argparse.ArgumentParser) -> None:
    """``dnh panics [--json]`` and ``dnh panics export SIG [-o FILE]``."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    words = parser.add_subparsers(dest="panics_command", metavar="export SIG")
    export = words.add_parser("export", help="write a Markdown report for upstream")
    export.add_argument("signature", metavar="SIG", help="a signature, its hash, or the beginning of either")
    export.add_argument("-o", "--output", metavar="FILE", type=Path, help="where to (standard output)")


def run_panics(args: argparse.Namespace, seen: Iterable[Sighting]) -> int:
    """List what was seen, or export one panic.  0; 2 when no or more than one panic has such a signature."""
    if getattr(args, "panics_command", None) == "export":
        return _export(args.signature, args.output, seen)
    groups = grouped(seen)
    if args.json:
        print(json.dumps({"schema": JSON_SCHEMA, "seen": [group.to_dict() for group in groups]}, indent=1))
        return 0
    if not groups:
        print("no panics seen")
        return 0
    console = Console(highlight=False)
    if not console.is_terminal:
        for group in groups:
            cells = (str(group.count), group.first, group.last, group.signature, ",".join(group.scenarios))
            print("\t".join((*cells, ",".join(group.kernels), group.example.folder)))
        return 0
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("count", justify="right")
    table.add_column("signature", no_wrap=True)
    for column in ("first", "last"):
        table.add_column(column, no_wrap=True)
    table.add_column("scenarios", overflow="fold")
    table.add_column("kernels", overflow="fold")
    for group in groups:
        times = (when[:16].replace("T", " ") for when in (group.first, group.last))
        names = (_few(group.scenarios), _few([kernel[:8] for kernel in group.kernels]))
        table.add_row(*map(Text, (str(group.count), group.signature, *times, *names)))
    console.print(table)
    return 0


def _few(names: list[str], shown: int = 3) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


@dataclass(slots=True)
class Group:
    """All sightings of one signature."""

    signature: str
    count: int
    first: str
    last: str
    scenarios: list[str]
    kernels: list[str]
    guests: list[str]
    example: Sighting

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "signature": self.signature,
            "kind": self.example.panic.kind.value,
            "message": self.example.panic.message,
            "culprit": self.example.panic.culprit,
            "fatal": self.example.panic.fatal,
            "count": self.count,
            "first": self.first,
            "last": self.last,
            "scenarios": self.scenarios,
            "kernels": self.kernels,
            "guests": self.guests,
            "example": {
                "folder": self.example.folder,
                "seed": self.example.seed,
                "command": self.example.command,
            },
        }


def _worth(panic: Panic) -> tuple[bool, int, int]:
    return bool(panic.frames), -len(panic.missing), len(panic.frames)


def grouped(seen: Iterable[Sighting]) -> list[Group]:
    """Sightings by signature, the most frequent first; the example is the one that tells most."""
    groups: dict[str, Group] = {}
    for sighting in seen:
        name = sighting.panic.signature
        group = groups.get(name)
        if group is None:
            group = groups[name] = Group(name, 0, sighting.when, sighting.when, [], [], [], sighting)
        group.count += 1
        group.first, group.last = min(group.first, sighting.when), max(group.last, sighting.when)
        for value, known in (
            (sighting.scenario, group.scenarios),
            (sighting.kernel, group.kernels),
            (sighting.guest, group.guests),
        ):
            if value and value not in known:
                known.append(value)
        if _worth(sighting.panic) > _worth(group.example.panic):
            group.example = sighting
    return sorted(groups.values(), key=lambda group: (-group.count, group.signature))


def _export(wanted: str, output: Path | None, seen: Iterable[Sighting]) -> int:
    groups = grouped(seen)
    exact = [group for group in groups if group.signature == wanted]
    fitting = exact or [
        group
        for group in groups
        if group.signature.startswith(wanted) or group.signature.rpartition("-")[2].startswith(wanted)
    ]
    if not fitting:
        raise UsageError(f"no panic with the signature {wanted} was seen ('dnh panics' lists them)")
    if len(fitting) > 1:
        names = ", ".join(group.signature for group in fitting[:5])
        raise UsageError(f"{wanted} fits {len(fitting)} signatures: {names}")
    text = markdown(fitting[0])
    if output is None:
        sys.stdout.write(text)
        return 0
    try:
        output.write_text(text)
    except OSError as exc:
        raise MachineryError(f"cannot write {output}: {exc.strerror}") from exc
    return 0


def markdown(group: Group) -> str:
    """The report for upstream: environment, scenario, steps, what happened, frames, log."""
    return export.markdown(group, facts(group.example.panic), frame_text)
