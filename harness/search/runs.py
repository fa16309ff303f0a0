"""From a candidate to a run of it: the one place where a search meets guests, scenarios and results."""

from __future__ import annotations

import shlex
import threading
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError
from harness.run import guests
from harness.run.many import Guests
from harness.run.result import Result, Verdict
from harness.run.runner import GuestMaker, Plan, run
from harness.run.store import Store
from harness.scenario import Scenario
from harness.search.journal import Outcome, Trial
from harness.search.judge import Candidate

FAILED = (Verdict.PANIC, Verdict.FAIL, Verdict.HANG)


def mark(result: Result) -> str:
    """What a failing run is recognised by: the panic's signature, or what did not hold; empty for a pass."""
    if result.panic is not None:
        return result.panic.signature
    if result.verdict is Verdict.FAIL:
        failed = [e.metric for e in result.expectations if not e.holds]
        return f"fail: {failed[0]}" if failed else "fail: " + (result.reports[0].signature if result.reports else "other")
    return "hang" if result.verdict is Verdict.HANG else ""


@dataclass(frozen=True)
class Symptom:
    """What is looked for: any failing verdict, or one signature alone (a part of it does).

    ``other``: what a run counts for that fails in another way than the one looked for.  ``verdicts``: those that
    count as failing; the others count as passing (fail on a guest that is too slow for the traffic says nothing).
    """

    signature: str = ""
    other: Outcome = Outcome.NEITHER
    verdicts: tuple[Verdict, ...] = FAILED

    def outcome(self, result: Result) -> Outcome:
        if result.verdict is Verdict.ERROR:
            return Outcome.NEITHER
        if result.verdict not in self.verdicts:
            return Outcome.GOOD
        return Outcome.BAD if not self.signature or self.signature in mark(result) else self.other


class Bench:
    """Makes runs: kernels by their word (made once each), one store, all guests known for when it ends."""

    def __init__(self, folder: Path, guest: str, cold: bool = False, command: str = "dnh") -> None:
        self.folder, self.guest = folder, guest
        self._store = Store(folder / "runs")
        self._cold, self._command = cold, command
        self._guests = Guests()
        self._makers: dict[str, GuestMaker] = {}
        self._lock = threading.Lock()

    def stop(self) -> None:
        """End all guests; runs under way end as interrupted."""
        self._guests.kill_all()

    def _maker(self, word: str) -> GuestMaker:
        with self._lock:
            if word not in self._makers:
                self._makers[word] = self._guests.wrap(guests.maker(word, self._cold))
            return self._makers[word]

    def run(self, scenario: Scenario, seed: int, number: int = 0, guest: str = "") -> tuple[Result, Path]:
        """One run.  Raises UsageError for a guest or a series that is not there."""
        word = guest or self.guest
        kind, _ = guests.check(word)
        if scenario.guests and kind not in scenario.guests:
            raise UsageError(f"{scenario.file}: makes sense on {', '.join(scenario.guests)} only")
        again = shlex.join([self._command, "run", "scenario.yaml", "--guest", word, "--seed", str(seed), "--repeat", "1"])
        plan = Plan(scenario, seed, number, word, again)
        return run(plan, self._maker(word), self._store, interrupted_elsewhere=lambda: self._guests.closed)

    def candidate(self, key: str, title: str, scenario: Scenario, symptom: Symptom, guest: str = "") -> Candidate:
        """A candidate that is a scenario on a kernel."""

        def once(number: int, seed: int) -> Trial:
            result, folder = self.run(scenario, seed, number, guest)
            why = result.reasons[0] if result.reasons else ""
            return Trial(
                candidate=key, number=number, seed=seed, outcome=symptom.outcome(result), verdict=str(result.verdict),
                signature=mark(result), why=why, kernel=result.kernel.digest, seconds=result.durations.total,
                folder=str(folder.relative_to(self.folder)),
            )  # fmt: skip

        return Candidate(key, title, once)
