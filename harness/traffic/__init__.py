"""Traffic: what dngen is told to send, and what came of it."""

from harness.traffic.metrics import Delay, FlowMetrics, jain, merge, percentile, read_flow, window_rate
from harness.traffic.spec import FlowSpec, receiver_command, sender_command

__all__ = [
    "Delay",
    "FlowMetrics",
    "FlowSpec",
    "jain",
    "merge",
    "percentile",
    "read_flow",
    "receiver_command",
    "sender_command",
    "window_rate",
]
