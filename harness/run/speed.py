"""How fast a guest is, and by what factor a scenario that allows it has its rates multiplied there.

A real kernel without hardware virtualization carries some thousand packets a second.  What it carries is
measured once for a kernel on a host, through a router and a pipe as in most scenarios, and kept in the
cache beside the warm starts; a scenario with ``scale: yes`` that offers more gets all its rates lowered.
A guest that counts its instructions is never late, but takes its time: there it is the user's patience
that lowers the rates.
"""

from __future__ import annotations

import hashlib
import json
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.errors import MachineryError
from harness.guest.base import Guest, GuestIdentity
from harness.paths import cache_dir
from harness.run import network, push
from harness.run.flows import Traffic
from harness.run.store import write_atomically
from harness.scenario import Scenario, loads

KEPT = 7 * 86400.0
"""Seconds after which a figure is measured again."""
HEADROOM = 0.3
"""The share of what a guest carries at most that a scenario may offer: timers have to be in time as well."""
PATIENCE = 2.0
"""How many seconds of the wall's clock a second of a guest's own clock may take."""
_STEPS = (1.0, 0.5, 0.2)

_PROBE = """
name: speed of a guest
hosts:
  dnha: {dnhx: 198.18.1.1/24}
  dnhb: {dnhx: 198.18.1.2/24, dnhy: 198.18.2.1/24}
  dnhc: {dnhy: 198.18.2.2/24}
sysctl: {dnhb: {net.inet.ip.forwarding: 1}}
ipfw:
  dnhb: |
    pipe 1 config bw 1Gbit/s queue 100
    add 100 pipe 1 udp from any to any out xmit dnhy
flows:
  flood: {udp: 200000pps, size: 500, from: dnha, to: "dnhc:5001", for: 2s}
"""


@dataclass(frozen=True)
class Speed:
    """What a guest carries, in packets per second of its own clock and of the wall's."""

    pps: float
    wall: float


def _file(identity: GuestIdentity) -> Path:
    i = identity
    words = [i.kind, i.name, i.digest, i.accelerator, i.clock, str(i.ncpu), platform.node()]
    key = hashlib.sha256("\0".join(words).encode()).hexdigest()[:16]
    return cache_dir("warm") / f"{identity.digest[:16]}-speed-{key}.json"


def known(identity: GuestIdentity) -> Speed | None:
    """What the guest carries, as measured before on this host; None when that was never, or long ago."""
    try:
        kept = json.loads(_file(identity).read_text())
        if time.time() - float(kept["when"]) < KEPT:
            return Speed(float(kept["pps"]), float(kept["wall"]))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def measure(guest: Guest, identity: GuestIdentity) -> Speed:
    """Measure it now, in hosts that are gone afterwards, and keep the figure.

    Raises MachineryError when nothing comes through.
    """
    [probe] = loads(_PROBE)
    console = guest.console
    network.build(console, probe.network())
    try:
        push.all_of(console, probe)
        traffic = Traffic(probe)
        traffic.start(console, 0.5)
        began, wall = guest.now(), time.monotonic()
        guest.sleep(probe.flows["flood"].end or 0.0)
        pace = (guest.now() - began) / (time.monotonic() - wall)
        guest.sleep(probe.length() - (guest.now() - began))
        flood = traffic.finish(console, 60.0)["flood"]
    finally:
        for host in probe.hosts:
            console.run(f"jail -r {host}")
    if not flood.received or not flood.rate:
        raise MachineryError("the guest's speed cannot be measured: no packet came through")
    pps = flood.rate / 8 / 500
    found = Speed(round(pps, 1), round(pps * min(pace, 1.0), 1))
    write_atomically(_file(identity), json.dumps({**asdict(found), "when": time.time()}) + "\n")
    return found


def offered(scenario: Scenario) -> float:
    """Packets/s that the scenario's udp flows offer together, at their worst moment."""
    edges: list[tuple[float, float]] = []
    for flow in scenario.flows.values():
        if flow.udp is None:
            continue
        weights = flow.weights
        mean = sum(size * weight for size, weight in weights.items()) / sum(weights.values())
        pps = flow.udp.pps if flow.udp.pps is not None else (flow.udp.rate or 0.0) / 8 / mean
        edges += [(flow.start, pps), (scenario.flow_end(flow), -pps)]
    now = most = 0.0
    for _at, change in sorted(edges):
        now += change
        most = max(most, now)
    return most


def factor(scenario: Scenario, speed: Speed) -> float:
    """What the rates are to be multiplied with on a guest of that speed: 1, 0.5, 0.2, 0.1, 0.05 and so on.

    The steps are coarse so that the next run, with another figure measured, is most likely the same one.
    """
    wanted, most = offered(scenario), min(speed.pps * HEADROOM, speed.wall * PATIENCE)
    if not scenario.scale or wanted <= most:
        return 1.0
    decade = 1.0
    while True:
        for step in _STEPS:
            if wanted * step * decade <= most or decade < 1e-6:
                return round(step * decade, 9)
        decade /= 10
