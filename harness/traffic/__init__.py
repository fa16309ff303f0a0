"""Traffic: what dngen is told to send, and what came of it."""

from harness.traffic.metrics import Delay, FlowMetrics, jain, percentile, read_flow
from harness.traffic.spec import FlowSpec, receiver_command, sender_command

__all__ = [
    "Delay",
    "FlowMetrics",
    "FlowSpec",
    "jain",
    "percentile",
    "read_flow",
    "receiver_command",
    "sender_command",
]
