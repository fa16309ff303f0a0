"""The little of ELF that is needed here: which shared libraries a program asks for."""

from __future__ import annotations

import struct
from pathlib import Path

_PT_LOAD, _PT_DYNAMIC = 1, 2
_DT_NEEDED, _DT_STRTAB = 1, 5


def needed(path: Path) -> list[str]:
    """The names in DT_NEEDED of a 64-bit little-endian ELF file; empty for a static or another file."""
    data = path.read_bytes()
    if data[:6] != b"\x7fELF\x02\x01":
        return []
    phoff = struct.unpack_from("<Q", data, 32)[0]
    size, count = struct.unpack_from("<HH", data, 54)
    loads: list[tuple[int, int, int]] = []
    dynamic = b""
    for i in range(count):
        kind, _flags, offset, vaddr, _paddr, filesz = struct.unpack_from("<IIQQQQ", data, phoff + i * size)
        if kind == _PT_LOAD:
            loads.append((vaddr, offset, filesz))
        elif kind == _PT_DYNAMIC:
            dynamic = data[offset : offset + filesz]
    entries = [struct.unpack_from("<qQ", dynamic, at) for at in range(0, len(dynamic) - 15, 16)]
    table = next((value for tag, value in entries if tag == _DT_STRTAB), None)
    if table is None:
        return []
    start = next((off + table - va for va, off, fs in loads if va <= table < va + fs), None)
    if start is None:
        return []
    names = []
    for tag, value in entries:
        if tag == _DT_NEEDED:
            at = start + value
            names.append(data[at : data.index(b"\0", at)].decode())
    return names
