"""Crash dumps: what a panicked kernel wrote to its disk, found and brought out.

FreeBSD writes a dump to the end of the dump device, between two copies of a header (struct
kerneldumpheader, sys/kerneldump.h; numbers in it are big-endian).  A textdump is a tar that grows
backwards from the last header, block by block; a kernel dump lies in order.  This does on the host what
savecore(8) does in the guest, so that a guest that has panicked needs no second life.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from harness.errors import MachineryError

Kind = Literal["text", "full"]
#: The run's file with the dump, by its kind.
FILES: dict[Kind, str] = {"text": "textdump.tar", "full": "vmcore"}
#: What the debugger is told before (with the script of commands between) and to write the dump.
BEFORE: dict[Kind, tuple[str, ...]] = {"text": ("capture on",), "full": ()}
WRITE: dict[Kind, tuple[str, ...]] = {
    "text": ("capture off", "textdump dump"),
    "full": ("textdump unset", "dump"),
}
BLOCK = 512
_HEADER = struct.Struct(">20s12sIIQQII64s192s175sBQ4sI")
_MAGIC = {b"FreeBSD Text Dump": "text", b"FreeBSD Kernel Dump": "full"}
_PIECE = 1 << 22  # a multiple of BLOCK

Reader = Callable[[int, int], bytes]
"""Bytes of the dump device: offset, length."""


@dataclass(frozen=True)
class Header:
    """A dump's header: its kind, the bytes of the dump, the bytes that were kept free for it."""

    kind: Kind
    length: int
    extent: int
    block: int
    compressed: bool
    message: str


def read_header(raw: bytes) -> Header | None:
    """The header in a block of BLOCK bytes; None when there is none, or a broken one (parity)."""
    if len(raw) < BLOCK or sum_of(raw[:BLOCK]) != 0:
        return None
    fields = _HEADER.unpack(raw[:BLOCK])
    kind = _MAGIC.get(fields[0].rstrip(b"\0"))
    if kind is None:
        return None
    message = fields[10].split(b"\0")[0].decode("utf-8", "replace")
    return Header("text" if kind == "text" else "full", fields[4], fields[12], fields[7] or BLOCK, bool(fields[11]), message)


def sum_of(block: bytes) -> int:
    """The exclusive or of a block's 32-bit words, 0 for a whole header."""
    parity = 0
    for (word,) in struct.iter_unpack(">I", block):
        parity ^= word
    return parity


def save(read: Reader, size: int, out: BinaryIO) -> Header:
    """Write the dump at the end of a device of ``size`` bytes to ``out``.

    Raises MachineryError when there is no dump, or a part of one.
    """
    header = read_header(read(size - BLOCK, BLOCK))
    if header is None:
        raise MachineryError("the kernel wrote no crash dump: its console says why")
    end = size - header.block
    start = end - (header.length if header.kind == "text" else header.extent)
    if start < 0 or header.length % BLOCK:
        raise MachineryError(f"the crash dump's header is wrong: {header.length} bytes on a disk of {size}")
    for offset in range(0, header.length, _PIECE):
        count = min(_PIECE, header.length - offset)
        if header.kind == "text":
            piece = read(end - offset - count, count)
            piece = b"".join(piece[at : at + BLOCK] for at in range(count - BLOCK, -1, -BLOCK))
        else:
            piece = read(start + offset, count)
        if len(piece) != count:
            raise MachineryError("the crash dump ends early: the disk is shorter than it says")
        out.write(piece)
    return header


def save_from(disk: Path, folder: Path) -> Path:
    """The dump at the end of a raw disk as a file in ``folder``; returns the file."""
    with open(disk, "rb") as f:

        def read(offset: int, length: int) -> bytes:
            f.seek(max(offset, 0))
            return f.read(length)

        fresh = folder / "dump.new"
        try:
            with open(fresh, "wb") as out:
                header = save(read, f.seek(0, 2), out)
            made = folder / FILES[header.kind]
            fresh.replace(made)
        finally:
            fresh.unlink(missing_ok=True)
    return made
