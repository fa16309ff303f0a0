"""What to send: one flow, and the dngen command lines that make it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

#: So long (s) receivers stay after the last packet was sent, for those that are still queued.
TAIL = 1.5


@dataclass(frozen=True)
class FlowSpec:
    """One flow.  Times s, ``rate`` bit/s of IP packets, ``pps`` packets/s, sizes bytes with their weights."""

    id: str
    kind: Literal["udp", "tcp", "ping"]
    to: str
    port: int = 0
    rate: float | None = None
    pps: float | None = None
    sizes: dict[int, int] = field(default_factory=lambda: {1000: 1})
    on: float | None = None
    off: float | None = None
    start: float = 0.0
    duration: float = 1.0
    senders: int = 1
    interval: float = 0.1


def _ns(seconds: float) -> str:
    return f"{round(seconds * 1e9)}ns"


def receiver_command(flow: FlowSpec, lead: float = 0.0) -> str | None:
    """The receiver's command line; None for a ping, whose sender hears the answers itself.

    ``lead``: seconds from the receivers' start to the senders'.
    """
    if flow.kind == "ping":
        return None
    length = lead + flow.start + flow.duration + TAIL
    times = f"--for {_ns(length)} --interval {_ns(flow.interval)}"
    family = " --ip 6" if ":" in flow.to else ""
    return f"dngen recv {flow.kind} --port {flow.port}{family} {times} --id {flow.id}"


def sender_command(flow: FlowSpec) -> str:
    """The sender's command line."""
    words = [f"--id {flow.id}", f"--for {_ns(flow.duration)}"]
    if flow.start:
        words.append(f"--start {_ns(flow.start)}")
    sizes = ",".join(f"{size}:{weight}" for size, weight in flow.sizes.items())
    if flow.kind == "ping":
        words = [f"--interval {_ns(flow.interval)}", f"--size {next(iter(flow.sizes))}", *words]
        return f"dngen ping --to {flow.to} {' '.join(words)}"
    if flow.senders > 1:
        words.append(f"--senders {flow.senders}")
    if flow.kind == "udp":
        words.append(f"--rate {flow.rate:.3f}bit/s" if flow.rate is not None else f"--pps {flow.pps:.6f}")
        words.append(f"--sizes {sizes}")
        if flow.on and flow.off:
            words.append(f"--on {_ns(flow.on)} --off {_ns(flow.off)}")
    to = f"[{flow.to}]" if ":" in flow.to else flow.to
    return f"dngen send {flow.kind} --to {to}:{flow.port} {' '.join(words)}"
