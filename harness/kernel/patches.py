"""Patch series: unified diffs in order, new files, and what to say when one does not apply.

A series is a folder (or a single .patch or .diff file):

    series              names of diffs, one a line, in order; "-pN" and "# comment" as in quilt
    series.15, .15.1    the same for one release; the most specific one that exists is taken
    series.usermode     the same for the user-mode guest, which takes no other
    series.yaml         needs: [NAME, ...], the series that go before it; those beside it, or that come with the program
    sys/...             new files, copied into the tree as they are (a file the tree has already is an error)
    sys/conf/files.append, sys/conf/options.append
                        lines put at the end of the tree's sys/conf/files and sys/conf/options

"SERIES@N" names the first N patches of a series, see ``read_series``; "SERIES@0" none of them.

Hunks are found where they are, or nearby when lines have moved, but never with less context than they bring.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from harness.errors import UsageError
from harness.kernel.tree import Tree
from harness.paths import data_dir

Reader = Callable[[str], bytes | None]
"""The tree's content of a path (relative, with /), None where there is no such file."""

_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@(.*)$")


class PatchError(UsageError):
    """A patch that cannot be read or does not apply."""


@dataclass(frozen=True)
class Hunk:
    """One hunk: its first old line (1-based), its lines with their mark, and where it stands in the diff."""

    start: int
    lines: tuple[bytes, ...]
    number: int
    line: int

    @property
    def old(self) -> list[bytes]:
        """What must be there."""
        return [ln[1:] for ln in self.lines if ln[:1] in (b" ", b"-")]

    @property
    def new(self) -> list[bytes]:
        """What will be there."""
        return [ln[1:] for ln in self.lines if ln[:1] in (b" ", b"+")]


@dataclass(frozen=True)
class FilePatch:
    """The hunks for one file; ``old`` is None for a new file, ``new`` None for one that goes."""

    old: str | None
    new: str | None
    hunks: tuple[Hunk, ...]


@dataclass(frozen=True)
class Series:
    """A series as it applies to one tree: diffs (name, text, strip), new files, lines for sys/conf."""

    name: str
    folder: Path
    diffs: tuple[tuple[str, bytes, int], ...]
    files: tuple[tuple[str, Path], ...]
    appends: tuple[tuple[str, bytes], ...]

    @property
    def steps(self) -> int:
        """How many patches it has: its diffs, and what its sys/ folder brings as one more."""
        return len(self.diffs) + bool(self.files or self.appends)

    @property
    def digest(self) -> str:
        """A hash of everything in it."""
        h = hashlib.sha256()
        parts: list[tuple[str, bytes]] = [(n, t) for n, t, _ in self.diffs]
        parts += [(n, p.read_bytes()) for n, p in self.files]
        parts += list(self.appends)
        for name, data in parts:
            h.update(f"{name}\0{len(data)}\0".encode())
            h.update(data)
        return h.hexdigest()[:24]


def find_series(name: str) -> Path:
    """The folder or file of a series: a path, or the name of one that comes with the program."""
    path = Path(name).expanduser()
    if path.exists():
        return path.resolve()
    own = data_dir("kernel-patches") / name
    if own.is_dir():
        return own
    there = (
        sorted(p.name for p in data_dir("kernel-patches").iterdir() if p.is_dir())
        if own.parent.is_dir()
        else []
    )
    also = f"; with the program come: {', '.join(there)}" if there else ""
    raise UsageError(f"no patch series {name!r}: neither a file nor a folder{also}")


def split_step(name: str) -> tuple[str, int | None]:
    """("pspat", 3) of "pspat@3", the series' first three patches; ("pspat", None) of the whole series.

    A path that is there as it is written is never split.
    """
    base, at, number = name.rpartition("@")
    if at and number.isascii() and number.isdigit() and not Path(name).expanduser().exists():
        return base, int(number)
    return name, None


class SeriesNote(BaseModel):
    """What a series.yaml says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    needs: tuple[str, ...] = ()
    """Series without which this one makes no sense."""


def read_note(path: Path) -> SeriesNote:
    """The series.yaml of a series' folder, an empty one where there is none.  Raises UsageError."""
    note = path / "series.yaml"
    if not note.is_file():
        return SeriesNote()
    try:
        return SeriesNote.model_validate(yaml.safe_load(note.read_text(encoding="utf-8")) or {})
    except yaml.YAMLError as e:
        raise UsageError(f"{note}: {' '.join(str(e).split())}") from e
    except ValidationError as e:
        first = e.errors()[0]
        raise UsageError(f"{note}: {'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}") from e


def with_needs(names: Sequence[str]) -> tuple[str, ...]:
    """``names`` with what they need put before them, each series once.

    Raises UsageError for a series that is not there, and for two that need one another.
    """
    out: dict[Path, str] = {}

    def add(name: str, asking: tuple[Path, ...]) -> None:
        path = find_series(split_step(name)[0])
        if path in asking:
            raise UsageError(f"the patch series {name} needs itself: " + " -> ".join(p.name for p in (*asking, path)))
        if path in out:
            return
        for need in read_note(path).needs:
            beside = path.parent / need
            own = path.parent == data_dir("kernel-patches").resolve() or not beside.is_dir()
            add(need if own else str(beside), (*asking, path))
        out[path] = name

    for name in names:
        add(name, ())
    return tuple(out.values())


def read_series(name: str, tree: Tree | None) -> Series:
    """The series ``name`` as it applies to ``tree``; of the name "SERIES@N" its first N patches.

    The patches of a series are its diffs in their order, and after them, as one more, what its sys/ folder
    brings.  Without a tree: as it applies to the user-mode guest, whose sources stand where FreeBSD's do;
    a folder's diffs are then those of its ``series.usermode`` (none where there is no such file).

    Raises UsageError.
    """
    base, upto = split_step(name)
    path = find_series(base)
    if path.is_file():
        return _first(Series(path.stem, path, ((path.name, path.read_bytes(), 1),), (), ()), upto)
    diffs: list[tuple[str, bytes, int]] = []
    listings = (f"series.{tree.revision}", f"series.{tree.major}", "series") if tree else ("series.usermode",)
    for listing in listings:
        if (path / listing).is_file():
            for number, line in enumerate((path / listing).read_text().splitlines(), 1):
                words = line.split("#", 1)[0].split()
                if not words:
                    continue
                strip = 1
                for w in words[1:]:
                    if not re.fullmatch(r"-p\d", w):
                        raise UsageError(
                            f"{path / listing}:{number}: {w!r} means nothing here (only -p0, -p1 ...)"
                        )
                    strip = int(w[2:])
                diff = path / words[0]
                if not diff.is_file():
                    raise UsageError(f"{path / listing}:{number}: there is no {diff}")
                diffs.append((words[0], diff.read_bytes(), strip))
            break
    else:
        if tree is not None or not (path / "series").is_file():
            diffs = [
                (p.name, p.read_bytes(), 1) for p in sorted(path.glob("*.patch")) + sorted(path.glob("*.diff"))
            ]
    files: list[tuple[str, Path]] = []
    appends: list[tuple[str, bytes]] = []
    for p in sorted((path / "sys").rglob("*")):
        if p.is_file():
            rel = p.relative_to(path).as_posix()
            if rel in ("sys/conf/files.append", "sys/conf/options.append"):
                if tree is None:
                    continue  # its Makefile is dnh's own
                appends.append((rel.removesuffix(".append"), p.read_bytes()))
            elif not p.name.endswith(("~", ".orig", ".rej", ".pyc")):
                files.append((rel, p))
    if not diffs and not files and not appends:
        if tree is None and (path / "series").is_file():
            raise UsageError(f"{path}: nothing for the user-mode guest (no series.usermode, no sys/ folder)")
        raise UsageError(f"{path}: no series file, no .patch or .diff, no sys/ folder: not a patch series")
    return _first(Series(path.name, path, tuple(diffs), tuple(files), tuple(appends)), upto)


def _first(series: Series, upto: int | None) -> Series:
    """The first ``upto`` patches of a series."""
    if upto is None:
        return series
    if upto > series.steps:
        raise UsageError(f"{series.name}@{upto}: the series has {series.steps} patch{'es' * (series.steps != 1)}")
    whole = upto > len(series.diffs)
    return replace(
        series,
        name=f"{series.name}@{upto}",
        diffs=series.diffs[:upto],
        files=series.files if whole else (),
        appends=series.appends if whole else (),
    )


def _name(line: bytes, strip: int) -> str | None:
    word = line[4:].split(b"\t", 1)[0].strip().decode(errors="replace").strip('"')
    if word == "/dev/null":
        return None
    parts = word.split("/")
    return "/".join(parts[strip:]) if len(parts) > strip else parts[-1]


def parse_diff(text: bytes, source: str, strip: int = 1) -> list[FilePatch]:
    """The files and hunks of a unified diff.  Raises PatchError with the line that makes no sense."""
    lines = text.split(b"\n")
    if lines and lines[-1] == b"":
        lines.pop()
    patches: list[FilePatch] = []
    i = 0
    while i < len(lines):
        line = lines[i]
        if line.startswith((b"GIT binary patch", b"Binary files ")):
            raise PatchError(f"{source}:{i + 1}: a binary patch cannot be applied")
        if line.startswith((b"rename from ", b"copy from ")):
            raise PatchError(f"{source}:{i + 1}: renames are not understood: make the diff with --no-renames")
        if not (line.startswith(b"--- ") and i + 1 < len(lines) and lines[i + 1].startswith(b"+++ ")):
            i += 1
            continue
        old, new = _name(line, strip), _name(lines[i + 1], strip)
        for n in (old, new):
            if n is not None and (n.startswith("/") or ".." in n.split("/")):
                raise PatchError(f"{source}:{i + 1}: the name {n!r} leads out of the tree")
        i += 2
        hunks: list[Hunk] = []
        while i < len(lines) and (m := _HUNK.match(lines[i].decode(errors="replace"))):
            first, at = int(m[1]), i + 1
            want_old = int(m[2]) if m[2] is not None else 1
            want_new = int(m[4]) if m[4] is not None else 1
            i += 1
            body: list[bytes] = []
            while want_old > 0 or want_new > 0:
                if i >= len(lines) or lines[i][:1] not in (b" ", b"+", b"-", b"\\", b""):
                    raise PatchError(f"{source}:{at}: hunk {len(hunks) + 1} is shorter than it says")
                ln = lines[i] or b" "  # mailers eat the space of an empty context line
                i += 1
                if ln.startswith(b"\\"):
                    continue
                want_old -= ln[:1] in (b" ", b"-")
                want_new -= ln[:1] in (b" ", b"+")
                body.append(ln)
            hunks.append(Hunk(first, tuple(body), len(hunks) + 1, at))
        if i < len(lines) and lines[i].startswith(b"\\"):
            i += 1
        if not hunks:
            raise PatchError(f"{source}:{i}: no hunk follows the names of {new or old}")
        patches.append(FilePatch(old, new, tuple(hunks)))
    if not patches:
        raise PatchError(f"{source}: no unified diff in it")
    return patches


def _there(have: list[bytes], want: list[bytes], at: int) -> bool:
    return at >= 0 and have[at : at + len(want)] == want


def _place(have: list[bytes], want: list[bytes], guess: int) -> int | None:
    """Where ``want`` stands in ``have``, nearest to ``guess``; None where nowhere."""
    for distance in range(len(have) + 1):
        for at in (guess - distance, guess + distance):
            if _there(have, want, at):
                return at
    return None


def _nearest(have: list[bytes], want: list[bytes], guess: int) -> int:
    """Where most lines of ``want`` agree: what to show when nowhere all do."""
    best, best_score = max(0, min(guess, len(have) - 1)), (-1, 0)
    for at in range(len(have)):
        score = sum(1 for a, b in zip(have[at : at + len(want)], want, strict=False) if a == b and a.strip())
        if (score, -abs(at - guess)) > best_score:
            best, best_score = at, (score, -abs(at - guess))
    return best


def _failure(source: str, path: str, hunk: Hunk, have: list[bytes], guess: int) -> PatchError:
    want = hunk.old
    if any(ln[:1] == b"+" for ln in hunk.lines) and _place(have, hunk.new, guess) is not None:
        return PatchError(
            f"{source}: hunk {hunk.number} (line {hunk.line}) does not apply to {path}: what it brings "
            "is there already (is the series in the tree, or given twice?)"
        )
    at = _nearest(have, want, guess)
    out = [f"{source}: hunk {hunk.number} (line {hunk.line}) does not apply to {path}."]
    out.append(f"It wants to find, at line {hunk.start}:")
    out += ["  | " + w.decode(errors="replace") for w in want]
    out.append(f"The tree has there, at line {at + 1}:")
    for k, ln in enumerate(have[at : at + len(want)]):
        mark = " " if k < len(want) and ln == want[k] else ">"
        out.append(f"{mark} | " + ln.decode(errors="replace"))
    return PatchError("\n".join(out))


def apply_file(patch: FilePatch, content: bytes | None, source: str) -> bytes | None:
    """``content`` with the patch applied; None for a file that is gone.  Raises PatchError."""
    path = patch.new or patch.old or "?"
    if patch.old is None:
        if content is not None:
            raise PatchError(f"{source}: makes the new file {path}, but the tree has one of that name")
        return b"".join(ln[1:] + b"\n" for h in patch.hunks for ln in h.lines if ln[:1] == b"+")
    if content is None:
        raise PatchError(f"{source}: changes {path}, which the tree does not have")
    ends = content.endswith(b"\n")
    have = content.split(b"\n")
    if ends:
        have.pop()
    shift = 0
    for hunk in patch.hunks:
        want = hunk.old
        guess = max(0, hunk.start - 1 + shift) if want else hunk.start + shift
        at = _place(have, want, guess)
        if at is None:
            raise _failure(source, path, hunk, have, guess)
        have[at : at + len(want)] = hunk.new
        shift = at - (hunk.start - 1 if want else hunk.start) + len(hunk.new) - len(want)
    if patch.new is None:
        if have:
            raise PatchError(
                f"{source}: removes {path}, but the tree's file has more lines than the patch takes away"
            )
        return None
    return b"\n".join(have) + (b"\n" if ends and have else b"")


def apply_series(series: Sequence[Series], read: Reader) -> dict[str, bytes | None]:
    """What the series make of the tree: path -> content, None for a file that goes.

    ``read`` gives the tree's own content; nothing is written.  Raises PatchError.
    """
    made: dict[str, bytes | None] = {}

    def current(path: str) -> bytes | None:
        return made[path] if path in made else read(path)

    for s in series:
        for name, text, strip in s.diffs:
            source = f"{s.name}/{name}" if name != s.name else name
            for patch in parse_diff(text, source, strip):
                path = patch.new or patch.old
                if patch.old is not None and patch.new is not None and current(patch.new) is None:
                    path = patch.old
                assert path is not None
                made[path] = apply_file(patch, current(path), source)
        for rel, file in s.files:
            data = file.read_bytes()
            there = current(rel)
            if there is not None and there != data:
                raise PatchError(f"{s.name}: brings {rel}, but the tree has another file of that name")
            made[rel] = data
        for rel, data in s.appends:
            there = current(rel)
            if there is None:
                raise PatchError(f"{s.name}: adds lines to {rel}, which the tree does not have")
            made[rel] = there + (b"" if there.endswith(b"\n") else b"\n") + data
    return made
