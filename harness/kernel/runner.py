"""Running the tree's own build, phase by phase: log in a file, progress counted, the first error found."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from harness.errors import MachineryError

Progress = Callable[[str, float], None]
"""(phase in words, fraction of the whole 0..1)"""

_STEP = re.compile(rb"^(--- |===> |linking )")


class BuildFailed(MachineryError):
    """The tree's build ended with an error; the message begins with the first one, and names the log."""


def first_error(text: str) -> str:
    """The first error of a build log with what belongs to it: what to read, of thousands of lines.

    A compiler's error, or a linker's, or config(8)'s, else the first command that failed with its last words.
    """
    lines = text.splitlines()
    for i, line in enumerate(lines):
        if re.search(
            r":\d+(:\d+)?: (fatal )?error:|^(\S*ld(\.lld)?(-\d+)?|\S*clang\S*): error:|^error: ", line
        ):
            block = [line]
            for ln in lines[i + 1 : i + 12]:
                if re.match(r"^(---|\*\*\*|\d+ errors? generated|===>|\S+:\d+:\d+: )", ln) or not ln.strip():
                    break
                block.append(ln)
            return "\n".join(ln[:400] for ln in block)
    for i, line in enumerate(lines):
        if re.match(r"^(config: |\S+/conf/\S+:\d+: |[^:\s]*DNH-[A-Z]+: \d+)", line):
            return line[:400]
        if re.match(r"^\*\*\* \[.*\] (Error code|Signal) \d+", line) or "don't know how to make" in line:
            before = [ln for ln in lines[max(0, i - 6) : i] if ln.strip() and not ln.startswith("---")]
            return "\n".join(ln[:400] for ln in [*before[-4:], line])
    return "\n".join(ln[:400] for ln in lines[-6:])


# What the child does first: SIGINT at its default (bmake's self-tests want it), no life without its parent.
_LAUNCH = """
import ctypes, os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
os.execvp(sys.argv[1], sys.argv[1:])
"""


class Counts:
    """How many steps each phase took last time: what a percentage is made of."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._known: dict[str, int] = {str(k): int(v) for k, v in json.loads(path.read_text()).items()}
        except (OSError, ValueError, AttributeError):
            self._known = {}

    def get(self, key: str, default: int) -> int:
        """The steps of that phase last time."""
        return self._known.get(key, default)

    def put(self, key: str, steps: int) -> None:
        """Remember a full run (a short, incremental one would make the next percentage lie)."""
        if steps > self._known.get(key, 0):
            self._known[key] = steps
            with suppress(OSError):
                fresh = self._path.with_suffix(".new")
                fresh.write_text(json.dumps(self._known))
                os.replace(fresh, self._path)


def _end_session(session: int) -> None:
    """Kill all of a build.  bmake gives each of its jobs a process group of its own; the session is the same."""
    end = time.monotonic() + 10
    left = True
    while left and time.monotonic() < end:
        left = False
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                    left = True
                    process.kill()


def run_phase(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    log: Path,
    what: str,
    steps: int,
    span: tuple[float, float],
    progress: Progress,
) -> int:
    """Run one phase, its output appended to ``log``; returns the number of steps seen.

    ``span`` is the part of the whole that this phase is.  Raises BuildFailed with the first error.
    Whatever ends this function ends the build's processes.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    progress(what, span[0])
    with open(log, "ab") as out:
        out.write(f"\n==== {what}: {' '.join(command)}\n".encode())
        out.flush()
        begin = out.tell()
        try:
            child = subprocess.Popen(
                [sys.executable, "-c", _LAUNCH, *command], cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        except OSError as e:
            raise MachineryError(f"cannot start {command[0]}: {e}") from e
        assert child.stdout is not None
        seen, told = 0, 0.0
        try:
            for line in child.stdout:
                out.write(line)
                if _STEP.match(line):
                    seen += 1
                    if time.monotonic() - told > 0.2:
                        told = time.monotonic()
                        part = min(0.99, seen / max(1, steps))
                        progress(what, span[0] + (span[1] - span[0]) * part)
            status = child.wait()
        finally:
            if child.poll() is None:
                _end_session(child.pid)
                child.wait()
            child.stdout.close()
    if status != 0:
        with open(log, "rb") as f:
            f.seek(begin)
            text = f.read().decode(errors="replace")
        raise BuildFailed(f"{what} failed:\n{first_error(text)}\n(the whole log: {log})")
    progress(what, span[1])
    return seen
