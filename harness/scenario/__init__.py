"""Scenarios: what a run is made of.  YAML in, models out, errors with file, line and column."""

from harness.scenario.check import Fault, check
from harness.scenario.expect import (
    Expectation,
    ExpectationResult,
    ExpressionError,
    MetricPath,
    TextExpectation,
    evaluate,
    evaluate_text,
    parse_expectation,
)
from harness.scenario.load import load, loads
from harness.scenario.model import Attachment, Event, Flow, Kernel, Link, Load, Scenario, routes
from harness.scenario.quantity import Quantity
from harness.scenario.topology import Network, Port, Topology

__all__ = [
    "Attachment",
    "Event",
    "Expectation",
    "ExpectationResult",
    "ExpressionError",
    "Fault",
    "Flow",
    "Kernel",
    "Link",
    "Load",
    "MetricPath",
    "Network",
    "Port",
    "Quantity",
    "Scenario",
    "TextExpectation",
    "Topology",
    "check",
    "evaluate",
    "evaluate_text",
    "load",
    "loads",
    "parse_expectation",
    "routes",
]
