"""A silent hang is told from a slow command: the terminal is asked for its status while it is silent."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from harness.guest.console import Console, GuestHung

PULSE = Path(__file__).parent / "pulse.py"


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    process: pexpect.spawn[bytes] = pexpect.spawn(sys.executable, ["-u", str(PULSE)], echo=False, timeout=10)
    process.delaybeforesend = None
    it = Console(process, tmp_path / "console.log", heartbeat=True, hang=1.0)
    it.wait_for(r"# ", 10, booting=True)
    yield it
    it.close()
    process.close(force=True)


@pytest.mark.parametrize("command", ["slow 2.5", "rests 2.5"])
def test_slow_is_no_hang_and_its_answer_is_clean(console: Console, command: str) -> None:
    done = console.run(command, timeout=1.0)
    assert (done.status, done.output) == (0, "done")


def test_stuck_in_the_kernel_is_a_hang_that_says_where(console: Console) -> None:
    began = time.monotonic()
    with pytest.raises(GuestHung, match=r"no progress for 1 s in: stuck \(stuck \[\*dn_bh\]\)"):
        console.run("stuck", timeout=1.0)
    assert time.monotonic() - began < 3


def test_no_answer_at_all_is_a_hang(console: Console) -> None:
    began = time.monotonic()
    with pytest.raises(GuestHung, match="no sign of life for 1 s in: dead"):
        console.run("dead", timeout=1.0)
    assert time.monotonic() - began < 3


def test_alive_but_over_the_limit(console: Console) -> None:
    with pytest.raises(GuestHung, match="alive, but not done within the limit"):
        console.run("rests 60", timeout=1.0, limit=1.5)


def test_a_hang_while_only_watching(console: Console) -> None:
    console.watch(2.0)  # at the prompt: alive
    console.send("echo @dnh:1:begin@; dead")
    began = time.monotonic()
    with pytest.raises(GuestHung, match="no sign of life"):
        console.watch(30.0)
    assert time.monotonic() - began < 4
