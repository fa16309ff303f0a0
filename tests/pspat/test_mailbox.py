"""PSPAT's mailbox by itself, between two threads of the host, under ThreadSanitizer where the compiler has it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.guest.build import find_compiler

HERE = Path(__file__).parent
SERIES = HERE.parents[1] / "kernel-patches" / "pspat" / "sys"


@pytest.fixture(scope="module", params=["", "-fsanitize=thread"])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("mailbox") / "mailbox"
    flags = ["-O2", "-g", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", f"-I{SERIES}", *request.param.split()]
    done = subprocess.run([find_compiler(), *flags, str(HERE / "mailbox.c"), "-o", str(out), "-lpthread"],
                          capture_output=True, text=True)  # fmt: skip
    if done.returncode and request.param:
        pytest.skip("this compiler has no ThreadSanitizer")
    assert done.returncode == 0, done.stderr
    return out


@pytest.mark.parametrize("slots", [16, 64, 1024])
@pytest.mark.parametrize("first", [0, 2**32 - 24], ids=["from-0", "over-the-end"])
def test_once_and_in_order(program: Path, slots: int, first: int) -> None:
    done = subprocess.run([program, str(slots), str(first), "50000"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("full ")
