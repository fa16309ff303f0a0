"""One scenario on one guest: the road from boot to verdict, the same for every guest.

scenario -> guest boots -> hosts, sysctls and rules pushed and read back -> traffic and events ->
metrics and console -> verdict -> one folder.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from harness import panic as panics
from harness.errors import DnhError, MachineryError
from harness.guest import dump
from harness.guest.base import CrashDumper, Guest, GuestIdentity
from harness.guest.console import DEBUGGER_SCRIPT, GuestHung, GuestRebooted, KernelStopped
from harness.guest.usermode import sanitizer_report
from harness.panic import Panic
from harness.panic.symbols import placed
from harness.run import network, push, speed
from harness.run.flows import Traffic
from harness.run.judge import Measured, judge
from harness.run.result import (
    Durations,
    EventRecord,
    ExpectationResult,
    GuestRef,
    Kernel,
    QueueSeries,
    Result,
    ScenarioRef,
    Verdict,
)
from harness.run.sample import Sampler, counters
from harness.run.store import Store, write_atomically
from harness.scenario import Scenario
from harness.scenario.model import Action, Event
from harness.traffic import FlowMetrics

Progress = Callable[[str, float | None], None]
GuestMaker = Callable[[Scenario, int, Path, Progress], Guest]

#: Beyond the last flow's end: what is still queued arrives, receivers write their last line.
GRACE = 2.0
#: So many times the scenario's limit a guest may take whose clock counts: a busy host makes its run longer, no hang.
COUNTED = 4
#: From a real guest's receivers to its senders (s of the guest).
SETTLE = 0.5
#: Between two looks (s) at the queues of a real guest, where nothing hangs on them.
SELDOM = 1.0
#: How late (s) a sender may be before it is told along with what does not hold.
LATE = 0.1
#: The same where the guest's clock counts: it carries what the scenario asks, so that only its host makes it late.
LATE_COUNTED = 0.02
#: So many times its CPUs a machine's load may be before a guest whose clock counts feels it.
CROWDED = 1.5
#: So late (s) an action that the dice chose is left out.
TOO_LATE = 0.5


@dataclass(frozen=True)
class Plan:
    """One run to be done: a scenario's cell, which repeat of it, with which seed, on which guest."""

    scenario: Scenario
    seed: int
    repeat: int
    guest: str  # as on the command line: usermode, qemu, qemu:NAME ...
    command: str  # runs exactly this again
    scale: float | None = None  # what its rates are multiplied with; None: found out on the guest


@dataclass
class _Seen:
    """What a run has gathered so far; an error anywhere leaves the rest as it is."""

    scenario: Scenario  # as run: its rates may be scaled
    scale: float = 1.0
    notes: list[str] = field(default_factory=list)
    warm: bool = False
    identity: GuestIdentity | None = None
    symbols: Path | None = None  # of the guest's kernel, where they are kept
    flows: dict[str, FlowMetrics] = field(default_factory=dict)
    queues: list[QueueSeries] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    events: list[EventRecord] = field(default_factory=list)
    measured: Measured = field(default_factory=Measured)
    boot: float = 0.0
    setup: float = 0.0
    run: float = 0.0


def run(
    plan: Plan, make_guest: GuestMaker, store: Store, progress: Progress = lambda _p, _f: None,
    interrupted_elsewhere: Callable[[], bool] = lambda: False,
) -> tuple[Result, Path]:  # fmt: skip
    """Carry out one run; returns its result and its folder.

    Whatever the kernel does is in the result.  What the harness itself could not do, or what the guest
    refused of the scenario, is in it as the verdict ``error``; only an interruption is raised, after the
    result was written.  ``interrupted_elsewhere``: whether this run's guest was ended with all others.
    """
    scenario = plan.scenario
    folder = store.new_folder(scenario.name)
    write_atomically(folder / "scenario.yaml", scenario.to_yaml())
    started, clock = datetime.now(UTC), time.monotonic()
    seen = _Seen(scenario)
    verdict, reasons = Verdict.ERROR, ["interrupted"]
    guest: Guest | None = None
    setup_lines = 0
    interrupted: BaseException | None = None
    try:
        try:
            progress("build", None)
            guest = make_guest(scenario, plan.seed, folder, progress)
            seen.symbols = getattr(guest, "symbols", None)
            verdict, reasons, setup_lines = _on_guest(plan, guest, folder, seen, progress)
        except DnhError as e:
            if interrupted_elsewhere():
                raise KeyboardInterrupt from None
            verdict, reasons = _stopped(e, guest, seen)
    except BaseException as e:
        interrupted = e
        reasons = [str(e) or type(e).__name__] if isinstance(e, DnhError) else ["interrupted"]
        verdict = Verdict.ERROR
    finally:
        if guest is not None:
            guest.kill()
            seen.notes[:0] = guest.notes
    total = time.monotonic() - clock
    try:
        result = _conclude(plan, folder, seen, verdict, reasons, setup_lines, started, total)
        store.add(folder, result)
    except (KeyboardInterrupt, SystemExit) as e:
        interrupted = interrupted or e
        result = _conclude(plan, folder, seen, verdict, reasons, setup_lines, started, total)
        store.add(folder, result)
    if interrupted is not None:
        raise interrupted
    return result, folder


def _on_guest(
    plan: Plan, guest: Guest, folder: Path, seen: _Seen, progress: Progress
) -> tuple[Verdict, list[str], int]:
    scenario = plan.scenario
    began = time.monotonic()
    progress("boot", None)
    key = scenario.setup_digest()
    warm = guest.restore(key)
    if not warm:
        guest.boot()
    seen.warm = warm
    seen.boot = time.monotonic() - began
    seen.identity = guest.identity()
    guest.console.longest = scenario.limit
    warm, scenario = _fit(plan, guest, warm, key, folder, seen, progress)

    began = time.monotonic()
    progress("setup", 0.0)
    if not warm:
        network.build(guest.console, scenario.network(), lambda f: progress("setup", 0.7 * f))
        guest.snapshot(key)
    push.all_of(guest.console, scenario)
    seen.setup = time.monotonic() - began
    setup_lines = _lines(folder / "console.log")

    began = time.monotonic()
    with _timed(seen, began):
        _traffic(plan, scenario, guest, seen, progress)
        progress("end", None)
        guest.power_off()
    return Verdict.PASS, [], setup_lines


@contextlib.contextmanager
def _timed(seen: _Seen, began: float) -> Iterator[None]:
    try:
        yield
    finally:
        seen.run = time.monotonic() - began


def _fit(
    plan: Plan, guest: Guest, warm: bool, key: str, folder: Path, seen: _Seen, progress: Progress
) -> tuple[bool, Scenario]:
    """The scenario as this guest is to run it, and whether the guest is at a warm start still.

    A scenario that allows it has its rates lowered to what the guest carries, which is measured when it is not
    known yet; what follows then begins with a guest that has not been measured.
    """
    scenario, identity = seen.scenario, seen.identity
    why = "as on the other guest"
    if plan.scale is not None:
        seen.scale = plan.scale
    elif scenario.scale and identity is not None and identity.kind != "usermode":
        found = speed.known(identity)
        if found is None:
            progress("measure", None)
            found = speed.measure(guest, identity)
            if warm:
                warm = guest.restore(key)
            if not warm and guest.kind == "qemu":
                guest.boot()
        seen.scale = speed.factor(scenario, found)
        here = f", {found.wall:.0f} in a second of this host" if found.wall < found.pps else ""
        why = f"this guest carries {found.pps:.0f} packets/s{here} (measured), the scenario offers {speed.offered(scenario):.0f}"
    if seen.scale != 1.0:
        scenario = seen.scenario = scenario.scaled(seen.scale)
        write_atomically(folder / "scenario.scaled.yaml", scenario.to_yaml())
        seen.notes.append(f"all rates x {seen.scale:g}: {why}")
    return warm, scenario


def _traffic(plan: Plan, scenario: Scenario, guest: Guest, seen: _Seen, progress: Progress) -> None:
    """Flows, events and samples by the guest's clock; then what came of them."""
    console = guest.console
    traffic = Traffic(scenario)
    sampler = Sampler.for_rules(dict(scenario.ipfw))
    total = scenario.length()
    real = guest.kind != "usermode"
    counted = real and seen.identity is not None and seen.identity.clock == "virtual"
    limit = scenario.limit * (COUNTED if counted else 1)
    deadline = time.monotonic() + limit

    agenda: list[tuple[float, int, int, Action | None]] = []
    for n, (moment, what) in enumerate(scenario.agenda(plan.seed)):
        agenda.append((moment, 1, n, what))
    every = _between_samples(scenario, seen.identity)
    if every and sampler.asked:
        agenda += [(k * every, 0, k, None) for k in range(1, int(total / every) + 1)]
    agenda.sort(key=lambda item: item[:3])

    traffic.start(console, SETTLE if real else 0.0)
    zero = guest.now()
    for at, kind, _n, event in agenda:
        ahead = at - (guest.now() - zero)
        by_dice = event is not None and not isinstance(event, Event)
        if (kind == 0 and ahead < -every) or (by_dice and ahead < -TOO_LATE):
            continue  # a slow guest: samples that are late are left out, and what the dice chose; events never
        guest.sleep(ahead)
        progress("run", min(1.0, at / total))
        t = guest.now() - zero
        if event is None:
            sampler.sample(console, t)
        else:
            seen.events.extend(push.carry_out(console, event, t, scenario.hang))
        seen.queues = list(sampler.series.values())
        if time.monotonic() > deadline:
            raise GuestHung(f"not done within the scenario's limit of {limit:g} s")
    guest.sleep(total - (guest.now() - zero))
    left = max(deadline - time.monotonic(), scenario.hang)
    seen.flows = traffic.finish(console, min(left, scenario.hang + GRACE))
    seen.counters = sampler.complete(counters(console, [h for h in scenario.ipfw if h != "guest"]))
    seen.measured = Measured(seen.flows, seen.queues, seen.counters, push.asked_values(console, scenario))


def _between_samples(scenario: Scenario, identity: GuestIdentity | None) -> float:
    """Seconds between two looks at the queues; 0: none.

    A real guest runs programs for it, which takes a slow one from its work: where nobody asks for the queues' lengths
    or says how often to look, it is asked less often.
    """
    real = identity is not None and identity.kind != "usermode"
    if not real or "sample" in scenario.model_fields_set or any(".queue." in metric for metric in scenario.expect):
        return scenario.sample
    return max(scenario.sample, SELDOM)


def _stopped(error: DnhError, guest: Guest | None, seen: _Seen) -> tuple[Verdict, list[str]]:
    """What ended a run early, as a verdict; a kernel that stopped is questioned first."""
    if isinstance(error, GuestRebooted):
        return Verdict.PANIC, [f"the guest rebooted by itself: {error.sign}"]
    if isinstance(error, KernelStopped):
        if error.at_debugger and guest is not None:
            return Verdict.PANIC, _question(guest)
        if guest is not None:
            guest.console.drain(1.0)
        return Verdict.PANIC, []
    if isinstance(error, GuestHung):
        if guest is not None and guest.break_to_debugger():
            return Verdict.HANG, [str(error), *_question(guest)]
        return Verdict.HANG, [str(error)]
    if guest is not None and hasattr(guest, "console"):
        guest.console.drain(0.1)
    return Verdict.ERROR, [str(error)]


def _question(guest: Guest) -> list[str]:
    """Ask the debugger what a developer would ask, then for the crash dump, where one is wanted; what went wrong of it."""
    if not isinstance(guest, CrashDumper):
        guest.console.debug(DEBUGGER_SCRIPT)
        return []
    guest.console.debug((*guest.before_questions(), *DEBUGGER_SCRIPT))
    try:
        guest.crash_dump()
    except MachineryError as e:
        return [str(e)]
    return []


def _files(folder: Path) -> dict[str, str]:
    dumps = [name for name in dump.FILES.values() if (folder / name).exists()]
    found = {"console": "console.log", "scenario": "scenario.yaml", **dict(zip(("dump",), dumps, strict=False))}
    return found | ({"scaled": "scenario.scaled.yaml"} if (folder / "scenario.scaled.yaml").exists() else {})


def _behind(seen: _Seen) -> str | None:
    """Of a guest that could not keep up, or whose host could not: the first thing to know of what does not hold."""
    if seen.identity is None or seen.identity.kind == "usermode":
        return None
    counted = seen.identity.clock == "virtual"  # counts instructions, and while it idles keeps to the wall's
    name, late = max(((n, flow.late) for n, flow in seen.flows.items()), key=lambda x: x[1], default=("", 0.0))
    busy, cpus = os.getloadavg()[0], os.cpu_count() or 1
    load = f"this machine has a load of {busy:.1f} on {cpus} CPUs"
    sender = f"the sender of {name} was up to {late:.2f} s late" if late > (LATE_COUNTED if counted else LATE) else ""
    if counted and busy > CROWDED * cpus:
        return f"{load}: a guest that idles is woken late" + (f"; {sender}" if sender else "")
    if not sender:
        return None
    if counted:
        return f"this machine woke the guest late: {sender}"
    return f"the guest did not keep up: {sender}" + (f"; {load}" if busy > cpus else "")


def _lines(path: Path) -> int:
    try:
        return path.read_bytes().count(b"\n")
    except OSError:
        return 0


def _read_console(folder: Path) -> tuple[list[Panic], str]:
    log = folder / "console.log"
    try:
        # As bytes: a serial line ends its lines with \r\r\n, which is one line and not two.
        return panics.read(log), log.read_bytes().decode("utf-8", "replace")
    except OSError:
        return [], ""


def _conclude(
    plan: Plan, folder: Path, seen: _Seen, verdict: Verdict, reasons: list[str], setup_lines: int,
    started: datetime, total: float,
) -> Result:  # fmt: skip
    scenario = seen.scenario
    found, text = _read_console(folder)
    fatal = next((placed(p, seen.symbols) for p in found if p.fatal), None)
    # What the kernel said while it booted and was set up is its own affair, unless it died of it.
    reports = [p for p in found if not p.fatal and p.first_line > setup_lines]
    expectations: list[ExpectationResult] = []
    if verdict is Verdict.PANIC:
        if fatal is not None:
            reasons = [*reasons, f"{fatal.message} in {fatal.culprit}" if fatal.culprit else fatal.message]
        elif not reasons:
            reasons = ["the kernel stopped; its console does not say more"]
    elif verdict is Verdict.ERROR and fatal is not None:
        verdict, reasons = Verdict.PANIC, [fatal.message, *reasons]
    elif verdict is Verdict.PASS:
        expectations = judge(scenario, seen.measured, text)
        failed = [e for e in expectations if not e.holds]
        reasons = list(dict.fromkeys(e.why or f"{e.metric} {e.condition} does not hold" for e in failed))
        if failed and (behind := _behind(seen)):
            reasons.append(behind)
        sanitizer = sanitizer_report(text)
        if sanitizer:
            reasons.append(sanitizer)
        if reports and not scenario.reports_allowed():
            reasons += [f"the kernel reported: {p.kind}: {p.message}" for p in reports[:3]]
        if reasons:
            verdict = Verdict.FAIL
    declared = scenario.declared()
    expected = verdict in declared
    if expected and verdict is Verdict.PANIC:
        expectations = judge(scenario, seen.measured, text, fatal)
        wrong = [e for e in expectations if not e.holds]
        expected = not wrong
        reasons += [e.why for e in wrong]
    elif not expected and verdict in (Verdict.PASS, Verdict.PANIC):
        reasons.append(f"the scenario declares {' or '.join(declared)}")
    i = seen.identity
    return Result(
        scenario=ScenarioRef(
            name=scenario.name, file=str(scenario.file), sha256=plan.scenario.sha256, cell=dict(scenario.cell)
        ),
        guest=GuestRef(
            kind=i.kind if i else plan.guest.split(":")[0], name=i.name if i else plan.guest,
            clock=i.clock if i else "wall", accelerator=i.accelerator if i else "", ncpu=i.ncpu if i else 1,
        ),
        kernel=Kernel(
            ident=i.ident if i else "", release=i.release if i else "", flavour=i.flavour if i else "",
            patches=i.patches if i else (), digest=i.digest if i else "", compiler=i.compiler if i else "",
        ),
        seed=plan.seed, repeat=plan.repeat, verdict=verdict, declared=Verdict(declared[0]),
        also_declared=[Verdict(d) for d in declared[1:]], as_expected=expected, reasons=reasons, notes=seen.notes,
        scale=seen.scale, expectations=expectations, flows=seen.flows, queues=seen.queues, counters=seen.counters,
        events=seen.events, panic=fatal, reports=reports, command=plan.command,
        files=_files(folder),
        durations=Durations(
            started=started.isoformat(timespec="seconds"), start="warm" if seen.warm else "cold",
            boot=round(seen.boot, 3), setup=round(seen.setup, 3),
            run=round(seen.run, 3), total=round(total, 3),
        ),
    )  # fmt: skip

