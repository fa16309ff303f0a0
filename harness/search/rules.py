"""Over rules: of the rules of the output path, which must be honoured for a failing setting to pass?

The search is not told which rules a setting breaks.  It honours a part of them, behind whatever the scenario
sets up, by net.pspat.break.cN=0; the rest stays as the scenario has it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.errors import UsageError
from harness.scenario import Scenario
from harness.search.answer import Answer
from harness.search.journal import Outcome
from harness.search.judge import QUICK, Candidate, Decision, Judge, Undecided
from harness.search.minimal import needed, smaller
from harness.search.ordered import steps
from harness.search.runs import Bench, Symptom

RULES = {
    1: "owner", 2: "tag", 3: "vnet", 4: "epoch", 5: "lock", 6: "lifetime", 7: "context", 8: "thread", 9: "errors",
    10: "departure", 11: "once", 12: "queues",
}  # fmt: skip
THEORIES = {
    1: ((1, 6), "the sender's thread frees the packet on its way back"),
    2: ((3, 4, 8), "something specific to the thread changes"),
}
"""The two theories of the mail of 27 Jul 2018, as the rules that they say are broken."""


def parse(words: str) -> tuple[int, ...]:
    """(1, 6) from ``1,6`` or ``C1,C6``.  Raises UsageError."""
    out = []
    for word in words.split(","):
        plain = word.strip().lstrip("Cc")
        if not plain.isdigit() or int(plain) not in RULES:
            raise UsageError(f"--rules: {word.strip()!r} is no rule (C1 to C12)")
        out.append(int(plain))
    return tuple(dict.fromkeys(out))


def named(rules: Sequence[int]) -> str:
    """C1 and C6, with their names."""
    words = [f"C{r} ({RULES[r]})" for r in rules]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1] if words else "none"


def honouring(scenario: Scenario, rules: Sequence[int]) -> Scenario:
    """The scenario with these rules honoured, whatever it breaks."""
    block = scenario.setup.get("guest", "")
    words = " ".join(f"net.pspat.break.c{r}=0" for r in rules)  # one command: each takes a tenth of a second on a real guest
    block = (block if block.endswith("\n") or not block else block + "\n") + f"sysctl {words}\n"
    return scenario.model_copy(update={"setup": {**scenario.setup, "guest": block}}) if rules else scenario


class RuleSearch:
    """One failing setting: the smallest set to honour, each culprit alone, the mail's theories."""

    def __init__(self, bench: Bench, judge: Judge, scenario: Scenario, rules: Sequence[int], symptom: Symptom) -> None:
        self._bench, self._judge, self._scenario = bench, judge, scenario
        self._rules, self._symptom = tuple(sorted(rules)), symptom

    def _candidate(self, rules: Sequence[int]) -> Candidate:
        rules = sorted(rules)
        if not rules:
            title = "as it is"
        elif rules == list(self._rules):
            title = "all honoured"
        elif len(rules) > len(self._rules) // 2 and len(rules) > 3:
            left = [f"C{r}" for r in self._rules if r not in rules]
            title = f"all but {' '.join(left)} honoured"
        else:
            title = f"{' '.join(f'C{r}' for r in rules)} honoured"
        key = f"{self._scenario.sha256[:12]}/honour:{','.join(map(str, rules))}"
        return self._bench.candidate(key, title, honouring(self._scenario, rules), self._symptom)

    def _decide(self, rules: Sequence[int], confidence: float | None = None) -> Decision:
        return self._judge.decide(self._candidate(rules), confidence)

    def _passes(self, rules: Sequence[int]) -> bool:
        return bool(rules) and self._decide(rules).outcome is Outcome.GOOD

    def _minimal(self) -> list[int] | None:
        """A set of which none can be left out.  Found quickly, then asked firmly; what passed by chance fails then.

        None: not even all of them do.
        """
        for confidence in (min(QUICK, self._judge.confidence), self._judge.confidence):

            def passes(rules: Sequence[int], confidence: float = confidence) -> bool:
                return bool(rules) and self._decide(rules, confidence).outcome is Outcome.GOOD

            if not passes(self._rules):
                return None
            found = sorted(needed(self._rules, passes))
            if self._passes(found):
                return found
        raise Undecided(f"honoured {named(found)} it passes and fails by turns")

    def answer(self) -> Answer:
        """Raises Undecided when the runs cannot tell."""
        subject = self._scenario.name + "".join(f" {k}={v}" for k, v in self._scenario.cell.items())
        try:
            failing = self._judge.learn(self._candidate(()))
        except Undecided:
            said = "passes as it is: no rule that matters is broken, by these runs"
            return Answer("rules", subject, True, (said,), {"honour": [], "culprits": [], "theories": {}}, 1)
        if failing.outcome is Outcome.NEITHER:
            raise Undecided(f"{subject}: {failing.why}")
        found = self._minimal()
        if found is None:
            whole = self._decide(self._rules)
            said = f"not these rules: with all of {', '.join(f'C{r}' for r in self._rules)} honoured {_end(whole)}"
            return Answer("rules", subject, False, (said,), {"honour": None, "signature": whole.signature}, 2)
        alone = {r: self._alone(r) for r in found}
        culprits = [r for r in found if alone[r].outcome is Outcome.BAD]
        proof = f"{'it' if len(found) == 1 else 'each'} is a culprit alone, so no smaller set can do"
        if culprits != found:
            try:
                better = smaller(self._rules, found, culprits, self._passes)
                if better:
                    found = sorted(better)
                    alone |= {r: self._alone(r) for r in found if r not in alone}
                    culprits = [r for r in found if alone[r].outcome is Outcome.BAD]
                proof = "no smaller set does: all were tried"
            except OverflowError:
                proof = "none of them can be left out; whether another, smaller set does was not tried"
        words = [f"to be honoured: {named(found)}: {proof}"]
        words += [f"C{r} alone broken: {_end(alone[r])}" for r in found]
        theories = self._theories(found) if "attempt" in self._scenario.cell else {}
        words += [str(t["words"]) for t in theories.values()]
        rests = tuple(self._candidate(r).key for r in (found, *([x for x in self._rules if x != r] for r in found)))
        data = {
            "honour": [f"C{r}" for r in found], "culprits": {f"C{r}": d.signature for r, d in alone.items() if r in culprits},
            "unbroken": failing.signature, "theories": theories, "proof": proof,
        }  # fmt: skip
        return Answer("rules", subject, True, tuple(words), data, self._path(found), rests)

    def _alone(self, rule: int) -> Decision:
        """All rules honoured but this one, whatever the setting makes of it."""
        return self._decide([r for r in self._rules if r != rule])

    def _path(self, found: Sequence[int]) -> int:
        """Questions that say which set it is among all of that size, or that prove it: whichever are more."""
        return max(len(found) + 1, steps(math.comb(len(self._rules), len(found))))

    def _theories(self, found: Sequence[int]) -> dict[str, dict[str, object]]:
        out: dict[str, dict[str, object]] = {}
        for n, (rules, says) in THEORIES.items():
            asked = [r for r in rules if r in self._rules]
            part = [r for r in found if r in rules]
            d = self._decide(asked)
            if d.outcome is Outcome.GOOD:
                verdict, words = "explains it", f"with {named(part or asked)} honoured it passes"
            elif d.outcome is Outcome.BAD and part:
                verdict, words = "a part of it", f"{named(part)} must be honoured, but with {named(asked)} honoured {_end(d)}"
            elif d.outcome is Outcome.BAD:
                verdict, words = "does not explain it", f"with {named(asked)} honoured {_end(d)}"
            else:
                verdict, words = "not known", d.words
            out[str(n)] = {
                "says": says, "rules": [f"C{r}" for r in rules], "verdict": verdict,
                "words": f"theory [{n}] ({says}): {verdict}: {words}",
            }  # fmt: skip
        return out


def _end(decision: Decision) -> str:
    if decision.outcome is Outcome.BAD:
        return f"it fails: {decision.why or decision.signature}"
    return "it passes" if decision.outcome is Outcome.GOOD else f"it cannot be said: {decision.why}"
