"""Where runs are kept: one folder a run, and an index of them all in SQLite.

The folders are the truth; the index can be made again from them.  A folder's result.json appears whole
or not at all, whatever ends the program.
"""

from __future__ import annotations

import errno
import json
import os
import re
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import MachineryError
from harness.paths import state_dir
from harness.run.result import Result

_TABLE = """
CREATE TABLE IF NOT EXISTS runs (
    folder TEXT PRIMARY KEY, started TEXT, scenario TEXT, file TEXT, cell TEXT, guest TEXT, guest_name TEXT,
    kernel TEXT, seed INTEGER, repeat INTEGER, verdict TEXT, declared TEXT, as_expected INTEGER,
    signature TEXT, panic TEXT, reasons TEXT, total REAL
);
CREATE TABLE IF NOT EXISTS comparisons (
    folder TEXT PRIMARY KEY, started TEXT, base TEXT, candidate TEXT, regressions INTEGER
);
CREATE INDEX IF NOT EXISTS runs_signature ON runs (signature);
CREATE INDEX IF NOT EXISTS runs_scenario ON runs (scenario, started);
"""


@dataclass(frozen=True)
class StoredRun:
    """One row of the index; ``panic`` is the JSON of the Panic or None."""

    folder: Path
    started: str
    scenario: str
    file: str
    cell: dict[str, object]
    guest: str
    guest_name: str
    kernel: str
    seed: int
    verdict: str
    as_expected: bool
    signature: str | None
    panic: str | None


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all.

    Raises MachineryError when the disk is full or the folder is gone.
    """
    try:
        fd, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(fd, "w", encoding="utf-8") as f:
                f.write(text)
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as e:
        raise MachineryError(f"cannot write {path}: {e.strerror}") from e


class Store:
    """Runs under ``root`` (by default the program's state folder)."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or state_dir("runs")
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as e:
            raise MachineryError(f"cannot keep runs in {self.root}: {e.strerror}") from e

    def new_folder(self, name: str) -> Path:
        """A new empty folder for a run, named after when and what."""
        word = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "run"
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        for n in range(10000):
            folder = self.root / (f"{stamp}-{word}" + (f"-{n}" if n else ""))
            try:
                folder.mkdir()
                return folder
            except FileExistsError:
                continue
            except OSError as e:
                raise MachineryError(f"cannot make {folder}: {e.strerror}") from e
        raise MachineryError(f"too many runs named {stamp}-{word} in {self.root}")

    def _connect(self) -> sqlite3.Connection:
        try:
            db = sqlite3.connect(self.root / "index.sqlite", timeout=30)
            db.executescript(_TABLE)
        except sqlite3.OperationalError:
            raise  # locked, perhaps: the caller's to try again
        except sqlite3.DatabaseError as e:
            raise MachineryError(f"the index {self.root}/index.sqlite: {e}") from e
        return db

    def add(self, folder: Path, result: Result) -> None:
        """Write a run's result.json and enter it into the index."""
        write_atomically(folder / "result.json", result.to_json())
        panic = json.loads(result.to_json())["panic"]
        row = (
            str(folder), result.durations.started, result.scenario.name, result.scenario.file,
            json.dumps(result.scenario.cell), result.guest.kind, result.guest.name, result.kernel.digest,
            result.seed, result.repeat, str(result.verdict), str(result.declared), int(result.as_expected),
            panic["signature"] if panic else None, json.dumps(panic) if panic else None,
            json.dumps(result.reasons), result.durations.total,
        )  # fmt: skip
        self._insert("runs", row)

    def add_comparison(self, folder: Path, started: str, base: str, candidate: str, regressions: int) -> None:
        """Enter a comparison of two kernels (their digests); its regress.json is in ``folder``."""
        self._insert("comparisons", (str(folder), started, base, candidate, regressions))

    def comparisons(self) -> list[Path]:
        """The folders of all comparisons, oldest first."""
        with closing(self._connect()) as db:
            return [Path(f) for (f,) in db.execute("SELECT folder FROM comparisons ORDER BY started").fetchall()]

    def _insert(self, table: str, row: tuple[object, ...]) -> None:
        for attempt in range(5):
            try:
                with closing(self._connect()) as db, db:
                    db.execute(f"INSERT OR REPLACE INTO {table} VALUES ({','.join('?' * len(row))})", row)
                return
            except sqlite3.OperationalError as e:
                if "locked" not in str(e) or attempt == 4:
                    full = e.sqlite_errorcode == sqlite3.SQLITE_FULL
                    said = os.strerror(errno.ENOSPC) if full else e
                    raise MachineryError(f"the index {self.root}/index.sqlite: {said}") from e
                time.sleep(0.2 * (attempt + 1))

    def runs(self, signature: str | None = None, scenario: str | None = None) -> Iterator[StoredRun]:
        """Rows of the index, oldest first."""
        where, values = [], []
        if signature:
            where.append("signature = ?")
            values.append(signature)
        if scenario:
            where.append("scenario = ?")
            values.append(scenario)
        with closing(self._connect()) as db:
            rows = db.execute(
                "SELECT folder, started, scenario, file, cell, guest, guest_name, kernel, seed, verdict, as_expected,"
                " signature, panic FROM runs"
                + (f" WHERE {' AND '.join(where)}" if where else "")
                + " ORDER BY started",
                values,
            ).fetchall()
        for r in rows:
            yield StoredRun(
                Path(r[0]), r[1], r[2], r[3], json.loads(r[4]), r[5], r[6], r[7], r[8], r[9], bool(r[10]), r[11], r[12]
            )
