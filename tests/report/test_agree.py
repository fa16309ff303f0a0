"""What ``dnh agree`` makes of two guests' results: agreement within the tolerance, and the table."""

from __future__ import annotations

import dataclasses

from harness.report.agree import Row, Section, compare, markdown
from harness.run.result import ExpectationResult, Result, Verdict
from harness.traffic import FlowMetrics
from tests.report.make import result as made


def one(rate: float, loss: float = 0.0, proto: str = "udp", verdict: Verdict = Verdict.PASS, measured: float | None = None) -> Result:
    flow = FlowMetrics(proto=proto, sent=100, received=100, loss=loss, rate=rate, bytes=1)
    expectation = ExpectationResult(metric="gold.duplicates", condition="0", measured=measured, unit="packets", holds=True)
    return made().model_copy(
        update={"flows": {"gold": flow}, "verdict": verdict, "expectations": [expectation], "panic": None}
    )


def told(rows: list[Row]) -> dict[str, bool]:
    return {row.metric: row.agrees for row in rows}


def test_within_and_beyond_the_tolerance() -> None:
    assert told(compare([one(1e6)], [one(1.02e6)]))["gold.rate"]
    assert not told(compare([one(1e6)], [one(1.05e6)]))["gold.rate"]
    assert told(compare([one(1e6, proto="tcp")], [one(1.1e6, proto="tcp")]))["gold.rate"]
    assert not told(compare([one(1e6, loss=0.10)], [one(1e6, loss=0.20)]))["gold.loss"]


def test_duplicates_are_the_same_or_not() -> None:
    assert told(compare([one(1e6, measured=0)], [one(1e6, measured=0)]))["gold.duplicates"]
    assert not told(compare([one(1e6, measured=0)], [one(1e6, measured=1)]))["gold.duplicates"]
    assert not told(compare([one(1e6, measured=0)], [one(1e6, measured=None)]))["gold.duplicates"]


def test_medians_of_repeats_and_other_verdicts() -> None:
    assert told(compare([one(1e6)], [one(1e6), one(5e6), one(1.01e6)]))["gold.rate"]
    assert not told(compare([one(1e6)], [one(1e6, verdict=Verdict.FAIL)]))["verdict"]


def test_the_table() -> None:
    section = Section("a pipe", "bw=1Mbit/s", 0.1, (Row("gold.rate", "1 Mbit/s", "2 Mbit/s", "3 %", False),))
    text = markdown([section], ("usermode", "qemu:15.1-debug"))
    assert "### a pipe [bw=1Mbit/s] (rates x 0.1)" in text
    assert "| `gold.rate` | 1 Mbit/s | 2 Mbit/s | 3 % | **does not** |" in text
    assert dataclasses.replace(section, scale=1.0).title == "a pipe [bw=1Mbit/s]"
