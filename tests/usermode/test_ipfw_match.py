"""What the rules of the user-mode guest match, and the two places where they are asked."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from netlab import Lab, booted, line_topology


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with booted(tmp_path_factory.mktemp("ipfw")) as made:
        line_topology(made)
        yield made


@pytest.fixture(autouse=True)
def _fresh(lab: Lab) -> None:
    lab.do("jexec router ipfw -q flush; jexec router ipfw -q -f pipe flush")
    lab.do("jexec router sysctl net.link.ether.ipfw=0 net.inet.ip.fw.one_pass=1 net.inet.ip.fw.enable=1")
    lab.do("jexec client ping -c 1 -i 0.01 -t 2 10.0.2.2")


def ping(lab: Lab, count: int = 1, size: int = 56) -> int:
    """Replies to so many pings from the client to the server."""
    _, output = lab.run(f"jexec client ping -c {count} -i 0.01 -t 10 -s {size} 10.0.2.2")
    found = re.search(r"(\d+) packets received", output)
    assert found is not None, output
    return int(found.group(1))


def hits(lab: Lab, number: int) -> int:
    line = lab.do(f"jexec router ipfw show {number}").split()
    return int(line[1])


#: Patterns of rules on the router, and how often one ping (its request and its reply) matches them.
PATTERNS = [
    ("ip from any to any", 4),
    ("icmp from any to any", 4),
    ("udp from any to any", 0),
    ("not udp from any to any", 4),
    ("{ udp or icmp } from any to any", 4),
    ("ip from 10.0.1.0/24 to any", 2),
    ("ip from not 10.0.1.0/24 to any", 2),
    ("ip from 10.0.1.0:255.255.255.0 to any", 2),
    ("ip from { 10.0.1.1 or 10.0.2.2 } to any", 4),
    ("ip from 10.0.1.1,10.0.2.2 to any", 4),
    ("ip from 10.0.1.0/24{1-3} to any", 2),
    ("ip from 10.0.1.0/24{2-3} to any", 0),
    ("ip from any to me", 0),
    ("ip from any to not me", 4),
    ("ip from any to any in", 2),
    ("ip from any to any out", 2),
    ("ip from any to any in recv lan", 1),
    ("ip from any to any recv lan", 2),
    ("ip from any to any out recv lan xmit wan", 1),
    ("ip from any to any xmit wan", 1),
    ("ip from any to any via wan", 2),
    ("ip from any to any via w*", 2),
    ("ip from any to any via [lw]an", 4),
    ("ip from any to any via 10.0.2.1", 2),
    ("ip from any to any not via wan", 2),
    ("icmp from any to any icmptypes 8", 2),
    ("icmp from any to any icmptypes 0,8", 4),
    ("ip from any to any iplen 84", 4),
    ("ip from any to any iplen 0-83", 0),
    ("ip from any to any ipttl 64", 2),
    ("ip from any to any ipttl 63", 2),
    ("ip from any to any ipver 4", 4),
    ("ip from any to any frag", 0),
    ("ip from any to any layer2", 0),
    ("ip from any to any not layer2", 4),
    ("ip from any to any dst-port 80", 0),
    ("ip from any to any not dst-port 80", 4),
    ("in", 2),
    ("{ in or out }", 4),
    ("ip from any to any { recv lan or src-ip 10.0.2.2 }", 4),
    ("ip from any to any dscp be", 4),
    ("ip from any to any not dscp be", 0),
]


@pytest.mark.parametrize(("pattern", "count"), PATTERNS, ids=[p[0] for p in PATTERNS])
def test_pattern(lab: Lab, pattern: str, count: int) -> None:
    lab.do(f"jexec router ipfw -q add 100 count {pattern}")
    assert ping(lab) == 1
    assert hits(lab, 100) == count


def test_fragments(lab: Lab) -> None:
    lab.do("jexec router ipfw -q add 100 count icmp from any to any frag in recv lan")
    lab.do("jexec router ipfw -q add 200 count icmp from any to any frag mf in recv lan")
    lab.do("jexec router ipfw -q add 300 count icmp from any to any icmptypes 8 in recv lan")
    assert ping(lab, size=4000) == 1
    assert [hits(lab, n) for n in (100, 200, 300)] == [2, 2, 1]


def test_deny_and_default(lab: Lab) -> None:
    lab.do("jexec router ipfw -q add 100 deny icmp from any to any icmptypes 0")
    assert ping(lab) == 0
    lab.do("jexec router ipfw set disable 0")
    assert ping(lab) == 1
    lab.do("jexec router ipfw set enable 0")
    assert ping(lab) == 0
    lab.do("jexec router sysctl net.inet.ip.fw.enable=0")
    assert ping(lab) == 1


def test_rules_are_of_a_vnet(lab: Lab) -> None:
    lab.do("jexec router ipfw -q add 100 deny ip from any to any")
    assert lab.do("jexec client ipfw list") == lab.do("jexec server ipfw list")
    assert "00100" not in lab.do("ipfw list")


def test_skipto_and_order(lab: Lab) -> None:
    lab.do("jexec router ipfw -q add 100 skipto 300 icmp from any to any in")
    lab.do("jexec router ipfw -q add 200 count ip from any to any")
    lab.do("jexec router ipfw -q add 300 count ip from any to any")
    lab.do("jexec router ipfw -q add 400 skipto 100 ip from any to any")
    lab.do("jexec router ipfw -q add 500 count ip from any to any")
    assert ping(lab) == 1
    assert [hits(lab, n) for n in (100, 200, 300, 400, 500)] == [2, 2, 4, 4, 4]


def test_reject_and_reset(lab: Lab) -> None:
    lab.do("jexec router ipfw -q add 100 reject icmp from any to any icmptypes 8 in")
    status, output = lab.run("jexec client ping -c 1 -t 2 10.0.2.2")
    assert status == 2
    assert "Destination Host Unreachable" in output


def test_probability(lab: Lab) -> None:
    lab.do("jexec router ipfw -q add 100 prob 0.25 count icmp from any to any icmptypes 8 in")
    assert ping(lab, 400) == 400
    assert 60 <= hits(lab, 100) <= 140  # 100 +- 4.6 sigma


def test_layer2_is_seen_twice(lab: Lab) -> None:
    """net.link.ether.ipfw adds the link-layer hook: rules without `layer2' meet each packet twice."""
    lab.do("jexec router ipfw -q add 100 count icmp from any to any out xmit wan")
    lab.do("jexec router ipfw -q add 200 count icmp from any to any layer2 out xmit wan")
    lab.do(
        "jexec router ipfw -q add 300 count ip from any to any MAC any any layer2 mac-type 0x0800 in recv lan"
    )
    assert ping(lab) == 1
    assert [hits(lab, n) for n in (100, 200, 300)] == [1, 0, 0]
    lab.do("jexec router ipfw zero; jexec router sysctl net.link.ether.ipfw=1")
    assert ping(lab) == 1
    assert [hits(lab, n) for n in (100, 200, 300)] == [2, 1, 1]


def test_a_pipe_seen_twice_delays_twice(lab: Lab) -> None:
    def rtt() -> float:
        found = re.search(r"time=([\d.]+) ms", lab.do("jexec client ping -c 1 -t 2 10.0.2.2"))
        assert found is not None
        return float(found.group(1))

    lab.do("jexec router ipfw pipe 1 config delay 10ms")
    lab.do("jexec router ipfw -q add 100 pipe 1 icmp from any to any icmptypes 8 out xmit wan")
    assert 9 <= rtt() <= 11
    lab.do("jexec router sysctl net.link.ether.ipfw=1")
    assert 18 <= rtt() <= 22
    lab.do("jexec router ipfw -q add 50 skipto 200 ip from any to any layer2")
    assert 9 <= rtt() <= 11


@pytest.mark.parametrize(("one_pass", "later"), [(1, 0), (0, 1)])
def test_one_pass(lab: Lab, one_pass: int, later: int) -> None:
    """With one_pass a packet that was in a pipe passes; without it goes on at the next rule."""
    lab.do(f"jexec router sysctl net.inet.ip.fw.one_pass={one_pass}")
    lab.do("jexec router ipfw pipe 1 config delay 5ms")
    lab.do("jexec router ipfw -q add 100 pipe 1 icmp from any to any icmptypes 8 out xmit wan")
    lab.do("jexec router ipfw -q add 200 count icmp from any to any icmptypes 8 out xmit wan")
    assert ping(lab) == 1
    assert [hits(lab, n) for n in (100, 200)] == [1, later]


def test_one_pass_off_goes_on_behind_a_rule_that_is_gone(lab: Lab) -> None:
    lab.do("jexec router sysctl net.inet.ip.fw.one_pass=0")
    lab.do("jexec router ipfw pipe 1 config delay 50ms")
    lab.do("jexec router ipfw -q add 100 pipe 1 icmp from any to any icmptypes 8 out xmit wan")
    lab.do("jexec router ipfw -q add 200 count icmp from any to any icmptypes 8 out xmit wan")
    lab.do("jexec client ping -c 1 -t 2 10.0.2.2 > /out & sleep 0.02; jexec router ipfw delete 100; wait")
    assert "1 packets received" in lab.do("cat /out")
    assert hits(lab, 200) == 1


def test_pipe_that_is_not_there_drops(lab: Lab) -> None:
    lab.do("jexec router ipfw -q add 100 pipe 77 icmp from any to any out xmit wan")
    assert ping(lab) == 0
    assert int(lab.do("jexec router sysctl -n net.inet.ip.dummynet.io_pkt_drop")) > 0
