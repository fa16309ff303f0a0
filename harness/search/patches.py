"""Over patches and over revisions: the first one of an ordered list with which it fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import UsageError
from harness.guest.kernels import KernelWord
from harness.kernel.patches import read_series
from harness.kernel.tree import read_tree
from harness.scenario import Scenario
from harness.search.answer import Answer
from harness.search.journal import Outcome
from harness.search.judge import Candidate, Judge, Undecided
from harness.search.ordered import first_bad, steps
from harness.search.runs import Bench, Symptom


@dataclass(frozen=True)
class Step:
    """One of the list: the word of the kernel with everything up to it, its key, what it is called."""

    kernel: str
    key: str
    title: str


def series_steps(kernel: KernelWord, series: str) -> list[Step]:
    """The kernel with none of a series' patches, with the first, with the first two ...

    Raises UsageError for a series or a tree that is not there.
    """
    if kernel.kind != "usermode" and kernel.tree is None:
        raise UsageError(f"--guest {kernel.text}: patches go on usermode or a source tree; an image is what it was built from")
    whole = read_series(series, read_tree(kernel.tree) if kernel.tree else None)
    names = [name for name, _, _ in whole.diffs] + ["its sys/ folder"] * (whole.steps > len(whole.diffs))
    out = []
    for n in range(whole.steps + 1):
        word = kernel.with_steps(series, n).text
        part = read_series(f"{series}@{n}", read_tree(kernel.tree) if kernel.tree else None) if n else None
        title = f"{n}: {names[n - 1]}" if n else "0: no patch"
        out.append(Step(word, f"{series}@{n}:{part.digest if part else ''}", title))
    return out


class OrderedSearch:
    """``steps[0]`` is good, the last one bad; which one turns it?"""

    def __init__(
        self, over: str, subject: str, bench: Bench, judge: Judge, scenario: Scenario, list_: Sequence[Step], symptom: Symptom
    ) -> None:
        self._over, self._subject = over, subject
        self._bench, self._judge, self._scenario = bench, judge, scenario
        self._steps, self._symptom = list_, symptom

    def _candidate(self, n: int) -> Candidate:
        step = self._steps[n]
        key = f"{self._scenario.sha256[:12]}/{step.key}"
        return self._bench.candidate(key, step.title, self._scenario, self._symptom, step.kernel)

    def answer(self) -> Answer:
        """Raises Undecided when the last one passes, the first one fails, or one of them cannot be run."""
        last = len(self._steps) - 1
        end = self._judge.learn(self._candidate(last))
        if end.outcome is Outcome.NEITHER:
            raise Undecided(f"'{end.candidate.title}' could not be run: {end.why}")
        # The answer rests on its last good one: ask that ten times as sure as each step on the way.
        firmly = 1 - (1 - self._judge.confidence) / 10

        def ask(n: int, firm: bool) -> Outcome:
            return self._judge.decide(self._candidate(n), firmly if firm else None).outcome

        start = ask(0, False)
        if start is not Outcome.GOOD:
            d = self._judge.decisions[-1]
            raise Undecided(f"'{d.candidate.title}' was to pass, but is {d.words}: {d.why}")
        turn = first_bad(0, last, ask)
        suspects = [*turn.unknown, turn.bad]
        culprit = self._steps[turn.bad].title
        bad = next((d for d in reversed(self._judge.decisions) if d.candidate.title == culprit), end)
        if turn.unknown:
            names = ", ".join(self._steps[n].title for n in suspects)
            words = [f"one of {len(suspects)}, the others between could not be tried: {names}"]
        else:
            words = [f"the first with which it fails: {culprit}"]
        words.append(f"passes up to: {self._steps[turn.good].title}")
        words.append(f"with it: {bad.why or bad.signature}")
        rests = tuple(self._candidate(n).key for n in (turn.good, turn.bad))
        data = {
            "first_bad": culprit, "index": turn.bad, "last_good": self._steps[turn.good].title,
            "suspects": [self._steps[n].title for n in suspects], "signature": bad.signature,
            "keys": [self._steps[n].key for n in suspects],
        }  # fmt: skip
        return Answer(self._over, self._subject, True, tuple(words), data, steps(last), rests)
