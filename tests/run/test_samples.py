"""How often a guest's queues are looked at: a real one seldom, where nothing hangs on it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.guest.base import GuestIdentity
from harness.run.runner import SELDOM, _between_samples
from harness.scenario import loads

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
