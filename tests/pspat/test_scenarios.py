"""The scenarios of PSPAT on the user-mode guest: each cell ends as it declares, and the accounts agree."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "scenarios" / "pspat"


def run(folder: Path, *words: str) -> list[dict]:
    done = subprocess.run(
        [sys.executable, "-m", "harness", "run", *words, "--jobs", "1", "--out", str(folder), "--json", str(folder / "all.json")],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    return json.loads((folder / "all.json").read_text())


def test_every_point_mode_and_scheduler(tmp_path: Path) -> None:
    runs = run(tmp_path, *(str(FOLDER / f"{name}.yaml") for name in ("dummynet", "dummynet_l2", "if_output", "threads")))
    assert len(runs) == 3 * 8 + 1 and {r["verdict"] for r in runs} == {"pass"}


def test_beside_dummynet(tmp_path: Path) -> None:
    runs = run(tmp_path, str(FOLDER / "beside-dummynet.yaml"), "--set", "many=5kpps")
    assert [r["flows"]["many"]["loss"] for r in runs] == [0.0] * 4


def test_links_the_rate_of_all_and_schedulers_that_say_none(tmp_path: Path) -> None:
    runs = run(tmp_path, *(str(FOLDER / f"{name}.yaml") for name in ("links", "rate", "stranded")))
    assert [r["verdict"] for r in runs] == ["pass"] * (2 + 1 + 3)


def test_as_a_module_under_load(tmp_path: Path) -> None:
    assert {r["verdict"] for r in run(tmp_path, str(FOLDER / "module.yaml"))} == {"pass"}


@pytest.mark.parametrize("seed", [1, 4711])
def test_soak(tmp_path: Path, seed: int) -> None:
    runs = run(tmp_path, str(FOLDER / "soak.yaml"), "--seed", str(seed))
    assert [r["scenario"]["cell"]["point"] for r in runs] == ["dummynet", "dummynet_l2", "if_output"]


def test_every_broken_rule_shows_and_none_without(tmp_path: Path) -> None:
    runs = run(tmp_path, str(FOLDER / "rules.yaml"), str(FOLDER / "honoured.yaml"))
    assert [r["verdict"] == "pass" for r in runs] == [False] * 12 + [True]


def test_the_attempts_of_2018_end_as_the_mail_says(tmp_path: Path) -> None:
    runs = run(tmp_path, str(FOLDER / "attempts.yaml"))
    said = {r["scenario"]["cell"]["attempt"]: r for r in runs}
    assert {a for a, r in said.items() if r["verdict"] == "panic"} >= {"A", "B", "D"} and said["C"]["verdict"] == "pass"
    # The mail's double fault is a recursion, and the cycle is its name.
    assert "ip_output" in said["A"]["panic"]["cycle"] and "ether_output_frame" in said["B"]["panic"]["cycle"]


def test_the_attempts_with_every_rule_honoured_pass(tmp_path: Path) -> None:
    assert len(run(tmp_path, str(FOLDER / "attempts-honoured.yaml"))) == 6
