"""A terminal that answers ^T as FreeBSD's does, for a command that is slow, rests, is stuck, or a kernel that hangs."""

from __future__ import annotations

import os
import re
import select
import time
import tty

STACK = "mi_switch+0x163 sleepq_switch+0x104 turnstile_wait+0x2dd amd64_syscall+0x13e fast_syscall_common+0xf8 "


def say(text: str) -> None:
    os.write(1, text.replace("\n", "\r\n").encode())


def main() -> None:
    tty.setraw(0)
    say("# ")
    kind, end, token, typed, used = "", 0.0, "", b"", 0.0
    while True:
        if kind in ("slow", "rests") and time.monotonic() > end:
            say(f"done\n# @dnh:{token}:0@\n# ")
            kind = ""
        if not select.select([0], [], [], 0.02)[0]:
            continue
        for c in os.read(0, 4096):
            if c == 0x14 and kind != "dead":
                used += 0.1 if kind == "slow" else 0.0
                where = {"slow": "running", "rests": "nanslp", "stuck": "*dn_bh", "": "ttyin"}[kind]
                say(f"load: 0.23  cmd: {kind or 'sh'} 83 [{where}] 1.22r {used:.2f}u 0.01s 3% 2048k\n{STACK}\n")
            elif c == 0x0A:
                line, typed = typed.decode(), b""
                if found := re.match(r"echo @dnh:(\w+):begin@; (\w+)(?: ([\d.]+))?", line):
                    token, kind, end = found[1], found[2], time.monotonic() + float(found[3] or 0)
                    say(f"@dnh:{token}:begin@\n")
            elif c != 0x14:
                typed += bytes([c])


if __name__ == "__main__":
    main()
