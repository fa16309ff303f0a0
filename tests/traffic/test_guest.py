"""dngen inside the user-mode guest, between two jails, on the virtual clock."""

from __future__ import annotations

import pytest

from harness.guest.base import GuestConfig
from harness.guest.usermode import UsermodeGuest
from harness.traffic import FlowSpec, read_flow, receiver_command, sender_command

SETUP = """\
jail -c name=client vnet persist path=/
jail -c name=server vnet persist path=/
ifconfig epair create
ifconfig epair0a vnet client
ifconfig epair0b vnet server
jexec client ifconfig epair0a inet 10.0.1.1/24 up
jexec server ifconfig epair0b inet 10.0.1.2/24 up
jexec client ipfw -q add 65000 allow ip from any to any
jexec server ipfw -q add 65000 allow ip from any to any
jexec client ping -c 1 10.0.1.2"""


@pytest.fixture
def console(tmp_path):
    guest = UsermodeGuest(GuestConfig(tmp_path))
    try:
        guest.boot()
        for command in SETUP.splitlines():
            guest.console.check(command)
        yield guest.console
    finally:
        guest.kill()


def carry(console, spec):
    words = receiver_command(spec)
    if words:
        console.check(f"jexec server {words} > /tmp/rx &")
    console.check(f"jexec client {sender_command(spec)} > /tmp/tx")
    console.check("wait")
    sent = console.check("cat /tmp/tx")
    return read_flow(spec.kind, sent, console.check("cat /tmp/rx") if words else sent)


def test_udp_is_exact(console):
    flow = FlowSpec(id="x", kind="udp", to="10.0.1.2", port=5001, rate=2e7, duration=2.0, senders=3)
    m = carry(console, flow)
    assert (m.sent, m.received, m.lost, m.duplicates, m.reordered, m.torn) == (5000, 5000, 0, 0, 0, 0)
    assert m.rate == pytest.approx(2e7, rel=1e-3)
    assert m.delay is not None
    assert m.delay.max < 1e-4


def test_a_pipes_rate_and_delay(console):
    console.check("jexec client ipfw pipe 1 config bw 10Mbit/s delay 20ms queue 50")
    console.check("jexec client ipfw -q add 100 pipe 1 ip from any to any out")
    m = carry(console, FlowSpec(id="x", kind="udp", to="10.0.1.2", port=5001, rate=2e7, duration=2.0))
    assert m.rate == pytest.approx(1e7, rel=0.01)
    assert m.loss == pytest.approx(0.5, abs=0.02)
    m = carry(console, FlowSpec(id="x", kind="ping", to="10.0.1.2", sizes={84: 1}, interval=0.01))
    assert (m.sent, m.lost) == (100, 0)
    assert m.delay is not None
    assert m.delay.p50 == pytest.approx(0.020, abs=0.0011)


def test_tcp_fills_a_pipe(console):
    console.check("jexec client ipfw pipe 1 config bw 10Mbit/s delay 5ms queue 50")
    console.check("jexec client ipfw -q add 100 pipe 1 ip from any to any out")
    m = carry(console, FlowSpec(id="x", kind="tcp", to="10.0.1.2", port=5002, duration=3.0))
    assert m.rate == pytest.approx(1e7 * 1448 / 1500, rel=0.05)


def test_a_refused_packet_is_counted_by_name(console):
    console.check("jexec client ipfw -q add 10 deny udp from any to any out")
    m = carry(console, FlowSpec(id="x", kind="udp", to="10.0.1.2", port=5001, pps=100, duration=0.5))
    assert (m.sent, m.lost, m.errors) == (50, 50, {"EACCES": 50})
