"""A guest's working folder outlives no process for long, and no process's that lives."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.guest.work import WorkFolder

HOLD = "from harness.guest.work import WorkFolder; w = WorkFolder('qemu'); (w.path / 'overlay').touch(); print(w.path, flush=True); input()"


def test_what_a_killed_process_left_goes_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    held = [
        subprocess.Popen([sys.executable, "-c", HOLD], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        killed, living = [Path(p.stdout.readline().strip()) for p in held if p.stdout is not None]
        held[0].kill()
        held[0].wait()
        assert killed.parent == living.parent == tmp_path
        WorkFolder("qemu").remove()
        assert killed.exists(), "too young: it may not be locked yet"
        os.utime(killed, (1, 1))
        os.utime(living, (1, 1))
        (tmp_path / "dnh-bhyve-x").mkdir()
        os.utime(tmp_path / "dnh-bhyve-x", (1, 1))
        new = WorkFolder("qemu")
        assert not killed.exists() and (living / "overlay").exists() and (tmp_path / "dnh-bhyve-x").exists()
        new.remove()
        new.remove()
        assert not new.path.exists()
    finally:
        for process in held:
            process.kill()
            process.communicate()
