"""What the tests of scenarios share."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SKETCH = """\
name: weighted fairness through a router
hosts:                                   # each a vnet; a link joins all hosts that name it
  client: {lan: 10.0.1.1/24}
  router: {lan: 10.0.1.2/24, wan: 10.0.2.1/24}
  server: {wan: 10.0.2.2/24}
sysctl: {router: {net.inet.ip.forwarding: 1}}
ipfw:
  router: |
    pipe 1 config bw 10Mbit/s delay 20ms queue 50
    queue 1 config pipe 1 weight 2
    queue 2 config pipe 1 weight 1
    add 100 queue 1 udp from any to any 5001 out xmit wan
    add 110 queue 2 udp from any to any 5002 out xmit wan
flows:
  gold:   {udp: 20Mbit/s, size: 1000, from: client, to: "server:5001", for: 5s}
  bronze: {udp: 20Mbit/s, size: 1000, from: client, to: "server:5002", for: 5s}
events:
  - {at: 2s, on: router, run: "ipfw pipe 1 config bw 5Mbit/s delay 20ms"}
expect:
  verdict: pass
  gold.rate / bronze.rate: 2 +- 2%
  gold.delay.p99: < 200ms
"""


@pytest.fixture
def sketch() -> str:
    """The sketch of DESIGN.md, as it stands there."""
    return SKETCH


def all_files() -> list[Path]:
    return sorted((ROOT / "scenarios").rglob("*.yaml"))


@pytest.fixture(params=all_files(), ids=lambda p: p.relative_to(ROOT / "scenarios").as_posix())
def file(request: pytest.FixtureRequest) -> Path:
    """Each scenario that is in the repository."""
    return request.param
