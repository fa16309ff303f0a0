"""A real sh on a console that a kernel writes to as well: ``python torn.py SEED SHARE [PACE [LOST]]``.

What the shell prints goes out in pieces of up to 16 bytes, as a UART takes it; by the dice, before a SHARE of the
pieces, comes a piece of a kernel message, which may begin and end anywhere, the middle of a word above all.
With a PACE it prints so many bytes a second; ^T is answered at once, wherever the shell's own print is by then.
Of the first LOST commands the parenthesis that ends them never reaches the shell.
"""

from __future__ import annotations

import fcntl
import os
import pty
import random
import select
import subprocess
import sys
import termios
import time
import tty

from player import LOR, say

MESSAGES = (
    b"epair1b: link state changed to UP\r\n",
    b"epair1a: Ethernet address: 82:28:b6:8c:fd:20\r\nepair1b: Ethernet address: ce:21:a0:36:eb:7a\r\n",
    b"lan: promiscuous mode enabled\r\n",
    LOR,
)


def main(seed: int, share: float, pace: float = 0, lost: int = 0) -> None:
    dice = random.Random(seed)
    ours, theirs = pty.openpty()
    tty.setraw(0)
    settings = tty.tcgetattr(theirs)
    settings[3] &= ~tty.ECHO
    tty.tcsetattr(theirs, tty.TCSANOW, settings)
    environment = {**os.environ, "PS1": "# ", "LC_ALL": "C"}
    shell = subprocess.Popen(
        ["sh", "-i"], stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no threads here; ^C is for it
    )
    os.close(theirs)
    message = b""
    while shell.poll() is None:
        ready, _, _ = select.select([0, ours], [], [], 0.5)
        if 0 in ready:
            if not (typed := os.read(0, 4096)):
                break
            if b"\x14" in typed:
                say(b"load: 0.23  cmd: sh 13 [ttyout] 1.22r 0.50u 0.01s 3% 2048k\r\n")
            if lost and b"\n)\n" in typed:
                typed, lost = typed.replace(b"\n)\n", b"\n\n"), lost - 1
            os.write(ours, typed.replace(b"\x14", b""))
        if ours in ready:
            said = os.read(ours, 64 if pace else 4096)
            time.sleep(len(said) / pace if pace else 0)
            while said:
                if dice.random() < share:
                    message = message or dice.choice(MESSAGES)
                    n = dice.randint(1, len(message))
                    say(message[:n])
                    message = message[n:]
                n = dice.randint(1, 16)
                say(said[:n])
                said = said[n:]
            say(message)  # to its end: the shell's piece was inside of it
            message = b""
    shell.kill()


if __name__ == "__main__":
    main(int(sys.argv[1]), *map(float, sys.argv[2:]))
