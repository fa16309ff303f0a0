"""Results made up for the tests of the report: as a run leaves them, without a run."""

from __future__ import annotations

import math
import random
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from harness.panic import Frame, Kind, Panic
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
from harness.traffic import Delay, FlowMetrics, percentile

CONSOLE_BEFORE = [
    "FreeBSD 15.1-RELEASE (dnh usermode)",
    "# jexec client dngen send udp --to 10.0.2.2:5001 --rate 20Mbit/s --for 5s --id gold; s=$?; echo @dnh:7f:$s@",
    "epair0a: link state changed to UP",
]
PANIC_LINES = [
    "Fatal trap 12: page fault while in kernel mode",
    "cpuid = 2; apic id = 02",
    "fault virtual address   = 0x28",
    "fault code              = supervisor read data, page not present",
    "instruction pointer     = 0x20:0xffffffff80e6f1a2",
    "stack pointer           = 0x28:0xfffffe00b7a3c8f0",
    "current process         = 0 (pspat arbiter)",
    "trap number             = 12",
    "panic: page fault",
    "KDB: stack backtrace:",
    "db_trace_self_wrapper() at db_trace_self_wrapper+0x2b/frame 0xfffffe00b7a3c5d0",
    "trap_fatal() at trap_fatal+0x40b/frame 0xfffffe00b7a3c7a0",
    "--- trap 0xc, rip = 0xffffffff80e6f1a2, rsp = 0xfffffe00b7a3c8f0 ---",
    "ip_output() at ip_output+0x1a2/frame 0xfffffe00b7a3c9e0",
    "dummynet_send() at dummynet_send+0x9c/frame 0xfffffe00b7a3ca40",
    "pspat_arbiter() at pspat_arbiter+0x211/frame 0xfffffe00b7a3cb20",
    "fork_exit() at fork_exit+0x82/frame 0xfffffe00b7a3cb60",
    "KDB: enter: panic",
    "[ thread pid 0 tid 100231 ]",
    "Stopped at      kdb_enter+0x33: movq    $0,0x1f2a5b2(%rip)",
    "db> ",
]


def flow(
    rate: float = 6.67e6,
    *,
    kind: str = "udp",
    offered: float = 20e6,
    delay: float = 0.06,
    seconds: float = 5.0,
    dip: tuple[float, float] = (2.0, 3.5),
    seed: int = 1,
) -> FlowMetrics:
    """A flow of 1000-byte packets that gets ``rate``, half of it during ``dip``."""
    rng = random.Random(seed)
    t = [0.05 + 0.1 * i for i in range(round(seconds * 10))]
    rates = [rate * (0.5 if dip[0] <= x < dip[1] else 1) * (0 if x < 0.06 else rng.uniform(0.985, 1.015)) for x in t]
    mid = [delay * (1.7 if dip[0] <= x < dip[1] + 0.3 else 1) * rng.uniform(0.96, 1.04) for x in t]
    histogram: Counter[float] = Counter()
    for _ in range(4000):
        histogram[float(f"{delay * math.exp(rng.gauss(0, 0.12)) * (1.6 if rng.random() < 0.3 else 1):.2g}")] += 1
    counted = sorted(histogram.items())
    p50, p90, p95, p99, p999 = (percentile(counted, x) for x in (0.5, 0.9, 0.95, 0.99, 0.999))
    received = round(sum(rates) * 0.1 / 8000)
    sent = max(received, round(offered * seconds / 8000))
    return FlowMetrics(
        proto=kind,
        sent=sent if kind != "tcp" else None,
        received=received,
        lost=sent - received,
        loss=(1 - received / sent) if kind != "tcp" else None,
        bytes=received * 1000,
        rate=received * 8000 / seconds,
        duplicates=0,
        reordered=0,
        delay=Delay(counted[0][0], delay, p50, p90, p95, p99, p999, counted[-1][0], 0.01),
        start=t[0],
        end=t[-1],
        t=t,
        rates=rates,
        low=[x * 0.9 for x in mid],
        p50=mid,
        p99=[x * rng.uniform(1.08, 1.25) for x in mid],
        histogram=counted,
    )


def panic(**change: Any) -> Panic:
    """A page fault in the arbiter's thread, as the console of ``console()`` shows it."""
    values: dict[str, Any] = {
        "kind": Kind.TRAP,
        "message": "Fatal trap 12: page fault while in kernel mode",
        "normalized": "page fault",
        "signature": "page-fault-ip_output-null-3fa1c2",
        "trap": 12,
        "trap_name": "page fault",
        "fault_address": "0x28",
        "fault_suggests": "small offset from NULL",
        "thread": "pspat arbiter",
        "process": "kernel",
        "tid": 100231,
        "pid": 0,
        "cpu": 2,
        "culprit": "ip_output",
        "points": ("dummynet",),
        "frames": (
            Frame("db_trace_self_wrapper", 0x2B),
            Frame("trap_fatal", 0x40B),
            Frame(
                "ip_output",
                0x1A2,
                file="/usr/src/sys/netinet/ip_output.c",
                line=812,
                trap="trap 0xc, rip = 0xffffffff80e6f1a2",
            ),
            Frame("dummynet_send", 0x9C),
            Frame("pspat_arbiter", 0x211),
            Frame("fork_exit", 0x82),
        ),
        "first_line": len(CONSOLE_BEFORE) + 1,
        "last_line": len(CONSOLE_BEFORE) + len(PANIC_LINES),
        "log": "\n".join(PANIC_LINES),
    }
    return Panic(**(values | change))


def console() -> str:
    """A console on which ``panic()`` happened."""
    return "\r\n".join([*CONSOLE_BEFORE, *PANIC_LINES]) + "\r\n"


def result(verdict: Verdict = Verdict.PASS, declared: Verdict = Verdict.PASS, **change: Any) -> Result:
    """A run of two flows through a router with two queues on one pipe; a panic where the verdict is one."""
    t = [0.1 * i for i in range(51)]
    rng = random.Random(5)
    died = verdict is Verdict.PANIC
    values: dict[str, Any] = {
        "scenario": ScenarioRef(
            name="weighted fairness through a router",
            file="scenarios/dummynet/fairness.yaml",
            sha256="ab" * 32,
        ),
        "guest": GuestRef(kind="usermode", name="usermode", clock="virtual", ncpu=4),
        "kernel": Kernel(
            ident="FreeBSD 15.1-RELEASE dnh-usermode debug",
            release="15.1-RELEASE",
            flavour="debug",
            digest="9f2c41d07be3",
            compiler="gcc 12.2.0",
            patches=("pspat",) if died else (),
        ),
        "seed": 1,
        "verdict": verdict,
        "declared": declared,
        "as_expected": verdict is declared,
        "reasons": ["Fatal trap 12: page fault while in kernel mode, in ip_output"] if died else [],
        "expectations": [
            ExpectationResult(metric="gold.rate / bronze.rate", condition="2 +- 2%", measured=2.0031, holds=True),
            ExpectationResult(metric="gold.rate", condition="6.67 Mbit/s +- 2%", measured=6.659e6, unit="bit/s", holds=True),
            ExpectationResult(
                metric="gold.delay.p99",
                condition="< 200ms" if verdict is not Verdict.FAIL else "< 80ms",
                measured=0.1187,
                unit="s",
                holds=verdict is not Verdict.FAIL,
                why="" if verdict is not Verdict.FAIL else "measured 119 ms, 38.7 ms more than allowed",
            ),
        ],
        "flows": {"gold": flow(seed=1), "bronze": flow(3.33e6, delay=0.12, seed=2)},
        "queues": [
            QueueSeries(
                host="router",
                kind="queue",
                number=n,
                t=t,
                packets=[min(50, round(i * 6)) + rng.randint(-3, 0) for i in range(51)],
                bytes=[0] * 51,
                drops=[0] * 51,
            )
            for n in (1, 2)
        ],
        "counters": {
            "router.rule.100.packets": 12500,
            "router.rule.100.bytes": 12500000,
            "router.pipe.1.drops": 8342,
        },
        "events": [
            EventRecord(t=2.0, on="router", command="ipfw pipe 1 config bw 5Mbit/s delay 20ms", status=0),
            EventRecord(t=3.5, on="router", command="ipfw pipe 1 config bw 10Mbit/s delay 20ms", status=0),
        ],
        "panic": panic() if died else None,
        "command": "./dnh run scenarios/dummynet/fairness.yaml --guest usermode --seed 1",
        "files": {"console": "console.log"},
        "durations": Durations(started="2026-07-01T10:00:00Z", boot=0.02, setup=0.11, run=0.62, total=0.84),
    }
    return Result(**(values | change))


def hostile() -> Result:
    """A result with everything in its names that a page, an XML file or a terminal must not obey."""
    evil = "<script>alert(1)</script>\"'&\x1b[31mred\x00\x9b2J]]>\ud800\u202egnp $x_1$ [bold]"
    return result(
        Verdict.PANIC,
        Verdict.PASS,
        scenario=ScenarioRef(name=evil, file=f"scenarios/{evil}.yaml", sha256="", cell={evil: evil}),
        reasons=[evil, "</script><img src=x onerror=alert(1)>"],
        flows={evil: flow(), 'url(#x) id="name-zz"> #010101': flow(seed=2), "$\\frac{": flow(seed=3)},
        events=[EventRecord(t=1.0, on=evil, command=evil, status=1, output=evil)],
        expectations=[ExpectationResult(metric=evil, condition=evil, measured=evil, holds=False, why=evil)],
        panic=panic(message=evil, log=evil, culprit=evil, signature=evil, frames=(Frame(evil, 1, file=evil),)),
        reports=[panic(kind=Kind.LOR, message=evil, log=f"{evil}\n{evil}")],
        counters={evil: 1},
        command=f"./dnh run '{evil}'",
        queues=[QueueSeries(host=evil, kind="pipe", number=1, t=[0.0, 1.0], packets=[0, 3], bytes=[0, 1], drops=[0, 0])],
    )


def folder(where: Path, r: Result, console_text: str = "") -> Path:
    """A run's folder as a run leaves it."""
    where.mkdir(parents=True)
    (where / "result.json").write_text(r.to_json(), "utf-8")
    (where / "console.log").write_text(console_text, "utf-8", newline="")
    return where


def results() -> st.SearchStrategy[Result]:
    """Results of every shape: flows without packets, no flows, odd text, numbers of every size."""
    text = st.text(max_size=20)
    number = st.floats(allow_nan=False, allow_infinity=False)
    return st.builds(
        result,
        st.sampled_from(Verdict),
        st.sampled_from(Verdict),
        seed=st.integers(-(2**63), 2**64),
        repeat=st.integers(0, 100),
        reasons=st.lists(text, max_size=3),
        scenario=st.builds(
            ScenarioRef,
            name=text,
            file=text,
            sha256=text,
            cell=st.dictionaries(text, text | number | st.booleans(), max_size=2),
        ),
        expectations=st.lists(
            st.builds(
                ExpectationResult,
                metric=text,
                condition=text,
                measured=st.none() | number | text,
                unit=st.sampled_from(["", "s", "bit/s", "bytes", "packets", "ratio"]),
                holds=st.booleans(),
                why=text,
            ),
            max_size=3,
        ),
        flows=st.dictionaries(
            text,
            st.sampled_from([flow(), FlowMetrics("udp"), flow(1e3, seconds=0.1, dip=(9, 9))]),
            max_size=3,
        ),
        events=st.lists(
            st.builds(
                EventRecord,
                t=st.floats(0, 100),
                on=text,
                command=text,
                status=st.integers(0, 255),
                output=text,
            ),
            max_size=20,
        ),
        queues=st.lists(
            st.builds(
                QueueSeries,
                host=text,
                kind=st.just("pipe"),
                number=st.integers(0, 65535),
                t=st.just([0.0, 1.0]),
                packets=st.just([0, 5]),
                bytes=st.just([0, 5]),
                drops=st.just([0, 0]),
            ),
            max_size=2,
        ),
        counters=st.dictionaries(text, st.integers(0, 2**64), max_size=3),
        command=text,
    )
