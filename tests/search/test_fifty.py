"""Which of 16 patches brought a panic that shows in 30 % of runs: on the user-mode guest, right every time.

DNH_TRIES=50 makes the fifty tries of the issue (about fifteen minutes on two cores; test_core.py has the same without
kernels, test_command.py a small one with).  DNH_TRIES=20-29 makes some of them.  DNH_TRIES_LOG=FILE gets a line a try.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.paths import data_dir

from . import series

FIRST, _, LAST = os.environ.get("DNH_TRIES", "0").rpartition("-")
WHICH = range(int(FIRST or 1), int(LAST) + 1)


def bisect(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = dict(os.environ, PYTHONPATH=str(Path(__file__).parents[2]), DNH_ENV="this")
    return subprocess.run([sys.executable, "-m", "harness", "bisect", *words], cwd=cwd, env=env, capture_output=True, text=True)


@pytest.mark.skipif(not WHICH, reason="minutes: DNH_TRIES=50")
@pytest.mark.timeout(300 + 120 * len(WHICH))
def test_the_culprit_is_found_every_time(tmp_path: Path) -> None:
    log = Path(os.environ.get("DNH_TRIES_LOG", tmp_path / "log"))
    (tmp_path / "ping.yaml").write_text(series.SCENARIO)
    right, runs = 0, 0
    for n in WHICH:
        culprit = 1 + (7 * n - 3) % 16
        folder = series.write(tmp_path / f"s{culprit}", culprit, data_dir("vm") / "usermode")
        began = time.monotonic()
        done = bisect("ping.yaml", "--over", "patches", "--series", str(folder), "--seed", str(100_000 * n - 99_999),
                      "--json", "-", "--out", str(tmp_path / "out"), "--jobs", "2", cwd=tmp_path)  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        answer = json.loads(done.stdout)
        found = answer["answer"]["index"]
        right += found == culprit
        runs += answer["runs"]
        with open(log, "a") as f:
            f.write(f"try {n}: culprit {culprit}, found {found}, {answer['runs']} runs, ideal {answer['ideal']}, "
                    f"{time.monotonic() - began:.1f} s; {right} of {n - WHICH[0] + 1} right\n")  # fmt: skip
        subprocess.run(["rm", "-rf", str(tmp_path / "out")], check=True)
    assert right == len(WHICH), log.read_text()
