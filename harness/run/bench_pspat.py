"""``dnh bench pspat``: packets scheduled a second by PSPAT and by dummynet behind its one lock, in one run.

The measurement is the kernel's own (kernel-patches/pspat-bench): threads that give packets to ip_dn_io_ptr, and a
wire that takes the time.  Here guests are booted, the ways are run by turns, and medians are taken.
"""

from __future__ import annotations

import json
import os
import platform
import re
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.errors import MachineryError, UsageError
from harness.guest.base import Guest
from harness.guest.kernels import parse
from harness.run.bench import processor
from harness.run.guests import maker
from harness.scenario import Scenario

SCHEDULERS = ("fifo", "wf2q+", "rr")
CLIENTS = (1, 2, 4, 8, 16)
WAYS = ("lock", "arbiter", "dispatcher")
"""dummynet_io() alone; PSPAT with the arbiter transmitting; with the dispatcher transmitting."""
ROUNDS = 3
TIME_MS = 250
LIGHT = 20_000  # packets/s of all clients together: what a wait costs where nothing has to wait
BUILD = "dnh guest build --src TREE --patches pspat-bench --option PSPAT --option PSPAT_BENCH --flavour release --name NAME"


@dataclass(frozen=True)
class Figure:
    """One way with one scheduler and so many clients: medians of the rounds.  Times in us, client to wire."""

    cpus: int
    scheduler: str
    clients: int
    way: str
    offered: int  # packets/s asked for, 0: as many as go
    decisions: float  # packets/s on the wire
    lost: float  # of the packets taken, that a scheduler dropped
    p50: float
    p99: float
    p999: float


def _scenario(ncpu: int) -> Scenario:
    return Scenario.model_validate({
        "name": "bench", "clock": "wall", "ncpu": ncpu, "hosts": {"a": {"lan": "10.0.1.1/24"}},
        "kernel": {"patches": ["pspat-bench"], "options": ["PSPAT", "PSPAT_BENCH"], "flavour": "release"},
    })  # fmt: skip


@contextmanager
def _cores(n: int) -> Iterator[None]:
    """This process, and what it starts, on n of its CPUs."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(mine)[:n])
    try:
        yield
    finally:
        os.sched_setaffinity(0, mine)


def _measure(guest: Guest, way: str, clients: int, pps: int, time_ms: int) -> dict[str, int]:
    """The numbers of one run: ns, sent, refused, out, p50, p90, p99, p999 (ns)."""
    say = guest.console.check
    if way != "lock":
        say(f"sysctl net.pspat.xmit_mode={way} net.pspat.enable=1")
    say(f"sysctl net.pspat.bench.clients={clients} net.pspat.bench.pps={pps} net.pspat.bench.time_ms={time_ms}")
    say("sysctl net.pspat.bench.run=1", 60 + time_ms / 1000)
    result = say("sysctl -n net.pspat.bench.result")
    if way != "lock":
        say("sysctl net.pspat.enable=0", 60)
    numbers = {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", result)}
    if not numbers.get("out") or not numbers.get("ns"):
        raise MachineryError(f"in the guest: nothing came out of the measurement ({result.strip()})")
    return numbers


def _schedule(guest: Guest, scheduler: str) -> None:
    for command in (
        "ipfw -q -f pipe flush", "ipfw pipe 1 config", f"ipfw sched 1 config pipe 1 type {scheduler}",
        "ipfw queue 11 config sched 1 queue 2000 mask src-port 0xffff",
    ):  # fmt: skip
        guest.console.check(command)


def _prepare(guest: Guest) -> None:
    if guest.console.run("sysctl -n net.pspat.bench.clients").status != 0:
        raise UsageError(f"that kernel has no net.pspat.bench: {BUILD}")
    guest.console.check("sysctl net.inet.ip.dummynet.pipe_slot_limit=4000")
    guest.console.check("sysctl net.pspat.intercept=dummynet_l2")


def _figure(cpus: int, scheduler: str, clients: int, way: str, pps: int, runs: Sequence[dict[str, int]]) -> Figure:
    def middle(name: str) -> float:
        return statistics.median(r[name] for r in runs) / 1000

    return Figure(
        cpus, scheduler, clients, way, pps,
        statistics.median(r["out"] * 1e9 / r["ns"] for r in runs),
        statistics.median(1 - r["out"] / max(r["sent"], r["out"]) for r in runs),
        middle("p50"), middle("p99"), middle("p999"),
    )  # fmt: skip


def _figures(guest: Guest, cpus: int, schedulers: Sequence[str], clients: Sequence[int], rounds: int) -> list[Figure]:
    _prepare(guest)
    out = []
    for scheduler in schedulers:
        _schedule(guest, scheduler)
        loads = [(n, 0, TIME_MS) for n in clients] + [(2, LIGHT, 2 * TIME_MS)]
        for n, pps, time_ms in loads:
            # By turns: what else this machine does meets all of them.
            turns = [(way, _measure(guest, way, n, pps, time_ms)) for _ in range(rounds) for way in WAYS]
            out += [_figure(cpus, scheduler, n, way, pps, [r for w, r in turns if w == way]) for way in WAYS]
    return out


def _print(figures: Sequence[Figure]) -> None:
    def of(cpus: int, scheduler: str, clients: int, way: str, offered: int) -> Figure:
        wanted = (cpus, scheduler, clients, way, offered)
        return next(f for f in figures if (f.cpus, f.scheduler, f.clients, f.way, f.offered) == wanted)

    for cpus in dict.fromkeys(f.cpus for f in figures):
        print(f"\n{cpus} CPU{'s' if cpus > 1 else ''}: decisions a second, ratios to the one lock, us from client to wire")
        print("scheduler clients     lock  arbiter  dispatcher  ratios       lock, arbiter, dispatcher: p50/p99/p99.9")
        keys = dict.fromkeys((f.scheduler, f.clients, f.offered) for f in figures if f.cpus == cpus)
        for scheduler, clients, offered in keys:
            row = [of(cpus, scheduler, clients, way, offered) for way in WAYS]
            rates = "  ".join(f"{f.decisions / 1e6:6.3f}M" for f in row)
            ratios = " ".join(f"x{f.decisions / row[0].decisions:.2f}" for f in row[1:])
            times = ", ".join(f"{f.p50:.3g}/{f.p99:.3g}/{f.p999:.3g}" for f in row)
            load = f"  of {offered:,}" if offered else ""
            print(f"{scheduler:9} {clients:7}  {rates}   {ratios}   {times}{load}")
    if any(f.lost > 0.001 for f in figures):
        print("\ndropped by a scheduler, of what it was given:")
        for f in figures:
            if f.lost > 0.001:
                print(f"  {f.cpus} CPUs {f.scheduler} {f.clients} clients {f.way}: {f.lost:.1%}")


def pspat(
    as_json: bool, word: str = "usermode", schedulers: Sequence[str] = SCHEDULERS, clients: Sequence[int] = CLIENTS,
    rounds: int = ROUNDS,
) -> int:  # fmt: skip
    """Measure and print; 0.  ``word`` as of ``--guest``: a real guest needs a kernel with pspat-bench.

    Raises UsageError for a guest that is not there or whose kernel cannot measure.
    """
    make = maker(word)
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    real = parse(word).kind != "usermode"
    figures: list[Figure] = []
    named = ""
    for n in [min(2, mine)] if real else sorted({1, min(2, mine), mine}):
        with _cores(mine if real else n), tempfile.TemporaryDirectory() as folder:
            guest = make(_scenario(n), 1, Path(folder), lambda _phase, _fraction: None)
            try:
                guest.boot()
                who = guest.identity()
                named = f"{who.kind}:{who.name} {who.release} {who.flavour} {who.accelerator}".replace("usermode:", "")
                figures += _figures(guest, n, schedulers, clients, rounds)
            finally:
                guest.kill()
    machine = f"{platform.machine()} {processor()}, {mine} CPUs"
    if as_json:
        print(json.dumps({"machine": machine, "guest": named, "figures": [asdict(f) for f in figures]}))
        return 0
    print(f"machine  {machine}\nguest    {named}")
    _print(figures)
    return 0
