"""``dnh regress`` and ``dnh history``."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.guest import kernels
from harness.regress import trials
from harness.regress.compare import Pair, compare, kernel_ref, with_threshold
from harness.regress.model import Outcome, Report
from harness.regress.trials import Design
from harness.report.commands import check_targets, put
from harness.run import guests
from harness.run.cells import load_files, run_again
from harness.run.many import run_each
from harness.run.result import Result
from harness.run.runner import GuestMaker, Plan, Progress
from harness.run.store import Store, write_atomically
from harness.scenario import ExpressionError, Scenario
from harness.scenario.goals import Goal, parse_goal, parse_threshold

if TYPE_CHECKING:
    from harness.run.cluster import Cluster


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of ``dnh regress``."""
    parser.add_argument("scenarios", nargs="*", default=[], metavar="SCENARIO|FOLDER", type=Path,
                        help="what to measure (default: scenarios/quickstart.yaml)")  # fmt: skip
    parser.add_argument("--base", required=True, metavar="KERNEL",
                        help="usermode[@REV], qemu:NAME, TREE[@REV]; +SERIES[@N] for patches")  # fmt: skip
    parser.add_argument("--candidate", required=True, metavar="KERNEL", help="the kernel that may be worse")
    parser.add_argument("--metric", action="append", default=[], metavar="METRIC=WAY[ SIZE]",
                        help="compare this instead of the scenario's 'regress': 'gold.rate=higher 3%%'")  # fmt: skip
    parser.add_argument("--threshold", metavar="SHARE", help="of every metric: less than this is no regression (2%%)")
    parser.add_argument("--alpha", default="1%", metavar="SHARE",
                        help="the odds of a false alarm of the whole comparison (1%%)")  # fmt: skip
    parser.add_argument("--trials", type=int, default=8, metavar="N", help="of each side at least (8)")
    parser.add_argument("--most", type=int, default=40, metavar="N", help="of each side at most (40)")
    parser.add_argument("--seed", type=int, metavar="N", help="of the first trial (the scenario's)")
    parser.add_argument("--unpaired", action="store_true", help="other seeds for the candidate, as on a wall clock")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a value of the scenario")
    parser.add_argument("--jobs", "-j", type=int, default=0, metavar="N", help="trials at the same time")
    parser.add_argument("--executor", metavar="dask://HOST:PORT", help="trials on the workers of a Dask cluster")
    parser.add_argument("--json", metavar="FILE", help="write the comparison as JSON ('-': to the output)")
    parser.add_argument("--html", metavar="FILE", help="write one self-contained HTML page")
    parser.add_argument("--junit", metavar="FILE", help="write JUnit XML")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where the runs' folders go")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """``dnh regress``.  0: nothing got worse; 1: something did; 3: the machinery failed too often to say."""
    from harness.regress.terminal import show

    began, started = time.monotonic(), datetime.now(UTC)
    alpha = _share(args.alpha, "--alpha")
    if not 0 < alpha <= 0.5:
        raise UsageError(f"--alpha {args.alpha}: between 0 and 50%")
    if args.trials < 2 or args.most < args.trials:
        raise UsageError("--trials: at least 2, and --most at least that many")
    check_targets(args.json, args.html, args.junit)
    words = (args.base, args.candidate)
    kinds = [kernels.parse(word).kind for word in words]
    store = Store(args.out)
    cells = load_files(args.scenarios or [Path("scenarios/quickstart.yaml")], args.set)
    pairs, not_run = _pairs(args, cells, kinds)
    if not pairs:
        raise UsageError("no scenario is left to run:\n" + "\n".join(not_run))
    virtual = all(k == "usermode" for k in kinds) and all(p.scenario.clock != "wall" for p in pairs)
    paired = virtual and not args.unpaired
    for p in pairs:
        p.paired = paired
    design = Design(
        *words, alpha, args.trials, args.most, args.seed, paired,
        lambda scenario, seed, guest: run_again(scenario, seed, guest, args.set),
    )  # fmt: skip
    # Trials on a wall clock disturb each other; on a virtual one there is nothing to disturb.
    jobs = args.jobs or ((os.cpu_count() or 1) if virtual else 1)
    total = 2 * len(pairs) * args.trials
    with _runner(args, words, store, jobs, total) as work:
        trials.measure(pairs, design, work, warm=not virtual)
    cases, regressions = compare(pairs, alpha)
    sides = ([r for p in pairs for r, _ in p.base], [r for p in pairs for r, _ in p.candidate])
    report = Report(
        started=started.isoformat(timespec="seconds"), seconds=round(time.monotonic() - began, 1),
        command=shlex.join([os.environ.get("DNH_COMMAND", "dnh"), *(sys.argv[1:] or ["regress"])]),
        base=kernel_ref(words[0], sides[0]), candidate=kernel_ref(words[1], sides[1]), alpha=alpha,
        tests=sum(p.tests for p in pairs), cases=cases, not_run=not_run, regressions=regressions,
    )  # fmt: skip
    folder = store.new_folder("regress")
    write_atomically(folder / "regress.json", report.to_json())
    store.add_comparison(folder, report.started, report.base.digest, report.candidate.digest, len(regressions))
    _write(args, report)
    if args.json != "-":
        show(report, folder)
    if any(c.verdicts.outcome is Outcome.UNMEASURED for c in cases) and not regressions:
        return 3
    return 1 if regressions else 0


def _write(args: argparse.Namespace, report: Report) -> None:
    if args.json:
        put(args.json, report.to_json())
    if args.junit:
        from harness.regress.junit import junit

        put(args.junit, junit(report))
    if args.html:
        from harness.regress.html import page

        put(args.html, page(report))


def _share(text: str, option: str) -> float:
    try:
        value, _ = parse_threshold(text, "ratio")
    except ExpressionError as e:
        raise UsageError(f"{option} {text}: {e}") from None
    return value


def _pairs(args: argparse.Namespace, cells: Sequence[Scenario], kinds: Sequence[str]) -> tuple[list[Pair], list[str]]:
    pairs, not_run = [], []
    for s in cells:
        wrong = [k for k in kinds if s.guests and k not in s.guests]
        if wrong:
            not_run.append(f"{s.name}: makes sense on {', '.join(s.guests)} only, not on {wrong[0]}")
            continue
        goals = s.goals
        if args.metric:
            goals = tuple(_goal(s, word) for word in args.metric)
        if args.threshold:
            threshold = _share(args.threshold, "--threshold")
            if threshold > 1:
                raise UsageError(f"--threshold {args.threshold}: {threshold:.0%} is more than 100%; 5 % is '5%' or 0.05")
            goals = with_threshold(goals, threshold)
        pairs.append(Pair(s, goals, False))
    return pairs, not_run


def _goal(scenario: Scenario, word: str) -> Goal:
    metric, equals, way = word.partition("=")
    if not equals:
        raise UsageError(f"--metric {word}: METRIC=higher, lower or same is wanted")
    from harness.scenario.check import goals as check_goals

    for fault in check_goals(scenario.model_copy(update={"regress": {metric: way}})):
        raise UsageError(f"--metric {word}: {fault.message}")
    return parse_goal(metric, way)


class _runner:
    """Carries trials out here, several at a time, or on a cluster; shows how far it is."""

    def __init__(self, args: argparse.Namespace, words: tuple[str, str], store: Store, jobs: int, total: int) -> None:
        from harness.report.progress import Progress as Bars

        self._bars = Bars(total=total)
        self._store, self._jobs, self._asked = store, jobs, 0
        self._cluster: Cluster | None = None
        if args.executor:
            from harness.run.cluster import Cluster

            self._cluster = Cluster(args.executor, store)
        self._makers: dict[str, GuestMaker] = {word: guests.maker(word) for word in dict.fromkeys(words)}

    def __enter__(self) -> _runner:
        self._bars.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._bars.__exit__(*error)  # type: ignore[arg-type]
        if self._cluster:
            self._cluster.close()

    def __call__(self, plans: Sequence[Plan]) -> list[tuple[Result, Path]]:
        self._asked += len(plans)
        self._bars.expect(self._asked)

        def progress(plan: Plan) -> Progress:
            key = f"{id(plan)}"
            self._bars.start(key, f"{plan.scenario.name} {plan.guest} seed {plan.seed}")
            return lambda phase, fraction: self._bars.phase(key, phase, fraction)

        def done(plan: Plan, result: Result, _folder: Path) -> None:
            self._bars.done(f"{id(plan)}", result)

        if self._cluster:
            for plan in plans:
                progress(plan)
            return self._cluster.run(plans, done)
        return run_each(plans, lambda plan: self._makers[plan.guest], self._store, self._jobs, progress, done)


def add_history_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of ``dnh history``."""
    parser.add_argument("metric", metavar="METRIC", help="gold.rate, gold.delay.p99, or an expression of them")
    parser.add_argument("--scenario", metavar="NAME", help="of this scenario (name, file or a part of it) only")
    parser.add_argument("--html", metavar="FILE", help="write one self-contained HTML page")
    parser.add_argument("--svg", metavar="FILE", help="write the picture alone")
    parser.add_argument("--json", metavar="FILE", help="write the figures as JSON ('-': to the output)")
    parser.add_argument("--runs", type=Path, metavar="FOLDER", help="of the runs kept there")
    parser.add_argument("--last", type=int, default=2000, metavar="N", help="look at this many runs (2000)")
    parser.set_defaults(run=history)


def history(args: argparse.Namespace) -> int:
    """``dnh history METRIC``: 0; 2 when no run here has measured it."""
    from harness.regress import history as h

    return h.show(args)


__all__ = ["add_arguments", "add_history_arguments", "history", "run"]
