"""dnh patch: what it says of a tree, what it writes, and that it writes nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli import main
from harness.kernel.tree import NEEDED


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """As much of a source tree as there must be."""
    src = tmp_path / "src"
    for name in NEEDED:
        path = src / name
        if "." in path.name or path.name.startswith("Makefile"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        else:
            path.mkdir(parents=True, exist_ok=True)
    for name, text in {
        "sys/conf/newvers.sh": 'REVISION="15.1"\nBRANCH="RELEASE"\n',
        "sys/sys/param.h": "#define __FreeBSD_version 1501000\n",
        "sys/conf/files": "kern/kern_exec.c\tstandard\n",
        "sys/conf/options": "INET\topt_inet.h\n",
        "lib/clang/include/clang/Basic/Version.inc": "#define CLANG_VERSION_MAJOR 19\n",
    }.items():
        (src / name).parent.mkdir(parents=True, exist_ok=True)
        (src / name).write_text(text)
    return src


def _content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_check_writes_nothing(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = _content(tree)
    assert main(["patch", "check", "pspat", "--src", str(tree)]) == 0
    assert _content(tree) == before
    out = capsys.readouterr().out
    assert "new      sys/netpfil/pspat/pspat.c" in out and "changed  sys/conf/files" in out


def test_apply_once(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["patch", "apply", "pspat", "--src", str(tree)]) == 0
    after = _content(tree)
    assert "sys/modules/pspat/Makefile" in after
    assert after["sys/conf/files"].startswith(b"kern/kern_exec.c") and b"pspat_arbiter.c" in after["sys/conf/files"]
    assert not [name for name in after if Path(name).name.startswith(".")]
    capsys.readouterr()
    assert main(["patch", "apply", "pspat", "--src", str(tree)]) == 2
    assert "already" in capsys.readouterr().err
    assert _content(tree) == after


def test_all_or_nothing(tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.patch"
    bad.write_text("--- a/sys/conf/files\n+++ b/sys/conf/files\n@@ -1 +1 @@\n-not there\n+anything\n")
    before = _content(tree)
    assert main(["patch", "apply", "pspat", str(bad), "--src", str(tree)]) == 2
    assert _content(tree) == before
    assert "does not apply" in capsys.readouterr().err


def test_no_tree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["patch", "check", "pspat", "--src", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["patch", "list"]) == 0
    assert "pspat" in capsys.readouterr().out
