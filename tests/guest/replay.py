"""A guest that says what a real one has said: ``python replay.py CONSOLE.txt`` plays a run's console.log again.

What came before the first command is said at once.  Each framed command, whichever it is, is answered with the
next answer of the recording, messages of the kernel in it as they came; and at ``db>`` each line with the
debugger's next.
"""

from __future__ import annotations

import re
import sys
import tty
from pathlib import Path

from player import say

#: An answer from the frame's beginning to its end and the prompt after it, or to the recording's end.
FRAME = re.compile(
    rb"@dnh:(?P<token>\d+):begin@\s(?P<output>.*?)(?:@dnh:(?P=token):(?P<status>\d+)@\s*(?:# |\Z)|\Z)", re.DOTALL
)


def answers(recorded: bytes) -> list[tuple[bytes, int | None]]:
    """What each command of a recording printed, and its status; None for the one that the kernel died of."""
    return [(m["output"], int(m["status"]) if m["status"] else None) for m in FRAME.finditer(recorded)]


def play(recorded: bytes) -> None:
    frames = list(FRAME.finditer(recorded))
    say(recorded[: frames[0].start()] if frames else recorded)
    left = iter(frames)
    said: list[bytes] = []  # of the debugger
    for line in sys.stdin.buffer:
        if said:
            say(said.pop(0))
            continue
        if framed := re.match(rb"echo @dnh:(\d+):begin@; ", line):
            frame = next(left, None)
            if frame is None:
                return
            sys.stdin.buffer.readline()  # what asks for the status
            whole = frame[0].replace(frame["token"], framed[1])
            first, *said = re.split(rb"(?<=\ndb> )", whole)
            said = [s for s in said if s]
            say(first)


if __name__ == "__main__":
    tty.setraw(0)
    play(Path(sys.argv[1]).read_bytes())
