"""Where logs come from: text, bytes, streams, paths; plain, compressed, or in a textdump's tar."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO, cast

Source = str | bytes | Path | IO[str] | IO[bytes]
CHUNK = 1 << 18
_TAR_LIMIT = 64 << 20
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
        return io.BufferedReader(cast(io.RawIOBase, io.BytesIO(source)), CHUNK)
    if isinstance(source, Path):
        return open(source, "rb", buffering=CHUNK)
    return io.BufferedReader(_Bytes(source), CHUNK)


def _unpacked(stream: io.BufferedReader) -> io.BufferedReader:
    head = stream.peek(8)[:8]
    opened: BinaryIO | None = None
    if head.startswith(b"\x1f\x8b"):
        opened = cast(BinaryIO, gzip.GzipFile(fileobj=stream))
    elif head.startswith(b"BZh"):
        opened = cast(BinaryIO, bz2.BZ2File(stream))
    elif head.startswith(b"\xfd7zXZ"):
        opened = cast(BinaryIO, lzma.LZMAFile(stream))
    return stream if opened is None else io.BufferedReader(_Bytes(opened), CHUNK)


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


def chunks(source: Source) -> Iterator[tuple[str, bytes]]:
    """Pieces of the log with the name of the textdump's part (empty for plain logs); a change of name parts files."""
    stream = _stream(source)
    try:
        try:
            stream = _unpacked(stream)
            if stream.peek(512)[257:262] == b"ustar":
                yield from _tar_members(stream)
                return
            while piece := stream.read1(CHUNK):
                yield "", piece
        except (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error):
            return  # a truncated archive: what came out of it has been read
    finally:
        if isinstance(source, Path):
            stream.close()
