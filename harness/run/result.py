"""What a run leaves behind: the model of result.json (schema ``dnh-result/1``).

Everything in it but ``durations`` depends only on the scenario, the kernel and the seed, so that on
the virtual clock one seed gives one file, byte for byte.  Times are seconds of the guest's clock
counted from the moment the flows' clock starts (t = 0), rates bit/s of IP packets, sizes bytes.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.panic import Panic
from harness.scenario.expect import ExpectationResult
from harness.traffic import FlowMetrics

__all__ = [
    "Durations",
    "EventRecord",
    "ExpectationResult",
    "GuestRef",
    "Kernel",
    "QueueSeries",
    "Result",
    "ScenarioRef",
    "Verdict",
    "result_schema",
]

SCHEMA: Literal["dnh-result/1"] = "dnh-result/1"


class Verdict(StrEnum):
    """What a run came to.  ``error`` is the harness's own failure, never the kernel's."""

    PASS = "pass"
    FAIL = "fail"
    PANIC = "panic"
    HANG = "hang"
    ERROR = "error"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScenarioRef(_Model):
    """Which scenario, and which cell of its matrix."""

    name: str
    file: str
    sha256: str = Field(description="of the scenario as expanded")
    cell: dict[str, str | int | float | bool] = Field(default_factory=dict, description="matrix values")


class Kernel(_Model):
    """The identity of what ran: enough to say 'the same kernel' or 'not the same'."""

    ident: str = Field(description="uname -v of the guest")
    release: str = Field(description="uname -r of the guest")
    flavour: str = Field(description="debug or release")
    patches: tuple[str, ...] = ()
    digest: str = Field(description="content hash of the program or kernel file")
    compiler: str = ""


class GuestRef(_Model):
    """The guest: its kind (usermode, qemu, bhyve, remote), its name, its clock, its accelerator."""

    kind: str
    name: str
    clock: Literal["virtual", "wall"]
    accelerator: str = ""
    ncpu: int = 1


class QueueSeries(_Model):
    """A pipe, queue or scheduler over time, as ipfw shows it: one entry a sample in every list."""

    host: str
    kind: Literal["pipe", "queue", "sched"]
    number: int
    t: list[float] = Field(default_factory=list, description="s")
    packets: list[int] = Field(default_factory=list, description="queued packets")
    bytes: list[int] = Field(default_factory=list, description="queued bytes")
    drops: list[int] = Field(default_factory=list, description="dropped packets so far")


class EventRecord(_Model):
    """An event as it was carried out."""

    t: float
    on: str
    command: str
    status: int
    output: str = ""


class Durations(_Model):
    """Wall-clock times in seconds, and when it was: the one part of a result that never repeats."""

    started: str = Field(description="ISO 8601, UTC")
    start: Literal["cold", "warm"] = Field(default="cold", description="booted, or begun from a warm start")
    boot: float = Field(description="to the first command's answer")
    setup: float
    run: float
    total: float


class Result(_Model):
    """One run of one cell of one scenario on one guest."""

    schema_: Literal["dnh-result/1"] = Field(default=SCHEMA, alias="schema")
    scenario: ScenarioRef
    guest: GuestRef
    kernel: Kernel
    seed: int
    repeat: int = Field(default=0, description="which repeat of the cell this was, from 0")
    verdict: Verdict
    declared: Verdict = Field(description="the verdict that the scenario declares, of several the first")
    also_declared: list[Verdict] = Field(default_factory=list, description="the others, as good as the first")
    as_expected: bool = Field(description="the verdict is the declared one and so is the panic, if any")
    reasons: list[str] = Field(default_factory=list, description="why the verdict is what it is, plain words")
    notes: list[str] = Field(
        default_factory=list, description="what else is to be known: rates scaled, a guest that booted twice"
    )
    scale: float = Field(default=1.0, description="what all rates were multiplied with for a guest that is slow")
    expectations: list[ExpectationResult] = Field(default_factory=list)
    flows: dict[str, FlowMetrics] = Field(default_factory=dict)
    queues: list[QueueSeries] = Field(default_factory=list)
    counters: dict[str, int] = Field(
        default_factory=dict, description="HOST.rule.N.packets|bytes, HOST.pipe.N.drops|packets|bytes at the end"
    )
    events: list[EventRecord] = Field(default_factory=list)
    panic: Panic | None = None
    reports: list[Panic] = Field(
        default_factory=list, description="what was reported without stopping the kernel (WITNESS, leaks)"
    )
    command: str = Field(description="the command that runs exactly this again")
    files: dict[str, str] = Field(default_factory=dict, description="other files of the run's folder")
    durations: Durations

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, serialize_by_alias=True)

    def to_json(self) -> str:
        """The text of result.json."""
        return self.model_dump_json(indent=1, by_alias=True) + "\n"


def json_schema(model: type[BaseModel], name: str) -> dict[str, Any]:
    """The JSON Schema of a model's JSON; ``name`` as in its key ``schema`` ("dnh-result/1")."""
    schema = model.model_json_schema(by_alias=True)
    schema["$id"] = f"https://dnh.invalid/schema/{name.replace('/', '-')}.json"
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return schema


def result_schema() -> dict[str, Any]:
    """The JSON Schema of result.json."""
    return json_schema(Result, SCHEMA)
