"""What a comparison leaves behind: the model of its JSON (schema ``dnh-regress/1``)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.run.result import json_schema

SCHEMA: Literal["dnh-regress/1"] = "dnh-regress/1"


class Outcome(StrEnum):
    """What a difference came to.  ``worse`` alone is a regression."""

    WORSE = "worse"
    BETTER = "better"
    SMALL = "small"  # real, but less than the threshold
    NOISE = "noise"  # no more than chance makes
    SAME = "same"  # not one trial differs
    UNMEASURED = "unmeasured"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KernelRef(_Model):
    """A kernel of the comparison: the words that named it, and what ran."""

    word: str
    guest: str = ""
    release: str = ""
    flavour: str = ""
    patches: tuple[str, ...] = ()
    digest: str = ""

    @property
    def title(self) -> str:
        """One line for people."""
        return " ".join(w for w in (self.word, self.release, self.flavour) if w)


class Metric(_Model):
    """One figure on both kernels.  Differences are candidate minus base, in ``unit``; None: not to be had."""

    metric: str
    unit: str
    better: Literal["higher", "lower", "same"]
    limit: float = Field(description="the least difference that counts")
    base: list[float] = Field(description="one value a trial")
    candidate: list[float]
    base_mean: float | None
    candidate_mean: float | None
    base_sd: float
    candidate_sd: float
    difference: float | None
    share: float | None = Field(description="the difference as a share of the base's mean")
    low: float | None = Field(description="of the interval that holds the difference, all metrics' together, at the confidence")
    high: float | None
    p: float = Field(description="of this test alone")
    p_corrected: float = Field(description="for the number of tests (Holm)")
    p_rank: float = Field(description="of the rank test (Mann-Whitney or Wilcoxon); not corrected, not decided by")
    least: float | None = Field(description="the smallest difference that would have been seen in 9 of 10 comparisons")
    test: str
    outcome: Outcome
    reason: str = ""


class Verdicts(_Model):
    """The verdicts on both kernels: how often each came, signatures only one of them has shown."""

    base: dict[str, int]
    candidate: dict[str, int]
    unexpected_base: int
    unexpected_candidate: int
    p: float = Field(description="odds that a candidate no worse than the base does this (Fisher, one-sided)")
    p_corrected: float
    new_signatures: dict[str, int] = Field(description="panics and reports that only the candidate has shown: how often")
    gone_signatures: dict[str, int]
    outcome: Outcome
    reason: str = ""


class Case(_Model):
    """One cell of one scenario."""

    name: str
    file: str
    cell: dict[str, str | int | float | bool] = Field(default_factory=dict)
    seeds: list[int] = Field(description="of the base's trials")
    paired: bool = Field(description="trial i of both sides has one seed on the virtual clock")
    trials: int
    errors: int = Field(description="trials that the machinery failed in; they count for nothing")
    metrics: list[Metric]
    verdicts: Verdicts
    folders: dict[str, list[str]] = Field(default_factory=dict, description="base, candidate -> folders of the runs")

    @property
    def title(self) -> str:
        """The scenario's name with its cell."""
        cell = " ".join(f"{k}={v}" for k, v in self.cell.items())
        return f"{self.name} [{cell}]" if cell else self.name


class Report(_Model):
    """A comparison of two kernels."""

    schema_: Literal["dnh-regress/1"] = Field(default=SCHEMA, alias="schema")
    started: str
    seconds: float
    command: str
    base: KernelRef
    candidate: KernelRef
    alpha: float = Field(description="the odds of a false alarm of this whole comparison, all tests together")
    tests: int
    cases: list[Case]
    not_run: list[str] = Field(default_factory=list)
    regressions: list[str] = Field(description="one line each")

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, serialize_by_alias=True)

    def to_json(self) -> str:
        """The text of regress.json."""
        return self.model_dump_json(indent=1, by_alias=True) + "\n"


def regress_schema() -> dict[str, Any]:
    """The JSON Schema of regress.json."""
    return json_schema(Report, SCHEMA)
