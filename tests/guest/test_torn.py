"""Answers among the kernel's messages, torn anywhere: each comes whole, and no command is carried out twice."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest

from harness.guest import console as consoles
from harness.guest.console import Console
from harness.run.network import _new_interface

HERE = Path(__file__).parent

COMMANDS = {
    "echo epair1a": (0, "epair1a"),
    "false": (1, ""),
    "sh -c 'echo one; echo two >&2; exit 3'": (3, "one\ntwo"),
    "printf 'no end of line'": (0, "no end of line"),
    "printf '\\n\\na\\n\\n# b\\n# \\n'": (0, "\n\na\n\n# b\n# "),
    "echo a\necho b": (0, "a\nb"),
    "echo 'a # b' # c": (0, "a # b"),
    "echo $((6 * 7)); (exit 9)": (9, "42"),
}


@contextmanager
def shell(folder: Path, *words: object, heartbeat: bool = False) -> Iterator[Console]:
    child: pexpect.spawn[bytes] = pexpect.spawn(
        sys.executable, ["-u", str(HERE / "torn.py"), *map(str, words)], echo=False, timeout=20, maxread=65536
    )
    child.delaybeforesend = None
    console = Console(child, folder / "console.log", keeps=True, torn_after=0.2, heartbeat=heartbeat, hang=1.0)
    try:
        console.wait_for("# ", 10, booting=True)
        yield console
    finally:
        console.close()
        child.close(force=True)


@pytest.mark.parametrize("seed", range(8))
def test_answers_among_messages(tmp_path: Path, seed: int) -> None:
    with shell(tmp_path, seed, 0.05) as console:
        for command, answer in COMMANDS.items():
            done = console.run(command)
            assert (done.status, done.output) == answer, command
        console.check(f"echo once >> {tmp_path}/file")
    assert (tmp_path / "file").read_text() == "once\n"
    assert re.search(rb"link|Ether|promisc|lock|epair", (tmp_path / "console.log").read_bytes())


def test_a_long_answer_among_messages(tmp_path: Path) -> None:
    with shell(tmp_path, 1, 0.005) as console:
        for _ in range(5):
            assert console.check("seq 1 200").split("\n") == [str(n) for n in range(1, 201)]


def test_a_long_answer_is_not_torn_by_a_sign_of_life(tmp_path: Path) -> None:
    """A slow console that prints for longer than a guest may be silent is asked nothing meanwhile."""
    with shell(tmp_path, 0, 0, 20_000, heartbeat=True) as console:
        done = console.run("seq 1 8000", timeout=1.0)
    assert (done.status, done.output.count("\n")) == (0, 7999)
    assert (tmp_path / "console.log").read_bytes().count(b":begin@\r\n") == 1


def test_a_storm_of_messages_ends(tmp_path: Path) -> None:
    """Where every answer comes torn the last one is taken for what it is."""
    with shell(tmp_path, 1, 0.1) as console:
        done = console.run("seq 1 300", timeout=30)
    assert done.status == 0 and len(done.output) > 1000


def test_a_line_that_the_shell_cannot_read(tmp_path: Path) -> None:
    with shell(tmp_path, 0, 0) as console:
        console.check("echo before")
        done = console.run("echo ) (")
        assert done.status == 2 and "yntax error" in done.output
        assert console.check("echo after") == "after"


def test_background_is_the_shells_own(tmp_path: Path) -> None:
    with shell(tmp_path, 0, 0) as console:
        console.check("sleep 0.3 &")
        console.check("wait", 5)
        assert "sleep" not in console.check("jobs")


#: What 15.1 printed, the machine under load, around its answer to ``ifconfig epair create``.
SEEN = (
    b"epair1a: Ethernet address: 82:28:b6:8c:fd:20\r\r\nepair1b: Ethernet address: ce:21:a0:36:eb:7a\r\r\n"
    b"epair1a: link state changed to UP\r\r\nepepair1a\r\r\nair1b: link state changed to UP\r\r\n"
)


def test_a_first_prompt_that_was_torn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consoles, "PROMPT_LIMIT", 0.5)
    script = tmp_path / "guest.py"
    script.write_text(
        "import os, sys, tty\ntty.setraw(0)\nos.write(1, b'---<<BOOT>>---\\r\\nlo0: link st# ate changed to UP\\r\\n')\n"
        "for line in sys.stdin.buffer: os.write(1, b'\\r\\n# ')\n"
    )
    child: pexpect.spawn[bytes] = pexpect.spawn(sys.executable, [str(script)], echo=False, timeout=20, maxread=65536)
    console = Console(child, tmp_path / "console.log")
    try:
        console.wait_for_boot(r"(?:^|[\r\n])# ", 15, 10)
    finally:
        console.close()
        child.close(force=True)


def test_the_tear_that_was_seen(tmp_path: Path) -> None:
    script = tmp_path / "guest.py"
    script.write_text(
        "import os, re, sys, tty\ntty.setraw(0)\nos.write(1, b'# ')\ntorn = " + repr(SEEN) + "\n"
        "for line in sys.stdin.buffer:\n"
        "    if m := re.search(rb'echo (@dnh:(\\d+)):begin@', line):\n"
        "        os.write(1, m[1] + b':begin@\\r\\r\\n' + torn + m[1] + b':0:7@\\r\\r\\n# ')\n"
        "        torn = b'epair1a\\r\\r\\n'\n"
    )
    child: pexpect.spawn[bytes] = pexpect.spawn(sys.executable, [str(script)], echo=False, timeout=20, maxread=65536)
    child.delaybeforesend = None
    console = Console(child, tmp_path / "console.log", keeps=True)
    try:
        console.wait_for("# ", 10, booting=True)
        assert _new_interface(console, "epair") == "epair1a"
    finally:
        console.close()
        child.close(force=True)


@pytest.mark.parametrize("heartbeat", [False, True])
def test_a_command_that_did_not_come_whole_is_typed_again_and_runs_once(tmp_path: Path, heartbeat: bool) -> None:
    with shell(tmp_path, 1, 0.0, 0, 2, heartbeat=heartbeat) as console:
        console.check(f"echo once >> {tmp_path}/file")
        assert console.run("echo a; (exit 3)").output == "a"
        assert console.run("echo b").output == "b"
    assert (tmp_path / "file").read_text() == "once\n"
