"""What a command's words name: scenario files, their cells, and the words that run one of them again."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.errors import Located, UsageError
from harness.paths import data_dir
from harness.run.runner import Plan
from harness.scenario import Scenario, load


def files_of(words: Iterable[Path]) -> list[Path]:
    """Scenario files named, and those in folders named, each once.  Raises UsageError."""
    found: list[Path] = []
    for word in words:
        path = word
        if not path.exists() and not path.is_absolute():
            # An installed dnh brings its scenarios along: 'scenarios/quickstart.yaml' means those.
            inside = data_dir("scenarios").parent / word
            if inside.exists():
                path = inside
        if path.is_dir():
            inside_it = sorted(_inside(path))
            if not inside_it:
                raise UsageError(f"{word}: no scenarios (*.yaml) in this folder")
            found += inside_it
        elif path.exists():
            found.append(path)
        else:
            raise UsageError(f"{word}: no such file or folder")
    return list(dict.fromkeys(found))


def _inside(folder: Path) -> Iterator[Path]:
    def closed(e: OSError) -> None:
        raise UsageError(f"{e.filename}: {(e.strerror or 'cannot be read').lower()}")

    for here, _, names in os.walk(folder, onerror=closed):
        yield from (Path(here, name) for name in names if name.endswith((".yaml", ".yml")))


def settings_of(words: list[str]) -> dict[str, str]:
    """{KEY: VALUE} of the words after ``--set``.  Raises UsageError."""
    out = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise UsageError(f"--set {word}: KEY=VALUE is wanted")
        out[key] = value
    return out


def load_all(files: list[Path], settings: dict[str, str]) -> list[Scenario]:
    """All cells of all files; every broken file is told, not only the first.  Raises UsageError."""
    cells: list[Scenario] = []
    wrong: list[str] = []
    for file in files:
        try:
            cells += load(file, settings)
        except UsageError as e:
            wrong.append(str(e))
    if wrong:
        raise Located("\n".join(wrong))
    return cells


def load_files(words: Iterable[Path], settings: list[str]) -> list[Scenario]:
    """All cells of the scenarios named, ``settings`` ("KEY=VALUE") applied.  Raises UsageError."""
    return load_all(files_of(words), settings_of(settings))


def shown(file: Path) -> str:
    """A file's name as a person would type it from here."""
    try:
        return str(file.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(file)


def run_again(scenario: Scenario, seed: int, guest: str, settings: list[str], dump: str | None = None) -> str:
    """The command that runs exactly this again; ``settings`` as of ``load_files``."""
    words = [os.environ.get("DNH_COMMAND", "dnh"), "run", shown(Path(scenario.file))]
    if guest != "usermode":
        words += ["--guest", guest]
    if dump:
        words += ["--dump", dump]
    words += ["--seed", str(seed), "--repeat", "1"]
    # What was set and is a value of the matrix is in the cell.
    for key, value in {**settings_of(settings), **scenario.cell}.items():
        words += ["--set", f"{key}={value}"]
    return shlex.join(words)


def cell_title(scenario: Scenario) -> str:
    """The scenario's name and its cell's values."""
    return " ".join([scenario.name, *(f"{k}={v}" for k, v in scenario.cell.items())])


def title(plan: Plan) -> str:
    """The same of a run; repeats have their seed with them."""
    seed = f" seed {plan.seed}" if plan.repeat else ""
    return f"{cell_title(plan.scenario)}{seed}"
