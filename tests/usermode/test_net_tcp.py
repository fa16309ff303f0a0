"""The user-mode guest's TCP through a pipe: fills it, backs off, and ends in order; UDP's errors by name."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from netlab import Lab, booted, line_topology

PIPE = 10_000_000 / 8 * 1448 / 1500  # bytes of payload per second that 10 Mbit/s carry


def shaped(lab: Lab, pipe: str = "bw 10Mbit/s delay 20ms queue 50") -> None:
    line_topology(lab)
    lab.run("kldload -n dummynet")
    for jail in ("client", "router", "server"):
        lab.do(f"jexec {jail} ipfw -q add 60000 allow ip from any to any")
    lab.do(f"jexec router ipfw pipe 1 config {pipe}")
    lab.do("jexec router ipfw -q add 100 pipe 1 ip from any to any out xmit wan")


def bulk(lab: Lab, port: int, seconds: int) -> dict[str, Any]:
    """The receiver's last word about one bulk flow from client to server."""
    lab.do(f"jexec server dngen recv tcp --port {port} --for {seconds + 4}s --id x > /recv.{port} &")
    send = f"dngen send tcp --to 10.0.2.2:{port} --for {seconds}s --id x"
    lab.do(f"sleep 0.05; jexec client {send} > /send.{port}")
    lab.do("wait")
    lines = [json.loads(line) for line in lab.do(f"cat /recv.{port}").splitlines() if line.startswith("{")]
    [final] = [line for line in lines if line["kind"] == "final"]
    sent = [json.loads(line) for line in lab.do(f"cat /send.{port}").splitlines() if '"final"' in line]
    assert sent[0]["bytes"] == final["bytes"]
    assert final["errors"] == {}
    return final


@pytest.mark.parametrize("sack", [1, 0])
def test_bulk_fills_the_pipe_and_backs_off(tmp_path: Path, sack: int) -> None:
    with booted(tmp_path) as lab:
        shaped(lab)
        lab.do("jexec server sysctl net.inet.tcp.recvspace=131072")  # in 64 KB, the default, nothing is lost
        lab.do(f"jexec client sysctl net.inet.tcp.sack.enable={sack}")
        final = bulk(lab, 5002, 8)
        elapsed = (final["last"] - final["first"]) / 1e9
        assert 0.9 * PIPE < final["bytes"] / elapsed < 1.01 * PIPE
        assert lab.count("client", "tcp", r"data packets? \(\d+ bytes?\) retransmitted") > 0
        assert lab.count("client", "tcp", "retransmit timeouts?") == 0
        episodes = lab.count("client", "tcp", "SACK recovery episodes?")
        assert episodes > 0 if sack else episodes == 0


def test_two_flows_share(tmp_path: Path) -> None:
    with booted(tmp_path) as lab:
        shaped(lab)
        for port in (5002, 5003):
            lab.do(f"jexec server dngen recv tcp --port {port} --for 16s --id x > /recv.{port} &")
        lab.do("sleep 0.05")
        for port in (5002, 5003):
            lab.do(f"jexec client dngen send tcp --to 10.0.2.2:{port} --for 12s --id x > /send.{port} &")
        lab.do("wait", timeout=120)
        got = []
        for port in (5002, 5003):
            text = lab.do(f"cat /recv.{port}")
            got.append(next(json.loads(x)["bytes"] for x in text.splitlines() if '"final"' in x))
        assert sum(got) > 0.9 * 12 * PIPE
        assert min(got) > 0.2 * sum(got)


def test_random_loss_is_survived(tmp_path: Path) -> None:
    with booted(tmp_path) as lab:
        shaped(lab, "bw 10Mbit/s delay 10ms plr 0.01")
        final = bulk(lab, 5002, 5)
        assert final["bytes"] > 0.2 * 5 * PIPE


def test_high_rate(tmp_path: Path) -> None:
    """A path of 200 Mbit/s and 20 ms needs a big window: both ends' buffers grow by themselves."""
    with booted(tmp_path) as lab:
        shaped(lab, "bw 200Mbit/s delay 10ms queue 1000KBytes")
        final = bulk(lab, 5002, 4)
        assert final["bytes"] > 0.8 * 4 * 20 * PIPE


@pytest.mark.parametrize(
    ("jail", "knob", "window"),
    [("client", "sendbuf_auto=0", 32768), ("server", "recvbuf_auto=0", 65536), ("client", "sendbuf_max=131072", 131072)],
)
def test_a_buffer_that_may_not_grow_is_the_window(tmp_path: Path, jail: str, knob: str, window: int) -> None:
    """On a path with room to spare a buffer's worth of data is carried in each round trip, no more."""
    with booted(tmp_path) as lab:
        shaped(lab, "bw 200Mbit/s delay 20ms queue 1000KBytes")
        lab.do(f"jexec {jail} sysctl net.inet.tcp.{knob}")
        final = bulk(lab, 5002, 4)
        rate = final["bytes"] / (final["last"] - final["first"]) * 1e9
        assert 0.75 * window / 0.022 < rate < 1.02 * window / 0.020


def test_refused_and_unreachable(tmp_path: Path) -> None:
    with booted(tmp_path) as lab:
        shaped(lab)
        status, output = lab.run("jexec client dngen send tcp --to 10.0.2.2:9 --for 1s --id x")
        assert status != 0
        assert "ECONNREFUSED" in output
        status, output = lab.run("jexec server dngen send tcp --to 10.9.9.9:9 --for 1s --id x")
        assert status != 0


def test_udp_to_a_closed_port(tmp_path: Path) -> None:
    with booted(tmp_path) as lab:
        shaped(lab)
        lab.run("jexec client dngen send udp --to 10.0.2.2:9 --pps 100 --for 0.5s --id x")
        assert lab.count("server", "udp", "dropped due to no socket") >= 40
        histogram = lab.do("jexec server netstat -s -p icmp")
        found = re.search(r"destination unreachable: (\d+)", histogram)
        assert found is not None
        assert int(found.group(1)) >= 40


def test_jail_removed_under_tcp(tmp_path: Path) -> None:
    for victim in ("client", "router", "server"):
        folder = tmp_path / victim
        folder.mkdir()
        with booted(folder) as lab:
            shaped(lab)
            lab.do("jexec server dngen recv tcp --port 5002 --for 3s --id x > /recv &")
            lab.do("sleep 0.05")
            lab.do("jexec client dngen send tcp --to 10.0.2.2:5002 --for 2s --id x > /send &")
            lab.do("sleep 0.5")
            lab.do(f"jail -r {victim}")
            lab.do("sleep 5; wait", timeout=120)
