"""The reader on what is no clean log: noise, mutated logs, textdumps, streams, size.

``DNH_EXAMPLES=20000 pytest tests/panic/test_reader.py --timeout 3600 -k "noise or mutated or talk or random"`` tries that many.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import random
import re
import resource
import tarfile
import time
from itertools import zip_longest
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import harness.panic
from harness.panic import Kind, Panic, read

CORPUS = Path(__file__).parent / "corpus"
LOGS = {p.stem: p.read_bytes() for p in sorted(CORPUS.glob("*.log"))}
SMALL = {name: log for name, log in LOGS.items() if len(log) < 20_000}
TRAP = LOGS["opnsense-core-7280"].decode()
EXAMPLES = int(os.environ.get("DNH_EXAMPLES", "0"))
SIGNATURE = re.compile(r"[A-Za-z0-9_.+@-]+-[0-9a-f]{8}")


PROGRAM = "".join(p.read_text() for p in Path(harness.panic.__file__).parent.glob("*.py"))


def examples(usual: int) -> int:
    return EXAMPLES or usual


def well_formed(panics: list[Panic]) -> None:
    for panic in panics:
        assert SIGNATURE.fullmatch(panic.signature), panic.signature
        assert 1 <= panic.first_line <= panic.last_line
        assert panic.message or "message" in panic.missing
        assert (
            panic.frames
            or panic.kind in {Kind.MBUFS, Kind.LEAK, Kind.REBOOT, Kind.BOOT_FAILURE}
            or "backtrace" in (panic.missing)
        )


def one(text: str | bytes) -> Panic:
    panics = read(text)
    assert len(panics) == 1, [p.signature for p in panics]
    return panics[0]


# Noise


@settings(max_examples=examples(100), deadline=None)
@given(st.binary(max_size=4000))
def test_random_bytes_are_no_panic(data: bytes) -> None:
    assert read(data) == []


@settings(max_examples=examples(100), deadline=None)
@given(st.text(max_size=4000))
def test_random_text_is_no_panic(text: str) -> None:
    # hypothesis tries the literals of the program, too: a kernel's or loader's last words alone are a report
    assert [panic for panic in read(text) if panic.message not in PROGRAM] == []


WORDS = (
    "panic",
    "panic:",
    "the",
    "kernel",
    "trap",
    "12",
    "Fatal",
    "lock",
    "order",
    "reversal",
    "KDB",
    "backtrace",
    "0x18",
    "vpanic()",
    "cpuid",
    "=",
    "ip_output",
    "at",
    "frame",
    "Uptime:",
    "mountroot",
    "leaked",
    "memory",
    "limit",
    "reached",
    "held",
    "---",
    "page",
    "fault",
    "Stopped",
    "Tracing",
    "curthread",
    "halted",
    "FreeBSD",
    "14.1-RELEASE",
    "\n",
    "\n",
    "\n",
    ".",
    "(",
    ")",
)


@settings(max_examples=examples(300), deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=200))
def test_talk_about_panics_is_no_panic(words: list[str]) -> None:
    # a line that is nothing but "panic: ..." at the very end of a log may be one that was cut off there
    assert [
        p
        for p in read(" ".join(words) + "\nThat was all\nthat I had\nto say\nof it.\n")
        if p.kind is not Kind.HANG
    ] == []


# What is full of the kernel's words and tells of nothing: healthy boots, programs, manuals, other systems.
HEALTHY = [
    line
    for name in ("made-ordinary-boot", "made-not-panics", "real-151-clean-reboot")
    for line in LOGS[name].decode("utf-8", "replace").splitlines()
    # two boots are a reboot; after "kernel:" a line that begins with "panic:" is the kernel's
    if "<<BOOT>>" not in line and "Copyright (c) 1992" not in line and not line.startswith("panic:")
]
PROSE = """\
	if (m == NULL)
		panic("%s: no mbuf at %p", __func__, m);
	KASSERT(mtx_owned(&sc->lock), ("lock not held in %s", __func__));
/* panic: never seen; trap 12 means page fault, see trap_fatal() at trap.c */
#define	FATAL(x)	do { printf("Fatal trap %d\\n", (x)); } while (0)
	printf("lock order reversal: %s -> %s\\n", a->name, b->name);
	kdb_backtrace(); /* prints KDB: stack backtrace: */
	case T_PAGEFLT: /* Fatal trap 12: page fault while in kernel mode */
Subject: [PATCH 3/7] panic: print the thread's name before the backtrace
.Nm panic
The panic() and vpanic() functions terminate the system with the message "panic: " and what fmt says.
If the kernel is compiled with options KDB and debug.debugger_on_panic is set, the debugger is entered.
     debug.witness.watch  lock order reversals are reported with a stack backtrace
     vfs.root.mountfrom: where to mount root from; mountroot> is the prompt
     "Fatal trap 12: page fault while in kernel mode" is what most people see first.
options 	WITNESS		# Enable checks to detect deadlocks and cycles
options 	KDB_TRACE	# Print a stack trace for a panic
set debug.debugger_on_panic=0
debug.kdb.panic: 0
debug.kdb.trap: 0
kern.panic_reboot_wait_time: 15
ok 14 - panic string is kept
not ok 15 - lock order reversal found
#0  0x00007ffff7e4d9fc in pthread_kill () from /lib/x86_64-linux-gnu/libc.so.6
#1  0x0000555555555189 in main (argc=1, argv=0x7fffffffe0f8) at t.c:12
thread 'main' panicked at src/main.rs:4:5: index out of bounds
panic: runtime error: index out of range [5] with length 3
goroutine 1 [running]:
[  12.3456] Kernel panic - not syncing: Fatal exception in interrupt
Call Trace:
 ? asm_exc_page_fault+0x26/0x30
uvm_fault(0xfffffd813f9e9310, 0x10, 0, 1) -> e
kernel: page fault trap, code=0
ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010
WARNING: ThreadSanitizer: lock-order-inversion (potential deadlock)
""".splitlines()


@settings(max_examples=examples(200), deadline=None)
@given(
    st.lists(st.sampled_from([*HEALTHY, *PROSE, *PROSE, ""]), max_size=120),
    st.sampled_from(["", "syslog", "uptime", "crlf", "quoted", "wrapped", "hard", "ansi", "iso"]),
)
def test_noise_has_no_name(lines: list[str], dress: str) -> None:
    text = "\n".join([*lines, "and", "so", "on", "it", "went"])
    assert [p.signature for p in read(dressed(text, dress) if dress else text)] == []


# Mutated logs


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    data = bytearray(SMALL[draw(st.sampled_from(sorted(SMALL)))])
    rng = random.Random(draw(st.integers(0, 2**32)))
    for _ in range(draw(st.integers(1, 12))):
        if not data:
            break
        at = rng.randrange(len(data))
        end = min(len(data), at + rng.randrange(1, 120))
        kind = rng.randrange(11)
        if kind == 0:
            del data[at:end]
        elif kind == 1:
            data[at:at] = data[at:end]
        elif kind == 2:
            data[at] = rng.randrange(256)
        elif kind == 3:
            del data[at:]
        elif kind == 4:
            other = SMALL[rng.choice(sorted(SMALL))]
            start = rng.randrange(len(other) + 1)
            data[at:at] = other[start : start + rng.randrange(400)]
        elif kind == 5:
            data[at:at] = rng.choice(
                [b"\n", b"\r\n", b"\r", b"\x1b[31m", b"\0", b"\xff", b"> ", b"--More--\r"]
            )
        elif kind == 6:
            lines = bytes(data).split(b"\n")
            rng.shuffle(lines)
            data = bytearray(b"\n".join(lines))
        elif kind == 7:
            lines = bytes(data).split(b"\n")
            data = bytearray(b"\n".join(b"> " + line for line in lines))
        elif kind == 8:
            data = bytearray(dressed(data.decode("utf-8", "replace"), rng.choice(DRESSES)).encode())
        elif kind == 9:  # two consoles in one file, line by line
            lines, other_lines = bytes(data).split(b"\n"), SMALL[rng.choice(sorted(SMALL))].split(b"\n")
            data = bytearray(b"\n".join(x for both in zip_longest(lines, other_lines) for x in both if x))
        else:
            lines = bytes(data).split(b"\n")
            data = bytearray(b"\n".join(x for line in lines for x in [line] * rng.choice((1, 1, 1, 2, 3))))
        del data[60_000:]
    return bytes(data)


@settings(max_examples=examples(1500), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_mutated_logs_read_without_a_traceback(data: bytes) -> None:
    well_formed(read(data))


@pytest.mark.parametrize(
    "name", ["opnsense-core-7280", "made-double-fault-ether", "made-arm64-data-abort", "real-151-kdb-trap"]
)
def test_cut_anywhere_gives_what_is_there(name: str) -> None:
    log = LOGS[name]
    whole = one(log)
    last = 0
    for cut in range(0, len(log), 37):
        panics = read(log[:cut])
        well_formed(panics)
        assert len(panics) <= 1
        for panic in panics:
            assert panic.kind in (whole.kind, Kind.PANIC, Kind.TRAP)
            assert panic.culprit in ("", whole.culprit) or panic.missing
            assert len(panic.frames) >= last or panic.missing
            last = len(panic.frames)
            if cut < len(log) // 2:
                assert panic.missing


# The same log in other clothes: the same name


def dressed(text: str, dress: str) -> str:
    lines = text.split("\n")
    if dress == "quoted":
        return "\n".join("> > " + line for line in lines)
    if dress == "syslog":
        return "\n".join(f"Aug  5 19:42:04 fw kernel: {line}" for line in lines)
    if dress == "uptime":
        return "\n".join(f"[{i}.{i:06}] {line}" for i, line in enumerate(lines))
    if dress == "crlf":
        return "\r\n".join(lines)
    if dress == "crcrlf":
        return "\r\r\n".join(lines)
    if dress == "ansi":
        return "\n".join(f"\x1b[0m\x1b[1;31m{line}\x1b[K" for line in lines)
    if dress == "fenced":
        return "I got this:\n```\n" + text + "\n```\nWhat now?\n"
    if dress == "iso":
        return "\n".join(f"2026-08-05T19:42:04.123456+01:00 fw kernel: <6>{line}" for line in lines)
    if dress == "indented":
        return "\n".join("    " + line for line in lines)
    if dress == "wrapped":  # a mailer's 72 columns
        return "\n".join(_wrap(line) for line in lines)
    if dress == "hard":  # a terminal's 80 columns
        return "\n".join(
            "\n".join(line[i : i + 80] for i in range(0, max(len(line), 1), 80)) for line in lines
        )
    raise AssertionError(dress)


def _wrap(line: str) -> str:
    out = ""
    while len(line) > 72 and (at := line.rfind(" ", 0, 72)) > 0:
        out, line = out + line[: at + 1] + "\n", line[at + 1 :]
    return out + line


DRESSES = (
    "quoted",
    "syslog",
    "uptime",
    "crlf",
    "crcrlf",
    "ansi",
    "fenced",
    "iso",
    "indented",
    "wrapped",
    "hard",
)


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize(
    "name", ["opnsense-core-7280", "made-kasan", "drm-kmod-427-mtx-recursed", "made-double-fault-ether"]
)
def test_dress_does_not_change_the_name(name: str, dress: str) -> None:
    log = LOGS[name].decode()
    bare, other = one(log), one(dressed(log, dress))
    assert other.signature == bare.signature
    assert [f.function for f in other.frames] == [f.function for f in bare.frames]


def test_name_is_stable_across_addresses_offsets_and_builds() -> None:
    def moved(found: re.Match[str]) -> str:
        return found[1] + format(int(found[2], 16) + 0x1230, "x").zfill(len(found[2]))

    other = re.sub(r"(0xffff)([0-9a-f]+)", moved, TRAP)
    other = re.sub(r"\+0x([0-9a-f]+)/", lambda m: f"+0x{int(m[1], 16) + 5:x}/", other)
    other = (
        other.replace("cpuid = 0", "cpuid = 3")
        .replace("time = 1708874502", "time = 1800000000")
        .replace("= 12 (", "= 11 (")
    )
    assert one(other).signature == one(TRAP).signature
    assert one(TRAP.replace("pf_test_state_udp", "pf_test_state_tcp")).signature != one(TRAP).signature


def test_two_boots_with_the_same_panic_are_two_reports() -> None:
    boot = "---<<BOOT>>---\nFreeBSD 15.1-RELEASE GENERIC amd64\n" + "em0: up\n" * 20
    panics = read(boot + TRAP + boot + TRAP.replace("time = 1708874502", "time = 1708874999"))
    assert [p.signature for p in panics] == [panics[0].signature] * 2
    assert panics[0].version == "FreeBSD 15.1-RELEASE GENERIC amd64"


def test_a_crash_loop_ends_with_a_note() -> None:
    panics = read("\n".join(TRAP.replace("1708874502", str(1708874502 + i)) for i in range(1100)))
    assert len(panics) == 1000
    assert "the log holds more: not read" in panics[-1].notes


# Sources


def textdump(parts: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, text in parts.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))
    return data.getvalue()


PARTS = {
    "ddb.txt": b"db:0:kdb.enter.default>  show pcpu\ncpuid        = 0\n"
    b'curthread    = 0xfffff80004: pid 12 tid 100042 critnest 1 "swi1: netisr 2"\n'
    b"db:0:kdb.enter.default>  bt\nTracing pid 12 tid 100042 td 0xfffff80004\n"
    + TRAP[TRAP.index("vpanic") :].encode(),
    "config.txt": b"options KDB\n",
    "msgbuf.txt": TRAP.encode(),
    "panic.txt": b"page fault",
    "version.txt": b"FreeBSD 13.2-RELEASE-p10 stable/24.1 SMP amd64\n",
}


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_textdump_is_one_panic(pack: object) -> None:
    assert callable(pack)
    panic = one(pack(textdump(PARTS)))
    assert panic.signature == one(TRAP).signature
    assert (panic.tid, panic.pid, panic.thread) == (100042, 12, "swi1: netisr 2")
    assert panic.version == "FreeBSD 13.2-RELEASE-p10 stable/24.1 SMP amd64"


def test_textdump_with_the_panic_string_alone() -> None:
    panic = one(textdump({"panic.txt": b"page fault", "version.txt": PARTS["version.txt"]}))
    assert (panic.kind, panic.trap, panic.missing[:1]) == (Kind.TRAP, 12, ("backtrace",))


@pytest.mark.parametrize("cut", [10, 300, 700, 3000, 5000])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
def test_truncated_archives_give_what_is_there(pack: object, cut: int) -> None:
    assert callable(pack)
    well_formed(read(pack(textdump(PARTS))[:cut]))


def test_every_kind_of_source(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(TRAP)
    with open(path) as text, open(path, "rb") as data:
        found = [
            read(s)
            for s in (TRAP, TRAP.encode(), path, text, data, io.StringIO(TRAP), io.BytesIO(TRAP.encode()))
        ]
    assert all(f == found[0] and len(f) == 1 for f in found)


class Dribble(io.RawIOBase):
    """A stream that gives a few bytes at a time, as a console does."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data, self._size = io.BytesIO(data), size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        assert isinstance(buffer, memoryview | bytearray)
        got = self._data.read(min(self._size, len(buffer)))
        buffer[: len(got)] = got
        return len(got)


@pytest.mark.parametrize("size", [1, 7, 100])
@pytest.mark.parametrize(
    "name", ["opnsense-core-7280", "made-core-txt", "made-silent-reboot", "real-151-kdb-trap"]
)
def test_pieces_do_not_matter(name: str, size: int) -> None:
    assert read(io.BufferedReader(Dribble(LOGS[name], size))) == read(LOGS[name])


# Size


def test_100_mb_in_seconds_and_bounded_memory(tmp_path: Path) -> None:
    line = "[{}.5] vtnet0: link state changed to UP, queue 3, carrier {}\n"
    block = "".join(line.format(i, i % 7) for i in range(40_000)).encode()
    path = tmp_path / "console.log"
    with open(path, "wb") as f:
        while f.tell() < 100_000_000:
            f.write(block)
        f.write(LOGS["real-151-kdb-trap"])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    panics = read(path)
    assert time.process_time() - start < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024  # KiB
    assert [p.culprit for p in panics] == ["kdb_sysctl_trap"]
    assert panics[0].first_line > 1_500_000


def test_a_line_without_end_is_no_trouble() -> None:
    assert read(b"x" * 5_000_000) == []
    assert one(b"x" * 5_000_000 + b"\n" + TRAP.encode()).culprit == "pf_test_state_udp"
