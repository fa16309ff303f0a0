"""Queues over time and counters at the end, read from ipfw in the guest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, cast

from harness.guest.console import Console
from harness.ipfw import commands, parse_list, parse_show
from harness.run.push import in_host
from harness.run.result import QueueSeries

Kind = Literal["pipe", "queue", "sched"]


@dataclass
class Sampler:
    """Samples the pipes and queues that a host's rules use.

    A pipe's queue is asked by ``pipe show``, a queue's by ``queue show``; a host without any is not asked.
    """

    asked: dict[str, tuple[Kind, ...]]
    series: dict[tuple[str, Kind, int], QueueSeries] = field(default_factory=dict)

    @classmethod
    def for_rules(cls, blocks: dict[str, str]) -> Sampler:
        """A sampler for hosts with these blocks of ipfw text."""
        asked: dict[str, tuple[Kind, ...]] = {}
        for host, block in blocks.items():
            kinds = {c.configures[0] for c in commands(block) if c.configures}
            wanted = tuple(cast(Kind, k) for k in ("pipe", "queue") if k in kinds)
            if wanted:
                asked[host] = wanted
        return cls(asked)

    def sample(self, console: Console, t: float) -> None:
        """Take one sample at time ``t`` (s).  A host that does not answer (it may be gone) has no sample."""
        for host, kinds in self.asked.items():
            for kind in kinds:
                done = console.run(in_host(host, f"ipfw {kind} show"))
                if done.status != 0:
                    continue
                for number, shown in parse_show(done.output, kind).items():
                    series = self.series.setdefault(
                        (host, kind, number), QueueSeries(host=host, kind=kind, number=number)
                    )
                    series.t.append(round(t, 6))
                    series.packets.append(shown.queued_packets)
                    series.bytes.append(shown.queued_bytes)
                    series.drops.append(shown.drops)

    def complete(self, totals: dict[str, int]) -> dict[str, int]:
        """Counters at the end with what was seen on the way: an idle queue is forgotten by the kernel, drops and all."""
        out = dict(totals)
        for (host, kind, number), series in self.series.items():
            key = f"{host}.{kind}.{number}.drops"
            out[key] = max(out.get(key, 0), max(series.drops, default=0))
        return out


def counters(console: Console, hosts: list[str]) -> dict[str, int]:
    """Counters of rules, pipes and queues: HOST.rule.N.packets, HOST.pipe.N.drops and so on."""
    out: dict[str, int] = {}
    for host in hosts:
        listed = console.run(in_host(host, "ipfw -a list"))
        if listed.status != 0:
            continue
        for rule in parse_list(listed.output, counters=True):
            for name, value in (("packets", rule.packets), ("bytes", rule.bytes)):
                key = f"{host}.rule.{rule.number}.{name}"
                out[key] = out.get(key, 0) + value  # several rules may share a number
        for kind in ("pipe", "queue"):
            for number, shown in parse_show(console.run(in_host(host, f"ipfw {kind} show")).output, kind).items():
                if kind == "queue" and number > 65535:
                    continue  # a pipe's own queue, by the kernel's numbering
                out[f"{host}.{kind}.{number}.packets"] = shown.packets
                out[f"{host}.{kind}.{number}.bytes"] = shown.bytes
                out[f"{host}.{kind}.{number}.drops"] = shown.drops
    return out
