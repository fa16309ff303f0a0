"""The user-mode guest's IP: ping across a router, fragments, ttl, errors, routes, ARP."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from netlab import Lab, booted, line_topology


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with booted(tmp_path_factory.mktemp("net")) as made:
        line_topology(made)
        yield made


def test_ping_across_a_router(lab: Lab) -> None:
    output = lab.do("jexec client ping -c 3 -i 0.1 -t 5 -s 56 10.0.2.2")
    assert "PING 10.0.2.2 (10.0.2.2): 56 data bytes" in output
    reply = r"^64 bytes from 10\.0\.2\.2: icmp_seq=(\d) ttl=(\d+) time=\d+\.\d{3} ms$"
    replies = re.findall(reply, output, re.M)
    assert replies == [("0", "63"), ("1", "63"), ("2", "63")]
    assert "3 packets transmitted, 3 packets received, 0.0% packet loss" in output
    assert re.search(r"^round-trip min/avg/max/stddev = [\d.]+/[\d.]+/[\d.]+/[\d.]+ ms$", output, re.M)


def test_ping_of_nobody_says_so(lab: Lab) -> None:
    status, output = lab.run("jexec client ping -c 1 -t 1 10.0.1.77")
    assert status == 2
    assert "1 packets transmitted, 0 packets received, 100.0% packet loss" in output


def test_ping_without_a_route(lab: Lab) -> None:
    lab.do("jexec client route -q delete default")
    status, output = lab.run("jexec client ping -c 1 -t 1 10.0.2.2")
    lab.do("jexec client route add default 10.0.1.2")
    assert status == 2
    assert "ping: sendto: No route to host" in output


def test_host_without_an_address_answers_unreachable(lab: Lab) -> None:
    """The router's ARP gets no answer: after its tries it tells the sender."""
    status, output = lab.run("jexec client ping -c 12 -i 1 -t 14 10.0.2.99")
    assert status == 2
    assert re.search(r"^\d+ bytes from 10\.0\.1\.2: Destination Host Unreachable$", output, re.M)


def test_big_pings_travel_as_fragments(lab: Lab) -> None:
    created, joined = "fragments? created", "packets? reassembled"
    before = lab.count("client", "ip", created), lab.count("server", "ip", joined)
    output = lab.do("jexec client ping -c 2 -i 0.1 -t 5 -s 4000 10.0.2.2")
    assert "4008 bytes from 10.0.2.2" in output
    after = lab.count("client", "ip", created), lab.count("server", "ip", joined)
    assert (after[0] - before[0], after[1] - before[1]) == (6, 2)


def test_router_fragments_for_a_smaller_mtu(lab: Lab) -> None:
    lab.do("jexec router ifconfig wan mtu 800")
    lab.do("jexec server ifconfig wan mtu 800")
    try:
        before = lab.count("router", "ip", "output datagrams? fragmented")
        assert "1408 bytes from 10.0.2.2" in lab.do("jexec client ping -c 1 -t 5 -s 1400 10.0.2.2")
        assert lab.count("router", "ip", "output datagrams? fragmented") == before + 1
        status, output = lab.run("jexec client ping -D -c 1 -t 1 -s 1400 10.0.2.2")
        assert status == 2
        assert re.search(r"^\d+ bytes from 10\.0\.1\.2: frag needed and DF set \(MTU 800\)$", output, re.M)
    finally:
        lab.do("jexec router ifconfig wan mtu 1500")
        lab.do("jexec server ifconfig wan mtu 1500")


def test_df_at_home_is_an_error_of_the_call(lab: Lab) -> None:
    status, output = lab.run("jexec client ping -D -c 1 -t 1 -s 1600 10.0.1.2")
    assert status == 2
    assert "ping: sendto: Message too long" in output


def test_ttl_exceeded(lab: Lab) -> None:
    status, output = lab.run("jexec client ping -m 1 -c 1 -t 1 10.0.2.2")
    assert status == 2
    assert "92 bytes from 10.0.1.2: Time to live exceeded" in output
    assert "Vr HL TOS  Len   ID Flg  off TTL Pro  cks      Src      Dst" in output
    assert "10.0.1.1  10.0.2.2" in output


def test_ping_oneself_and_loopback(lab: Lab) -> None:
    assert "64 bytes from 10.0.1.1" in lab.do("jexec client ping -c 1 -t 2 10.0.1.1")
    assert "64 bytes from 127.0.0.1" in lab.do("ping -c 1 -t 2 127.0.0.1")


def test_ping_of_a_broadcast_is_not_answered(lab: Lab) -> None:
    status, _ = lab.run("jexec client ping -c 1 -t 1 10.0.1.255")
    assert status == 2


def test_routing_table(lab: Lab) -> None:
    table = lab.do("jexec client netstat -rn")
    lines = [line.split() for line in table.splitlines() if line]
    assert ["Destination", "Gateway", "Flags", "Netif", "Expire"] in lines
    assert ["default", "10.0.1.2", "UGS", "lan"] in lines
    nets = [line for line in lines if line[0] == "10.0.1.0/24"]
    assert [line[2:] for line in nets] == [["U", "lan"]]
    assert nets[0][1].startswith("link#")
    assert any(line[0] == "10.0.1.1" and line[2:] == ["UHS", "lo0"] for line in lines)


def test_route_words(lab: Lab) -> None:
    assert lab.do("jexec client route add -net 10.0.3.0/24 10.0.1.2") == "add net 10.0.3.0: gateway 10.0.1.2"
    assert "route already in table" in lab.fails("jexec client route add -net 10.0.3.0/24 10.0.1.2")
    got = lab.do("jexec client route get 10.0.3.9")
    assert "gateway: 10.0.1.2" in got
    assert "interface: lan" in got
    assert "mask: 255.255.255.0" in got
    assert lab.do("jexec client route delete -net 10.0.3.0/24") == "delete net 10.0.3.0"
    assert "not in table" in lab.fails("jexec client route delete -net 10.0.3.0/24")
    assert "Network is unreachable" in lab.fails("jexec server route add -net 10.9.0.0/16 172.16.0.1")
    lab.fails("jexec client route add -net 10.0.3.0/33 10.0.1.2")


def test_longest_prefix_wins(lab: Lab) -> None:
    lab.do("jexec client route add -host 10.0.2.2 -blackhole 10.0.1.2")
    status, _ = lab.run("jexec client ping -c 1 -t 1 10.0.2.2")
    assert status == 2
    assert "64 bytes from" in lab.do("jexec client ping -c 1 -t 2 10.0.2.1")
    lab.do("jexec client route delete -host 10.0.2.2")
    lab.do("jexec client ping -c 1 -t 2 10.0.2.2")


def test_arp_table(lab: Lab) -> None:
    lab.do("jexec client ping -c 1 -t 2 10.0.1.2")
    table = lab.do("jexec client arp -a")
    mac = r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}"
    learnt = rf"^\? \(10\.0\.1\.2\) at {mac} on lan expires in \d+ seconds \[ethernet\]$"
    assert re.search(learnt, table, re.M)
    assert re.search(rf"^\? \(10\.0\.1\.1\) at {mac} on lan permanent \[ethernet\]$", table, re.M)
    assert "deleted" in lab.do("jexec client arp -d 10.0.1.2")
    assert "no entry" in lab.fails("jexec client arp -n 10.0.1.2")
    lab.do("jexec client ping -c 1 -t 2 10.0.1.2")


def test_arp_entry_expires_only_when_unused(lab: Lab) -> None:
    lab.do("jexec client sysctl net.link.ether.inet.max_age=20")
    try:
        lab.do("jexec client arp -d 10.0.1.2")
        lab.do("jexec client ping -c 60 -i 1 -q 10.0.1.2", timeout=120)
        assert "0.0% packet loss" in lab.do("jexec client ping -c 5 -i 1 -q 10.0.1.2")
        lab.do("sleep 60")
        assert "(10.0.1.2)" not in lab.do("jexec client arp -an")
    finally:
        lab.do("jexec client sysctl net.link.ether.inet.max_age=1200")


def test_neighbour_changes_its_address(lab: Lab) -> None:
    lab.do("jexec client ping -c 1 -t 2 10.0.1.2")
    lab.do("jexec router ifconfig lan ether 58:9c:fc:00:00:77")
    assert "64 bytes from" in lab.do("jexec client ping -c 3 -i 0.1 -t 5 10.0.1.2")
    assert "58:9c:fc:00:00:77" in lab.do("jexec client arp -an")
    assert "ether 58:9c:fc:00:00:77" in lab.do("jexec router ifconfig lan")


def test_interface_down_and_up(lab: Lab) -> None:
    lab.do("jexec router ifconfig wan down")
    status, output = lab.run("jexec client ping -c 1 -t 1 10.0.2.2")
    assert status == 2
    assert "Destination Host Unreachable" in output
    assert "wan" not in lab.do("jexec router netstat -rn")
    lab.do("jexec router ifconfig wan up")
    lab.do("jexec client ping -c 1 -t 2 10.0.2.2")


def test_ifconfig_status(lab: Lab) -> None:
    status = lab.do("jexec client ifconfig lan")
    flags = "UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST,LOWER_UP"
    assert re.match(rf"lan: flags=\d+<{flags}> metric 0 mtu 1500", status)
    assert "\tinet 10.0.1.1 netmask 0xffffff00 broadcast 10.0.1.255" in status
    assert "\tgroups: epair" in status
    assert "\tstatus: active" in status
    assert lab.do("jexec client ifconfig -l").split() == ["lo0", "lan"]


def test_ifconfig_errors(lab: Lab) -> None:
    assert "interface nix0 does not exist" in lab.fails("ifconfig nix0 up")
    assert "bad value" in lab.fails("jexec client ifconfig lan inet 10.0.1.1000/24")
    assert "bad value" in lab.fails("jexec client ifconfig lan inet 10.0.1.1/33")
    assert "Invalid argument" in lab.fails("jexec client ifconfig lan mtu 10")
    assert "not found" in lab.fails("ifconfig lo0 vnet nobody")
    assert "requires argument" in lab.fails("jexec client ifconfig lan mtu")
    assert "File exists" in lab.fails("jexec router ifconfig wan inet 10.0.1.2/24")


def test_interface_counters(lab: Lab) -> None:
    def packets(jail: str, name: str) -> tuple[int, int]:
        for line in lab.do(f"jexec {jail} netstat -i -n -I {name}").splitlines():
            if "<Link#" in line:
                words = line.split()
                return int(words[4]), int(words[7])
        raise AssertionError("no line")

    before = packets("client", "lan"), packets("router", "lan")
    lab.do("jexec client ping -c 5 -i 0.1 -q 10.0.1.2")
    after = packets("client", "lan"), packets("router", "lan")
    assert after[0][1] - before[0][1] == after[1][0] - before[1][0] >= 5


def test_deferred_dispatch(lab: Lab) -> None:
    assert lab.do("sysctl -n net.isr.dispatch") == "direct"
    lab.do("sysctl net.isr.dispatch=deferred")
    try:
        assert "0.0% packet loss" in lab.do("jexec client ping -c 3 -i 0.1 -t 5 10.0.2.2")
        lab.fails("sysctl net.isr.dispatch=whatever")
    finally:
        lab.do("sysctl net.isr.dispatch=direct")


def test_sysctls_are_per_vnet(lab: Lab) -> None:
    assert lab.do("jexec router sysctl -n net.inet.ip.forwarding") == "1"
    assert lab.do("jexec client sysctl -n net.inet.ip.forwarding") == "0"
    lab.do("jexec client sysctl net.inet.ip.ttl=7")
    assert "Time to live exceeded" not in lab.do("jexec client ping -c 1 -t 2 10.0.2.2")
    assert lab.do("jexec server sysctl -n net.inet.ip.ttl") == "64"
    lab.do("jexec client sysctl net.inet.ip.ttl=64")


def test_bridge_of_three(tmp_path: Path) -> None:
    with booted(tmp_path) as lab:
        for jail in ("a", "b", "c", "sw"):
            lab.do(f"jail -c name={jail} vnet persist path=/")
        for n, jail in enumerate("abc"):
            lab.link(jail, "sw", f"p{n}")
            lab.do(f"jexec {jail} ifconfig p{n} inet 10.5.0.{n + 1}/24 up")
            lab.do(f"jexec sw ifconfig p{n} up")
        assert "bridge0" in lab.do("jexec sw ifconfig bridge create")
        lab.do("jexec sw ifconfig bridge0 addm p0 addm p1 addm p2 up")
        lab.do("jexec sw ifconfig bridge0 inet 10.5.0.9/24")
        assert "\tmember: p1" in lab.do("jexec sw ifconfig bridge0")
        for target in ("10.5.0.2", "10.5.0.3", "10.5.0.9"):
            assert "0.0% packet loss" in lab.do(f"jexec a ping -c 2 -i 0.1 -t 3 {target}")
        lab.do("jexec sw ifconfig bridge0 deletem p1")
        status, _ = lab.run("jexec a ping -c 1 -t 1 10.5.0.2")
        assert status == 2
        assert "0.0% packet loss" in lab.do("jexec a ping -c 2 -i 0.1 -t 3 10.5.0.3")
        lab.do("jexec sw ifconfig p2 destroy")
        assert "p2" not in lab.do("jexec sw ifconfig bridge0")
        lab.do("jexec sw ifconfig bridge0 destroy")


@pytest.mark.parametrize("seed", range(4))
def test_set_up_in_any_order(tmp_path: Path, seed: int) -> None:
    with booted(tmp_path, seed=seed) as lab:
        line_topology(lab, random.Random(seed))
        assert "0.0% packet loss" in lab.do("jexec client ping -c 2 -i 0.1 -t 5 10.0.2.2")


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    logs = []
    for n in range(2):
        folder = tmp_path / str(n)
        folder.mkdir()
        with booted(folder, seed=7) as lab:
            line_topology(lab)
            ping = lab.do("jexec client ping -c 5 -i 0.01 10.0.2.2")
            logs.append(ping + lab.do("jexec client arp -an; jexec router netstat -i"))
    assert logs[0] == logs[1]
