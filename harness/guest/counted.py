"""A guest's clock that counts its instructions: what an emulated processor can have in place of the wall's.

A guest on QEMU's TCG is many times slower than the machine under it, and slower still beside other work.
Where its clock counts instructions (QEMU's -icount) it does not know: each takes 1 ns of its time, a clock of hz
ticks comes when it is due, and a delay of 10 ms takes 10 ms of the guest's time however long the wall's is.  While
the guest idles its clock keeps to the wall's, and a host that is late to end that has the guest's timers late.  So the thread
of QEMU that ends it goes before all others where that is allowed (root, or a limit of real-time priority, ulimit -r): with
a load of 8 on two CPUs a sender was late by 26 ms at most, by 27 to 151 ms without.

The loader of the BIOS writes into pages that it runs from, which -icount makes slower by far.  A guest
is therefore booted without it, saved, and goes on with it: what is saved lacks the count, which is put in here.
"""

from __future__ import annotations

import struct
from pathlib import Path

from harness.errors import MachineryError

ARGUMENTS = ("-accel", "tcg,thread=single", "-icount", "shift=0,sleep=on")

HPET = 0xFED000F0
"""The main counter of the machine's HPET, in steps of 10 ns of the guest's clock (physical address)."""
ASK = f"xp /2wx {HPET:#x}"
"""The question to QEMU's monitor that ``seconds`` reads the answer of."""


def seconds(answer: str) -> float:
    """The guest's clock (s), from the monitor's answer to ASK."""
    low, high = (int(word, 16) for word in answer.split(":")[1].split())
    return (high << 32 | low) * 1e-8


def begin(state: Path) -> None:
    """Give the saved machine in the file ``state`` a count, which begins at what its clock shows.

    QEMU's stream of a machine: section "timer", version 2, has three 64-bit numbers, the last the clock (ns); after
    them, where there is a count, the subsection "timer/icount", version 1: what is to be added to the count (ns),
    and the count.  Raises MachineryError for a stream that does not look like it.
    """
    whole = state.read_bytes()
    head = b"\x05timer" + struct.pack(">II", 0, 2)  # the length of its name, the name, which one, the version
    at = whole.find(head)
    fields = at + len(head)
    footer = fields + 24
    if at < 0 or whole.find(head, fields) >= 0 or whole[footer : footer + 1] != b"\x7e":
        raise MachineryError("this QEMU saves a machine's clock in a way that is not known here")
    clock = whole[footer - 8 : footer]
    name = b"timer/icount"
    count = b"\x05" + bytes([len(name)]) + name + struct.pack(">I", 1) + clock + bytes(8)
    with open(state, "r+b") as file:
        file.seek(footer)
        file.write(count + whole[footer:])
