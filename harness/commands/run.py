"""What the words of ``dnh`` do: run, check, console, list, schema, panics, bench, test."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from harness.errors import MachineryError, UsageError
from harness.paths import data_dir
from harness.run import guests
from harness.run.cells import files_of, load_all, load_files, run_again, settings_of, shown, title
from harness.run.many import run_many
from harness.run.result import Result, result_schema
from harness.run.runner import Plan, Progress
from harness.run.store import Store
from harness.scenario import Scenario, load
from harness.traffic.units import parse_time


def _plans(args: argparse.Namespace, cells: list[Scenario], again: Callable[[float], bool]) -> Iterator[Plan]:
    """Every cell's repeats; with ``--for`` a scenario's cells in turn for as long as ``again(since)`` says."""

    def plan(scenario: Scenario, n: int) -> Plan:
        seed = (args.seed if args.seed is not None else scenario.seed) + n
        return Plan(scenario, seed, n, args.guest, run_again(scenario, seed, args.guest, args.set, args.dump))

    for _file, group in itertools.groupby(cells, key=lambda s: s.file):
        of_one = list(group)
        if args.for_ is None:
            yield from (plan(s, n) for s in of_one for n in range(_repeats(args, s)))
            continue
        since = time.monotonic()
        for n in itertools.count():
            for scenario in of_one:
                # Each cell runs once, however long that takes.
                if n and not again(since):
                    break
                if args.repeat is None or n < args.repeat:
                    yield plan(scenario, n)
            if not again(since) or (args.repeat is not None and n + 1 >= args.repeat):
                break


def _repeats(args: argparse.Namespace, scenario: Scenario) -> int:
    return int(args.repeat if args.repeat is not None else scenario.repeat)


def _fit(guest: str, cells: list[Scenario]) -> tuple[list[Scenario], list[tuple[Scenario, str]]]:
    """The cells for this guest, and the others with the reason."""
    kind, _ = guests.check(guest)
    fit, left_out = [], []
    for scenario in cells:
        if not scenario.guests or kind in scenario.guests:
            fit.append(scenario)
        else:
            left_out.append((scenario, f"makes sense on {', '.join(scenario.guests)} only"))
    return fit, left_out


def _patience(words: str | None) -> float:
    try:
        seconds = parse_time(words) if words is not None else 0.0
    except ValueError as e:
        raise UsageError(f"--for {words}: {e}") from None
    if seconds < 0:
        raise UsageError(f"--for {words}: at least 0 s")
    return seconds


def run(args: argparse.Namespace) -> int:
    """``dnh run``.  0: all as expected; 1: not; 3: the machinery failed in some run."""
    from harness.report.commands import check_targets, put, write
    from harness.report.load import NotRun, Run
    from harness.report.progress import Progress as Bars
    from harness.report.terminal import show

    for name in ("repeat", "seed"):
        value = getattr(args, name)
        if value is not None and value < (1 if name == "repeat" else 0):
            raise UsageError(f"--{name} {value}: at least {1 if name == 'repeat' else 0}")
    check_targets(args.json, args.html, args.junit)
    cells = load_files(args.scenarios, args.set)
    limit = _patience(args.for_)
    cells, left_out = _fit(args.guest, cells)
    if not cells:
        why = sorted({f"{s.name}: {reason}" for s, reason in left_out})
        raise UsageError(f"no scenario is left to run on {args.guest}:\n" + "\n".join(why))
    plans = _plans(args, cells, lambda since: time.monotonic() - since < limit)
    total = sum(1 if args.for_ is not None else _repeats(args, s) for s in cells)
    make = guests.maker(args.guest, args.cold, args.sanitize, args.dump)
    store = Store(args.out)
    jobs = args.jobs or (1 if args.guest.startswith("qemu") else os.cpu_count() or 1)
    begun: list[Plan] = []
    ended: list[Run] = []
    try:
        with Bars(total=total) as bars:

            def progress(plan: Plan) -> Progress:
                begun.append(plan)
                if len(begun) > total:
                    bars.expect(len(begun))
                key = f"{id(plan)}"
                bars.start(key, title(plan))
                return lambda phase, fraction: bars.phase(key, phase, fraction)

            def done(plan: Plan, result: Result, folder: Path) -> None:
                ended.append(Run(result, folder))
                bars.done(f"{id(plan)}", result)

            finished = run_many(plans, make, store, jobs, progress, done)
    except KeyboardInterrupt:
        if len(ended) > 1:
            show(ended)
        raise
    not_run = [NotRun(s.name, str(s.file), why, dict(s.cell)) for s, why in left_out]
    runs = [Run(result, folder) for result, folder in finished]
    if args.json:
        whole = [json.loads(result.to_json()) for result, _ in finished]
        text = json.dumps(whole[0] if len(whole) == 1 else whole, indent=1) + "\n"
        put(args.json, text)
    write(runs, not_run, html=args.html, junit=args.junit)
    if "-" not in (args.json, args.html, args.junit):
        show(runs, not_run)
    if args.keep and begun:
        _hand_over(begun[-1].scenario, begun[-1].seed, args.guest)
    if any(str(r.verdict) == "error" and not r.as_expected for r, _ in finished):
        return 3
    return 0 if all(r.as_expected for r, _ in finished) else 1


def check(args: argparse.Namespace) -> int:
    """``dnh check``: says of every file what is wrong with it; 2 when anything is."""
    files = files_of(args.scenarios)
    cells = load_all(files, settings_of(args.set))
    for file in files:
        n = sum(1 for c in cells if Path(c.file) == file)
        print(f"{shown(file)}: good, {n} cell{'s' if n != 1 else ''}")
    return 0


def _hand_over(scenario: Scenario, seed: int, guest_word: str) -> None:
    from harness.run import network, push

    if not sys.stdin.isatty():
        raise UsageError("the console wants a terminal")
    store = Store()
    folder = store.new_folder(f"console-{scenario.name}")
    guest = guests.maker(guest_word)(scenario, seed, folder, lambda _phase, _fraction: None)
    try:
        guest.boot()
        network.build(guest.console, scenario.network())
        push.all_of(guest.console, scenario)
        hosts = ", ".join(scenario.hosts)
        print(f"hosts: {hosts} (jexec HOST COMMAND); Ctrl-] leaves, 'shutdown -p now' ends\r\n# ", end="", flush=True)
        guest.console.interact()
    finally:
        guest.kill()


def console(args: argparse.Namespace) -> int:
    """``dnh console``: the scenario's hosts, sysctls and rules, and the guest's console on this terminal."""
    cells = load_files([args.scenario], args.set)
    _hand_over(cells[0], args.seed, args.guest)
    return 0


def list_all() -> int:
    """``dnh list``: guests (and why not), patch series, scenarios."""
    from harness.guest.build import find_compiler
    from harness.kernel import store as images

    print("guests")
    try:
        print(f"  usermode         works: built with {find_compiler()} on first use")
    except MachineryError as e:
        print(f"  usermode         does not work: {e}")
    try:
        from harness.guest.qemu import qemu_program

        program = qemu_program()
        here = images.list_images()
        wide = max((len(image.name) for image in here), default=0)
        for image in here:
            i = image.identity
            more = " ".join([*(p["name"] for p in i.patches), *i.options])
            print(f"  qemu:{image.name:<{wide}} works: {i.release} {i.flavour} {more}".rstrip())
        if not here:
            print(f"  qemu             {program} is here, but no image: 'dnh guest build --src TREE'")
    except MachineryError as e:
        print(f"  qemu             does not work: {e}")
    if sys.platform.startswith("freebsd"):
        print("  bhyve            on this FreeBSD host: the same images as qemu")
    else:
        print("  bhyve            does not work: needs a FreeBSD host")
    print("  remote:USER@HOST a FreeBSD machine over ssh")
    print("\npatches")
    for series in sorted(p for p in data_dir("kernel-patches").glob("*/") if p.is_dir()):
        print(f"  {series.name}")
    print("\nscenarios")
    for file in files_of([data_dir("scenarios")]):
        try:
            cells = load(file, {})
            print(f"  {shown(file):<44} {cells[0].name}")
        except UsageError as e:
            print(f"  {shown(file):<44} broken: {str(e).splitlines()[0]}")
    return 0


def schema(what: str) -> int:
    """``dnh schema``: the JSON Schema of scenarios, of results or of comparisons."""
    if what == "result":
        print(json.dumps(result_schema(), indent=1))
    elif what == "regress":
        from harness.regress.model import regress_schema

        print(json.dumps(regress_schema(), indent=1))
    else:
        from harness.scenario.schema import scenario_schema

        print(json.dumps(scenario_schema(), indent=1))
    return 0


def panics(args: argparse.Namespace) -> int:
    """``dnh panics``: what the runs here have seen."""
    from harness.panic.commands import Sighting, run_panics
    from harness.panic.model import Panic

    def seen() -> Iterable[Sighting]:
        for r in Store().runs():
            if r.panic is None:
                continue
            cell = " ".join(f"{k}={v}" for k, v in r.cell.items())
            yield Sighting(
                Panic.from_dict(json.loads(r.panic)), r.scenario, cell, r.kernel, r.guest, r.started, str(r.folder), r.seed,
                "",
            )  # fmt: skip

    return int(run_panics(args, seen()))


def bench(args: argparse.Namespace) -> int:
    """``dnh bench``: figures of this machine."""
    if args.what == "pspat":
        from harness.run.bench_pspat import pspat

        return pspat(args.json, args.guest)
    if args.guest != "usermode":
        raise UsageError(f"bench {args.what} measures the user-mode guest only")
    from harness.run.bench import usermode

    return usermode(args.json)


def test(arguments: list[str]) -> int:
    """``dnh test``: pytest on the checkout's tests."""
    root = Path(__file__).resolve().parents[2]
    if not (root / "tests").is_dir():
        raise UsageError("the tests are in a checkout, not in an installed dnh")
    env = dict(os.environ, DNH_ENV="this")
    words = arguments or ["-n", "2", "--dist", "loadgroup"]
    return subprocess.run([sys.executable, "-m", "pytest", *words], cwd=root, env=env, check=False).returncode
