"""Where logs come from: text, bytes, streams, paths; plain, compressed, or in a textdump's tar."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import tarfile
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import IO, cast

Source = str | bytes | Path | IO[str] | IO[bytes]
CHUNK = 1 << 18
_TAR_LIMIT = 64 << 20
_TURN_LIMIT = 16 << 20
NEWEST_FIRST = "newest first"  # the name under which a log comes that was turned round
_STAMP = re.compile(rb"^\W{0,4}(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)", re.M)
# The order in which a textdump is read: version first, then the message buffer, then the debugger.
_TEXTDUMP = ("version.txt", "msgbuf.txt", "ddb.txt", "panic.txt")


class _Bytes(io.RawIOBase):
    """A stream that gives the bytes of a text stream, or of a bytes stream that is no file."""

    def __init__(self, inner: IO[str] | IO[bytes]) -> None:
        self._inner = inner
        self._held = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if not self._held:
            got = self._inner.read(CHUNK)
            self._held = got.encode("utf-8", "replace") if isinstance(got, str) else bytes(got or b"")
        piece = self._held[: len(buffer)]
        self._held = self._held[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)


def _stream(source: Source) -> io.BufferedReader:
    if isinstance(source, str):
        return io.BufferedReader(_Bytes(io.StringIO(source)), CHUNK)
    if isinstance(source, bytes):
        return io.BufferedReader(_Bytes(io.BytesIO(source)), CHUNK)
    if isinstance(source, Path):
        return io.BufferedReader(io.FileIO(source), CHUNK)
    return io.BufferedReader(_Bytes(source), CHUNK)


def _unpacked(stream: io.BufferedReader) -> io.BufferedReader:
    head = stream.peek(8)[:8]
    for magic, opener in ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ", lzma.open)):
        if head.startswith(magic):
            return io.BufferedReader(_Bytes(cast(IO[bytes], opener(stream, "rb"))), CHUNK)
    return stream


def _tar_members(stream: io.BufferedReader) -> list[tuple[str, bytes]]:
    data = stream.read(_TAR_LIMIT)
    members = []
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            for member in tar:
                name = Path(member.name).name
                got = tar.extractfile(member) if member.isfile() and name in _TEXTDUMP else None
                if got is not None:
                    members.append((name, got.read()))
    except (tarfile.TarError, OSError, EOFError, ValueError):
        if not members:
            return [("", data)]
    return sorted(members, key=lambda item: _TEXTDUMP.index(item[0])) if members else [("", data)]


def _newest_first(head: bytes) -> bool:
    """Log viewers show the newest line first, and people copy that."""
    stamps = _STAMP.findall(head, 0, 1 << 16)
    return len(stamps) > 3 and stamps[0] > stamps[-1] and all(a >= b for a, b in pairwise(stamps))


def chunks(source: Source) -> Iterator[tuple[str, bytes]]:
    """Pieces of the log, each with the name of the textdump's file that it is of (empty for plain logs)."""
    stream = _stream(source)
    try:
        try:
            stream = _unpacked(stream)
            if stream.peek(512)[257:262] == b"ustar":
                yield from _tar_members(stream)
                return
            piece = stream.read1(CHUNK)
            if _newest_first(piece):
                lines = (piece + stream.read(_TURN_LIMIT)).rstrip(b"\n").split(b"\n")
                yield NEWEST_FIRST, b"\n".join(reversed(lines))
                return
            while piece:
                yield "", piece
                piece = stream.read1(CHUNK)
        except (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error):
            return  # a truncated archive: what came out of it has been read
    finally:
        if isinstance(source, Path):
            stream.close()
