"""Every log of the corpus reads as its YAML file says.

``DNH_CORPUS_WRITE=1 pytest tests/panic/test_corpus.py`` writes readings for logs that have none yet (look at
them before they are committed); it never changes one that is there.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

import pytest
import yaml
from expected import reading

from harness.panic import read

CORPUS = Path(__file__).parent / "corpus"
FAULTS = sorted(p.stem.removeprefix("real-132-fault-") for p in CORPUS.glob("real-132-fault-*.log"))
LOGS = sorted(p for p in CORPUS.iterdir() if p.suffix not in (".yaml", ".md"))


def test_corpus_is_large_enough() -> None:
    assert len(LOGS) >= 60
    assert {p.stem for p in LOGS} == {p.stem for p in CORPUS.glob("*.yaml")}


@pytest.mark.parametrize("log", LOGS, ids=lambda p: p.stem)
def test_log_reads_as_expected(log: Path) -> None:
    told = log.with_suffix(".yaml")
    got = [reading(panic) for panic in read(log)]
    if not told.exists() and os.environ.get("DNH_CORPUS_WRITE"):
        told.write_text(
            yaml.safe_dump({"source": "", "panics": got}, sort_keys=False, allow_unicode=True, width=110)
        )
    expected = yaml.safe_load(told.read_text())
    assert expected["source"], "where the log is from"
    assert got == expected["panics"]


def _panics(name: str) -> list[dict[str, object]]:
    return list(yaml.safe_load((CORPUS / f"{name}.yaml").read_text())["panics"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("made-kcsan", "made-kcsan-sides-swapped"),  # the same race seen from the other CPU
        ("made-epoch-assert", "made-kassert-warn"),  # other path, other line, other way to say it
        ("opnsense-core-7280", "made-reflowed"),  # line ends lost
        ("real-151-kdb-trap", "real-151-kdb-trap-2"),  # two boots
        ("real-151-release-divide", "real-151-fq-codel-divide"),  # without INVARIANTS and with
        ("real-151-kdb-trap", "real-um-kdb-trap"),  # a real kernel and the user-mode guest
        *((f"real-132-fault-{word}", f"real-151-fault-{word}") for word in FAULTS),  # two releases, two panic messages
        ("real-151-kdb-panic", "real-151-alltrace"),  # glued to another line; all threads traced after it
    ],
)
def test_same_panic_same_name(one: str, other: str) -> None:
    assert _panics(one)[0]["signature"] == _panics(other)[0]["signature"]


def test_two_mutants_share_a_name_only_for_a_stated_reason() -> None:
    """``mutant`` in a log's file says what was broken, ``shares`` why another mutant's panic has the same name."""
    told = {name: yaml.safe_load((CORPUS / f"{name}.yaml").read_text()) for name in (p.stem for p in LOGS)}
    mutants = {name: log for name, log in told.items() if "mutant" in log}
    assert {name for name in told if name.startswith("mutant-")} == set(mutants)
    by_name: dict[str, set[str]] = defaultdict(set)
    for log in mutants.values():
        for panic in log["panics"]:
            if panic["fatal"]:
                by_name[panic["signature"]].add(log["mutant"])
    for name, log in mutants.items():
        names = {panic["signature"] for panic in log["panics"] if panic["fatal"]}
        shared = {sig for sig in names if len(by_name[sig]) > 1}
        assert shared == set(log.get("shares", {})), f"{name}: which mutants it shares its name with, and why"
        assert all(len(reason) > 20 for reason in log.get("shares", {}).values())
