"""Runs the user-mode program itself, for the tests of its kernel: words in on stdin, console text out."""

from __future__ import annotations

import functools
import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness.guest.build import BuildSpec, build, sanitizers


@functools.cache
def program(flavour: str = "debug", sanitize: str | None = None) -> Path:
    """The program of that flavour, built on first use."""
    return build(BuildSpec(flavour=flavour, sanitize=sanitizers(sanitize))).program


@dataclass(frozen=True)
class Ran:
    """What a run printed and its exit status (negative: the signal that ended it)."""

    text: str
    status: int

    def lines(self) -> list[str]:
        return self.text.splitlines()


def run(
    script: str,
    *options: str,
    flavour: str = "debug",
    sanitize: str | None = None,
    timeout: float = 30.0,
) -> Ran:
    """One boot with this script as all that is typed; a sanitizer's build has four times ``timeout`` (s)."""
    done = subprocess.run(
        [program(flavour, sanitize), *options],
        input=script.encode(),
        capture_output=True,
        timeout=timeout * (4 if sanitizers(sanitize) else 1),
        check=False,
    )
    return Ran((done.stdout + done.stderr).decode(errors="replace"), done.returncode)


POWER_OFF = "shutdown -p now\n"
EXIT_PANIC = 70
