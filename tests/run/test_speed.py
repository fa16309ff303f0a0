"""By what factor a scenario's rates are lowered on a guest that carries less than it offers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.run import speed
from harness.scenario import Scenario, load, loads

ROOT = Path(__file__).resolve().parents[2]

TEXT = """
name: two flows
scale: yes
hosts:
  a: {lan: 10.0.1.1/24}
  b: {lan: 10.0.1.2/24}
flows:
  one: {udp: 8Mbit/s, size: 1000, from: a, to: "b:5001", for: 2s}
  two: {udp: 500pps, from: a, to: "b:5002", start: 1s, for: 2s}
  later: {udp: 100pps, from: a, to: "b:5003", start: 4s, for: 2s}
expect:
  one.rate: 8Mbit/s +- 1%
"""


def scenario(text: str = TEXT) -> Scenario:
    [found] = loads(text)
    return found


def test_what_is_offered_at_the_worst_moment() -> None:
    assert speed.offered(scenario()) == pytest.approx(1500)


@pytest.mark.parametrize(("pps", "factor"), [(1e6, 1), (5000, 1), (4000, 0.5), (1500, 0.2), (500, 0.1), (200, 0.02)])
def test_factor(pps: float, factor: float) -> None:
    found = speed.factor(scenario(), speed.Speed(pps, pps))
    assert found == factor
    assert speed.offered(scenario()) * found <= pps * speed.HEADROOM or found == 1


@pytest.mark.parametrize(("wall", "factor"), [(1000, 1), (400, 0.5), (80, 0.1)])
def test_patience_with_a_guest_that_counts_its_instructions(wall: float, factor: float) -> None:
    assert speed.factor(scenario(), speed.Speed(1e6, wall)) == factor


def test_a_scenario_that_does_not_allow_it_stays() -> None:
    assert speed.factor(scenario(TEXT.replace("scale: yes", "scale: no")), speed.Speed(10, 10)) == 1


def test_scaled_offers_less_and_expects_less() -> None:
    scaled = scenario().scaled(0.1)
    assert speed.offered(scaled) == pytest.approx(150)
    assert scaled.expect["one.rate"] == "800Kbit/s +- 1%"


@pytest.mark.parametrize("factor", [0.2, 0.05])
def test_scaled_scenarios_still_hold_where_nothing_is_slow(tmp_path: Path, factor: float) -> None:
    folder = tmp_path / "scaled"
    folder.mkdir()
    for file in sorted((ROOT / "scenarios" / "dummynet").glob("*.yaml")):
        for n, cell in enumerate(load(file, {})):
            if cell.scale:
                (folder / f"{file.stem}-{n}.yaml").write_text(cell.scaled(factor).to_yaml())
    assert len(list(folder.iterdir())) >= 10
    command = [sys.executable, "-m", "harness", "run", str(folder), "--jobs", "2", "--out", str(tmp_path / "runs")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
