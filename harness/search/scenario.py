"""Over the scenario itself: the smallest one that still shows the symptom, as YAML that loads and runs.

Taken away, as long as the symptom stays: flows, events, lines of ipfw, set-up and sysctls, hosts with their links;
then senders, and time.  What no longer makes sense is never run: the scenario's own check says so.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from harness.errors import UsageError
from harness.run.store import write_atomically
from harness.scenario import Scenario, loads
from harness.scenario import expect as x
from harness.search.answer import Answer
from harness.search.journal import Outcome
from harness.search.judge import QUICK, Candidate, Judge, Undecided
from harness.search.minimal import simpler
from harness.search.runs import Bench, Symptom

Plain = dict[str, Any]
Piece = tuple[str, ...]
"""What can be taken away: ('flows', 'gold'), ('ipfw', 'router', '3') for the fourth line."""
_BLOCKS = ("ipfw", "setup", "dnctl", "pf")
SHORTEST = 0.05
"""Seconds below which a scenario is not shortened further."""


class ScenarioSearch:
    """Shrinks one scenario.  ``signature``: what must stay (default: what its first failing run shows)."""

    def __init__(self, bench: Bench, judge: Judge, scenario: Scenario, signature: str, target: Path | None) -> None:
        self._bench, self._judge, self._scenario = bench, judge, scenario
        self._signature, self._target = signature, target
        self._whole = scenario.sha256[:12]
        self._asked: dict[str, bool] = {}

    def _candidate(self, scenario: Scenario, title: str) -> Candidate:
        symptom = Symptom(self._signature, other=Outcome.GOOD)
        return self._bench.candidate(f"{self._whole}/{scenario.sha256[:16]}", title, scenario, symptom)

    def _shows(self, plain: Plain, title: str) -> bool:
        """Does this much of the scenario still show it?  False for what is no scenario any more."""
        scenario = _valid(plain, self._scenario.file)
        if scenario is None:
            return False
        if scenario.sha256 not in self._asked:
            self._asked[scenario.sha256] = self._decide(scenario, title) is Outcome.BAD
        return self._asked[scenario.sha256]

    def _decide(self, scenario: Scenario, title: str) -> Outcome:
        return self._judge.decide(self._candidate(scenario, title), min(QUICK, self._judge.confidence)).outcome

    def answer(self) -> Answer:
        """Raises Undecided when the scenario does not fail."""
        whole = self._judge.learn(self._candidate(self._scenario, "as it is"))
        if whole.outcome is Outcome.NEITHER:
            raise Undecided(f"it could not be run: {whole.why}")
        self._signature = self._signature or whole.signature
        plain = self._scenario.to_dict()
        plain.pop("matrix", None)
        panics = not self._signature.startswith("fail: ") and self._signature != "hang"
        if panics:  # of a kernel that panics no metric is asked
            plain["expect"] = {"verdict": "panic"}
        before = len(list(pieces(plain)))
        passes = 0
        while True:
            size = _size(plain)
            plain = self._fewer(plain)
            plain = self._plainer(plain)
            plain = self._shorter(plain)
            passes += 1
            if _size(plain) == size or passes == 4:
                break
        smallest = _valid(plain, self._scenario.file)
        assert smallest is not None
        text = self._text(smallest, panics, whole.why)
        target = self._target or self._bench.folder / "smallest.yaml"
        write_atomically(target, text)
        after = len(list(pieces(plain)))
        words = (
            f"the smallest that still shows {self._signature}: {target}",
            f"{after} of {before} parts are left: {_census(plain)}; {smallest.length():.3g} s instead of "
            f"{self._scenario.length():.3g} s",
        )
        data = {
            "signature": self._signature, "file": str(target), "parts": {"before": before, "after": after},
            "seconds": {"before": self._scenario.length(), "after": smallest.length()}, "scenario": text,
        }  # fmt: skip
        return Answer("scenario", self._scenario.name, True, words, data, after + 1, (whole.candidate.key,))

    # -- ways to make it smaller -------------------------------------------------------------------

    def _fewer(self, plain: Plain) -> Plain:
        for kind in ("flows", "events", *_BLOCKS, "sysctl", "routes", "hosts", "links", "ends", "tunables"):
            there = [p for p in pieces(plain) if p[0] == kind]
            if not there:
                continue

            def kept(part: Sequence[Piece], there: list[Piece] = there, plain: Plain = plain, kind: str = kind) -> bool:
                gone = [p for p in there if p not in part]
                named = f"without {', '.join('.'.join(p) for p in gone)}" if len(gone) <= 3 else f"without {len(gone)} of {kind}"
                return self._shows(without(plain, gone), named)

            left = simpler(there, kept)
            plain = without(plain, [p for p in there if p not in left])
        return plain

    def _try(self, plain: Plain, change: Callable[[Plain], None], title: str) -> Plain:
        changed = copy.deepcopy(plain)
        change(changed)
        return changed if changed != plain and self._shows(changed, title) else plain

    def _plainer(self, plain: Plain) -> Plain:
        for name in list(plain.get("flows", {})):
            if plain["flows"][name].get("senders", 1) > 1:
                plain = self._try(plain, lambda p, n=name: p["flows"][n].pop("senders"), f"{name} with one sender")  # type: ignore[misc]
        return plain

    def _shorter(self, plain: Plain) -> Plain:
        """All times together, halved as often as goes; then by a quarter."""
        for factor in (0.5, 0.75):
            while True:
                scenario = _valid(plain, self._scenario.file)
                if scenario is None or scenario.length() * factor < SHORTEST:
                    break
                shorter = _timed(scenario, factor)
                if shorter is None or not self._shows(shorter, f"in {scenario.length() * factor:.3g} s"):
                    break
                plain = shorter
        return plain

    def _text(self, smallest: Scenario, panics: bool, why: str) -> str:
        plain = smallest.to_dict()
        for gone in ("cell", "repeat", "tags"):
            plain.pop(gone, None)
        if self._judge.showed is not None:
            plain["seed"] = self._judge.showed
        plain["name"] = f"{self._scenario.name}, in its smallest form"
        plain["about"] = f"What still shows {self._signature}: {why}"
        if panics:
            plain["expect"] = {"verdict": "panic"}
        elif self._signature == "hang":
            plain["expect"] = {"verdict": "hang"}
        else:
            plain.setdefault("expect", {})["verdict"] = "fail"
        return loads(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True), "smallest")[0].to_yaml()


# --- the parts of a scenario -----------------------------------------------------------------------


def pieces(plain: Plain) -> Iterator[Piece]:
    """All that can be taken away."""
    yield from (("flows", name) for name in plain.get("flows", {}))
    yield from (("events", str(n)) for n in range(len(plain.get("events", ()))))
    for block in _BLOCKS:
        for host, text in plain.get(block, {}).items():
            yield from ((block, host, str(n)) for n, line in enumerate(text.splitlines()) if line.strip())
    for host, values in plain.get("sysctl", {}).items():
        yield from (("sysctl", host, name) for name in values)
    for host, table in plain.get("routes", {}).items():
        yield from (("routes", host, to) for to in table)
    for host, ends in plain.get("hosts", {}).items():
        yield ("hosts", host)
        if len(ends) > 1:
            yield from (("ends", host, link) for link in ends)
    yield from (("links", link) for link in plain.get("links", {}))
    yield from (("tunables", name) for name in plain.get("kernel", {}).get("tunables", {}))


def without(plain: Plain, gone: Sequence[Piece]) -> Plain:
    """The scenario without these; what becomes empty goes as well, and expectations about what has gone."""
    out = copy.deepcopy(plain)
    numbers = {int(p[1]) for p in gone if p[0] == "events"}
    if numbers:
        out["events"] = [e for n, e in enumerate(plain["events"]) if n not in numbers]
    for block in _BLOCKS:
        lines: dict[str, set[int]] = {}
        for p in gone:
            if p[0] == block:
                lines.setdefault(p[1], set()).add(int(p[2]))
        for host, those in lines.items():
            left = [line for n, line in enumerate(plain[block][host].splitlines()) if n not in those]
            out[block][host] = "".join(f"{line}\n" for line in left)
            if not out[block][host].strip():
                del out[block][host]
    for p in gone:
        if p[0] == "flows":
            out["flows"].pop(p[1], None)
        elif p[0] == "hosts":
            for part in ("hosts", "sysctl", "routes", *_BLOCKS):
                out.get(part, {}).pop(p[1], None)
        elif p[0] == "ends":
            out["hosts"].get(p[1], {}).pop(p[2], None)
        elif p[0] == "links":
            out["links"].pop(p[1], None)
        elif p[0] == "tunables":
            out["kernel"]["tunables"].pop(p[1], None)
        elif p[0] in ("sysctl", "routes"):
            inner = out.get(p[0], {}).get(p[1], {})
            inner.pop(p[2], None)
            if not inner:
                out.get(p[0], {}).pop(p[1], None)
    for part in ("flows", "events", "sysctl", "routes", "links", *_BLOCKS):
        if part in out and not out[part]:
            del out[part]
    used = set(out.get("flows", {})) | set(out.get("hosts", {})) | {"guest"} | set(x.SPECIAL)
    if "expect" in out:
        out["expect"] = {k: v for k, v in out["expect"].items() if k in x.SPECIAL or any(w in k for w in used)}
    return out


def _valid(plain: Plain, file: str) -> Scenario | None:
    """The scenario, when it is one."""
    try:
        return loads(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True), file)[0]
    except UsageError:
        return None


def timed(scenario: Scenario, factor: float) -> Scenario:
    """The scenario with every moment and duration of its flows and events times ``factor``."""
    flows = {
        n: f.model_copy(update={
            k: getattr(f, k) * factor for k in ("start", "duration", "stop") if getattr(f, k) is not None
        }) for n, f in scenario.flows.items()
    }  # fmt: skip
    events = tuple(
        e.model_copy(update={k: getattr(e, k) * factor for k in ("at", "every", "start", "until") if getattr(e, k) is not None})
        for e in scenario.events
    )
    return scenario.model_copy(update={"flows": flows, "events": events, "length_": scenario.length() * factor})


def _timed(scenario: Scenario, factor: float) -> Plain | None:
    try:
        return timed(scenario, factor).to_dict()
    except ValueError:
        return None


def _size(plain: Plain) -> tuple[int, int]:
    text = yaml.safe_dump(plain)
    return len(list(pieces(plain))), len(text)


def _census(plain: Plain) -> str:
    counts: dict[str, int] = {}
    for p in pieces(plain):
        counts[p[0]] = counts.get(p[0], 0) + 1
    names = {"ipfw": "ipfw lines", "setup": "set-up lines", "ends": "ends of links", "sysctl": "sysctls"}
    return ", ".join(f"{n} {names.get(k, k)}" for k, n in counts.items())
