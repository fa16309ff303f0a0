"""Run folders are read back, and what an interrupted run left is told."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.report.load import find, known, load, load_run
from harness.run.result import Result, Verdict

from . import make


def test_a_result_comes_back_as_it_went(tmp_path: Path) -> None:
    for verdict in Verdict:
        r = make.result(verdict)
        assert load_run(make.folder(tmp_path / verdict, r)) == r


@given(make.results())
def test_every_result_comes_back(r: Result) -> None:
    assert Result.model_validate_json(r.to_json()) == r


def test_an_interrupted_run(tmp_path: Path) -> None:
    (tmp_path / "console.log").write_text("FreeBSD 15.1\n# ")
    (tmp_path / "scenario.yaml").write_text("name: link flap\n")
    r = load_run(tmp_path)
    assert (r.verdict, r.as_expected, r.scenario.name, r.panic) == (Verdict.ERROR, False, "link flap", None)
    assert r.reasons == ["the run was interrupted before it had a result (there is no result.json)"]
    assert not known(r)


def test_an_interrupted_run_whose_kernel_had_died(tmp_path: Path) -> None:
    (tmp_path / "console.log").write_text(make.console(), newline="")
    r = load_run(tmp_path)
    assert r.verdict is Verdict.ERROR
    assert r.panic is not None and r.panic.culprit == "ip_output"
    assert r.reasons[1] == "the console shows: Fatal trap 12: page fault while in kernel mode"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "result.json is cut off or not JSON"),
        (make.result().to_json()[:700], "result.json is cut off or not JSON"),
        ("[" * 100000, "result.json is cut off or not JSON"),
        ("[1]", "result.json holds no object"),
        ("{}", "result.json is of the version None, this dnh reads dnh-result/1"),
        (
            '{"schema": "dnh-result/2"}',
            "result.json is of the version 'dnh-result/2', this dnh reads dnh-result/1",
        ),
        ('{"schema": "dnh-result/1"}', "result.json does not fit dnh-result/1: scenario: Field required"),
    ],
)
def test_a_damaged_result(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "result.json").write_text(text)
    r = load_run(tmp_path)
    assert r.verdict is Verdict.ERROR and not r.as_expected
    assert r.reasons[0].startswith(said)


def test_of_a_damaged_result_what_is_good_is_kept(tmp_path: Path) -> None:
    raw: dict[str, Any] = json.loads(make.result(Verdict.PANIC).to_json())
    raw["guest"]["clock"] = "sundial"
    raw["colour"] = "red"
    (tmp_path / "result.json").write_text(json.dumps(raw))
    r = load_run(tmp_path)
    whole = make.result(Verdict.PANIC)
    assert (r.scenario, r.flows, r.panic, r.seed) == (whole.scenario, whole.flows, whole.panic, whole.seed)
    assert r.verdict is Verdict.ERROR and "it says that the verdict was panic" in r.reasons


@given(st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=60))
def test_no_bytes_are_a_traceback(result: bytes, console: bytes, scenario: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "result.json").write_bytes(result)
        (folder / "console.log").write_bytes(console)
        (folder / "scenario.yaml").write_bytes(scenario)
        assert load_run(folder).verdict is Verdict.ERROR


def test_runs_are_found_in_folders_of_folders(tmp_path: Path) -> None:
    a = make.folder(tmp_path / "1" / "a", make.result())
    b = make.folder(tmp_path / "1" / "b", make.result())
    c = make.folder(tmp_path / "2", make.result())
    (tmp_path / "empty").mkdir()
    assert find([tmp_path]) == [a, b, c]
    assert find([c, tmp_path / "1", b / "result.json"]) == [c, a, b]
    assert [run.folder for run in load([b, a])] == [b, a]


def test_what_is_no_run_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("")
    for path in (tmp_path / "nothing", tmp_path, tmp_path / "x.txt"):
        with pytest.raises(UsageError, match=r"no (such )?run"):
            find([path])
    with pytest.raises(UsageError):
        load_run(tmp_path)


def test_the_last_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DNH_STATE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="no run yet"):
        find(["last"])
    for n, name in enumerate(("b", "c", "a")):
        os.utime(make.folder(tmp_path / "runs" / name, make.result()), (n, n))
    assert find(["last"]) == [tmp_path / "runs" / "a"]
