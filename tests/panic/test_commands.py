"""``dnh panic`` and ``dnh panics`` without the command line around them."""

from __future__ import annotations

import argparse
import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import BaseModel

from harness.errors import UsageError
from harness.panic import Panic, read
from harness.panic.commands import (
    Sighting,
    add_panic_arguments,
    add_panics_arguments,
    grouped,
    markdown,
    run_panic,
    run_panics,
)

CORPUS = Path(__file__).parent / "corpus"


def panic_of(name: str) -> Panic:
    return read(CORPUS / f"{name}.log")[0]


def panic(*args: str) -> int:
    parser = argparse.ArgumentParser()
    add_panic_arguments(parser)
    return run_panic(parser.parse_args(args))


def panics(seen: list[Sighting], *args: str) -> int:
    parser = argparse.ArgumentParser()
    add_panics_arguments(parser)
    return run_panics(parser.parse_args(args), seen)


@pytest.fixture
def seen() -> list[Sighting]:
    trap = panic_of("opnsense-core-7280")
    lor = panic_of("hardenedbsd-277-lor-arm64")
    bare = replace(trap, frames=(), missing=("backtrace",))
    return [
        Sighting(bare, "a", "", "k1", "qemu", "2026-01-02T00:00:00", "/runs/1", 3, "dnh run a.yaml --seed 3"),
        Sighting(
            trap, "b", "", "k2", "usermode", "2026-01-01T00:00:00", "/runs/2", 4, "dnh run b.yaml --seed 4"
        ),
        Sighting(lor, "a", "", "k1", "qemu", "2026-01-03T00:00:00", "/runs/3"),
    ]


def test_a_panic_is_exit_1_a_report_or_nothing_exit_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert panic(str(CORPUS / "opnsense-core-7280.log")) == 1
    out = capsys.readouterr().out
    assert "page-fault@pf_test_state_udp-" in out
    assert "--- trap 0xc" in out
    assert panic(str(CORPUS / "hardenedbsd-277-lor-arm64.log")) == 0
    assert "the kernel went on" in capsys.readouterr().out
    assert panic(str(CORPUS / "made-ordinary-boot.log")) == 0
    assert "no panic" in capsys.readouterr().out


def test_json_gives_everything_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert panic("--json", str(CORPUS / "made-core-txt.log")) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "dnh-panics/1"
    assert Panic.from_dict(document["panics"][0]) == panic_of("made-core-txt")


def test_a_pydantic_model_can_hold_it() -> None:
    class Holder(BaseModel):
        panic: Panic

    held = Holder(panic=panic_of("made-double-fault-ether"))
    assert Holder.model_validate_json(held.model_dump_json()) == held


def test_stdin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stdin = io.TextIOWrapper(io.BytesIO((CORPUS / "made-kasan.log").read_bytes()))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert panic("-") == 1
    assert "UMAUseAfterFree" in capsys.readouterr().out


def test_wrong_files_are_the_users_fault(tmp_path: Path) -> None:
    for name in (tmp_path / "gone", tmp_path):
        with pytest.raises(UsageError):
            panic(str(name))


def test_list(seen: list[Sighting], capsys: pytest.CaptureFixture[str]) -> None:
    groups = grouped(seen)
    assert [(g.count, g.first, g.last) for g in groups] == [
        (2, "2026-01-01T00:00:00", "2026-01-02T00:00:00"),
        (1, "2026-01-03T00:00:00", "2026-01-03T00:00:00"),
    ]
    assert groups[0].scenarios == ["a", "b"]
    assert groups[0].example.folder == "/runs/2", "the one that tells most"
    assert panics(seen) == 0
    assert [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()] == ["2", "1"]
    assert panics(seen, "--json") == 0
    assert json.loads(capsys.readouterr().out)["seen"][0]["count"] == 2
    assert panics([]) == 0


def test_export(seen: list[Sighting], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    signature = seen[0].panic.signature
    target = tmp_path / "report.md"
    assert panics(seen, "export", signature, "-o", str(target)) == 0
    text = target.read_text()
    for part in (
        "# Fatal trap 12",
        signature,
        "dnh run b.yaml --seed 4",
        "pf_check_in+0x25",
        "## Log",
        "k1, k2",
    ):
        assert part in text
    assert "\n\n\n" not in text.partition("## Log")[0]
    assert panics(seen, "export", signature[-8:]) == 0, "its hash will do"
    assert capsys.readouterr().out == text


def test_export_of_nothing_or_of_too_much(seen: list[Sighting]) -> None:
    with pytest.raises(UsageError, match="no panic with the signature"):
        panics(seen, "export", "nonsense")
    more = [*seen, replace(seen[0], panic=replace(seen[0].panic, signature="page-fault@x-00000000"))]
    with pytest.raises(UsageError, match="fits 2"):
        panics(more, "export", "page-fault")


def test_export_shows_the_scenario_and_survives_fences(tmp_path: Path) -> None:
    (tmp_path / "scenario.yaml").write_text("name: x # ```\n")
    trap = panic_of("opnsense-core-7280")
    text = markdown(grouped([Sighting(replace(trap, log="```\nlog\n```"), "x", folder=str(tmp_path))])[0])
    assert "````yaml\nname: x # ```\n````" in text
    assert "````\n```\nlog\n```\n````" in text


def test_export_tells_of_the_run(tmp_path: Path) -> None:
    run = {
        "command": "dnh run a.yaml --guest qemu:15.1 --seed 7",
        "kernel": {
            "release": "15.1-RELEASE-p1",
            "ident": "DNH-DEBUG",
            "flavour": "debug",
            "patches": ["pspat"],
            "compiler": "clang 19",
        },
        "guest": {"kind": "qemu", "accelerator": "tcg", "ncpu": 2},
    }
    (tmp_path / "result.json").write_text(json.dumps(run))
    panic = panic_of("real-151-alltrace")
    text = markdown(grouped([Sighting(panic, "x", kernel="0123", folder=str(tmp_path))])[0])
    for part in (
        "FreeBSD 15.1-RELEASE-p1 amd64, kernel DNH-DEBUG (INVARIANTS, WITNESS, DDB), clang 19",
        "the patches pspat",
        "qemu, tcg, 2 CPUs",
        "dnh run a.yaml --guest qemu:15.1 --seed 7",
    ):
        assert part in text
    log = text.partition("## Log")[2]
    assert "panic: kdb_sysctl_panic" in log
    assert "Tracing command" not in log, "other threads are not of interest"
    assert len(log.splitlines()) < 170
    (tmp_path / "result.json").write_text("no JSON")
    assert "0123" not in markdown(grouped([Sighting(panic, "x", kernel="0123", folder=str(tmp_path))])[0])
