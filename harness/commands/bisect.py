"""``dnh bisect``: reads the question, finds the interrupted search of the same question, asks, tells, keeps.

Everything of a search is in one folder: question.json, journal.jsonl (a line a run), runs/ (their folders),
answer.json and page.html when it is done.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

from filelock import FileLock, Timeout

from harness.errors import MachineryError, UsageError
from harness.guest import kernels
from harness.paths import state_dir
from harness.report.commands import check_targets, put
from harness.run import guests
from harness.run.cells import load_files
from harness.run.result import Verdict
from harness.run.store import write_atomically
from harness.scenario import Scenario
from harness.search import git, patches, points, rules, scenario
from harness.search.answer import Answer, dump, finished
from harness.search.journal import Journal, Outcome
from harness.search.judge import Decision, Judge, Undecided
from harness.search.odds import Share
from harness.search.runs import FAILED, Bench, Symptom
from harness.traffic import units

OVER = ("rules", "points", "patches", "git", "scenario")
CANNOT = 125
"""What git bisect run takes for 'this one cannot be tested'."""


def share(text: str) -> float:
    """0.99 from ``99%`` or ``0.99``.  Raises argparse's error."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no share (99% or 0.99)") from None
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0 and 100 %")
    return value


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of ``dnh bisect``."""
    parser.add_argument("scenario", type=Path, metavar="SCENARIO", help="what fails; of a matrix each cell is searched")
    parser.add_argument("--over", required=True, choices=OVER, help="what to search")
    parser.add_argument("--guest", default="usermode", metavar="KERNEL", help="as of dnh run (default: usermode)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a value of the scenario")
    parser.add_argument("--rules", metavar="C1,C6", help="over rules: the ones to choose from (default: C1 to C12)")
    parser.add_argument("--series", metavar="SERIES", help="over patches: the series, by name or folder")
    parser.add_argument("--src", nargs=2, metavar=("TREE", "A..B"), help="over git: the repository; A is good, B bad")
    parser.add_argument("--here", action="store_true",
                        help="over git: judge the kernel as it is, for git bisect run: exit 0, 1 or 125")  # fmt: skip
    parser.add_argument("--signature", default="", metavar="TEXT", help="look for this alone: (a part of) a panic's name")
    parser.add_argument("--verdict", metavar="LIST",
                        help="of panic, hang, fail count these alone as failing: a slow guest fails by being slow")  # fmt: skip
    parser.add_argument("--length", metavar="TIME",
                        help="all times of the scenario shortened to this, such as 1s: each run is that much faster")  # fmt: skip
    parser.add_argument("--confidence", type=share, default=0.99, metavar="P", help="of each answer (default: 99%%)")
    parser.add_argument("--noise", type=share, default=0.0, metavar="P",
                        help="share of runs in which a good one fails all the same (default: 0)")  # fmt: skip
    parser.add_argument("--share", type=share, metavar="P",
                        help="share of runs in which a bad one fails, where less than the failing end's (measured)")  # fmt: skip
    parser.add_argument("--most", type=int, default=300, metavar="N", help="runs of one candidate at most (default: 300)")
    parser.add_argument("--seed", type=int, metavar="N", help="the first seed (the scenario's, or 1)")
    parser.add_argument("--jobs", "-j", type=int, default=0, metavar="N", help="runs at the same time")
    parser.add_argument("--cold", action="store_true", help="boot for every run, no warm start")
    parser.add_argument("--fresh", action="store_true", help="begin anew, also where an interrupted search could go on")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where the search's folder goes")
    parser.add_argument("--write", type=Path, metavar="FILE", help="over scenario: where the smallest scenario goes")
    parser.add_argument("--json", metavar="FILE", help="write the answer as JSON ('-': to the output)")
    parser.add_argument("--html", metavar="FILE", help="write a page with the path of the search")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0: answered; 1: no answer (it passes, or fails at both ends); with --here 0, 1 or 125.

    Raises UsageError, MachineryError.
    """
    if not 0.5 < args.confidence < 1:
        raise UsageError("--confidence: more than 50 % and less than 100 %, such as 99%")
    if not 0 <= args.noise < 0.5:
        raise UsageError("--noise: less than 50 %")
    if args.most < 1 or args.jobs < 0:
        raise UsageError("--most and --jobs: at least 1")
    check_targets(args.json, args.html, args.write and str(args.write))
    cells = _shortened(load_files([args.scenario], args.set), args.length)
    guests.check(args.guest)
    _belongs(args)
    _symptom(args)
    if args.here:
        return _here(args, cells)
    began = time.monotonic()
    with _folder(args, cells) as (folder, known), _heard() as heard:
        args.heard = heard
        journal = Journal(folder / "journal.jsonl")
        if known:
            _say(args, f"going on where it stopped: {journal.known} runs are known ({folder})")
        bench = Bench(folder, args.guest, args.cold, os.environ.get("DNH_COMMAND", "dnh"))
        try:
            answers = _answers(args, cells, bench, journal)
        except BaseException:
            bench.stop()
            if (folder / "journal.jsonl").exists():
                print(f"dnh: what is known is kept; the same command goes on from there ({folder})", file=sys.stderr)
            raise
        write_atomically(folder / "answer.json", dump(answers))
        _write(args, answers, folder)
    if len(answers) > 1:
        _say(args, f"\n{len(answers)} searches, {sum(a.runs for a in answers)} runs, {time.monotonic() - began:.1f} s")
    _say(args, f"  {folder}")
    return 0 if all(a.found for a in answers) else 1


def _belongs(args: argparse.Namespace) -> None:
    for option, over in (("rules", "rules"), ("series", "patches"), ("src", "git"), ("here", "git"), ("write", "scenario")):
        if getattr(args, option) and args.over != over:
            raise UsageError(f"--{option} goes with --over {over}")
    if args.over == "patches" and not args.series:
        raise UsageError("--over patches: which series? --series NAME or FOLDER")
    if args.over == "git" and not (args.src or args.here):
        raise UsageError("--over git: which revisions? --src TREE GOOD..BAD")


def _shortened(cells: Sequence[Scenario], length: str | None) -> list[Scenario]:
    if length is None:
        return list(cells)
    try:
        seconds = units.parse_time(length)
    except ValueError as e:
        raise UsageError(f"--length {length}: {e}") from None
    if seconds < scenario.SHORTEST:
        raise UsageError(f"--length {length}: at least {scenario.SHORTEST:g} s")
    return [scenario.timed(c, seconds / c.length()) if c.length() > seconds else c for c in cells]


def _jobs(args: argparse.Namespace) -> int:
    if args.jobs:
        return int(args.jobs)
    real = guests.check(args.guest)[0] != "usermode" or bool(args.src and git.is_tree(Path(args.src[0])))
    return 1 if real else os.cpu_count() or 1


def _judge(args: argparse.Namespace, bench: Bench, journal: Journal, seed: int) -> Judge:
    ordered = args.over in ("patches", "git")
    return Judge(
        journal, args.confidence, args.noise, args.seed if args.seed is not None else seed, _jobs(args), args.most,
        heard=getattr(args, "heard", ()), rarest=None if args.share is None else _assumed(args),
        learn_on=ordered, give_up=60 if ordered else 13, stop=bench.stop, told=lambda d: _say(args, _line(d)),
    )  # fmt: skip


def _answers(args: argparse.Namespace, cells: Sequence[Scenario], bench: Bench, journal: Journal) -> list[Answer]:
    symptom = _symptom(args)
    if args.over == "points":
        judge = _judge(args, bench, journal, cells[0].seed)
        search = points.PointSearch(bench, judge, cells, symptom, _assumed(args))
        return [_timed(args, judge, search.answer, cells[0].name)]
    answers = []
    for cell in cells:
        if guests.check(args.guest)[0] not in cell.guests:
            _say(args, f"{_name(cell)}: makes sense on {', '.join(cell.guests)} only")
            continue
        judge = _judge(args, bench, journal, cell.seed)
        if len(cells) > 1:
            _say(args, f"\n{_name(cell)}")
        answers.append(_timed(args, judge, _search(args, cell, bench, judge, symptom), _name(cell)))
    if not answers:
        raise UsageError("nothing to search on this guest")
    return answers


def _search(args: argparse.Namespace, cell: Scenario, bench: Bench, judge: Judge, symptom: Symptom) -> Callable[[], Answer]:
    if args.over == "rules":
        wanted = rules.parse(args.rules) if args.rules else tuple(rules.RULES)
        if guests.patches(args.guest, cell) == ():
            raise UsageError(f"--over rules asks which of PSPAT's rules are broken; {args.guest} has no patches (+pspat)")
        return rules.RuleSearch(bench, judge, cell, wanted, symptom).answer
    if args.over == "patches":
        steps = patches.series_steps(kernels.parse(args.guest), args.series)
        return patches.OrderedSearch("patches", args.series, bench, judge, cell, steps, symptom).answer
    if args.over == "git":
        steps = git.revision_steps(kernels.parse(args.guest), Path(args.src[0]), args.src[1])
        return patches.OrderedSearch("git", " ".join(args.src), bench, judge, cell, steps, symptom).answer
    return scenario.ScenarioSearch(bench, judge, cell, args.signature, args.write).answer


def _timed(args: argparse.Namespace, judge: Judge, search: Callable[[], Answer], name: str) -> Answer:
    began = time.monotonic()
    try:
        plain = search()
    except Undecided as e:
        plain = Answer(args.over, name, False, (str(e),), {})
    answer = replace(finished(plain, judge, time.monotonic() - began), guest=args.guest)
    sure = f", wrong with a probability of at most {max(answer.error, 1e-6):.1g}" if answer.found else ""
    _say(args, f"  {'=>' if answer.found else '??'} {answer.words[0]}")
    for words in answer.words[1:]:
        _say(args, f"     {words}")
    _say(args, f"     {answer.accounts()}{sure}")
    return answer


def _symptom(args: argparse.Namespace) -> Symptom:
    if not args.verdict:
        return Symptom(args.signature)
    words = args.verdict.split(",")
    for word in words:
        if word not in FAILED:
            raise UsageError(f"--verdict: {word!r} is not one of {', '.join(FAILED)}")
    return Symptom(args.signature, verdicts=tuple(map(Verdict, words)))


def _assumed(args: argparse.Namespace) -> Share:
    """What is held for the share where it cannot be measured: as if so often seen in twenty runs, or in three of three."""
    return Share(3, 0) if args.share is None else Share(round(20 * args.share), round(20 * (1 - args.share)))


def _here(args: argparse.Namespace, cells: Sequence[Scenario]) -> int:
    """One kernel as it is, for git bisect run."""
    if len(cells) != 1:
        raise UsageError(f"--here: the scenario has {len(cells)} cells; choose one with --set")
    folder = state_dir("searches", "here")
    bench = Bench(folder, args.guest, args.cold)
    judge = _judge(args, bench, Journal(), cells[0].seed)
    judge.share = _assumed(args)
    try:
        decision = judge.decide(bench.candidate("here", "as it is", cells[0], _symptom(args)))
    except MachineryError as e:
        print(f"dnh: {e}", file=sys.stderr)
        return CANNOT
    except BaseException:
        bench.stop()
        raise
    return {Outcome.GOOD: 0, Outcome.BAD: 1, Outcome.NEITHER: CANNOT}[decision.outcome]


# --- the folder of a search ------------------------------------------------------------------------


def _question(args: argparse.Namespace, cells: Sequence[Scenario]) -> dict[str, object]:
    """All that the order and the outcome of the runs depend on, but for the kernel itself."""
    return {
        "over": args.over, "guest": args.guest, "scenarios": [c.sha256 for c in cells], "rules": args.rules,
        "series": args.series, "src": args.src, "signature": args.signature, "confidence": args.confidence,
        "verdict": args.verdict, "noise": args.noise, "share": args.share, "most": args.most, "seed": args.seed,
    }  # fmt: skip


@contextmanager
def _folder(args: argparse.Namespace, cells: Sequence[Scenario]) -> Iterator[tuple[Path, bool]]:
    """The folder of this question's interrupted search, or a new one; and which of the two it is."""
    question = json.dumps(_question(args, cells), sort_keys=True, default=str)
    word = re.sub(r"[^a-z0-9]+", "-", cells[0].name.lower()).strip("-")[:40] or "search"
    base = f"{word}-over-{args.over}-{hashlib.sha256(question.encode()).hexdigest()[:8]}"
    root = args.out or state_dir("searches")
    for n in range(1, 10_000):
        folder = root / (base if n == 1 else f"{base}-{n}")
        try:
            fresh = not folder.exists()
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as e:
            raise MachineryError(f"cannot make {folder}: {e.strerror}") from e
        if not fresh and ((folder / "answer.json").exists() or args.fresh):
            continue
        lock = FileLock(folder / "lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            continue  # another dnh is at it
        try:
            write_atomically(folder / "question.json", question + "\n")
            yield folder, (folder / "journal.jsonl").exists()
        finally:
            lock.release()
        return
    raise MachineryError(f"too many searches in {root}")


@contextmanager
def _heard() -> Iterator[list[int]]:
    """The signals that ask for an end, as they come; those that were ignored (nohup) stay so.

    What a handler raises is lost where Python calls it within a finalizer or a fork's hooks; so they are kept too.
    """
    heard: list[int] = []
    asked = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {s: then for s in asked if (then := signal.getsignal(s)) is not signal.SIG_IGN}

    def handler(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        then = before[signal.Signals(number)]
        if callable(then):
            then(number, frame)

    for s in before:
        signal.signal(s, handler)
    try:
        yield heard
    finally:
        for s, then in before.items():
            signal.signal(s, then)


# --- words -----------------------------------------------------------------------------------------


def _name(cell: Scenario) -> str:
    return " ".join([cell.name, *(f"{k}={v}" for k, v in cell.cell.items())])


def _line(d: Decision) -> str:
    what = d.signature or (" ".join(d.why.split()) if d.outcome is Outcome.NEITHER else "")
    return f"  {d.outcome:<7} {d.bad:>3} of {d.runs:<4} {d.candidate.title:<34.60} {what:.70}".rstrip()


def _say(args: argparse.Namespace, text: str) -> None:
    print(text, file=sys.stderr if args.json == "-" else sys.stdout, flush=True)


def _write(args: argparse.Namespace, answers: Sequence[Answer], folder: Path) -> None:
    from harness.report.search import page

    text = page(answers)
    write_atomically(folder / "page.html", text)
    if args.html:
        put(args.html, text)
    if args.json:
        put(args.json, dump(list(answers)))
