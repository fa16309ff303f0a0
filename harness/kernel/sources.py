"""The overlay: a copy of the user's tree in the cache, patches applied, that the tree's own build works in.

The user's tree is only read.  A file is read again when its size, time or inode has changed, and written
to the overlay only when its content is another one: make(1) then sees exactly what changed, whatever the
user's file times are.  Patched files live in the overlay alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import MachineryError

# Large, and not needed for a kernel and a small world: a compiler's own sources, tests, version control.
SKIPPED = frozenset(
    (
        ".git",
        ".svn",
        ".hg",
        "tests",
        "contrib/llvm-project/clang",
        "contrib/llvm-project/llvm",
        "contrib/llvm-project/lld",
        "contrib/llvm-project/lldb",
        "contrib/llvm-project/openmp",
        "contrib/netbsd-tests",
    )
)

# What userland sees of the kernel: a change elsewhere under sys/ cannot change a program of the world.
_SHARED_HEADERS = (
    "sys/sys/",
    "sys/vm/",
    "sys/net/",
    "sys/netinet/",
    "sys/netinet6/",
    "sys/netlink/",
    "sys/netpfil/pf/",
    "sys/netgraph/",
    "sys/net80211/",
    "sys/netipsec/",
    "sys/amd64/include/",
    "sys/i386/include/",
    "sys/x86/include/",
    "sys/bsm/",
    "sys/ufs/",
    "sys/geom/",
    "sys/cam/",
    "sys/security/",
    "sys/crypto/",
    "sys/opencrypto/",
    "sys/libkern/",
    "sys/isa/",
    "sys/dev/acpica/",
    "sys/rpc/",
    "sys/nfs/",
    "sys/kern/subr_",
)

Count = Callable[[int, int], None]


@dataclass
class Entry:
    """One file as last seen: stat of the user's file, hash of its content, hash of what the overlay holds."""

    stamp: tuple[int, int, int]  # mtime in ns, size, inode
    mode: int
    digest: str
    placed: str = ""


@dataclass
class Overlay:
    """``source`` mirrored in ``folder``/src, the notes in ``folder``/manifest.json."""

    source: Path
    folder: Path
    entries: dict[str, Entry] = field(default_factory=dict)
    changed: int = 0  # files written by the last sync
    _stale: bool = False  # the notes in memory are newer than those on disk

    @property
    def src(self) -> Path:
        """The overlay's tree."""
        return self.folder / "src"

    def load(self) -> None:
        """Read the notes of the last run; none or broken ones mean that everything is looked at afresh."""
        try:
            data = json.loads((self.folder / "manifest.json").read_text())
            if data["source"] == str(self.source):
                self.entries = {
                    p: Entry((v[0], v[1], v[2]), v[3], v[4], v[5]) for p, v in data["entries"].items()
                }
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            self.entries = {}
        if self._dirty.exists():
            self._look_again()

    @property
    def _dirty(self) -> Path:
        return self.folder / "dirty"

    def _look_again(self) -> None:
        """The last sync was cut off: believe what lies in the overlay, not the notes."""
        for path, entry in self.entries.items():
            target = self.src / path
            try:
                data = os.readlink(target).encode() if target.is_symlink() else target.read_bytes()
                entry.placed = hashlib.sha256(data).hexdigest()
            except OSError:
                entry.placed = ""

    def save(self) -> None:
        """Write the notes, whole or not at all."""
        entries = {p: [*e.stamp, e.mode, e.digest, e.placed] for p, e in self.entries.items()}
        fresh = self.folder / "manifest.json.new"
        fresh.write_text(json.dumps({"source": str(self.source), "entries": entries}, separators=(",", ":")))
        os.replace(fresh, self.folder / "manifest.json")
        self._dirty.unlink(missing_ok=True)

    def scan(self) -> dict[str, os.stat_result]:
        """Every file of the user's tree that matters, with its stat; links are followed by nobody."""
        found: dict[str, os.stat_result] = {}
        todo = [""]
        while todo:
            rel = todo.pop()
            with os.scandir(self.source / rel) as it:
                for e in it:
                    path = f"{rel}/{e.name}" if rel else e.name
                    if path in SKIPPED:
                        continue
                    if e.is_dir(follow_symlinks=False):
                        todo.append(path)
                    elif e.is_file(follow_symlinks=False) or e.is_symlink():
                        found[path] = e.stat(follow_symlinks=False)
        return found

    def read(self, path: str) -> bytes | None:
        """The user's content of a path (what a patch is applied to)."""
        try:
            return (self.source / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None

    def sync(self, patched: dict[str, bytes | None], progress: Count) -> dict[str, str]:
        """Make the overlay hold the tree with ``patched`` over it; returns path -> content hash of all of it.

        Raises MachineryError when the disk is full or the tree cannot be read.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            result = self._sync(patched, progress)
            if self._dirty.exists() or not (self.folder / "manifest.json").exists() or self._stale:
                self.save()
        except OSError as e:
            raise MachineryError(f"cannot copy the source tree into the cache: {e}") from e
        return result

    def _sync(self, patched: dict[str, bytes | None], progress: Count) -> dict[str, str]:
        found = self.scan()
        self.changed, self._stale = 0, False
        self.src.mkdir(parents=True, exist_ok=True)
        digests = {p: hashlib.sha256(d).hexdigest() for p, d in patched.items() if d is not None}
        for gone in [p for p in self.entries if p not in found and p not in digests]:
            self._remove(gone)
        done = 0
        made_dirs: set[str] = set()
        result: dict[str, str] = {}
        for path, st in found.items():
            done += 1
            if done % 2000 == 0:
                progress(done, len(found))
            stamp = (st.st_mtime_ns, st.st_size, st.st_ino)
            entry = self.entries.get(path)
            data: bytes | None = None
            link = (st.st_mode & 0o170000) == 0o120000
            if entry is None or entry.stamp != stamp or not entry.digest:
                data = self._content(path, link)
                digest = hashlib.sha256(data).hexdigest()
                if entry is None:
                    entry = self.entries[path] = Entry(stamp, st.st_mode & 0o7777, digest)
                entry.stamp, entry.mode, entry.digest = stamp, st.st_mode & 0o7777, digest
                self._stale = True
            if path in patched:
                continue
            if entry.placed != entry.digest:
                if data is None:
                    data = self._content(path, link)
                self._place(path, data, entry.mode, link, made_dirs)
                entry.placed = entry.digest
            result[path] = entry.digest
        for path, content in patched.items():
            entry = self.entries.get(path)
            if content is None:
                if entry is not None and entry.placed:
                    self._touch()
                    (self.src / path).unlink(missing_ok=True)
                    entry.placed = ""
                continue
            if entry is None:
                entry = self.entries[path] = Entry((0, 0, 0), 0o644, "")
            if entry.placed != digests[path]:
                self._place(path, content, entry.mode, False, made_dirs)
                entry.placed = digests[path]
            result[path] = digests[path]
        return result

    def _content(self, path: str, link: bool) -> bytes:
        full = self.source / path
        return os.readlink(full).encode() if link else full.read_bytes()

    def _place(self, path: str, data: bytes, mode: int, link: bool, made: set[str]) -> None:
        target = self.src / path
        parent = str(target.parent)
        if parent not in made:
            target.parent.mkdir(parents=True, exist_ok=True)
            made.add(parent)
        self._touch()
        if link:
            target.unlink(missing_ok=True)
            os.symlink(data.decode(), target)
            return
        if target.is_symlink():
            target.unlink()
        # In place, not by rename: the overlay is ours alone, and a half-written file is written again,
        # for the notes say only afterwards that it is there.
        fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode | 0o200)
        with open(fd, "wb") as f:
            f.write(data)

    def _touch(self) -> None:
        """Before the first change: whoever comes after a crash knows that the notes may be behind."""
        if not self.changed:
            self._dirty.touch()
        self.changed += 1

    def _remove(self, path: str) -> None:
        target = self.src / path
        self._touch()
        if target.is_symlink() or target.is_file():
            target.unlink()
        del self.entries[path]

    def forget(self) -> None:
        """Throw the overlay away."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.entries = {}


def digest_of(files: dict[str, str], paths: Iterable[str]) -> str:
    """One hash over the named files' hashes, in the order of their names."""
    h = hashlib.sha256()
    for p in sorted(paths):
        h.update(f"{p}\0{files[p]}\n".encode())
    return h.hexdigest()[:32]


def kernel_paths(files: dict[str, str]) -> list[str]:
    """The files a kernel is made of."""
    return [p for p in files if p.startswith(("sys/", "share/mk/", "Makefile"))]


def world_paths(files: dict[str, str]) -> list[str]:
    """The files the world is made of: all but the kernel's own."""
    return [
        p
        for p in files
        if not p.startswith(("sys/", "share/man/", "share/doc/", "release/"))
        or (p.endswith(".h") and p.startswith(_SHARED_HEADERS))
    ]
