"""Runs on a local Dask cluster of worker processes: one scheduler, two caches, a worker killed in the middle."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

pytest.importorskip("distributed")

from harness.errors import UsageError
from harness.guest import kernels
from harness.run.cluster import Cluster
from harness.run.runner import Plan
from harness.run.store import Store
from harness.scenario import load

ROOT = Path(__file__).resolve().parents[2]
NOISY = Path(__file__).parent / "noisy.yaml"
pytestmark = pytest.mark.timeout(300)


class Machines:
    """A scheduler and three workers, each a process of its own; the first two share no cache with this one."""

    def __init__(self, folder: Path) -> None:
        self._started: list[subprocess.Popen[bytes]] = []
        log = folder / "scheduler.log"
        self._start(folder, "scheduler", ["scheduler", "--port", "0", "--dashboard-address", ":0", "--host", "127.0.0.1"], None)
        self.address = self._wait(log, rb"tcp://(127\.0\.0\.1:\d+)")
        self.workers = []
        for n in range(3):
            cache = folder / f"cache{min(n, 1)}"
            cache.mkdir(exist_ok=True)
            words = ["worker", f"tcp://{self.address}", "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1",
                     "--dashboard-address", ":0", "--local-directory", str(folder / f"local{n}")]  # fmt: skip
            self.workers.append(self._start(folder, f"worker{n}", words, cache))
        for n in range(3):
            self._wait(folder / f"worker{n}.log", rb"(Registered)")

    def _start(self, folder: Path, name: str, words: list[str], cache: Path | None) -> subprocess.Popen[bytes]:
        env = dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1")
        if cache:
            env["DNH_CACHE"] = str(cache)
        with open(folder / f"{name}.log", "wb") as log:
            p = subprocess.Popen([sys.executable, "-m", f"distributed.cli.dask_{words[0]}", *words[1:]],
                                 env=env, stdout=log, stderr=log, start_new_session=True)  # fmt: skip
        self._started.append(p)
        return p

    def _wait(self, log: Path, pattern: bytes) -> str:
        for _ in range(600):
            if found := re.search(pattern, log.read_bytes()):
                return found[1].decode()
            time.sleep(0.1)
        raise AssertionError(log.read_text())

    def end(self) -> None:
        for p in reversed(self._started):
            if p.poll() is None:
                p.kill()
            p.wait()


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    made = Machines(tmp_path)
    yield made
    made.end()


def plans(n: int) -> list[Plan]:
    (cell,) = load(NOISY, {})
    return [Plan(cell, seed, 0, "usermode", f"dnh run noisy.yaml --seed {seed}") for seed in range(1, n + 1)]


def test_a_lost_worker_loses_nothing(machines: Machines, tmp_path: Path) -> None:
    wanted = plans(16)
    cluster = Cluster(f"dask://{machines.address}", Store(tmp_path / "runs"))
    seen: list[int] = []
    killed = threading.Event()

    def done(plan: Plan, _result: object, _folder: Path) -> None:
        seen.append(plan.seed)
        if len(seen) == 4 and not killed.is_set():
            killed.set()
            os.kill(machines.workers[0].pid, signal.SIGKILL)

    try:
        finished = cluster.run(wanted, done)
    finally:
        cluster.close()
    assert killed.is_set() and machines.workers[0].wait(10) == -signal.SIGKILL
    assert [r.seed for r, _ in finished] == [p.seed for p in wanted] and sorted(seen) == list(range(1, 17))
    assert all(r.verdict == "pass" for r, _ in finished)
    assert all((f / "console.log").stat().st_size and (f / "result.json").exists() for _, f in finished)
    assert len(list(Store(tmp_path / "runs").runs())) == 16
    for n in (0, 1):  # sent once to each cache, and no compiler ran there
        sent = list((tmp_path / f"cache{n}" / "shipped").iterdir())
        assert len(sent) == 1 and [p.name.startswith("dnh-usermode") for p in sent[0].iterdir()] == [True]
        assert not (tmp_path / f"cache{n}" / "usermode").exists()
    # One seed has one result, wherever it ran.
    again = kernels.parse("usermode")
    assert again.kind == "usermode"
    assert not [p for p in psutil.process_iter(["name"]) if p.info["name"].startswith("dnh-usermode") and p.ppid() == 1]


def test_dnh_regress_on_a_cluster_that_loses_a_worker_says_the_same(machines: Machines, tmp_path: Path) -> None:
    slow = f"usermode+{NOISY.parent / 'slow'}"
    env = dict(os.environ, PYTHONPATH=str(ROOT), DNH_ENV="this")

    def regress(name: str, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "harness", "regress", "--base", "usermode", "--candidate", slow, str(NOISY),
                   "--trials", "6", "--most", "6", "--out", str(tmp_path / name), "--json", "-", *words]  # fmt: skip
        return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    away = regress("away", "--executor", f"dask://{machines.address}")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and len(list((tmp_path / "away").glob("*/result.json"))) < 3:
        time.sleep(0.01)
    os.kill(machines.workers[1].pid, signal.SIGKILL)
    out, err = away.communicate(timeout=200)
    assert away.returncode == 1, out + err
    here, _ = regress("here").communicate(timeout=200)
    (a,), (b,) = (json.loads(text)["cases"] for text in (out, here))
    del a["folders"], b["folders"]
    assert a == b and {m["outcome"] for m in a["metrics"]} >= {"worse"}
    assert len(list((tmp_path / "away").glob("*/result.json"))) == 12


def test_addresses() -> None:
    with pytest.raises(UsageError, match="dask://HOST:PORT is wanted"):
        Cluster("ssh://x", Store(Path("/tmp")))
