"""Scenarios on guests built with sanitizers: those with the most going on at once; DNH_LONG=1 takes all of them.

The whole suite so: ``DNH_SANITIZE=thread ./dnh test``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUSY = [
    "scenarios/quickstart.yaml",
    *(f"scenarios/dummynet/{what}.yaml" for what in ("mixed-load", "delete", "reconfigure", "link-flap", "layer2-twice")),
    *(f"scenarios/pspat/{what}.yaml" for what in ("dummynet", "dummynet_l2", "if_output", "honoured")),
]
SCENARIOS = ["scenarios/dummynet", *(f for f in BUSY if "/dummynet/" not in f)] if os.environ.get("DNH_LONG") else BUSY


def dnh(*words: object, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=580, **more)  # type: ignore[call-overload]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("sanitizer", ["address,undefined", "thread"])
def test_scenarios_are_as_declared_and_clean(tmp_path: Path, sanitizer: str) -> None:
    done = dnh("run", *SCENARIOS, "--sanitize", sanitizer, "--out", tmp_path)
    assert done.returncode == 0, done.stdout[-4000:]
    read = [json.loads(p.read_text()) for p in tmp_path.glob("*/result.json")]
    assert len(read) >= len(SCENARIOS)
    consoles = "".join(p.read_text(errors="replace") for p in tmp_path.glob("*/console.log"))
    assert "Sanitizer" not in consoles
    assert "runtime error" not in consoles


@pytest.mark.parametrize(("words", "says"), [("adress", "adress"), ("thread,address", "do not go together")])
def test_a_wrong_sanitizer_is_one_line_and_exit_2(words: str, says: str) -> None:
    done = dnh("run", "scenarios/quickstart.yaml", "--sanitize", words)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
