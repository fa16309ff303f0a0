"""A guest made of nothing but a pty: it answers like FreeBSD's sh, and misbehaves on request.

Run as ``python player.py``; test_console.py drives it.  Each command names what is to go wrong.
"""

from __future__ import annotations

import os
import re
import sys
import time
import tty
from pathlib import Path

LOR = (
    b"lock order reversal:\r\n 1st 0xfffff80003a1c5b0 dn_bh (dn_bh, sleep mutex) @ ip_dummynet.c:771\r\n"
)
PANIC = (
    b"panic: mtx_lock() of destroyed mutex @ /usr/src/sys/netpfil/ipfw/ip_dummynet.c:771\r\n"
    b"cpuid = 1\r\ntime = 1700000000\r\nKDB: stack backtrace:\r\n"
    b"db_trace_self_wrapper() at db_trace_self_wrapper+0x2b/frame 0xfffffe0000a1b9c0\r\n"
    b"vpanic() at vpanic+0x132/frame 0xfffffe0000a1baf0\r\n"
)
DEBUGGER = (
    b"KDB: enter: panic\r\n[ thread pid 12 tid 100011 ]\r\n"
    b"Stopped at      kdb_enter+0x33: movq    $0,0x1234(%rip)\r\ndb> "
)
TRAP = (
    b"\r\n\r\nFatal trap 12: page fault while in kernel mode\r\ncpuid = 0; apic id = 00\r\n"
    b"fault virtual address\t= 0x18\r\n"
)
REBOOT = b"Uptime: 1m4s\r\nAutomatic reboot in 15 seconds - press a key on the console to abort\r\n"
BOOT = b"\x1b[2J\x1b[1;1H\x0f---<<BOOT>>---\r\nCopyright (c) 1992-2025 The FreeBSD Project.\r\n"
GARBAGE = b"\x00\xff\xfe\xc3(\x1b[1;31mred\x1b[0m\x9b\xf0\x28\x8c\x28\x07\x1b]0;title\x07"


def _recorded() -> dict[str, bytes]:
    """Consoles of real kernels by name: what was said between the first shell prompt and the first ``db>``.

    ``boot-NAME`` is all of it, for a boot that comes to no prompt.
    """
    found = {}
    for file in (Path(__file__).parent.parent / "panic" / "corpus").glob("real-151-*.log"):
        name, text = file.stem.removeprefix("real-151-"), file.read_bytes()
        found[f"boot-{name}"] = text
        text = text[text.find(b"\n# ") + 3 :]
        found[name] = text[: text.find(b"\ndb> ") + 5] if b"\ndb> " in text else text
    return found


FILES = _recorded()


KEPT: list[list[bytes]] = []  # its last: what a command has said whose answer the shell keeps


def say(data: bytes) -> None:
    if KEPT:
        KEPT[-1].append(data)
        return
    while data:
        data = data[os.write(1, data) :]


def debugger() -> None:
    """Answer at ``db>`` until the input ends; alltrace goes through the pager."""
    for line in sys.stdin.buffer:
        word = line.strip()
        if word == b"alltrace":
            say(b"Tracing command idle pid 11\r\n--More--\r")
            os.read(0, 1)
            say(b"        \rTracing command init pid 1\r\n")
        else:
            say(b"answer to " + word + b"\r\n")
        say(b"db> ")


def act(command: str, token: str) -> tuple[bool, int]:
    """Carry out a command; whether its frame's end is still to be printed in order, and its status."""
    mark = f"@dnh:{token}:".encode()
    match command.split():
        case ["echo", *words]:
            say(" ".join(words).encode() + b"\r\n")
        case ["false"]:
            return True, 1
        case ["many", n]:
            for i in range(int(n)):
                say(b'{"dngen":1,"kind":"interval","t0":%d,"packets":1250,"bytes":1250000}\r\n' % i)
        case ["nothing"]:
            pass
        case ["slow", seconds]:
            time.sleep(float(seconds))
            say(b"done\r\n")
        case ["bytewise"]:
            for byte in b"one\r\ntwo\r\n" + mark + b"7@\r\n# ":
                say(bytes([byte]))
                time.sleep(0.002)
            return False, 7
        case ["message-in-answer"]:
            say(b"he" + LOR + b"llo\r\n")
        case ["torn-end"]:
            say(b"hello\r\n" + mark[:9] + LOR + mark[9:] + b"3@\r\n# ")
            return False, 3
        case ["torn-status"]:
            say(b"hello\r\n" + mark + LOR + b"4@\r\n# ")
            return False, 4
        case ["message-before-prompt"]:
            say(b"hello\r\n" + mark + b"0@" + LOR + b"\r\n# " + LOR)
            return False, 0
        case ["panic-debugger"]:
            say(PANIC + DEBUGGER)
            debugger()
        case ["panic-in-a-line"]:
            say(b"00:00:01 4 packets, rate" + PANIC + REBOOT)
            time.sleep(60)
        case ["panic-reboots"]:
            say(PANIC + REBOOT)
            time.sleep(60)
        case ["panic-silent"]:
            say(PANIC)
            time.sleep(60)
        case ["panic-dies"]:
            say(PANIC)
            sys.exit(0)
        case ["panic-slowly"]:
            for line in PANIC.splitlines(keepends=True):
                say(line)
                time.sleep(0.3)
            say(DEBUGGER)
            debugger()
        case ["trap"]:
            say(TRAP + DEBUGGER)
            debugger()
        case ["debugger"]:
            say(b"KDB: enter: sysctl debug.kdb.enter\r\n" + DEBUGGER.split(b"\r\n", 1)[1])
            debugger()
        case ["reboots"]:
            say(BOOT)
            time.sleep(60)
        case ["dies", *status]:
            say(b"half a l")
            sys.exit(int(status[0]) if status else 5)
        case ["hangs"]:
            time.sleep(60)
        case ["garbage"]:
            say(GARBAGE + b"\r\n" + GARBAGE * 3 + b"\r\nhello\r\n")
        case ["garbage-forever"]:
            while True:
                say(GARBAGE * 50)
                time.sleep(0.01)
        case ["plays", name]:
            say(FILES[name])
            time.sleep(60)
        case _:
            return True, 127
    return True, 0


def shell(first: bytes = b"# ") -> None:
    """Be a shell; ``first`` is what it says to begin with."""
    say(first)
    kept = b""
    status = 0
    due = True
    for raw in sys.stdin.buffer:
        line = raw.decode().rstrip("\n")
        if framed := re.fullmatch(r"echo (@dnh:(\d+):begin@); (.*)", line):
            say(framed[1].encode() + b"\r\n")
            due, status = act(framed[3], framed[2])
        elif end := re.fullmatch(r"(s=\$\?; )?echo @dnh:(\d+):\$s@", line):
            if end[1] is None or due:
                say(f"@dnh:{end[2]}:{status}@\r\n# ".encode())
            due = True
        elif asked := re.fullmatch(r"dnh_[ab]=\$\(exec 2>&1; (.*)", line):
            if asked[1].startswith(("echo ", "many ")):  # the others say what a kernel says
                KEPT.append([])
            _, status = act(asked[1], "")
            kept = b"".join(KEPT.pop()).rstrip(b"\r\n") if KEPT else b""
        elif whole := re.fullmatch(r"(?:s=\$\?; dnh_[ab]=; )?echo (@dnh:\d+:)begin@; printf .*", line):
            mark = whole[1].encode()
            length = len(kept.replace(b"\r", b""))
            say(mark + b"begin@\r\n" + kept + b"\r\n" + mark + f"{status}:{length}@\r\n# ".encode())
        elif line == ")":
            continue
        elif line.startswith("shutdown"):
            say(b"Shutdown NOW!\r\nUptime: 3s\r\nacpi0: Powering system off\r\n")
            return
        else:
            say(b"# ")


if __name__ == "__main__":
    tty.setraw(0)
    shell()
