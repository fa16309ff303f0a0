"""What a search has learnt so far: one JSON line a run, on disk before the next run begins.

A search asks in an order that depends only on what it was told.  So one that was interrupted, by whatever, is
simply asked again, and answers from the journal until it has come to where it was.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from harness.errors import MachineryError


class Outcome(StrEnum):
    """What one run said of a candidate.  ``neither``: the run could not be made, or says nothing."""

    BAD = "bad"
    GOOD = "good"
    NEITHER = "neither"


@dataclass(frozen=True)
class Trial:
    """One run: of which candidate, the how-manieth (from 0), and what came of it.  ``seconds`` are of the wall."""

    candidate: str
    number: int
    seed: int
    outcome: Outcome
    verdict: str
    signature: str = ""
    why: str = ""
    kernel: str = ""
    seconds: float = 0.0
    folder: str = ""


class Journal:
    """The runs of a search, kept in ``path``; in memory alone without one."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._known: dict[str, dict[int, Trial]] = defaultdict(dict)
        self.known = 0
        if path is not None and path.exists():
            self._read(path)

    def _read(self, path: Path) -> None:
        data = path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):  # cut off in the middle of its last line
            os.truncate(path, len(whole))
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                fields = json.loads(line)
                trial = Trial(**{**fields, "outcome": Outcome(fields["outcome"])})
            except (ValueError, KeyError, TypeError) as e:
                raise MachineryError(f"{path}:{number}: no line of a search's journal ({e}); --fresh begins anew") from None
            if trial.outcome is not Outcome.NEITHER:  # what could not be run may be possible now
                self._known[trial.candidate][trial.number] = trial
                self.known += 1

    def find(self, candidate: str, number: int) -> Trial | None:
        """The run that was made before, if it was."""
        return self._known.get(candidate, {}).get(number)

    def add(self, trial: Trial) -> None:
        """Keep a run.  Raises MachineryError when it cannot be written."""
        self._known[trial.candidate][trial.number] = trial
        if self._path is None:
            return
        try:
            with open(self._path, "a", encoding="utf-8") as f:
                f.write(json.dumps(asdict(trial), ensure_ascii=False) + "\n")
                f.flush()
                os.fsync(f.fileno())
        except OSError as e:
            raise MachineryError(f"cannot write {self._path}: {e.strerror}") from e
