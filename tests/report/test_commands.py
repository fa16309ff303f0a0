"""``dnh report``: its words, files and exit codes."""

import argparse
import os
import stat
from pathlib import Path

import pytest

from harness.errors import MachineryError, UsageError
from harness.report.commands import add_arguments, run
from harness.run.result import Verdict

from . import make


def report(*words: object) -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args([str(w) for w in words]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make.folder(tmp_path / "runs" / "one", make.result(Verdict.PANIC), make.console())


def test_the_terminal_is_the_default(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(folder) == 0
    assert "panic, declared pass" in capsys.readouterr().out


def test_files(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, xml = tmp_path / "new" / "r.html", tmp_path / "r.xml"
    assert report(folder, "--html", page, "--junit", xml) == 0
    assert capsys.readouterr().out == ""
    assert page.read_text("utf-8").startswith("<!doctype html>") and "<testsuites" in xml.read_text("utf-8")
    assert stat.S_IMODE(page.stat().st_mode) == 0o644
    assert report(folder, "--junit", xml, "--terminal") == 0
    assert "run again" in capsys.readouterr().out


def test_to_the_output(folder: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert report(folder, "--junit", "-") == 0
    assert capsysbinary.readouterr().out.decode().startswith("<?xml")


def test_a_device_is_written_to_and_stays_one(folder: Path, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert report(folder, "--junit", fifo) == 0
        assert os.read(reader, 5) == b"<?xml"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_what_cannot_be(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        report(tmp_path / "nothing")
    with pytest.raises(UsageError, match="a folder"):
        report(folder, "--html", tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineryError, match="cannot write"):
        report(folder, "--html", tmp_path / "file" / "x.html")
