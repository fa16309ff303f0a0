"""Trials of two kernels in turn: A B A B, until the least difference that counts could be seen."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.regress import stats
from harness.regress.compare import Pair, measured
from harness.run.result import Result, Verdict
from harness.run.runner import Plan
from harness.scenario import Scenario

#: Carries plans out, returning results and folders in their order.
Runner = Callable[[Sequence[Plan]], list[tuple[Result, Path]]]

APART = 1_000_003  # between the seeds of the two sides when they are not paired


@dataclass(frozen=True)
class Design:
    """How trials are made.  ``alpha`` is the odds of a false alarm of the whole comparison.

    First ``trials`` of each side; then, from their spread alone (never from their difference, which would
    spoil the odds), as many more as the thresholds ask for, up to ``most``.
    """

    base: str
    candidate: str
    alpha: float = 0.01
    trials: int = 8
    most: int = 40
    seed: int | None = None
    paired: bool = True
    command: Callable[[Scenario, int, str], str] = lambda _s, _seed, _guest: ""


def measure(pairs: Sequence[Pair], design: Design, run: Runner, warm: bool = False) -> None:
    """Fill ``pairs`` with trials.  ``warm``: a first trial of each is made and not counted (warm starts)."""
    if warm:
        run([plan for pair in pairs for plan in _round(pair, design, 0)])
    _extend(pairs, [design.trials] * len(pairs), design, run)
    tests = sum(pair.tests for pair in pairs)
    for _ in range(3):  # the spread of a few trials is itself a guess: look again when there are more
        goals = [_wanted(pair, design, tests) for pair in pairs]
        if all(n <= len(pair.base) for n, pair in zip(goals, pairs, strict=True)):
            break
        _extend(pairs, goals, design, run)


def _wanted(pair: Pair, design: Design, tests: int) -> int:
    most = len(pair.base)
    for goal in pair.goals:
        now = measured(pair, goal, 1 - design.alpha / tests)
        if now.test != "none":
            most = max(most, stats.wanted(now, goal.limit(now.base)))
    return min(most, design.most)


def _extend(pairs: Sequence[Pair], upto: Sequence[int], design: Design, run: Runner) -> None:
    rounds = max((n - len(pair.base) for n, pair in zip(upto, pairs, strict=True)), default=0)
    plans: list[Plan] = []
    owners: list[Pair] = []
    for k in range(rounds):
        for n, pair in zip(upto, pairs, strict=True):
            if len(pair.base) + k < n:
                plans += _round(pair, design, len(pair.base) + k)
                owners.append(pair)
    done = _again(run, plans, run(plans) if plans else [])
    for i, pair in enumerate(owners):
        pair.base.append(done[2 * i])
        pair.candidate.append(done[2 * i + 1])


def _again(run: Runner, plans: Sequence[Plan], done: list[tuple[Result, Path]]) -> list[tuple[Result, Path]]:
    """Trials that the machinery failed in are made once more."""
    failed = [i for i, (r, _) in enumerate(done) if r.verdict is Verdict.ERROR and not r.as_expected]
    if failed and len(failed) < len(done):
        for i, again in zip(failed, run([plans[i] for i in failed]), strict=True):
            done[i] = again
    return done


def _round(pair: Pair, design: Design, n: int) -> list[Plan]:
    """Trial ``n`` of both sides."""
    s = pair.scenario
    seed = (design.seed if design.seed is not None else s.seed) + n
    other = seed if design.paired else seed + APART
    return [
        Plan(s, seed, n, design.base, design.command(s, seed, design.base)),
        Plan(s, other, n, design.candidate, design.command(s, other, design.candidate)),
    ]


def rounds(pairs: Sequence[Pair]) -> int:
    """The most trials that any cell has had."""
    return max((len(p.base) for p in pairs), default=0)


def cost(pairs: Sequence[Pair]) -> float:
    """Seconds that the trials took, all together."""
    return math.fsum(r.durations.total for p in pairs for r, _ in (*p.base, *p.candidate))
