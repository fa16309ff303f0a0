"""From the runs of two kernels to a Report: every metric, every verdict, corrected for how many they are."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.regress import stats
from harness.regress.model import Case, KernelRef, Metric, Outcome, Verdicts
from harness.run.judge import Measured
from harness.run.result import Result, Verdict
from harness.scenario import Scenario
from harness.scenario.expect import measure
from harness.scenario.goals import Goal
from harness.scenario.quantity import shown

SERIOUS = (Verdict.PANIC, Verdict.HANG)


@dataclass
class Pair:
    """One cell and its trials on both kernels, in the order of their seeds."""

    scenario: Scenario
    goals: tuple[Goal, ...]
    paired: bool
    base: list[tuple[Result, Path]] = field(default_factory=list)
    candidate: list[tuple[Result, Path]] = field(default_factory=list)

    @property
    def tests(self) -> int:
        """How many tests it takes part with: its metrics, and its verdicts."""
        return len(self.goals) + 1


def value_of(result: Result, goal: Goal) -> float | None:
    """What a run measured of a goal, in the goal's unit."""
    return measure(goal.tree, Measured(result.flows, result.queues, result.counters).resolve)


def samples(pair: Pair, goal: Goal) -> tuple[list[float], list[float]]:
    """The values of both sides.  Of a pair of seeds both or neither; of a run that did not end well none."""

    def values(side: Sequence[tuple[Result, Path]]) -> list[float | None]:
        return [value_of(r, goal) if r.verdict in (Verdict.PASS, Verdict.FAIL) else None for r, _ in side]

    a, b = values(pair.base), values(pair.candidate)
    if pair.paired:
        both = [(x, y) for x, y in zip(a, b, strict=False) if x is not None and y is not None]
        return [x for x, _ in both], [y for _, y in both]
    return [x for x in a if x is not None], [y for y in b if y is not None]


def measured(pair: Pair, goal: Goal, confidence: float) -> stats.Difference:
    """The difference of one metric; ``confidence`` is of its interval."""
    a, b = samples(pair, goal)
    # A real guest that counts its instructions is no slave to its host, but does not repeat to the last bit.
    virtual = all(r.guest.clock == "virtual" and r.guest.kind == "usermode" for r, _ in (*pair.base, *pair.candidate))
    return stats.difference(a, b, pair.paired, confidence, exact=virtual)


def compare(pairs: Sequence[Pair], alpha: float) -> tuple[list[Case], list[str]]:
    """All cells, and a line for each regression.

    ``alpha``: the odds of any false alarm among all of them (Holm's correction).
    """
    tests = sum(p.tests for p in pairs)
    ps: list[float] = []
    drafts: list[tuple[Pair, list[stats.Difference], float]] = []
    for pair in pairs:
        found = [measured(pair, goal, 1 - alpha / tests) for goal in pair.goals]
        odds = _odds(pair)
        ps += [*(f.p for f in found), odds]
        drafts.append((pair, found, odds))
    corrected = iter(stats.holm(ps))
    cases: list[Case] = []
    lines: list[str] = []
    for pair, found, odds in drafts:
        metrics = [_metric(pair, g, f, next(corrected), alpha) for g, f in zip(pair.goals, found, strict=True)]
        verdicts = _verdicts(pair, odds, next(corrected), alpha)
        case = Case(
            name=pair.scenario.name, file=str(pair.scenario.file), cell=dict(pair.scenario.cell),
            seeds=[r.seed for r, _ in pair.base], paired=pair.paired, trials=min(len(pair.base), len(pair.candidate)),
            errors=sum(r.verdict is Verdict.ERROR for r, _ in (*pair.base, *pair.candidate)),
            metrics=metrics, verdicts=verdicts,
            folders={"base": [str(f) for _, f in pair.base], "candidate": [str(f) for _, f in pair.candidate]},
        )  # fmt: skip
        cases.append(case)
        told = [(verdicts.outcome, verdicts.reason), *((m.outcome, m.reason) for m in metrics)]
        lines += [f"{case.title}: {reason}" for outcome, reason in told if outcome is Outcome.WORSE]
    return cases, lines


def _finite(x: float) -> float | None:
    return x if math.isfinite(x) else None


def _metric(pair: Pair, goal: Goal, d: stats.Difference, p: float, alpha: float) -> Metric:
    a, b = samples(pair, goal)
    limit = goal.limit(d.base) if a else goal.threshold
    outcome, reason = _outcome(goal, d, p, alpha, limit)
    return Metric(
        metric=goal.metric, unit=goal.unit, better=goal.better, limit=limit, base=a, candidate=b,
        base_mean=_finite(d.base), candidate_mean=_finite(d.candidate), base_sd=d.sd_base, candidate_sd=d.sd_candidate,
        difference=_finite(d.difference), share=d.share if math.isfinite(d.difference) else None,
        low=_finite(d.low), high=_finite(d.high), p=d.p, p_corrected=p, p_rank=d.p_rank, least=_finite(d.least),
        test=d.test, outcome=outcome, reason=reason,
    )  # fmt: skip


def _outcome(goal: Goal, d: stats.Difference, p: float, alpha: float, limit: float) -> tuple[Outcome, str]:
    if d.test == "none":
        return Outcome.UNMEASURED, "too few trials measured it on both kernels"
    if d.test == "identical":
        return Outcome.SAME, ""
    if p >= alpha:
        return Outcome.NOISE, ""
    if abs(d.difference) < limit:
        return Outcome.SMALL, ""
    up = d.difference > 0
    worse = goal.better == "same" or up == (goal.better == "lower")
    text = f"{goal.metric} {shown(d.base, goal.unit)} -> {shown(d.candidate, goal.unit)}"
    if d.share is not None:
        text += f" ({d.share:+.1%})"
    return (Outcome.WORSE if worse else Outcome.BETTER), text


def _counted(side: Sequence[tuple[Result, Path]]) -> list[Result]:
    """The trials that say something of the kernel."""
    return [r for r, _ in side if r.verdict is not Verdict.ERROR or r.as_expected]


def _odds(pair: Pair) -> float:
    a, b = _counted(pair.base), _counted(pair.candidate)
    if not a or not b:
        return 1.0
    return stats.more_often(sum(not r.as_expected for r in a), len(a), sum(not r.as_expected for r in b), len(b))


def _signatures(runs: Sequence[Result]) -> Counter[str]:
    return Counter(p.signature for r in runs for p in ((r.panic,) if r.panic else ()) + tuple(r.reports))


def _verdicts(pair: Pair, odds: float, p: float, alpha: float) -> Verdicts:
    a, b = _counted(pair.base), _counted(pair.candidate)
    bad_a, bad_b = sum(not r.as_expected for r in a), sum(not r.as_expected for r in b)
    seen_a, seen_b = _signatures(a), _signatures(b)
    new = {s: n for s, n in seen_b.items() if s not in seen_a}
    gone = {s: n for s, n in seen_a.items() if s not in seen_b}
    outcome, reason = Outcome.SAME, ""
    # A panic or a hang that the base has never shown is told at once: it is no figure that scatters.
    grave = [r for r in b if r.verdict in SERIOUS and not r.as_expected]
    had = [r for r in a if r.verdict in SERIOUS and not r.as_expected]
    strange = [r for r in grave if (r.panic.signature if r.panic else str(r.verdict)) in new or not had]
    if not a or not b:
        outcome, reason = Outcome.UNMEASURED, "no trial on one of the kernels came to a verdict"
    elif strange:
        first = strange[0]
        what = f"{first.verdict}: {first.reasons[0] if first.reasons else ''}".rstrip(": ")
        outcome, reason = Outcome.WORSE, f"{what} in {len(strange)} of {len(b)} trials (base: {len(had)} of {len(a)})"
    elif p < alpha:
        why = next((r.reasons[0] for r in b if not r.as_expected and r.reasons), "")
        outcome = Outcome.WORSE
        reason = f"not as expected in {bad_b} of {len(b)} trials (base: {bad_a} of {len(a)}){': ' if why else ''}{why}"
    elif bad_a > bad_b and stats.more_often(bad_b, len(b), bad_a, len(a)) < alpha:
        outcome, reason = Outcome.BETTER, f"not as expected in {bad_b} of {len(b)} trials (base: {bad_a} of {len(a)})"
    elif bad_a != bad_b or new or gone:
        outcome = Outcome.NOISE
    return Verdicts(
        base=dict(Counter(str(r.verdict) for r in a)), candidate=dict(Counter(str(r.verdict) for r in b)),
        unexpected_base=bad_a, unexpected_candidate=bad_b, p=odds, p_corrected=p,
        new_signatures=new, gone_signatures=gone, outcome=outcome, reason=reason,
    )  # fmt: skip


def kernel_ref(word: str, runs: Sequence[Result]) -> KernelRef:
    """What ran under a word, by the first run that got so far."""
    r = next((r for r in runs if r.kernel.digest), None)
    if r is None:
        return KernelRef(word=word)
    name = r.guest.kind if r.guest.kind == r.guest.name else f"{r.guest.kind}:{r.guest.name}"
    return KernelRef(word=word, guest=name, release=r.kernel.release, flavour=r.kernel.flavour,
                     patches=r.kernel.patches, digest=r.kernel.digest)  # fmt: skip


def with_threshold(goals: Sequence[Goal], threshold: float) -> tuple[Goal, ...]:
    """The same goals with another threshold, as a share of the base."""
    return tuple(replace(g, threshold=threshold, relative=True) for g in goals)
