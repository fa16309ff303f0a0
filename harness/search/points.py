"""Over points: verdict and signature in every cell of a scenario's matrix, and the boundary where it turns.

The axes of the matrix are what is searched over: point of interception, exit, thread, transmit mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from harness.errors import UsageError
from harness.scenario import Scenario
from harness.search.answer import Answer
from harness.search.journal import Outcome
from harness.search.judge import Decision, Judge, Undecided
from harness.search.odds import Share
from harness.search.runs import Bench, Symptom


class PointSearch:
    """All cells of one scenario's matrix.  ``assumed``: the share of a bad cell's runs, where none fails at once."""

    def __init__(self, bench: Bench, judge: Judge, cells: Sequence[Scenario], symptom: Symptom, assumed: Share) -> None:
        if len(cells) < 2:
            raise UsageError(f"{cells[0].file}: over points wants a matrix: its cells are the points")
        self._judge, self._cells, self._assumed = judge, cells, assumed
        self._candidates = [
            bench.candidate(f"{c.sha256[:12]}", " ".join(f"{k}={v}" for k, v in c.cell.items()), c, symptom) for c in cells
        ]

    def answer(self) -> Answer:
        judge = self._judge
        judge.share = self._assumed
        decided: list[Decision] = [judge.decide(c) for c in self._candidates]
        if all(d.outcome is Outcome.NEITHER for d in decided):
            raise Undecided(f"no point could be run: {decided[0].why}")
        axes = [k for k in self._cells[0].cell if len({c.cell[k] for c in self._cells}) > 1]
        turns = []
        for (a, x), (b, y) in combinations(zip(self._cells, decided, strict=True), 2):
            differ = [k for k in axes if a.cell[k] != b.cell[k]]
            if len(differ) == 1 and {x.outcome, y.outcome} == {Outcome.GOOD, Outcome.BAD}:
                passes, fails = (a, b) if x.outcome is Outcome.GOOD else (b, a)
                turns.append((differ[0], passes, fails))
        words = self._words(decided, axes, turns)
        data = {
            "axes": {k: list(dict.fromkeys(c.cell[k] for c in self._cells)) for k in axes},
            "points": [
                {"cell": dict(c.cell), "outcome": str(d.outcome), "signature": d.signature, "why": d.why, "runs": d.runs,
                 "shown": d.bad} for c, d in zip(self._cells, decided, strict=True)
            ],
            "boundary": [
                {"axis": k, "passes": dict(p.cell), "fails": dict(f.cell)} for k, p, f in turns
            ],
        }  # fmt: skip
        return Answer("points", self._cells[0].name, True, words, data, len(self._cells))

    def _words(
        self, decided: Sequence[Decision], axes: Sequence[str], turns: Sequence[tuple[str, Scenario, Scenario]]
    ) -> tuple[str, ...]:
        bad = sum(d.outcome is Outcome.BAD for d in decided)
        good = sum(d.outcome is Outcome.GOOD for d in decided)
        unknown = len(decided) - good - bad
        words = [f"{good} of {len(decided)} points pass, {bad} fail" + (f", {unknown} unknown" if unknown else "")]
        for axis in axes:
            pairs = {(str(p.cell[axis]), str(f.cell[axis])) for k, p, f in turns if k == axis}
            for passes, fails in sorted(pairs):
                same = [(p, f) for k, p, f in turns if k == axis and (str(p.cell[axis]), str(f.cell[axis])) == (passes, fails)]
                where = "" if len(same) == self._crossings(axis) else " with " + "; ".join(
                    " ".join(f"{k}={v}" for k, v in p.cell.items() if k != axis) for p, _ in same
                )  # fmt: skip
                words.append(f"it turns with {axis}: {passes} passes, {fails} fails{where}")
        for axis in axes:
            if not any(k == axis for k, _, _ in turns) and turns:
                words.append(f"{axis} does not matter")
        return tuple(words)

    def _crossings(self, axis: str) -> int:
        """How many pairs of cells differ from one given value of the axis to another alone."""
        return len(self._cells) // len({c.cell[axis] for c in self._cells})
