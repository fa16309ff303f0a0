"""What was measured against what the scenario expects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.panic import Panic
from harness.run.result import ExpectationResult, QueueSeries
from harness.scenario import Scenario
from harness.scenario.expect import MetricPath, evaluate, evaluate_text
from harness.scenario.quantity import Quantity
from harness.traffic import FlowMetrics
from harness.traffic.metrics import window_rate


@dataclass(frozen=True)
class Measured:
    """All that a run measured; ``values`` holds what was asked of the guest at the end, by the metric's text."""

    flows: Mapping[str, FlowMetrics] = field(default_factory=dict)
    queues: list[QueueSeries] = field(default_factory=list)
    counters: Mapping[str, int] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)

    def resolve(self, path: MetricPath) -> Quantity | None:
        """A metric's value in its unit; None for what was not measured."""
        value: float | None
        if path.kind == "flow":
            metrics = self.flows.get(path.owner)
            value = _of_flow(metrics, path) if metrics is not None else None
        elif path.kind in ("rule", "pipe", "queue", "sched") and path.field.startswith("queue."):
            value = self._queue(path)
        elif path.kind in ("rule", "pipe", "queue", "sched"):
            value = self.counters.get(f"{path.owner}.{path.kind}.{path.name}.{path.field}")
        else:
            value = self.values.get(path.text)
        return None if value is None else Quantity(float(value), path.unit)

    def _queue(self, path: MetricPath) -> float | None:
        for series in self.queues:
            if (series.host, series.kind, str(series.number)) == (path.owner, path.kind, path.name) and series.packets:
                lengths = series.packets
                return float(max(lengths)) if path.field.endswith("max") else sum(lengths) / len(lengths)
        return None


def _of_flow(m: FlowMetrics, path: MetricPath) -> float | None:
    name = path.field
    if name == "rate":
        return m.rate if path.window is None else window_rate(m, *path.window)
    if name in ("sent", "received", "lost", "loss", "duplicates", "reordered", "bytes", "late"):
        value = getattr(m, name)
        return None if value is None else float(value)
    if name == "errors":
        return float(sum(m.errors.values()))
    if name.startswith("errors."):
        return float(m.errors.get(name.removeprefix("errors."), 0))
    if name.startswith("delay."):
        if m.delay is None:
            return None
        which = name.removeprefix("delay.")
        return m.delay.std if which == "jitter" else float(getattr(m.delay, which))
    return None


def judge(scenario: Scenario, measured: Measured, console: str, panic: Panic | None = None) -> list[ExpectationResult]:
    """Every line of ``expect`` but the verdict.

    Of a kernel that stopped only what is said of its panic counts; of one that lives, where either is declared, not that.
    """
    results = []
    said = list(scenario.text_expectations)
    if panic is None:
        results += [evaluate(e, measured.resolve) for e in scenario.expectations]
        if {"pass", "panic"} <= set(scenario.declared()):
            said = [e for e in said if not e.metric.startswith("panic.")]
    return [*results, *(evaluate_text(e, console, panic) for e in said)]
