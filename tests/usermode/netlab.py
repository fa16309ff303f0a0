"""A small network inside one user-mode guest, for the tests of its stack: client - router - server."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from harness.guest.base import GuestConfig
from harness.guest.usermode import UsermodeGuest

#: Noise of the kernel's own on the console; it may come between the lines of an answer.
KERNEL_NOISE = re.compile(r"^.*: link state changed to (?:UP|DOWN)$|^.*: changing name to '.*'$")


class Lab:
    """A guest and the commands the tests give it; every command must end with status 0 unless told."""

    def __init__(self, guest: UsermodeGuest) -> None:
        self.guest = guest

    def run(self, command: str, timeout: float = 60.0) -> tuple[int, str]:
        done = self.guest.console.run(command, timeout)
        lines = [line for line in done.output.splitlines() if not KERNEL_NOISE.match(line)]
        return done.status, "\n".join(lines)

    def do(self, command: str, timeout: float = 60.0) -> str:
        status, output = self.run(command, timeout)
        assert status == 0, f"{command}: status {status}: {output}"
        return output

    def fails(self, command: str) -> str:
        status, output = self.run(command)
        assert status != 0, f"{command}: no error: {output}"
        return output

    def link(self, one: str, other: str, name: str) -> None:
        """An epair between two jails, its ends named ``name`` in both."""
        end = re.search(r"(epair\d+)a", self.do("ifconfig epair create"))
        assert end is not None
        for jail, side in ((one, "a"), (other, "b")):
            self.do(f"ifconfig {end.group(1)}{side} vnet {jail}")
            self.do(f"jexec {jail} ifconfig {end.group(1)}{side} name {name}")

    def count(self, jail: str, protocol: str, text: str) -> int:
        """A counter of netstat -s, by the words behind it."""
        stats = self.do(f"jexec {jail} netstat -s -p {protocol}")
        found = re.search(rf"^\s+(\d+) {text}", stats, re.M)
        assert found is not None, f"no '{text}' in {stats}"
        return int(found.group(1))


def line_topology(lab: Lab, shuffle: random.Random | None = None) -> None:
    """client 10.0.1.1 -lan- 10.0.1.2 router 10.0.2.1 -wan- 10.0.2.2 server; set-up in any valid order."""
    jails = ["client", "router", "server"]
    configure = [
        "jexec client ifconfig lan inet 10.0.1.1/24 up",
        "jexec router ifconfig lan inet 10.0.1.2/24 up",
        "jexec router ifconfig wan inet 10.0.2.1/24 up",
        "jexec server ifconfig wan inet 10.0.2.2/24 up",
        "jexec router sysctl net.inet.ip.forwarding=1",
    ]
    links = [("client", "router", "lan"), ("router", "server", "wan")]
    if shuffle is not None:
        for part in (jails, configure, links):
            shuffle.shuffle(part)
    for jail in jails:
        lab.do(f"jail -c name={jail} vnet persist path=/")
    for one, other, name in links:
        lab.link(one, other, name)
    for command in configure:
        lab.do(command)
    lab.do("jexec client route add default 10.0.1.2")
    lab.do("jexec server route add default 10.0.2.1")


@contextmanager
def booted(
    folder: Path,
    *,
    seed: int = 1,
    clock: Literal["virtual", "wall"] | None = None,
    flavour: Literal["debug", "release"] = "debug",
    tunables: dict[str, str] | None = None,
) -> Iterator[Lab]:
    """A guest for one test; the environment's DNH_SANITIZE puts it under a sanitizer, DNH_TEST_CLOCK=wall on that clock."""
    clock = clock or ("wall" if os.environ.get("DNH_TEST_CLOCK") == "wall" else "virtual")
    guest = UsermodeGuest(GuestConfig(folder=folder, seed=seed, clock=clock, flavour=flavour, tunables=tunables or {}))
    try:
        guest.boot()
        yield Lab(guest)
        guest.power_off()
        console = (folder / "console.log").read_text(errors="replace")
        wrong = re.search(r"^.*(?:leaked|lock order reversal|runtime error:|Sanitizer).*$", console, re.M)
        assert wrong is None, wrong.group(0)
    finally:
        guest.kill()
