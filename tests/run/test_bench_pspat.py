"""``dnh bench pspat``: what it says was measured, each way; the rest is its reader's."""

import json
import math

import pytest

from harness.errors import UsageError
from harness.run import bench_pspat


def test_each_way_decides_and_loses_nothing(capsys, monkeypatch):
    monkeypatch.setattr(bench_pspat, "TIME_MS", 60)
    assert bench_pspat.pspat(True, schedulers=("wf2q+",), clients=(2,), rounds=1) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["guest"].startswith("usermode")
    for f in said["figures"]:
        assert f["decisions"] > 1000 and f["lost"] < 0.001, f
        assert 0 < f["p50"] <= f["p99"] <= f["p999"] < math.inf, f
        if f["offered"]:
            assert f["decisions"] == pytest.approx(f["offered"], rel=0.2), f
    assert {f["way"] for f in said["figures"]} == {"lock", "arbiter", "dispatcher"}


def test_a_kernel_that_cannot_measure_is_refused():
    class Bare:
        class console:
            @staticmethod
            def run(_command):
                class Failed:
                    status = 1

                return Failed

    with pytest.raises(UsageError, match=r"no net\.pspat\.bench"):
        bench_pspat._prepare(Bare)
