"""Plays bhyve, bhyveload and bhyvectl: checks their command lines and plays a recorded console.

The test makes three links to it in a folder of PATH.  $STANDIN is a folder: ``vmm/`` for /dev/vmm, ``calls``
for what was called, ``fail`` to make a program fail, ``boot`` the recorded console.
"""

from __future__ import annotations

import getopt
import json
import os
import sys
import time
import tty
from pathlib import Path

import player

STATE = Path(os.environ["STANDIN"])
VMM = STATE / "vmm"


def bad(text: str, status: int = 4) -> None:
    print(f"{Path(sys.argv[0]).name}: {text}", file=sys.stderr, flush=True)
    sys.exit(status)


def bhyvectl(args: list[str]) -> None:
    _, rest = getopt.getopt(args, "", ["vm=", "destroy", "inject-nmi"])
    given = dict(_)
    machine = VMM / given["--vm"]
    if rest or not machine.exists():
        bad("VM not found", 1)
    if "--destroy" in given:
        machine.unlink()
    elif "--inject-nmi" in given:
        (STATE / "nmi").touch()


def bhyveload(args: list[str]) -> None:
    options, (name,) = getopt.getopt(args, "c:m:d:e:")
    given = dict(options)
    assert given["-c"] == "stdio" and given["-m"] == "512M" and os.isatty(0)
    assert Path(given["-d"]).read_bytes().startswith(b"disk"), "a copy of the image"
    (VMM / name).write_text("loaded")
    player.say(b"\x1b[2JConsoles: userboot\r\nFreeBSD/amd64 User boot lua, Revision 1.2\r\nBooting...\r\n")


def bhyve(args: list[str]) -> None:
    options, (name,) = getopt.getopt(args, "AHPuc:m:s:l:")
    slots = dict(value.split(",", 1) for key, value in options if key == "-s")
    lpc = dict(value.split(",", 1) for key, value in options if key == "-l")
    assert {key for key, _ in options} >= {"-A", "-H", "-P", "-c", "-m"}
    assert slots["0"] == "hostbridge" and slots["31"] == "lpc" and slots["4"] == "virtio-rnd"
    disk = Path(slots["3"].removeprefix("virtio-blk,"))
    assert disk.read_bytes().startswith(b"disk"), "a copy of the image"
    with open(disk, "r+b") as file:
        file.write(b"WRITTEN")
    if "bootrom" in lpc:
        assert Path(lpc["bootrom"]).is_file()
        assert not (VMM / name).exists(), "bhyve makes the machine itself with UEFI"
    else:
        assert (VMM / name).read_text() == "loaded", "bhyveload comes first"
    (VMM / name).touch()
    if lpc["com1"] != "stdio":
        line = os.open(lpc["com1"], os.O_RDWR | os.O_NOCTTY)
        os.dup2(line, 0)
        os.dup2(line, 1)
    tty.setraw(0)
    recorded = (STATE / "boot").read_bytes()
    # In pieces, as a serial line gives it.
    for at in range(0, len(recorded), 700):
        player.say(recorded[at : at + 700])
        time.sleep(0.001)
    player.shell(first=b"")
    sys.exit(1)  # powered off


if __name__ == "__main__":
    program = Path(sys.argv[0]).name
    with open(STATE / "calls", "a") as calls:
        calls.write(json.dumps([program, *sys.argv[1:]]) + "\n")
    if (STATE / "fail").exists() and (STATE / "fail").read_text() == program:
        bad("vm_open: Operation not permitted")
    {"bhyve": bhyve, "bhyveload": bhyveload, "bhyvectl": bhyvectl}[program](sys.argv[1:])
