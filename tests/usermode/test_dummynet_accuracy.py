"""dummynet of the user-mode guest: what a pipe does to a flow is what it was told to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dnlab import Flow, fresh, rate, router, send, steady
from netlab import Lab, booted, line_topology


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with booted(tmp_path_factory.mktemp("dummynet")) as made:
        line_topology(made)
        yield made


@pytest.fixture(autouse=True)
def _fresh(lab: Lab) -> None:
    fresh(lab)


def udp(lab: Lab, target: str, port: int | str = "", number: int = 100) -> None:
    router(lab, f"add {number} {target} udp from any to any {port} out xmit wan")


@pytest.mark.parametrize("size", [100, 576, 1500])
@pytest.mark.parametrize(
    ("bw", "bits"), [("64Kbit/s", 64e3), ("1Mbit/s", 1e6), ("10Mbit/s", 10e6), ("50Mbit/s", 50e6)]
)
def test_bandwidth_within_one_percent(lab: Lab, bw: str, bits: float, size: int) -> None:
    # A tick of a fast link is more than 50 packets.
    router(lab, f"pipe 1 config bw {bw} queue 100")
    udp(lab, "pipe 1")
    # A slow link needs longer: the first and the last packet are whole.
    seconds = max(1.0, 120 * size * 8 / bits)
    got = send(lab, Flow(5001, f"{int(bits * 1.5 / 1000)}Kbit/s", size, seconds), tail=3.0)[0]
    assert rate(got) == pytest.approx(bits, rel=0.01)
    assert got["duplicates"] == got["reordered"] == 0


@pytest.mark.parametrize("ms", [1, 2, 9, 10, 50, 100, 1000])
def test_delay_within_one_tick(lab: Lab, ms: int) -> None:
    router(lab, f"pipe 1 config delay {ms}ms")
    udp(lab, "pipe 1")
    got = send(lab, Flow(5001, "100Kbit/s", 500, 1.0), tail=2.0)[0]
    assert got["received"] == got["sender"]["sent"]
    assert ms * 1e6 - 1e6 <= got["delay"]["min"]
    assert got["delay"]["max"] <= ms * 1e6 + 1e6


@pytest.mark.parametrize("hz", [100, 250, 1000, 4000])
def test_rate_and_delay_over_the_whole_range(tmp_path: Path, hz: int) -> None:
    """56 Kbit/s to 1 Gbit/s within 1 %; 0 to 200 ms, which dummynet counts in whole ticks, within one tick."""
    tick = 1e9 / hz
    with booted(tmp_path, flavour="release", tunables={"kern.hz": str(hz)}) as lab:
        line_topology(lab)
        router(lab, "add 100 pipe 1 udp from any to any out xmit wan")
        lab.do("jexec router sysctl net.inet.ip.dummynet.pipe_byte_limit=4000000")
        lab.do("jexec client ping -c 1 -i 0.01 -t 2 10.0.2.2")
        wrong = []
        for bits, size in ((56e3, 200), (512e3, 1500), (10e6, 64), (100e6, 1500), (1e9, 1500)):
            packet = size * 8 / bits  # s that one takes
            # What the link carries in two ticks has to fit into the queue.
            router(lab, f"pipe 1 config bw {bits:.0f}bit/s queue {max(20 * size, int(2 * bits / 8 / hz))}B")
            seconds = max(200 / hz, 150 * packet)
            got = send(lab, Flow(5001, f"{bits * 1.3:.0f}bit/s", size, seconds), tail=60 * packet + 1)[0]
            if rate(got) != pytest.approx(bits, rel=0.01):
                wrong.append(f"{bits:g} bit/s: {rate(got):g}")
            for ms in (0, 1, 7, 35, 200):
                router(lab, f"pipe 1 config bw {bits:.0f}bit/s delay {ms}ms")
                got = send(lab, Flow(5001, f"{bits / 20:.0f}bit/s", size, 300 * packet))[0]
                delay = ms * hz // 1000 * tick
                low, high = got["delay"]["min"], got["delay"]["max"] - packet * 1e9
                if not (delay - tick <= low and high <= delay + tick and got["received"] == got["sender"]["sent"]):
                    wrong.append(f"{bits:g} bit/s, {ms} ms: {low / 1e6:g} to {high / 1e6:g} ms")
        assert not wrong, wrong


def test_queue_limits_in_slots_and_bytes(lab: Lab) -> None:
    """A full queue is the delay: so many packets at the link's rate, and everything else lost."""
    for config, packets in (("queue 10", 10), ("queue 30", 30), ("queue 20000B", 21)):
        router(lab, f"pipe 1 config bw 1Mbit/s {config}", "flush")
        udp(lab, "pipe 1")
        got = send(lab, Flow(5001, "4Mbit/s", 1000, 2.0))[0]
        assert got["delay"]["max"] == pytest.approx((packets + 1) * 8e6, abs=9.5e6), config
        lost = got["sender"]["sent"] - got["received"]
        assert int(lab.do("jexec router sysctl -n net.inet.ip.dummynet.io_pkt_drop")) >= lost > 0
        router(lab, "pipe flush")


def test_loss_rate(lab: Lab) -> None:
    router(lab, "pipe 1 config plr 0.1")
    udp(lab, "pipe 1")
    got = send(lab, Flow(5001, "8Mbit/s", 100, 1.0))[0]
    assert 1 - got["received"] / got["sender"]["sent"] == pytest.approx(0.1, abs=0.015)


def test_two_state_loss_comes_in_bursts(lab: Lab) -> None:
    """Gilbert-Elliott: no loss in the good state, all lost in the bad one, 50 packets long on average."""
    router(lab, "pipe 1 config plr 0,0.005,1,0.02")
    udp(lab, "pipe 1")
    got = send(lab, Flow(5001, "8Mbit/s", 100, 2.0))[0]
    assert 0.05 < 1 - got["received"] / got["sender"]["sent"] < 0.4


def test_burst_passes_at_once(lab: Lab) -> None:
    """A link that was idle carries its burst without delay: of what comes within a tick, as dummynet has it."""
    took = {}
    for burst in (0, 50000):
        router(lab, f"pipe 1 config bw 1Mbit/s queue 100 burst {burst}", "flush")
        udp(lab, "pipe 1")
        got = send(lab, Flow(5001, "640Mbit/s", 1000, 0.0005), tail=2.0)[0]
        assert got["received"] == got["sender"]["sent"] == 40
        took[burst] = (got["last"] - got["first"]) / 1e9
    assert took[0] == pytest.approx(39 * 0.008, abs=0.002)
    assert took[50000] < 0.002


@pytest.mark.parametrize("weights", [(1, 1), (2, 1), (5, 1), (10, 3), (100, 1)])
def test_wf2q_shares_by_weight(lab: Lab, weights: tuple[int, int]) -> None:
    router(lab, "pipe 1 config bw 10Mbit/s")
    for i, w in enumerate(weights):
        router(lab, f"queue {i + 1} config pipe 1 weight {w} queue 50")
        udp(lab, f"queue {i + 1}", 5001 + i, 100 + i)
    got = send(lab, Flow(5001, "20Mbit/s", seconds=4.0), Flow(5002, "20Mbit/s", seconds=4.0))
    assert sum(map(steady, got)) == pytest.approx(10e6, rel=0.02)
    # Packets are whole: the light one's rate is known to a packet or two.
    slack = 0.02 + 1.5 / (got[1]["received"] * 0.9)
    assert steady(got[0]) / steady(got[1]) == pytest.approx(weights[0] / weights[1], rel=slack)


def test_wf2q_is_fair_between_sizes(lab: Lab) -> None:
    router(
        lab, "pipe 1 config bw 10Mbit/s", "queue 1 config pipe 1 weight 1", "queue 2 config pipe 1 weight 1"
    )
    udp(lab, "queue 1", 5001, 100)
    udp(lab, "queue 2", 5002, 101)
    got = send(lab, Flow(5001, "20Mbit/s", 1500), Flow(5002, "20Mbit/s", 200))
    assert steady(got[0]) == pytest.approx(5e6, rel=0.02)
    assert steady(got[1]) == pytest.approx(5e6, rel=0.02)


def test_wf2q_gives_what_one_leaves(lab: Lab) -> None:
    router(
        lab, "pipe 1 config bw 10Mbit/s", "queue 1 config pipe 1 weight 9", "queue 2 config pipe 1 weight 1"
    )
    udp(lab, "queue 1", 5001, 100)
    udp(lab, "queue 2", 5002, 101)
    got = send(lab, Flow(5001, "2Mbit/s"), Flow(5002, "20Mbit/s"))
    assert steady(got[0]) == pytest.approx(2e6, rel=0.02)
    assert got[0]["received"] == got[0]["sender"]["sent"]
    assert steady(got[1]) == pytest.approx(8e6, rel=0.02)


def test_rr_shares_by_weight(lab: Lab) -> None:
    router(lab, "pipe 1 config bw 10Mbit/s", "sched 1 config type rr")
    for i, w in enumerate((3, 1)):
        router(lab, f"queue {i + 1} config sched 1 weight {w} queue 50")
        udp(lab, f"queue {i + 1}", 5001 + i, 100 + i)
    got = send(lab, Flow(5001, "20Mbit/s", 1500), Flow(5002, "20Mbit/s", 500))
    assert steady(got[0]) / steady(got[1]) == pytest.approx(3, rel=0.03)
    assert sum(map(steady, got)) == pytest.approx(10e6, rel=0.02)


def test_prio_serves_the_first_first(lab: Lab) -> None:
    """Weight is the priority, and 0 the highest: it gets all it wants."""
    router(lab, "pipe 1 config bw 10Mbit/s", "sched 1 config type prio")
    for i in range(3):
        router(lab, f"queue {i + 1} config sched 1 weight {i} queue 50")
        udp(lab, f"queue {i + 1}", 5001 + i, 100 + i)
    got = send(lab, Flow(5001, "6Mbit/s"), Flow(5002, "6Mbit/s"), Flow(5003, "6Mbit/s"))
    assert got[0]["received"] == got[0]["sender"]["sent"]
    assert got[0]["delay"]["max"] < 3e6
    assert rate(got[1]) == pytest.approx(4e6, rel=0.03)
    assert got[2]["received"] <= 60, "only what was queued when the others had stopped"


def test_fifo_scheduler_mixes(lab: Lab) -> None:
    router(lab, "pipe 1 config bw 10Mbit/s", "sched 1 config type fifo", "queue 1 config sched 1 weight 10")
    router(lab, "queue 2 config sched 1 weight 1")
    udp(lab, "queue 1", 5001, 100)
    udp(lab, "queue 2", 5002, 101)
    got = send(lab, Flow(5001, "10Mbit/s"), Flow(5002, "10Mbit/s", more="--start 3ms"))
    assert sum(map(rate, got)) == pytest.approx(10e6, rel=0.03)


def test_pipe_mask_makes_a_link_each(lab: Lab) -> None:
    router(lab, "pipe 1 config bw 2Mbit/s mask dst-port 0xffff")
    udp(lab, "pipe 1")
    got = send(lab, *(Flow(p, "5Mbit/s", seconds=1.0) for p in (5001, 5002, 5003)))
    for g in got:
        assert rate(g) == pytest.approx(2e6, rel=0.01)


def test_queue_mask_makes_a_fair_queue_each(lab: Lab) -> None:
    router(lab, "pipe 1 config bw 6Mbit/s", "queue 1 config pipe 1 weight 1 mask dst-port 0xffff")
    udp(lab, "queue 1")
    rates = {5001: "20Mbit/s", 5002: "3Mbit/s", 5003: "1Mbit/s"}
    got = send(lab, *(Flow(p, r) for p, r in rates.items()))
    assert steady(got[2]) == pytest.approx(1e6, rel=0.03)
    assert steady(got[1]) == pytest.approx(2.5e6, rel=0.03)
    assert steady(got[0]) == pytest.approx(2.5e6, rel=0.03)


def test_two_vnets_have_pipes_of_their_own(lab: Lab) -> None:
    router(lab, "pipe 1 config bw 4Mbit/s")
    udp(lab, "pipe 1")
    lab.do(
        "jexec client ipfw pipe 1 config bw 1Mbit/s; jexec client ipfw -q add 100 pipe 1 udp from any to any out"
    )
    got = send(lab, Flow(5001, "5Mbit/s"))[0]
    lab.do("jexec client ipfw -q flush; jexec client ipfw -q pipe flush")
    assert rate(got) == pytest.approx(1e6, rel=0.01)


def test_io_fast_lets_a_lone_packet_through(lab: Lab) -> None:
    router(lab, "pipe 1 config bw 10Mbit/s")
    udp(lab, "pipe 1")
    lab.do("jexec router sysctl net.inet.ip.dummynet.io_fast=1")
    before = int(lab.do("jexec router sysctl -n net.inet.ip.dummynet.io_pkt_fast"))
    got = send(lab, Flow(5001, "100Kbit/s", 500, 1.0))[0]
    assert got["delay"]["max"] < 1e6
    assert int(lab.do("jexec router sysctl -n net.inet.ip.dummynet.io_pkt_fast")) - before == got["received"]


def test_layer2_pipe_keeps_its_rate(lab: Lab) -> None:
    """Behind the link-layer hook the Ethernet header counts, as dummynet sees it."""
    lab.do("jexec router sysctl net.link.ether.ipfw=1")
    router(
        lab, "pipe 1 config bw 5Mbit/s delay 10ms", "add 100 pipe 1 udp from any to any layer2 out xmit wan"
    )
    got = send(lab, Flow(5001, "10Mbit/s", 1000))[0]
    assert rate(got) == pytest.approx(5e6 * 1000 / 1014, rel=0.01)
    assert got["delay"]["min"] >= 9e6


def test_input_pipe(lab: Lab) -> None:
    router(lab, "pipe 1 config bw 5Mbit/s delay 10ms", "add 100 pipe 1 udp from any to any in recv lan")
    got = send(lab, Flow(5001, "10Mbit/s", 1000))[0]
    assert rate(got) == pytest.approx(5e6, rel=0.01)
