"""Panics, traps and the debugger, in FreeBSD's words, and every rule that INVARIANTS and WITNESS watch."""

from __future__ import annotations

import re
import signal
import subprocess
import time

import pytest
from kernlab import EXIT_PANIC, POWER_OFF, Ran, program, run

from harness.guest.build import sanitizers

FRAME = re.compile(r"^(\w+)\(\) at \1\+0x[0-9a-f]+/frame 0x[0-9a-f]+$")


def frames(ran: Ran) -> list[str]:
    """Functions of the first backtrace."""
    lines = ran.lines()
    start = lines.index("KDB: stack backtrace:") + 1
    names = []
    for line in lines[start:]:
        found = FRAME.match(line)
        if found:
            names.append(found.group(1))
        elif not line.startswith("---"):
            break
    return names


def test_panic_as_freebsd_prints_it() -> None:
    ran = run("sysctl debug.kdb.panic=1\nreset\n")
    assert ran.status == EXIT_PANIC
    lines = ran.lines()
    at = next(i for i, line in enumerate(lines) if line.endswith("panic: kdb_sysctl_panic"))
    assert re.fullmatch(r"cpuid = \d+", lines[at + 1])
    assert re.fullmatch(r"time = \d+", lines[at + 2])
    assert lines[at + 3] == "KDB: stack backtrace:"
    names = frames(ran)
    assert names[:4] == ["db_trace_self_wrapper", "kdb_backtrace", "vpanic", "panic"]
    assert "kdb_sysctl_panic" in names
    assert names[-2:] == ["fork_exit", "fork_trampoline"]
    assert "--- trap 0, rip = 0, rsp = 0, rbp = 0 ---" in lines
    end = lines.index("KDB: enter: panic")
    assert re.fullmatch(r"\[ thread pid \d+ tid \d+ \]", lines[end + 1])
    assert re.fullmatch(r"Stopped at      kdb_enter\+0x[0-9a-f]+:", lines[end + 2])
    assert lines[end + 3].startswith("db> ")


def test_page_fault_as_freebsd_prints_it() -> None:
    ran = run("sysctl debug.kdb.trap=1\nshow registers\nbt\nreset\n")
    assert ran.status == EXIT_PANIC
    for pattern in (
        r"^Fatal trap 12: page fault while in kernel mode$",
        r"^cpuid = \d+; apic id = \d\d$",
        r"^fault virtual address\t= 0x10$",
        r"^fault code\t\t= supervisor read data, page not present$",
        r"^instruction pointer\t= 0x20:0x[0-9a-f]+$",
        r"^stack pointer\t        = 0x28:0x[0-9a-f]+$",
        r"^frame pointer\t        = 0x28:0x[0-9a-f]+$",
        r"^processor eflags\t= interrupt enabled, resume, IOPL = 0$",
        r"^current process\t\t= \d+ \(sysctl\)$",
        r"^trap number\t\t= 12$",
        r"^panic: page fault$",
        r"^--- trap 0xc, rip = 0x[0-9a-f]+, rsp = 0x[0-9a-f]+, rbp = 0x[0-9a-f]+ ---$",
        r"^(db> )?rax +0x10$",
    ):
        assert re.search(pattern, ran.text, re.M), pattern
    assert "kdb_sysctl_trap" in frames(ran)


def test_spent_stack_is_a_double_fault() -> None:
    ran = run("sysctl debug.kdb.stack_overflow=1\nreset\n")
    assert ran.status == EXIT_PANIC
    assert re.search(r"^Fatal double fault\nrip 0x[0-9a-f]+ rsp 0x[0-9a-f]+ rbp 0x[0-9a-f]+$", ran.text, re.M)
    assert "\npanic: double fault\n" in ran.text
    assert ran.text.count("\nkdb_stack_overflow() at kdb_stack_overflow+") > 100


def test_jump_to_nowhere() -> None:
    ran = run("sysctl debug.kdb.trap_code=1\nreset\n")
    assert "supervisor read instruction, page not present" in ran.text
    assert "fault virtual address\t= 0xdeadc0de" in ran.text
    assert "kdb_sysctl_trap_code" in frames(ran) or "kdb_sysctl_trap_code() at" in ran.text


@pytest.mark.parametrize(
    ("break_", "message"),
    [
        ("recurse", r"panic: _mtx_lock_sleep: recursed on non-recursive mutex ktest a @ .*:\d+"),
        ("not-owned", r"panic: mutex ktest a not owned at .*ktest\.c:\d+"),
        ("unlock", r"panic: lock \(sleep mutex\) ktest a not locked @ .*:\d+"),
        ("sleep-epoch", r"panic: sleepq_add: td 0x\w+ to sleep on wchan 0x\w+ with sleeping prohibited"),
        ("no-epoch", r"panic: Assertion in_epoch\(net_epoch_preempt\) failed at .*:\d+"),
        ("waitok-epoch", r"panic: malloc\(M_WAITOK\) with sleeping prohibited"),
        ("spin-sleep", r"panic: acquiring blockable sleep lock with spinlock or critical section held "
                       r"\(sleep mutex\) ktest a @ .*"),
        ("excl-share", r"panic: share->excl"),
        ("return-locked", r"userret: returning with the following locks held:\nexclusive sx ktest sx r = 0 "
                          r"\(0x\w+\) locked @ .*:\d+\npanic: witness_warn"),
        ("double-free", r"panic: Duplicate free of 0x\w+ from zone 0x\w+\(malloc-128\) slab 0x\w+\(\d+\)"),
        ("late-write", r"panic: Memory modified after free 0x\w+ \(128, malloc-128, ktest\) \+ 48 = \w+"),
        ("overrun", r"REDZONE: Buffer overflow detected\. 1 byte corrupted after 0x\w+ "
                    r"\(100 bytes allocated\)\."),
        ("mbuf-double-free", r"panic: Duplicate free of 0x\w+ from zone 0x\w+\(mbuf\) slab 0x\w+\(\d+\)"),
        ("mbuf-late-read", r"Fatal trap 9: general protection fault while in kernel mode"),
        ("mtag-late-read", r"Fatal trap 9: general protection fault while in kernel mode"),
        ("refcount", r"panic: refcount 0x\w+ wraparound"),
        ("no-vnet", r"fault virtual address\t= 0x[0-9a-f]{1,3}\n"),
        ("gpf", r"Fatal trap 9: general protection fault while in kernel mode"),
        ("divide", r"Fatal trap 18: integer divide fault while in kernel mode"),
        ("illegal", r"Fatal trap 1: privileged instruction fault while in kernel mode"),
        ("destroyed", r"panic: mtx_lock\(\) of destroyed mutex 0x\w+ @ .*:\d+"),
    ],
)
@pytest.mark.parametrize("clock", ["virtual", "wall"])
def test_broken_rule(break_: str, message: str, clock: str) -> None:
    ran = run(f"ktest {break_}\nbt\nreset\n", "--clock", clock)
    assert re.search(message, ran.text), ran.text
    assert ran.status == EXIT_PANIC


def test_lock_order_reversal_names_both_places() -> None:
    ran = run("ktest lor\nktest lor\n" + POWER_OFF)
    assert ran.status == 0
    assert ran.text.count("lock order reversal:") == 1
    assert re.search(
        r"lock order reversal:\n"
        r" 1st 0x\w+ ktest b \(ktest b, sleep mutex\) @ .*ktest\.c:\d+\n"
        r" 2nd 0x\w+ ktest a \(ktest a, sleep mutex\) @ .*ktest\.c:\d+\n"
        r"lock order ktest a -> ktest b established at:\n"
        r"#0 0x\w+ at \w+\+0x\w+\n(?:#\d+ .*\n)+"
        r"lock order ktest b -> ktest a attempted at:\n#0 ",
        ran.text,
    )


def test_sleeping_with_a_lock_is_said() -> None:
    ran = run("ktest sleep-locked\n" + POWER_OFF)
    assert ran.status == 0
    assert re.search(
        r'Sleeping on "ktest" with the following non-sleepable locks held:\n'
        r"exclusive sleep mutex ktest a r = 0 \(0x\w+\) locked @ .*ktest\.c:\d+\n",
        ran.text,
    )


def test_leaks_are_counted_at_power_off() -> None:
    ran = run("ktest leak\n" + POWER_OFF)
    assert ran.status == 0
    for line in (
        "Warning: memory type mbuf leaked memory on destroy (1 allocations, 256 bytes leaked).",
        "Warning: memory type mbuf_cluster leaked memory on destroy (1 allocations, 2048 bytes leaked).",
        "Warning: memory type mbuf_tag leaked memory on destroy (1 allocations, 32 bytes leaked).",
        "Warning: memory type ktest leaked memory on destroy (2 allocations, 2048 bytes leaked).",
    ):
        assert line in ran.lines()


def test_debugger_commands() -> None:
    ran = run(
        "sysctl debug.kdb.panic=1\nps\nshow alllocks\nshow all locks\nshow pcpu\nshow panic\nshow thread\n"
        "alltrace\nbt 100000\nnosuch\nhelp\nshow registers\nc\n"
    )
    assert ran.status == EXIT_PANIC
    for pattern in (
        r"  pid  ppid  pgrp   uid  state   wmesg   wchan               cmd\n",
        r"\[dummynet\]",
        r"db> cpuid        = \d",
        r"db> panic: kdb_sysctl_panic",
        r"Tracing command sysctl pid \d+ tid \d+ td 0x\w+\nkdb_enter\(\) at",
        r"Tracing pid 0 tid 100000 td 0x\w+\n",
        r'No such command; use "help" to list available commands',
        r"Uptime: \d+s\nRebooting\.\.\.$",
    ):
        assert re.search(pattern, ran.text), pattern


def test_no_debugger_when_told_so() -> None:
    ran = run("sysctl debug.kdb.panic=1\n", "--tunable", "debug.debugger_on_panic=0")
    assert ran.status == EXIT_PANIC
    assert "db>" not in ran.text
    assert "Rebooting..." in ran.text


@pytest.mark.parametrize("clock", ["virtual", "wall"])
def test_break_to_debugger_and_continue(clock: str) -> None:
    p = subprocess.Popen([program(), "--clock", clock], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert p.stdin is not None
    p.stdin.write(b"ktest hang\n")
    p.stdin.flush()
    time.sleep(0.5)
    p.send_signal(signal.SIGUSR1)
    time.sleep(0.3)
    p.stdin.write(b"alltrace\nreset\n")
    text, _ = p.communicate(timeout=20)
    assert p.returncode == EXIT_PANIC
    assert b"KDB: enter: Break to debugger" in text
    if "thread" not in sanitizers():  # whose own functions, where the break often falls, keep no frame pointer
        assert b"t_hang() at t_hang" in text


def test_release_flavour_has_no_checks_but_traps() -> None:
    assert run("ktest not-owned\n" + POWER_OFF, flavour="release").status == 0
    ran = run("sysctl debug.kdb.trap=1\nreset\n", flavour="release")
    assert "Fatal trap 12: page fault while in kernel mode" in ran.text
    assert ran.status == EXIT_PANIC
