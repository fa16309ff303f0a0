"""``pytest scenarios/ --guest=...`` in a pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.timeout(600)

GOOD = """\
name: two sizes
tags: [quick, two-words]
matrix: {size: [100, 200]}
hosts:
  a: {lan: 10.0.1.1/24}
  b: {lan: 10.0.1.2/24}
flows:
  f: {udp: 1Mbit/s, size: "${size}", from: a, to: "b:5001", for: 100ms}
expect:
  f.loss: 0
"""


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text("[pytest]\n")
    env = dict(os.environ, PYTHONPATH=str(ROOT))
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "harness.regress.pytest_plugin", "-p", "no:cacheprovider",
         "--dnh-out", str(folder / "runs"), *words],
        cwd=folder, env=env, capture_output=True, text=True, timeout=280,
    )  # fmt: skip


def test_cells_are_tests_and_tags_are_markers(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "other.yaml").write_text("- not: a scenario\n")
    done = run(tmp_path, "--guest=usermode", "-v", "-n", "2", "-p", "xdist")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "two sizes[size=100]" in done.stdout and "two sizes[size=200]" in done.stdout and "2 passed" in done.stdout
    done = run(tmp_path, "--guest=usermode", "--collect-only", "-q", "-m", "two_words", "--dnh-repeat=3")
    assert done.stdout.count("two sizes[") == 6, done.stdout
    assert "no tests ran" in run(tmp_path).stdout


def test_a_failure_says_what_a_person_needs(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(GOOD.replace("f.loss: 0", "f.loss: '> 50%'").replace("[100, 200]", "[100]"))
    (tmp_path / "broken.yaml").write_text(GOOD.replace("udp:", "upd:"))
    done = run(tmp_path, "--guest=usermode", "--continue-on-collection-errors")
    assert done.returncode == 1
    assert "f.loss is 0, wanted > 0.5" in done.stdout
    assert "run again: dnh run" in done.stdout or "run again: ./dnh run" in done.stdout  # as it was called itself
    assert "broken.yaml:8:" in done.stdout and "Traceback" not in done.stdout
    done = run(tmp_path, "--guest=usrmode")
    assert done.returncode == 4 and "did you mean 'usermode'" in done.stderr
