"""The console against a child on a real pty that plays a guest, well and badly behaved."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from harness.errors import MachineryError
from harness.guest.console import (
    BootFailed,
    Console,
    GuestGone,
    GuestHung,
    GuestRebooted,
    KernelStopped,
    quote,
)

PLAYER = Path(__file__).parent / "player.py"


class Played:
    """A console with the child that plays its guest, and its log."""

    def __init__(self, folder: Path) -> None:
        self.process: pexpect.spawn[bytes] = pexpect.spawn(
            sys.executable, ["-u", str(PLAYER)], echo=False, timeout=10, maxread=65536
        )
        self.process.delaybeforesend = None
        self.log_file = folder / "console.log"
        self.console = Console(self.process, self.log_file, alive=self._ended)
        self.console.wait_for(r"(?:^|[\r\n])# ", 10, booting=True)

    def _ended(self) -> str | None:
        return None if self.process.isalive() else f"exit status {self.process.exitstatus}"

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def close(self) -> None:
        self.console.close()
        self.process.close(force=True)


@pytest.fixture
def played(tmp_path: Path) -> Iterator[Played]:
    it = Played(tmp_path)
    yield it
    it.close()


def told_within(began: float, limit: float = 2.0) -> None:
    assert time.monotonic() - began < limit


# -- answers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "status", "output"),
    [
        ("echo hello there", 0, "hello there"),
        ("false", 1, ""),
        ("nothing", 0, ""),
        ("no-such-command", 127, ""),
        ("bytewise", 7, "one\ntwo"),
        ("echo # and db> and 100%", 0, "# and db> and 100%"),
        ("echo the word panic: alone", 0, "the word panic: alone"),
        ("message-before-prompt", 0, "hello"),
    ],
)
def test_answer(played: Played, command: str, status: int, output: str) -> None:
    began = time.monotonic()
    done = played.console.run(command)
    told_within(began)
    assert (done.status, done.output) == (status, output)
    assert played.console.run("echo next").output == "next"


def test_check_names_command_and_status(played: Played) -> None:
    with pytest.raises(MachineryError, match=r"'false' ended with status 1"):
        played.console.check("false")


def test_large_answers_do_not_slow_down(played: Played) -> None:
    began = time.monotonic()
    done = played.console.run("many 30000")
    assert len(done.output.splitlines()) == 30000
    told_within(began, 10.0)


def test_message_in_the_middle_of_an_answer(played: Played) -> None:
    done = played.console.run("message-in-answer")
    assert done.status == 0
    assert done.output.startswith("helock order reversal:") and done.output.endswith("llo")


@pytest.mark.parametrize(("command", "status"), [("torn-end", 3), ("torn-status", 4)])
def test_torn_frame_is_asked_for_again(played: Played, command: str, status: int) -> None:
    began = time.monotonic()
    done = played.console.run(command)
    told_within(began, 3.0)  # the torn frame shows as silence; the second question answers at once
    assert done.status == status
    assert done.output.startswith("hello")
    assert played.console.run("echo next").output == "next"


def test_slow_command_is_no_hang(played: Played) -> None:
    assert played.console.run("slow 3.2", timeout=10).output == "done"
    assert played.log.count("@dnh:") == 2  # and was not asked a second time
    assert played.console.run("echo next").output == "next"


def test_garbage_around_an_answer(played: Played) -> None:
    done = played.console.run("garbage")
    assert done.status == 0
    assert done.output.splitlines()[-1] == "hello"
    assert "\x1b" not in done.output and "\x00" not in done.output and "\x07" not in done.output
    assert played.console.run("echo next").output == "next"


# -- kernels that stop -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "sign"),
    [
        ("panic-debugger", "panic: mtx_lock() of destroyed mutex"),
        ("panic-slowly", "panic: mtx_lock() of destroyed mutex"),
        ("trap", "Fatal trap 12: page fault"),
        ("debugger", "KDB: enter: sysctl"),
    ],
)
def test_stop_at_the_debugger(played: Played, command: str, sign: str) -> None:
    began = time.monotonic()
    with pytest.raises(KernelStopped) as stopped:
        played.console.run(command)
    told_within(began, 2.0 + (1.8 if command == "panic-slowly" else 0))
    assert stopped.value.at_debugger
    assert stopped.value.sign.startswith(sign)
    assert not isinstance(stopped.value, GuestRebooted)
    began = time.monotonic()
    played.console.debug(("bt", "alltrace", "ps"))
    told_within(began)
    for answer in ("answer to bt", "command init pid 1", "answer to ps"):
        assert answer in played.log


@pytest.mark.parametrize("command", ["panic-reboots", "panic-dies", "panic-in-a-line"])
def test_panic_without_debugger(played: Played, command: str) -> None:
    began = time.monotonic()
    with pytest.raises(KernelStopped) as stopped:
        played.console.run(command)
    told_within(began)
    assert not stopped.value.at_debugger
    assert "panic: mtx_lock() of destroyed mutex" in stopped.value.sign


def test_panic_that_falls_silent(played: Played) -> None:
    began = time.monotonic()
    with pytest.raises(KernelStopped) as stopped:
        played.console.run("panic-silent")
    told_within(began, 7.0)  # silence has to be waited for: a slow guest may still come to its prompt
    assert not stopped.value.at_debugger


def test_panic_while_only_watching(played: Played) -> None:
    played.console.send("echo @dnh:1:begin@; panic-reboots")
    began = time.monotonic()
    with pytest.raises(KernelStopped):
        played.console.watch(20)
    told_within(began)


def test_unasked_reboot(played: Played) -> None:
    began = time.monotonic()
    with pytest.raises(GuestRebooted):
        played.console.run("reboots")
    told_within(began)


def test_reboot_while_booting_is_let_pass(played: Played) -> None:
    played.console.send("echo @dnh:1:begin@; reboots")
    assert played.console.wait_for("The FreeBSD Project", 5, booting=True) == "The FreeBSD Project"


@pytest.mark.parametrize(
    ("name", "sign"),
    [
        ("alltrace", "panic: kdb_sysctl_panic"),
        ("alt-break", "KDB: enter: Break to debugger"),
        ("enter-and-panic", "KDB: enter: sysctl debug.kdb.enter"),
        ("failpoint-panic", "panic: fail point sysctl_running panicking"),
        ("kdb-panic", "panic: kdb_sysctl_panic"),
        ("kdb-panic-str", "panic: kdb_sysctl_panic: interface epair0a lost its way"),
        ("kdb-stack-overflow", "Fatal double fault"),
        ("kdb-trap", "Fatal trap 12: page fault while in kernel mode"),
        ("nmi", "Stopped at      acpi_cpu_c1"),
    ],
)
def test_recorded_stops(played: Played, name: str, sign: str) -> None:
    began = time.monotonic()
    with pytest.raises(KernelStopped) as stopped:
        played.console.run(f"plays {name}")
    told_within(began)
    assert stopped.value.at_debugger
    assert stopped.value.sign.startswith(sign)


@pytest.mark.parametrize("name", ["silent-reboot", "clean-reboot"])
def test_recorded_reboots(played: Played, name: str) -> None:
    began = time.monotonic()
    with pytest.raises(GuestRebooted):
        played.console.run(f"plays {name}")
    told_within(began)


@pytest.mark.parametrize(
    ("name", "sign"), [("mountroot", "mountroot>"), ("no-kernel", "gptboot: No /boot/kernel/kernel")]
)
def test_recorded_boots_that_fail(played: Played, name: str, sign: str) -> None:
    played.console.send(f"echo @dnh:1:begin@; plays boot-{name}")
    began = time.monotonic()
    with pytest.raises(BootFailed, match=sign):
        played.console.wait_for(r"(?:^|[\r\n])# ", 30, booting=True)
    told_within(began)


def test_end_of_the_guest(played: Played) -> None:
    began = time.monotonic()
    with pytest.raises(GuestGone, match="exit status 5"):
        played.console.run("dies")
    told_within(began)
    with pytest.raises(GuestGone):
        played.console.run("echo anybody there")


@pytest.mark.parametrize("command", ["hangs", "garbage-forever"])
def test_hang(played: Played, command: str) -> None:
    began = time.monotonic()
    with pytest.raises(GuestHung, match=command):
        played.console.run(command, timeout=1.0)
    told_within(began, 3.0)


def test_hang_of_a_torn_frame_is_not_waited_for_forever(played: Played) -> None:
    with pytest.raises(GuestHung):
        played.console.run("hangs", timeout=2.5)


def test_watching_keeps_little(played: Played) -> None:
    """An hour of kernel messages must not make each search longer than the one before."""
    played.console.send("echo @dnh:1:begin@; garbage-forever")
    played.console.watch(2.5)
    assert len(played.process.buffer) < 1 << 20
    assert len(played.log) > 10000


def test_drain_and_close_never_raise(played: Played) -> None:
    played.console.send("shutdown -p now")
    played.console.drain(1.0)
    assert "Powering system off" in played.log
    played.console.drain(0.1)
    played.console.close()


@pytest.mark.parametrize(
    ("text", "quoted"), [("abc-1.2/x", "abc-1.2/x"), ("a b", "'a b'"), ("it's", "'it'\\''s'"), ("", "''")]
)
def test_quote(text: str, quoted: str) -> None:
    assert quote(text) == quoted
