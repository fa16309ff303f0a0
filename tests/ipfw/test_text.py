"""ipfw's words in, ipfw's listings back: the comparison that tells a pushed rule from another one."""

import pytest

from harness.ipfw import commands, differences, parse_add, parse_config, parse_list, parse_show, same_rule

SHOW = """\
00001:  10.000 Mbit/s   20 ms burst 0 
q131073  50 sl. 0 flows (1 buckets) sched 65537 weight 0 lmax 0 pri 0 droptail
 sched 65537 type FIFO flags 0x0 0 buckets 1 active
BKT Prot ___Source IP/port____ ____Dest. IP/port____ Tot_pkt/bytes Pkt/Byte Drp
  0 ip           0.0.0.0/0             0.0.0.0/0     1234  1234000 10 10000   7
00002: unlimited         0 ms burst 0 
q131074 100 KB 0 flows (1 buckets) sched 65538 weight 0 lmax 0 pri 0 droptail
 sched 65538 type FIFO flags 0x0 0 buckets 0 active
"""  # noqa: W291 - ipfw ends its lines so


def test_block_is_cut_into_commands():
    block = "# shaping\nipfw pipe 1 config bw 10Mbit/s\n\nadd 100 allow ip \\\n  from any to any # all\n"
    got = commands(block)
    assert [c.text for c in got] == ["pipe 1 config bw 10Mbit/s", "add 100 allow ip from any to any"]
    assert [c.line for c in got] == [1, 3]
    assert got[0].configures == ("pipe", 1)
    assert got[1].is_rule


@pytest.mark.parametrize(
    ("pushed", "listed"),
    [
        ("add 100 pass all from any to any", "00100 allow ip from any to any"),
        ("add 100 queue 1 udp from any to any 5001 out xmit wan", "00100 queue 1 udp from any to any 5001 out xmit wan"),
        ("add 100 drop tcp from 10.0.0.1/32 to any", "00100 deny tcp from 10.0.0.1 to any"),
        ("add 100 allow ip from 10.0.0.7/24 to any", "00100 allow ip from 10.0.0.0/24 to any"),
        ("add 100 prob 0.5 deny udp from any to any", "00100 prob 0.500000 deny udp from any to any"),
        ("add 7 set 3 allow ip from any to any", "00007 set 3 allow ip from any to any"),
        ("add 100 pipe 1 ip from any to any // shaped", "00100 pipe 1 ip from any to any"),
        ("add 100 allow udp from any to any dst-port 53", "00100 allow udp from any to any 53"),
    ],
)
def test_same_rule_in_other_words(pushed, listed):
    (shown,) = parse_list(listed)
    assert same_rule(parse_add(pushed), shown)


@pytest.mark.parametrize(
    ("pushed", "listed"),
    [
        ("add 100 allow ip from any to any", "00200 allow ip from any to any"),
        ("add 100 allow ip from any to any", "00100 deny ip from any to any"),
        ("add 100 allow udp from any to any 53", "00100 allow udp from any to any 54"),
        ("add 100 allow udp from any to any out", "00100 allow udp from any to any"),
        ("add 100 pipe 1 ip from any to any", "00100 pipe 2 ip from any to any"),
        ("add 7 set 3 allow ip from any to any", "00007 set 4 allow ip from any to any"),
    ],
)
def test_another_rule_is_seen(pushed, listed):
    (shown,) = parse_list(listed)
    assert not same_rule(parse_add(pushed), shown)


def test_counters():
    rules = parse_list("00100   12  3456 pipe 1 ip from any to any\n65535    0     0 deny ip from any to any\n", counters=True)
    assert [(r.number, r.packets, r.bytes) for r in rules] == [(100, 12, 3456), (65535, 0, 0)]


def test_show_is_read():
    pipes = parse_show(SHOW, "pipe")
    assert pipes[1].bandwidth == 10e6
    assert (pipes[1].delay, pipes[1].slots, pipes[1].type) == (20, 50, "fifo")
    assert (pipes[1].packets, pipes[1].bytes, pipes[1].queued_packets, pipes[1].queued_bytes, pipes[1].drops) == (
        1234, 1234000, 10, 10000, 7,
    )  # fmt: skip
    assert pipes[2].bandwidth == 0
    assert pipes[2].octets == 100 * 1024


def test_differences_are_named():
    pipes = parse_show(SHOW, "pipe")
    assert differences(parse_config("pipe 1 config bw 10Mbit/s delay 20ms queue 50"), pipes[1]) == []
    assert differences(parse_config("pipe 2 config queue 100KB"), pipes[2]) == []
    wrong = differences(parse_config("pipe 1 config bw 20Mbit/s delay 30 queue 60"), pipes[1])
    assert len(wrong) == 3
    assert differences(parse_config("pipe 9 config bw 1Mbit/s"), pipes.get(9)) == ["pipe 9 is not there"]
