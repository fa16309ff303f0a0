"""The lines of ``regress``: which figures are compared between two kernels, and what counts as worse.

    regress:
      download.rate: higher            # more is better; worse by less than 2 % is no regression
      call.delay.p99: lower 5%         # less is better; a share of the base's
      call.loss: lower 0.001           # an amount in the metric's own unit (2ms, 100kbit/s)
      gold.rate / bronze.rate: same 1% # neither way

The left side is an expression as in ``expect``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from harness.scenario import expect as x
from harness.scenario import quantity as q
from harness.scenario.words import nearest, quoted

if TYPE_CHECKING:
    from harness.scenario.model import Flow

SHARE = 0.02  # of the base's mean, where nothing else is said
POINTS = 0.005  # of a flow's packets, for a loss: a share of nothing would be nothing
WAYS = ("higher", "lower", "same")
COMPARABLE = ("flow", "rule", "pipe", "queue", "sched")


@dataclass(frozen=True)
class Goal:
    """A figure to compare.  ``threshold`` is a share of the base's mean if ``relative``, else in ``unit``."""

    metric: str
    better: Literal["higher", "lower", "same"]
    threshold: float
    relative: bool
    unit: str
    tree: x.Node = field(compare=False, repr=False)

    def limit(self, base: float) -> float:
        """The least difference that counts, in ``unit``, from a base's mean."""
        return abs(base) * self.threshold if self.relative else self.threshold


def parse_threshold(text: str, unit: str, at: int = 0) -> tuple[float, bool]:
    """(0.05, True) of "5%", (0.002, False) of "2ms" for a time.  Raises ExpressionError."""
    try:
        node = x.parse_expression(text)
    except x.ExpressionError as e:
        raise x.ExpressionError(str(e), at + e.offset) from None
    if not isinstance(node, x.Number) or node.value < 0:
        raise x.ExpressionError(f"{quoted(text)} is no threshold; write 5%, or an amount such as 2ms", at)
    if text.rstrip().endswith("%"):
        return node.value, True
    if node.dims != q.DIMS.get(unit, q.PLAIN) and not (node.bare and unit in ("packets", "bytes")):
        raise x.ExpressionError(f"{quoted(text)} is not {q.CALLED[q.DIMS.get(unit, q.PLAIN)]}, nor a share (5%)", at)
    return (node.value * 8 if unit == "bit/s" else node.value), False


def parse_goal(metric: str, text: str) -> Goal:
    """One line of ``regress``.  Raises ExpressionError, whose offset counts in ``text``, or in the metric."""
    tree = x.parse_expression(metric)
    return goal_of(metric, tree, text)


def goal_of(metric: str, tree: x.Node, text: str) -> Goal:
    """The right side of a line, for a left side that is parsed.  Raises ExpressionError."""
    found = re.match(r"\s*(\S+)\s*", text)
    if not found or found[1] not in WAYS:
        word = found[1] if found else ""
        raise x.ExpressionError(f"{quoted(word)} is not one of {', '.join(WAYS)}{nearest(word, WAYS)}")
    unit = x.unit_of(tree)
    rest = text[found.end() :]
    if rest.strip():
        threshold, relative = parse_threshold(rest, unit, found.end())
    elif isinstance(tree, x.Metric) and tree.path.field == "loss":
        threshold, relative = POINTS, False
    else:
        threshold, relative = SHARE, True
    better: Literal["higher", "lower", "same"] = (
        "higher" if found[1] == "higher" else "lower" if found[1] == "lower" else "same"
    )
    return Goal(metric, better, threshold, relative, unit, tree)


def usual(flows: Mapping[str, Flow]) -> tuple[Goal, ...]:
    """What is compared where a scenario says nothing: rate, loss and delay of every flow."""
    out = []
    for name, flow in flows.items():
        for metric, better in (("rate", "higher"), ("loss", "lower"), ("delay.p50", "lower"), ("delay.p99", "lower")):
            if (metric == "loss" and flow.kind == "tcp") or (metric == "rate" and flow.kind == "ping"):
                continue
            out.append(parse_goal(f"{name}.{metric}", better))
    return tuple(out)
