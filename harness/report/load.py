"""Run folders read back: whole ones, and what an interrupted or damaged run left."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from harness.errors import UsageError
from harness.panic import Panic, read
from harness.paths import state_dir
from harness.run.result import SCHEMA, Durations, GuestRef, Kernel, Result, ScenarioRef, Verdict

RESULT, CONSOLE, SCENARIO = "result.json", "console.log", "scenario.yaml"
_UNKNOWN = "unknown"
_LARGEST = 256 << 20
_CONSOLE_LARGEST = 8 << 20


@dataclass(frozen=True)
class Run:
    """A result and where it lies; ``folder`` is None for one that was not kept."""

    result: Result
    folder: Path | None = None

    def console(self) -> str:
        """The console's text; empty when there is none.  Of a very long one the last 8 MiB."""
        if self.folder is None:
            return ""
        try:
            with open(self.folder / CONSOLE, "rb") as f:
                f.seek(0, 2)
                f.seek(max(0, f.tell() - _CONSOLE_LARGEST))
                return f.read().decode("utf-8", "replace")
        except OSError:
            return ""


@dataclass(frozen=True)
class NotRun:
    """A cell that was not run, with the reason in plain words (not for this guest, for example)."""

    name: str
    file: str
    reason: str
    cell: dict[str, str | int | float | bool] = field(default_factory=dict)


def is_run(folder: Path) -> bool:
    """True for a folder that a run wrote into."""
    return (folder / RESULT).is_file() or (folder / CONSOLE).is_file()


def find(paths: Iterable[str | Path]) -> list[Path]:
    """The run folders that the words name: run folders, folders of them, their result.json, or ``last``.

    In the order given, each once; inside a folder by name, which is by time.

    Raises UsageError for a path that is not there or has no run in it.
    """
    found: dict[Path, None] = {}
    for word in paths:
        path = Path(word)
        if str(word) == "last" and not path.exists():
            kept = sorted((p for p in state_dir("runs").iterdir() if p.is_dir() and is_run(p)), key=_age)
            if not kept:
                raise UsageError(f"there is no run yet in {state_dir('runs')}")
            here: list[Path] = kept[-1:]
        elif not path.exists():
            raise UsageError(f"{path}: no such run (a run's folder, a folder of them, or 'last')")
        elif path.is_file():
            here = [path.parent] if path.name == RESULT else []
        else:
            here = list(_below(path, 4))
        if not here:
            raise UsageError(f"{path}: no run in it (a run's folder has a {RESULT} or a {CONSOLE})")
        found.update(dict.fromkeys(p.resolve() for p in here))
    return list(found)


def _age(folder: Path) -> tuple[float, str]:
    return (folder.stat().st_mtime, folder.name)


def _below(folder: Path, depth: int) -> Iterator[Path]:
    if is_run(folder):
        yield folder
        return
    if depth:
        try:
            inside = sorted(p for p in folder.iterdir() if p.is_dir() and not p.is_symlink())
        except OSError:
            return
        for p in inside:
            yield from _below(p, depth - 1)


def load(paths: Iterable[str | Path]) -> list[Run]:
    """The runs that the words name, see ``find``."""
    return [Run(load_run(folder), folder) for folder in find(paths)]


def load_run(folder: Path) -> Result:
    """The result in a run's folder.

    Of a run that was interrupted, or whose result.json is damaged or of another version, the result has
    the verdict ``error``, a first reason that says so in one line, and whatever could still be read.

    Raises UsageError when the folder holds no run at all.
    """
    if not is_run(folder):
        raise UsageError(f"{folder}: no run in it (a run's folder has a {RESULT} or a {CONSOLE})")
    path = folder / RESULT
    try:
        if path.stat().st_size > _LARGEST:
            return _stand_in(folder, {}, f"{RESULT} is larger than {_LARGEST >> 20} MiB and was not read")
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return _stand_in(folder, {}, f"the run was interrupted before it had a result (there is no {RESULT})")
    except (OSError, UnicodeDecodeError) as e:
        return _stand_in(folder, {}, f"{RESULT} cannot be read: {getattr(e, 'strerror', None) or e}")
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as e:
        return _stand_in(folder, {}, f"{RESULT} is cut off or not JSON: {e}")
    if not isinstance(raw, dict):
        return _stand_in(folder, {}, f"{RESULT} holds no object")
    try:
        return Result.model_validate_json(text)
    except ValidationError as e:
        if raw.get("schema") != SCHEMA:
            return _stand_in(folder, raw, f"{RESULT} is of the version {raw.get('schema')!r}, this dnh reads {SCHEMA}")
        first = e.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return _stand_in(folder, raw, f"{RESULT} does not fit {SCHEMA}: {where}: {first['msg']}")


def known(result: Result) -> bool:
    """False for a stand-in of a run that left no result: its seed, kernel and times mean nothing."""
    return result.guest.kind != _UNKNOWN


def _name(folder: Path) -> str:
    """The name in the scenario that a run left, or else the folder's."""
    try:
        with open(folder / SCENARIO, encoding="utf-8") as f:
            said = yaml.safe_load(f.read(1 << 20))
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return folder.name
    name = said.get("name") if isinstance(said, dict) else None
    return name if isinstance(name, str) and name.strip() else folder.name


def _dead(folder: Path) -> Panic | None:
    """The first panic on the console, of a run that had no time to say so itself."""
    try:
        return next((p for p in read(folder / CONSOLE) if p.fatal), None)
    except (OSError, MemoryError):
        return None


def _adapter(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation)


def _stand_in(folder: Path, raw: dict[str, Any], reason: str) -> Result:
    """A result of the verdict ``error`` with every field of ``raw`` that is good by itself."""
    values: dict[str, Any] = {
        "scenario": ScenarioRef(name=_name(folder), file="", sha256=""),
        "guest": GuestRef(kind=_UNKNOWN, name="", clock="wall"),
        "kernel": Kernel(ident="", release="", flavour="", digest=""),
        "seed": 0,
        "declared": Verdict.PASS,
        "command": "",
        "durations": Durations(started="", boot=0.0, setup=0.0, run=0.0, total=0.0),
    }
    for name, info in Result.model_fields.items():
        if name in raw and name not in ("verdict", "as_expected", "reasons"):
            try:
                values[name] = _adapter(info.annotation).validate_json(json.dumps(raw[name]))
            except ValidationError:
                continue
    reasons = [reason]
    if values.get("panic") is None and (panic := _dead(folder)) is not None:
        values["panic"] = panic
        reasons.append(f"the console shows: {panic.message}")
    if isinstance(raw.get("reasons"), list):
        reasons += [str(r) for r in raw["reasons"]]
    if raw.get("verdict") in set(Verdict):
        reasons.append(f"it says that the verdict was {raw['verdict']}")
    return Result(**values, verdict=Verdict.ERROR, as_expected=False, reasons=reasons)
