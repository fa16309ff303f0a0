"""Runs a candidate until the odds say good or bad; the same for rules, points, patches, revisions and scenarios."""

from __future__ import annotations

import concurrent.futures
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harness.errors import UsageError
from harness.search.journal import Journal, Outcome, Trial
from harness.search.odds import Sequential, Share, fewest

QUICK = 0.8
"""The confidence on the way, where an error is found out at the end or costs nothing but a larger answer."""
LEARN = 4
"""How often the failing end must show the symptom before the search begins: what its share is learnt from."""


@dataclass(frozen=True)
class Candidate:
    """Something to be tried: a key of its own, what it is called, and how one run of it is made (seed -> Trial)."""

    key: str
    title: str
    run: Callable[[int, int], Trial] = field(compare=False)  # number, seed


@dataclass(frozen=True)
class Decision:
    """What the odds said of a candidate, after how many runs, and how probably it is wrong."""

    candidate: Candidate
    outcome: Outcome
    bad: int
    good: int
    error: float
    signature: str = ""
    why: str = ""
    path: tuple[bool, ...] = ()
    """Run by run: did it fail?"""

    @property
    def runs(self) -> int:
        return self.bad + self.good

    @property
    def words(self) -> str:
        """bad: panic in 2 of 7 runs."""
        if self.outcome is Outcome.NEITHER:
            return f"neither: {self.why}"
        return f"{self.outcome}: shown in {self.bad} of {self.runs}"


class Undecided(Exception):
    """A search cannot go on: what it needs to know cannot be found out."""


Told = Callable[[Decision], None]


class Judge:
    """Decides candidates by repeated runs with different seeds, and remembers every one.

    ``learn_on``: bad candidates teach the share of the later ones too (where all of them have one cause); without it
    only those do that hid their symptom now and then: what is left of a fault may show more rarely than the whole.
    ``most``: runs of one candidate after which it is left undecided.  ``give_up``: runs in which the failing end
    may hide its symptom (13 passes rule out, at 99 %, one that shows in 30 % of runs).  ``stop`` ends all runs
    that are under way; ``heard`` are the signals that asked for an end so far.  ``rarest``: a bad candidate may show it
    as rarely as that, even where the failing end shows it more often.
    """

    def __init__(
        self, journal: Journal, confidence: float = 0.99, noise: float = 0.0, seed: int = 1, jobs: int = 1, most: int = 300,
        learn_on: bool = False, give_up: int = 13, stop: Callable[[], None] = lambda: None,
        heard: Sequence[int] = (), rarest: Share | None = None,
        told: Told = lambda _decision: None,
    ) -> None:  # fmt: skip
        if not 0.5 < confidence < 1:
            raise UsageError(f"a confidence of {confidence:g}: between 50 % and 100 %, such as 99%")
        if not 0 <= noise < 0.5:
            raise UsageError(f"a noise of {noise:g}: from 0 to under 50 %")
        self.journal, self.confidence, self.noise, self.jobs, self.most = journal, confidence, noise, jobs, most
        self.share = Share()
        self.decisions: list[Decision] = []
        self.trials: list[Trial] = []  # in the order in which they were used
        self._first_seed = seed
        self._learn_on = learn_on
        self._give_up, self._stop, self._heard, self._rarest = give_up, stop, heard, rarest
        self._told = told
        self._said: dict[tuple[str, float], Decision] = {}
        self.showed: int | None = None  # the seed with which the failing end first showed its symptom
        self._kernels: dict[str, str] = {}

    # -- runs --------------------------------------------------------------------------------------

    def _seed(self, candidate: Candidate, number: int) -> int:
        """First the seed that showed the symptom at the failing end, then seeds of the candidate's own."""
        if number == 0:
            return self.showed if self.showed is not None else self._first_seed
        return self._first_seed + number + 1000 * (zlib.crc32(candidate.key.encode()) % 1_000_000)

    def _trials(self, candidate: Candidate, first: int, count: int) -> list[Trial]:
        wanted = range(first, first + count)
        found = {n: t for n in wanted if (t := self.journal.find(candidate.key, n)) is not None}
        missing = [n for n in wanted if n not in found]

        def one(number: int) -> Trial:
            if self._heard:
                raise SystemExit(128 + self._heard[0])
            trial = candidate.run(number, self._seed(candidate, number))
            self.journal.add(trial)
            return trial

        if self.jobs <= 1 or len(missing) <= 1:
            made = [one(n) for n in missing]
        else:
            with concurrent.futures.ThreadPoolExecutor(self.jobs, thread_name_prefix="trial") as pool:
                try:
                    made = list(pool.map(one, missing))
                except BaseException:
                    self._stop()  # or the pool would wait for runs that nobody wants any more
                    raise
        found |= {t.number: t for t in made}
        for n in wanted:
            self._same_kernel(found[n])
            self.trials.append(found[n])
        return [found[n] for n in wanted]

    def _same_kernel(self, trial: Trial) -> None:
        if trial.kernel and self._kernels.setdefault(trial.candidate, trial.kernel) != trial.kernel:
            raise UsageError("the kernel has changed since this search began: --fresh begins anew")

    # -- decisions ---------------------------------------------------------------------------------

    def learn(self, candidate: Candidate) -> Decision:
        """The failing end: run until it has shown the symptom often enough to know how often it does.

        Raises Undecided when it does not show it.
        """
        bad, good, neither = 0, 0, 0
        while bad < LEARN:
            trial = self._trials(candidate, bad + good + neither, 1)[0]
            bad += trial.outcome is Outcome.BAD
            good += trial.outcome is Outcome.GOOD
            neither += trial.outcome is Outcome.NEITHER
            if trial.outcome is Outcome.BAD and self.showed is None:
                self.showed = trial.seed
            if neither > bad + good + 1:
                return self._decided(candidate, Outcome.NEITHER, bad, good, 1.0)
            if bad + good >= self.most or (bad == 0 and good >= self._give_up):
                raise Undecided(f"'{candidate.title}' was to fail, but passes: shown in {bad} of {bad + good} runs")
        self.share = min((s for s in (Share(bad, good), self._rarest) if s), key=lambda s: s.likely)
        return self._decided(candidate, Outcome.BAD, bad, good, 0.0)

    def decide(self, candidate: Candidate, confidence: float | None = None) -> Decision:
        """Good, bad or neither; ``neither`` when it cannot be run, or not be decided in ``most`` runs."""
        confidence = confidence or self.confidence
        asked = (candidate.key, confidence)
        if asked in self._said:
            return self._said[asked]
        test = Sequential(self.share, confidence, self.noise)
        before = [t for t in self.trials if t.candidate == candidate.key]  # asked before, less firmly
        bad = sum(t.outcome is Outcome.BAD for t in before)
        good = sum(t.outcome is Outcome.GOOD for t in before)
        done, neither = len(before), 0
        while (said := test.verdict(bad, good)) is None:
            if bad + good >= self.most or neither > bad + good + 1:
                break
            # The first alone: with the seed that showed the symptom before, it mostly is the last of a bad one.
            for trial in self._trials(candidate, done, min(self.jobs, test.wanted(bad, good)) if done else 1):
                done += 1
                bad += trial.outcome is Outcome.BAD
                good += trial.outcome is Outcome.GOOD
                neither += trial.outcome is Outcome.NEITHER
        outcome = Outcome.NEITHER if said is None else Outcome.BAD if said else Outcome.GOOD
        if outcome is Outcome.BAD and (self._learn_on or good):
            self.share = self.share.plus(bad, good)
        decision = self._decided(candidate, outcome, bad, good, test.error(bad, good))
        self._said[asked] = decision
        return decision

    def _decided(self, candidate: Candidate, outcome: Outcome, bad: int, good: int, error: float) -> Decision:
        mine = [t for t in self.trials if t.candidate == candidate.key]
        shown = next((t for t in mine if t.outcome is outcome), mine[-1] if mine else None)
        signature = shown.signature if shown else ""
        path = tuple(t.outcome is Outcome.BAD for t in mine if t.outcome is not Outcome.NEITHER)
        decision = Decision(candidate, outcome, bad, good, error, signature, shown.why if shown else "", path)
        self.decisions.append(decision)
        self._told(decision)
        return decision

    @property
    def runs(self) -> int:
        """How many runs it has taken so far."""
        return len(self.trials)

    # -- accounts ----------------------------------------------------------------------------------

    def ideal(self, path: int, decisions: Sequence[Decision]) -> tuple[int, int]:
        """Runs that a search of ``path`` candidates would need if one run told all; and with the share seen here.

        The second figure is for the candidates that were in fact asked: a bad one is known at its first
        symptom, a good one after the fewest runs that rule out a bad one of that share.
        """
        share = self.share.likely
        if self.share.unshown == 0:
            share = 1.0
        last = {d.candidate.key: d for d in decisions if d.outcome is not Outcome.NEITHER}
        total = sum(1 / share if d.outcome is Outcome.BAD else fewest(share, self.confidence) for d in last.values())
        return path, max(path, round(total))
