"""Console text in, what happened out.

The log is taken in pieces.  A piece without one of the kernel's words of alarm is passed over whole; from
such a word on, lines are read one by one until the report is over.  Memory does not grow with the log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from harness.panic import patterns as p
from harness.panic.clean import clean
from harness.panic.lines import LineReader
from harness.panic.model import Panic
from harness.panic.sources import NEWEST_FIRST, Source, chunks

_LONGEST_LINE = 1 << 14


def _feed(reader: LineReader, source: Source) -> None:
    number = 0
    rest = b""
    part = ""
    skipped = b""
    total = 0  # lines of a log that was turned round
    for name, piece in chunks(source):
        if reader.full:
            return
        if name != part:
            if rest:
                number += 1
                reader.line(number, rest[:_LONGEST_LINE].decode("utf-8", "replace"))
                rest = b""
            if part and name == "panic.txt":
                reader.close()
            part = name
            reader.core_text = name != NEWEST_FIRST  # one dump told in several files
        if name == "version.txt":
            found = p.VERSION.match(piece.decode("utf-8", "replace").strip().partition("\n")[0])
            if found:
                reader.version = found["version"]
                reader.architecture(piece.decode("utf-8", "replace"))
            continue
        total = piece.count(b"\n") + 1 if name == NEWEST_FIRST else 0
        if name == "panic.txt":
            if not reader.done and reader.event is None:
                reader.info_panic(number, "panic.txt", piece.decode("utf-8", "replace").strip())
            continue
        data = rest + piece
        cut = data.rfind(b"\n") + 1
        rest = data[cut:]
        data = data[:cut]
        if len(rest) > 4 * _LONGEST_LINE:
            data, rest = data + rest[:_LONGEST_LINE] + b"\n", rest[-_LONGEST_LINE:]
        if reader.idle and not any(word in data for word in p.ALARMS):
            number += data.count(b"\n")
            reader.lines_since_boot += data.count(b"\n")
            if data:
                skipped = data[-2048:]
            continue
        if skipped:
            reader.recent.extend(
                clean(line)[0] for line in skipped.decode("utf-8", "replace").splitlines()[1:] if line.strip()
            )
            skipped = b""
        number = _feed_lines(reader, data, number)
    if rest:
        number += 1
        reader.line(number, rest[:_LONGEST_LINE].decode("utf-8", "replace"))
    reader.finish()
    if total:
        reader.done = [
            replace(
                panic,
                first_line=total + 1 - panic.last_line,
                last_line=total + 1 - panic.first_line,
                notes=(*panic.notes, "the log has its newest line first"),
            )
            for panic in reader.done
        ]


_SPLIT = re.compile(b"|".join(re.escape(word) for word in p.ALARMS))


def _feed_lines(reader: LineReader, data: bytes, number: int) -> int:
    """The lines of a piece with an alarm in it; while nothing is open, straight to the next alarm."""
    at = 0
    end = len(data)
    while at < end:
        if reader.idle:
            found = _SPLIT.search(data, at)
            stop = end if found is None else data.rfind(b"\n", at, found.start()) + 1
            if stop > at:
                skipped = data.count(b"\n", at, stop)
                number += skipped
                reader.lines_since_boot += skipped
                reader.recent.extend(
                    clean(line)[0]
                    for line in data[max(at, stop - 1024) : stop].decode("utf-8", "replace").splitlines()
                    if line.strip()
                )
                at = stop
                if at >= end:
                    break
        stop = data.index(b"\n", at)
        number += 1
        reader.line(number, data[at : min(stop, at + _LONGEST_LINE)].decode("utf-8", "replace"))
        at = stop + 1
    return number


def scan(source: Source) -> Iterator[Panic]:
    """What ``read`` gives, one after the other."""
    yield from read(source)


def read(source: Source, kernel: Path | None = None) -> list[Panic]:
    """What happened, in the order of the log.

    ``source``: text, bytes, a path, or a stream of either; raw console, dmesg, textdump tar, info.N,
    core.txt, bug report; gzip, bzip2 and xz are unpacked.  ``kernel``: a folder with the kernel and its
    symbols, for files and lines.  Never raises for what the log says; OSError when it cannot be read.
    Reading ends after 1000 reports, with a note in the last.
    """
    reader = LineReader()
    _feed(reader, source)
    found = _without_mentions(reader.done)
    if kernel is not None and found:
        from harness.panic.symbols import Symbols

        symbols = Symbols(kernel)
        found = [symbols.place(panic) for panic in found]
    return found


def _without_mentions(panics: list[Panic]) -> list[Panic]:
    """Without those that say nothing but a trap's or panic's name which another report tells in full."""
    told = {(p.kind, p.normalized) for p in panics if p.frames}
    return [
        p
        for p in panics
        if p.frames or not p.fatal or p.instruction or p.cpu is not None or (p.kind, p.normalized) not in told
    ]
