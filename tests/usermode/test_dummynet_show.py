"""ipfw pipe, queue and sched of the user-mode guest: what is configured is shown, in FreeBSD's format."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dnlab import Flow, fresh, router, send
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from netlab import Lab, booted, line_topology


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with booted(tmp_path_factory.mktemp("dummynet")) as made:
        line_topology(made)
        yield made


@pytest.fixture(autouse=True)
def _fresh(lab: Lab) -> None:
    fresh(lab)


def shown(lab: Lab, words: str) -> list[str]:
    return lab.do(f"jexec router ipfw {words}").splitlines()


def test_pipe(lab: Lab) -> None:
    router(lab, "pipe 1 config bw 10Mbit/s delay 20ms queue 50")
    assert shown(lab, "pipe show") == [
        "00001:  10.000 Mbit/s   20 ms burst 0 ",
        "q131073  50 sl. 0 flows (1 buckets) sched 65537 weight 0 lmax 0 pri 0 droptail",
        " sched 65537 type FIFO flags 0x0 0 buckets 0 active",
    ]
    assert shown(lab, "pipe 1 show") == shown(lab, "pipe show 1") == shown(lab, "pipe show")
    assert shown(lab, "pipe show 2") == []


@pytest.mark.parametrize(
    ("config", "head"),
    [
        ("", "unlimited         0 ms burst 0 "),
        ("bw 64000", " 64.000 Kbit/s    0 ms burst 0 "),
        ("bw 300bit/s", "300.000 bit/s     0 ms burst 0 "),
        ("bw 1500Kbit/s delay 7", "  1.500 Mbit/s    7 ms burst 0 "),
        ("bw 1MByte/s", "  8.000 Mbit/s    0 ms burst 0 "),
        ("bw 2Gbit/s", "  2.000 Gbit/s    0 ms burst 0 "),
        ("bw 1Mbit/s burst 1000", "  1.000 Mbit/s    0 ms burst 1000 "),
        ("bw 1Mbit/s burst 10k", "  1.000 Mbit/s    0 ms burst 10240 "),
    ],
)
def test_link(lab: Lab, config: str, head: str) -> None:
    router(lab, f"pipe 7 config {config}")
    assert shown(lab, "pipe show")[0] == f"00007: {head}"


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ("queue 10", " 10 sl. 0 flows"),
        ("queue 100", "100 sl. 0 flows"),
        ("queue 5000B", "5000 B 0 flows"),
        ("queue 40KBytes", "40 KB 0 flows"),
        ("plr 0.1", " 50 sl.plr 0.100000 0 flows"),
        ("plr 0,0.5,1,0.25", " 50 sl.plr 0.000000,0.500000,1.000000,0.250000 0 flows"),
    ],
)
def test_queue_of_a_pipe(lab: Lab, config: str, text: str) -> None:
    router(lab, f"pipe 1 config {config}")
    assert shown(lab, "pipe show")[1].startswith(f"q131073 {text} (1 buckets) sched 65537")


def test_red_is_shown(lab: Lab) -> None:
    router(lab, "pipe 1 config bw 1Mbit/s queue 100 red 0.002/10/30/0.1")
    assert shown(lab, "pipe show")[1:3] == [
        "q131073 100 sl. 0 flows (1 buckets) sched 65537 weight 0 lmax 0 pri 0 ",
        "\t  RED w_q 0.001999 min_th 10 max_th 30 max_p 0.099991",
    ]
    router(lab, "pipe 1 config bw 1Mbit/s queue 100 gred 0.002/10/30/0.1 ecn")
    assert shown(lab, "pipe show")[2] == "\t GRED w_q 0.001999 min_th 10 max_th 30 max_p 0.099991 (ecn)"


def test_queue_and_sched(lab: Lab) -> None:
    router(lab, "queue 5 config pipe 3 weight 7 mask src-ip 0xffffffff")
    assert shown(lab, "queue show") == [
        "q00005  50 sl. 0 flows (64 buckets) sched 3 weight 7 lmax 0 pri 0 droptail",
        "    mask:  0x00 0xffffffff/0x0000 -> 0x00000000/0x0000",
    ]
    router(lab, "pipe 3 config bw 1Mbit/s")
    assert shown(lab, "sched show") == [
        "00003:   1.000 Mbit/s    0 ms burst 0 ",
        " sched 3 type WF2Q+ flags 0x0 0 buckets 0 active",
        "   Children flowsets: 5 ",
    ]
    router(lab, "sched 3 config type rr")
    assert shown(lab, "sched show")[1] == " sched 3 type RR flags 0x0 0 buckets 0 active"
    assert shown(lab, "queue show")[0].endswith("sched 3 weight 7 lmax 1500 pri 0 droptail")
    router(lab, "queue 5 delete")
    assert shown(lab, "queue show") == []
    router(lab, "pipe 3 delete")
    assert shown(lab, "sched show") == shown(lab, "pipe show") == []


def test_flows_are_shown(lab: Lab) -> None:
    router(lab, "pipe 1 config bw 1Mbit/s delay 500ms mask dst-port 0xffff proto 0xff")
    router(lab, "add 100 pipe 1 udp from any to any out xmit wan")
    send(
        lab,
        Flow(5001, "80Kbit/s", 1000, 0.4),
        Flow(5002, "80Kbit/s", 1000, 0.4),
        during="sleep 0.45; jexec router ipfw pipe show > /shown",
    )
    lines = lab.do("cat /shown").splitlines()
    assert lines[2] == " sched 65537 type FIFO flags 0x1 64 buckets 2 active"
    assert lines[3] == "    mask:  0xff 0x00000000/0x0000 -> 0x00000000/0xffff"
    assert lines[4] == "BKT Prot ___Source IP/port____ ____Dest. IP/port____ Tot_pkt/bytes Pkt/Byte Drp"
    rows = sorted(line.split() for line in lines[5:])
    assert [r[1:4] for r in rows] == [
        ["udp", "0.0.0.0/0", "0.0.0.0/5002"],
        ["udp", "0.0.0.0/0", "0.0.0.0/5001"],
    ] or [r[3] for r in rows] == ["0.0.0.0/5001", "0.0.0.0/5002"]
    assert all(r[4:6] == ["4", "4000"] for r in rows)


REFUSED = [
    ("pipe config bw 1", 64, "need a pipe/flowset/sched number"),
    ("pipe 1 config bw", 64, "bw needs bandwidth or interface"),
    ("pipe 1 config bw fast", 1, "no if support"),
    ("pipe 1 config bw 1.5Mbit/s", 65, "bandwidth: invalid argument 1.5Mbit/s"),
    ("pipe 1 config bw 5Gbit/s", 65, "bandwidth too large"),
    ("pipe 1 config delay 10001", 65, "delay must be < 10000"),
    ("pipe 1 config delay 10s", 65, "delay: invalid argument 10s"),
    ("pipe 1 config queue 101", 65, "2 <= queue size <= 100"),
    ("pipe 1 config queue 2000KB", 65, "queue size must be < 1048576B"),
    ("pipe 1 config codel", 65, "unsupported option ``codel''"),
    ("pipe 1 config nonsense", 65, "unrecognised option ``nonsense''"),
    ("pipe 1 config burst x", 65, "burst: invalid argument"),
    ("pipe 1 config mask dst-port 0x10000", 65, "port mask must be 16 bit"),
    ("pipe 1 config mask dst-port", 64, "mask: value missing"),
    ("pipe 1 config red 0.1/30/10/0.1", 65, "min_th 30 must be < than max_th 10"),
    ("queue 1 config bw 1Mbit/s", 64, "bw is only for links"),
    ("queue 1 config type rr", 64, "type is only for schedulers"),
    ("pipe 70000 config bw 1Mbit/s", 1, "setsockopt(IP_DUMMYNET3): Invalid argument"),
    ("queue 1 config weight 5", 1, "setsockopt(IP_DUMMYNET3): Invalid argument"),
    ("pipe 9 delete", 1, "rule 1: setsockopt(IP_DUMMYNET3): Invalid argument"),
    ("queue 9 delete", 1, "rule 1: setsockopt(IP_DUMMYNET3): Invalid argument"),
    ("sched 1 config type nonesuch", 1, "setsockopt(IP_DUMMYNET3): Invalid argument"),
    ("sched 1 config type fq_codel", 65, "scheduler type fq_codel is not in the user-mode guest"),
]


@pytest.mark.parametrize(("words", "status", "message"), REFUSED, ids=[r[0] for r in REFUSED])
def test_what_is_wrong_is_refused(lab: Lab, words: str, status: int, message: str) -> None:
    got, output = lab.run(f"jexec router ipfw {words}")
    assert (got, f"ipfw: {message}" in output) == (status, True), output
    assert shown(lab, "pipe show") == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    nr=st.integers(1, 65534),
    kbit=st.integers(1, 4_000_000),
    delay=st.integers(0, 10000),
    slots=st.integers(1, 100),
    weight=st.integers(1, 100),
)
def test_random_pipes_come_back(lab: Lab, nr: int, kbit: int, delay: int, slots: int, weight: int) -> None:
    router(lab, f"pipe {nr} config bw {kbit}Kbit/s delay {delay} queue {slots}")
    router(lab, f"queue {nr} config pipe {nr} weight {weight}")
    head, queue, _ = shown(lab, f"pipe {nr} show")
    number, value, unit, ms, *_ = head.split()
    scale = {"Kbit/s": 1, "Mbit/s": 1000, "Gbit/s": 1000000}[unit]
    assert number == f"{nr:05d}:"
    assert abs(float(value) * scale - kbit) <= scale * 0.0005 + 1e-9
    assert (int(ms), int(queue.split()[1])) == (delay, slots)
    assert f"sched {nr} weight {weight} " in shown(lab, f"queue {nr} show")[0]
    router(lab, f"queue {nr} delete", f"pipe {nr} delete")


def test_counts_of_objects_return_to_nothing(lab: Lab) -> None:
    for i in range(1, 40):
        router(lab, f"pipe {i} config bw 1Mbit/s mask all", f"queue {i} config pipe {i} mask all")
    assert int(lab.do("jexec router sysctl -n net.inet.ip.dummynet.schk_count")) == 78
    router(lab, "pipe flush")
    for name in ("schk_count", "si_count", "fsk_count", "queue_count"):
        assert lab.do(f"jexec router sysctl -n net.inet.ip.dummynet.{name}").strip() == "0"
