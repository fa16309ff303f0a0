"""Real guests, which are slow: how often their queues are looked at, and what is said of a host that is crowded."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from harness.guest.base import GuestIdentity
from harness.run.runner import CROWDED, SELDOM, _behind, _between_samples, _Seen
from harness.scenario import loads
from harness.traffic import FlowMetrics

TEXT = """
name: one flow
scale: yes
{more}
hosts:
  a: {{lan: 10.0.1.1/24}}
  b: {{lan: 10.0.1.2/24}}
ipfw: {{a: "pipe 1 config bw 1Mbit/s"}}
flows:
  one: {{udp: 8Mbit/s, from: a, to: "b:5001", for: 2s}}
expect:
  {expect}
"""
REAL = GuestIdentity("qemu", "x", "wall", "", "15.1", "debug", "0")


@pytest.mark.parametrize(
    ("more", "expect", "real"),
    [
        ("seed: 1", "one.loss: 0", SELDOM),
        ("sample: 50ms", "one.loss: 0", 0.05),
        ("seed: 1", "a.pipe.1.queue.max: < 50", 0.1),
    ],
)
def test_between_samples(more: str, expect: str, real: float) -> None:
    [scenario] = loads(TEXT.format(more=more, expect=expect))
    assert _between_samples(scenario, REAL) == pytest.approx(real)
    assert _between_samples(scenario.scaled(0.5), REAL) == pytest.approx(real)
    assert _between_samples(scenario, replace(REAL, kind="usermode")) == pytest.approx(scenario.sample)


def test_a_crowded_host_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    [scenario] = loads(TEXT.format(more="seed: 1", expect="one.loss: 0"))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    said = {}
    for load in (2 * CROWDED, 20.0):
        monkeypatch.setattr(os, "getloadavg", lambda load=load: (load, 0.0, 0.0))
        for kind, clock in (("qemu", "virtual"), ("qemu", "wall"), ("usermode", "virtual")):
            seen = _Seen(scenario, identity=replace(REAL, kind=kind, clock=clock))
            said[load, kind, clock] = _behind(seen)
    counted = said.pop((20.0, "qemu", "virtual"))
    assert counted is not None and counted.startswith("this machine has a load of 20.0 on 2 CPUs")
    assert set(said.values()) == {None}


@pytest.mark.parametrize(
    ("clock", "late", "said"),
    [
        ("virtual", 0.064, "this machine woke the guest late: the sender of one was up to 0.06 s late"),
        ("virtual", 0.009, None),
        ("wall", 0.064, None),
        ("wall", 0.5, "the guest did not keep up: the sender of one was up to 0.50 s late"),
    ],
)
def test_a_late_sender_is_named(monkeypatch: pytest.MonkeyPatch, clock: str, late: float, said: str | None) -> None:
    [scenario] = loads(TEXT.format(more="seed: 1", expect="one.loss: 0"))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(os, "getloadavg", lambda: (1.0, 0.0, 0.0))
    flows = {"two": FlowMetrics("udp"), "one": FlowMetrics("udp", late=late)}
    assert _behind(_Seen(scenario, identity=replace(REAL, clock=clock), flows=flows)) == said
