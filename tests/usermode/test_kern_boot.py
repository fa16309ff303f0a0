"""Boot, shell, power: the life of the user-mode program as its parent sees it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time

import pytest
from kernlab import POWER_OFF, program, run

from harness.guest.build import sanitizers


def test_boot_says_who_it_is_and_ends_in_order() -> None:
    ran = run(POWER_OFF)
    assert ran.status == 0
    assert re.search(r"^FreeBSD 15\.1-RELEASE DNH-DEBUG \w+ \(user mode\)$", ran.text, re.M)
    assert "FreeBSD/SMP: Multiprocessor System Detected: 4 CPUs" in ran.text
    assert "\n# " in ran.text
    assert ran.lines()[-1] == "acpi0: Powering system off"
    assert "leaked" not in ran.text


def test_boot_is_quick() -> None:
    run(POWER_OFF)
    best = min(_timed_boot() for _ in range(5))
    assert best < (5 if sanitizers() else 0.5)  # some 10 ms; the limits are for a busy machine


def _timed_boot() -> float:
    began = time.monotonic()
    run(POWER_OFF)
    return time.monotonic() - began


@pytest.mark.parametrize("clock", ["virtual", "wall"])
@pytest.mark.parametrize("ncpu", ["1", "2", "4", "64"])
def test_any_number_of_processors(clock: str, ncpu: str) -> None:
    ran = run("sysctl -n hw.ncpu\n" + POWER_OFF, "--clock", clock, "--ncpu", ncpu)
    assert ran.status == 0
    assert f"# {ncpu}" in ran.text


def test_end_of_input_is_power_off() -> None:
    ran = run("echo still here\n")
    assert ran.status == 0
    assert "still here" in ran.text
    assert ran.lines()[-1] == "acpi0: Powering system off"


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("echo a; echo b", "a\nb"),
        ("true && echo yes || echo no", "yes"),
        ("false && echo yes || echo no", "no"),
        ("false; s=$?; echo @dnh:x:$s@", "@dnh:x:1@"),
        ("echo 'a  b' \"c d\" e\\ f", "a  b c d e f"),
        ("echo one > f; echo two >> f; cat f", "one\ntwo"),
        ("echo x # comment", "x"),
        ("nosuch", "sh: nosuch: not found"),
        ("nosuch; echo $?", "sh: nosuch: not found\n127"),
        ("sleep 0.25 & wait; echo done", "done"),
        ("uname -r", "15.1-RELEASE"),
    ],
)
def test_shell(words: str, answer: str) -> None:
    ran = run(f"PS1=\nstty -echo\necho =begin=\n{words}\necho =end=\n{POWER_OFF}")
    assert ran.status == 0
    found = re.search(r"=begin=\n(.*?)=end=", ran.text, re.S)
    assert found is not None
    assert found.group(1).replace("# ", "").strip() == answer


def test_virtual_time_passes_in_commands_alone() -> None:
    program()
    began = time.monotonic()
    ran = run("sleep 900\n" + POWER_OFF)
    assert time.monotonic() - began < (300 if os.environ.get("DNH_SANITIZE") else 30)  # and not 900
    found = re.search(r"Uptime: (\d+)s", ran.text)
    assert found is not None
    assert 900 <= int(found.group(1)) <= 905


def test_tunables_reach_sysctls() -> None:
    ran = run("sysctl -n kern.hz; sysctl -n kern.hostname\n" + POWER_OFF,
              "--tunable", "kern.hz=100", "--tunable", "kern.hostname=probe")
    assert "# 100\nprobe\n" in ran.text


@pytest.mark.parametrize("words", [["--bogus"], ["--ncpu", "0"], ["--clock", "lunar"], ["--tunable", "x"]])
def test_wrong_usage(words: list[str]) -> None:
    ran = run("", *words)
    assert ran.status == 2
    assert "usage: dnh-usermode" in ran.text


@pytest.mark.parametrize("clock", ["virtual", "wall"])
def test_sigterm_is_the_power_button(clock: str) -> None:
    p = subprocess.Popen([program(), "--clock", clock], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert p.stdout is not None
    text = b""
    while b"\n# " not in text:
        text += os.read(p.stdout.fileno(), 4096)
    p.send_signal(signal.SIGTERM)
    rest, _ = p.communicate(timeout=10)
    assert p.returncode == 0
    assert b"Powering system off" in rest


def test_sigterm_ends_a_kernel_that_hangs() -> None:
    p = subprocess.Popen([program()], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert p.stdin is not None
    p.stdin.write(b"ktest hang\n")
    p.stdin.flush()
    time.sleep(0.3)
    p.send_signal(signal.SIGTERM)
    p.communicate(timeout=10)
    assert p.returncode != 0


def test_parent_gone_program_gone() -> None:
    script = (
        "import subprocess, sys, os\n"
        f"p = subprocess.Popen([{str(program())!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "os.read(p.stdout.fileno(), 100)\n"
        "print(p.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(["python3", "-c", script], capture_output=True, timeout=20, check=False)
    pid = int(done.stdout)
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail(f"process {pid} outlives its parent")


def test_interrupt_ends_the_foreground_command() -> None:
    p = subprocess.Popen([program(), "--clock", "wall"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert p.stdin is not None
    p.stdin.write(b"sleep 1000; echo after\n")
    p.stdin.flush()
    time.sleep(0.5)
    p.send_signal(signal.SIGINT)
    p.stdin.write(b"echo alive\nshutdown -p now\n")
    text, _ = p.communicate(timeout=10)
    assert p.returncode == 0
    assert b"alive" in text
