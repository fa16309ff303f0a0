"""dummynet of the user-mode guest while packets are in it: everything may change, nothing may be lost track of."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from dnlab import Flow, fresh, rate, router, send
from netlab import Lab, booted, line_topology


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """One for each test: at its end the guest powers off, and says what leaked."""
    with booted(tmp_path) as made:
        line_topology(made)
        fresh(made)
        yield made


def busy(
    lab: Lab, *steps: str, seconds: float = 1.0, flows: int = 4, gap: float = 0.05
) -> list[dict[str, object]]:
    """Flows through pipes 1 and 2 and queues 1 and 2 of pipe 3, and steps on the router meanwhile."""
    router(
        lab, "pipe 1 config bw 3Mbit/s delay 20ms", "pipe 2 config bw 2Mbit/s delay 5ms mask dst-port 0xffff"
    )
    router(
        lab,
        "pipe 3 config bw 5Mbit/s",
        "queue 1 config pipe 3 weight 3",
        "queue 2 config pipe 3 weight 1 mask all",
    )
    for i, target in enumerate(("pipe 1", "pipe 2", "queue 1", "queue 2")):
        router(lab, f"add {100 + i} {target} udp from any to any {5001 + i} out xmit wan")
    during = "; ".join(f"sleep {gap}; {step}" for step in steps)
    return send(lab, *(Flow(5001 + i, "8Mbit/s", 700, seconds) for i in range(flows)), during=during)


def left(lab: Lab) -> dict[str, int]:
    return {
        name: int(lab.do(f"jexec router sysctl -n net.inet.ip.dummynet.{name}"))
        for name in ("schk_count", "si_count", "fsk_count", "queue_count")
    }


def test_reconfigured_rate_holds_at_once(lab: Lab) -> None:
    router(lab, "pipe 1 config bw 8Mbit/s", "add 100 pipe 1 udp from any to any out xmit wan")
    got = send(
        lab,
        Flow(5001, "20Mbit/s", 1000, 4.0),
        during="sleep 2; jexec router ipfw pipe 1 config bw 2Mbit/s",
    )[0]
    halves = []
    for begin, end in ((0.5e9, 1.9e9), (2.3e9, 3.9e9)):
        inside = [i for i in got["intervals"] if begin <= i["t0"] - got["first"] <= end]
        halves.append(sum(i["bytes"] for i in inside) * 8 / len(inside) / 0.05)
    assert halves == [pytest.approx(8e6, rel=0.01), pytest.approx(2e6, rel=0.01)]
    assert got["reordered"] == 0


def test_every_kind_of_change_under_load(lab: Lab) -> None:
    got = busy(
        lab,
        "jexec router ipfw pipe 1 config bw 9Mbit/s delay 1ms",
        "jexec router ipfw pipe 1 config bw 1Mbit/s mask src-ip 0xffffffff",
        "jexec router ipfw pipe 2 config bw 1Mbit/s delay 50ms",
        "jexec router ipfw sched 3 config type rr",
        "jexec router ipfw queue 1 config sched 3 weight 9 queue 10",
        "jexec router ipfw sched 3 config type prio",
        "jexec router ipfw sched 3 config type fifo",
        "jexec router ipfw sched 3 config type wf2q+ mask dst-port 0xff",
        "jexec router ipfw queue 2 config pipe 1 weight 3 mask all",
        "jexec router ipfw pipe show > /dev/null",
        "jexec router ipfw queue show > /dev/null",
        "jexec router ipfw sched show > /dev/null",
    )
    for g in got:
        assert g["duplicates"] == 0
        assert 0 < g["received"] <= g["sender"]["sent"]  # type: ignore[operator,index]


def test_delete_under_load(lab: Lab) -> None:
    busy(
        lab,
        "jexec router ipfw queue 1 delete",
        "jexec router ipfw pipe 3 delete",
        "jexec router ipfw pipe 1 delete",
        "jexec router ipfw pipe 2 delete",
        "jexec router ipfw queue 2 delete",
    )
    assert left(lab) == {"schk_count": 0, "si_count": 0, "fsk_count": 0, "queue_count": 0}


def test_flush_under_load(lab: Lab) -> None:
    busy(
        lab,
        "jexec router ipfw -q pipe flush",
        "jexec router ipfw -q flush",
        "jexec router ipfw -q pipe flush",
    )
    assert left(lab) == {"schk_count": 0, "si_count": 0, "fsk_count": 0, "queue_count": 0}


def test_module_unload_and_load_under_load(lab: Lab) -> None:
    busy(
        lab,
        "kldunload dummynet",
        "kldload dummynet",
        "jexec router ipfw pipe 1 config bw 3Mbit/s delay 10ms",
        "kldunload dummynet",
        "kldload dummynet",
    )
    assert "dummynet" in lab.do("kldstat")
    assert left(lab) == {"schk_count": 0, "si_count": 0, "fsk_count": 0, "queue_count": 0}
    router(lab, "flush", "pipe 1 config bw 1Mbit/s", "add 100 pipe 1 udp from any to any out xmit wan")
    assert rate(send(lab, Flow(5001, "3Mbit/s", 1000, 1.0))[0]) == pytest.approx(1e6, rel=0.01)


def test_interface_destroyed_under_load(lab: Lab) -> None:
    """Packets in queues and delay lines outlive the interfaces they came by and were meant for."""
    router(lab, "add 90 pipe 4 udp from any to any in recv lan", "pipe 4 config delay 100ms")
    lab.do("jexec router sysctl net.inet.ip.fw.one_pass=0")
    busy(lab, "jexec router ifconfig wan destroy", "jexec router ifconfig lan destroy", gap=0.3)


def test_layer2_interface_destroyed_under_load(lab: Lab) -> None:
    lab.do("jexec router sysctl net.link.ether.ipfw=1")
    router(lab, "pipe 5 config bw 2Mbit/s delay 200ms", "add 50 pipe 5 ip from any to any layer2 via wan")
    busy(lab, "jexec router ifconfig wan destroy", gap=0.4)


def test_jail_removed_under_load(lab: Lab) -> None:
    busy(lab, "jail -r router", gap=0.4)
    assert "router" not in lab.do("jls")


def test_idle_objects_expire(lab: Lab) -> None:
    router(lab, "pipe 1 config bw 10Mbit/s mask dst-port 0xffff", "pipe 2 config bw 10Mbit/s")
    router(
        lab,
        "queue 1 config pipe 2 weight 1 mask dst-port 0xffff",
        "add 100 pipe 1 udp from any to any 5001-5003 out xmit wan",
    )
    router(lab, "add 101 queue 1 udp from any to any 5004-5006 out xmit wan")
    lab.do("jexec router sysctl net.inet.ip.dummynet.expire=0")
    send(lab, *(Flow(5001 + i, "1Mbit/s", 500, 0.2) for i in range(6)))
    assert left(lab)["si_count"] == 4
    assert left(lab)["queue_count"] == 3
    lab.do("jexec router sysctl net.inet.ip.dummynet.expire=1; sleep 10")
    assert left(lab)["si_count"] == left(lab)["queue_count"] == 0


STEPS = [
    "pipe {n} config bw {m}Mbit/s delay {d}",
    "pipe {n} config bw {m}Mbit/s mask dst-port 0xffff",
    "pipe {n} config bw {m}Mbit/s queue {m} plr 0.1",
    "pipe {n} config bw {m}Mbit/s burst 20k red 0.1/5/20/0.5",
    "pipe {n} delete",
    "queue {n} config pipe {m} weight {d}",
    "queue {n} config pipe {m} weight {d} mask src-ip 0xff dst-port 0xff",
    "queue {n} delete",
    "sched {n} config type rr",
    "sched {n} config type fifo",
    "sched {n} config type prio mask dst-port 3",
    "sched {n} config type wf2q+",
    "-q flush; jexec router ipfw -q add 100 pipe {n} udp from any to any out xmit wan",
    "-q add 99 queue {n} udp from any to any {p} out xmit wan",
    "-q pipe flush",
    "pipe show > /dev/null",
    "queue show > /dev/null",
    "sched show > /dev/null",
]


@pytest.mark.parametrize("seed", range(8))
def test_random_changes_under_load(tmp_path: Path, seed: int) -> None:
    """Any sequence of changes: no panic, no leak (the guest says so when it powers off)."""
    chance = random.Random(seed)
    steps = [
        "jexec router ipfw "
        + chance.choice(STEPS).format(
            n=chance.randint(1, 4),
            m=chance.randint(1, 9),
            d=chance.randint(1, 60),
            p=chance.randint(5001, 5004),
        )
        for _ in range(60)
    ]
    with booted(tmp_path, seed=seed) as lab:
        line_topology(lab)
        fresh(lab)
        busy(lab, *steps, seconds=2.0, gap=0.03)
        router(lab, "flush", "pipe flush")
        assert left(lab) == {"schk_count": 0, "si_count": 0, "fsk_count": 0, "queue_count": 0}
