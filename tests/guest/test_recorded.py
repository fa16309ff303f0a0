"""Recorded consoles of real kernels, 13.2 and 15.1, played to the console driver and read by the panic reader.

Each is the console.log of a run under QEMU as it came, so that what a real kernel does to a console (messages in the
middle of answers, two CRs, prompts that come late) is tried without one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import replay

from harness import panic
from harness.guest.console import Console, KernelStopped

HERE = Path(__file__).parent
PROMPT = r"(?:^|[\r\n])# "


@contextmanager
def played(name: str, folder: Path) -> Iterator[Console]:
    child: pexpect.spawn[bytes] = pexpect.spawn(
        sys.executable, ["-u", str(HERE / "replay.py"), str(HERE / name)], echo=False, timeout=10, maxread=65536
    )
    child.delaybeforesend = None
    console = Console(child, folder / "console.log")
    try:
        yield console
    finally:
        console.close()
        child.close(force=True)


def plain(output: bytes) -> str:
    """Lines as a person would copy them."""
    text = re.sub(r"(?:\r*\n# |^# )+", "\n", output.decode().replace("\r", ""))
    return "\n".join(line for line in text.split("\n") if line)


@pytest.mark.parametrize("name", ["run-13.2-debug.txt", "run-15.1-debug.txt"])
def test_a_whole_run(tmp_path: Path, name: str) -> None:
    wanted = replay.answers((HERE / name).read_bytes())
    assert len(wanted) > 50
    with played(name, tmp_path) as console:
        console.wait_for(PROMPT, 10, booting=True)
        for output, status in wanted:
            done = console.run("whatever it was")
            assert done.status == status
            assert "\n".join(line for line in done.output.split("\n") if line) == plain(output)


@pytest.mark.parametrize(
    ("name", "message", "below"),
    [
        (
            "run-15.1-debug-panic.txt",
            "Fatal trap 12: page fault while in kernel mode",
            ["fq_codel_enqueue", "dummynet_io", "ipfw_check_packet"],
        ),
        (
            "run-13.2-debug-panic.txt",
            "Fatal trap 9: general protection fault while in kernel mode",
            ["qfq_dequeue", "serve_sched", "dummynet_task"],
        ),
    ],
)
def test_a_run_that_ends_in_a_panic(tmp_path: Path, name: str, message: str, below: list[str]) -> None:
    wanted = replay.answers((HERE / name).read_bytes())
    with played(name, tmp_path) as console:
        console.wait_for(PROMPT, 10, booting=True)
        for output, status in wanted[:-1]:
            done = console.run("whatever it was")
            assert (done.status, bool(done.output.strip())) == (status, bool(plain(output)))
        with pytest.raises(KernelStopped) as stopped:
            console.run("the last")
        assert stopped.value.at_debugger
        console.debug(("bt", "show registers", "show pcpu", "show alllocks"))
    log = (tmp_path / "console.log").read_text(errors="replace")
    assert "exclusive sleep mutex dn_uh" in log[log.index("show alllocks") :]  # the answer to the last question
    found = next(p for p in panic.read(log) if p.fatal)
    assert (found.culprit, found.message) == (below[0], message)
    functions = [f.function for f in found.frames]
    at = functions.index(below[0])
    assert functions[at : at + 3] == below


@pytest.mark.parametrize("name", ["boot-15.1-debug.txt"])
def test_a_boot(tmp_path: Path, name: str) -> None:
    with played(name, tmp_path) as console:
        console.wait_for(PROMPT, 10, booting=True)


def test_a_boot_that_panics(tmp_path: Path) -> None:
    name = "boot-13.2-debug-race.txt"
    with played(name, tmp_path) as console, pytest.raises(KernelStopped) as stopped:
        console.wait_for(PROMPT, 10, booting=True)
    assert stopped.value.at_debugger
    (found,) = panic.read((HERE / name).read_text(errors="replace"))
    assert found.culprit == "dummynet_task"
