"""Faults of FreeBSD's dummynet that the user-mode guest has as well: by the names that they have on the real 15.1."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("report", "signatures"),
    [
        ("prio-weight", ["page-fault@prio_dequeue-a804453e"]),
        ("red-weight", ["integer-divide-fault@config_red-3972296d"] * 2),
    ],
)
def test_a_fault_has_the_real_kernels_name(tmp_path: Path, report: str, signatures: list[str]) -> None:
    words = ["run", f"scenarios/reports/{report}.yaml", "--guest", "usermode", "--jobs", "1"]
    words += ["--out", str(tmp_path), "--json", str(tmp_path / "all.json")]
    done = subprocess.run([sys.executable, "-m", "harness", *words], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    runs = json.loads((tmp_path / "all.json").read_text())
    runs = runs if isinstance(runs, list) else [runs]
    assert [r["panic"]["signature"] for r in runs] == signatures
