"""The user-mode guest from other sources than the checkout's: patched by a series, or as of a git revision.

A diff of a series for this guest names files as FreeBSD does (sys/netpfil/ipfw/ip_dn_io.c), for its sources
stand in the same places; headers are found under vm/usermode/include too.  What patches make is kept in the
cache by its content, so one changed file costs one compilation.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError
from harness.kernel.patches import PatchError, apply_series, read_series, with_needs
from harness.kernel.revisions import archive, resolve
from harness.paths import cache_dir, data_dir


@dataclass(frozen=True)
class Sources:
    """Where the sources are, as harness.guest.build.BuildSpec takes them."""

    patches: tuple[Path, ...] = ()
    vm: Path | None = None
    overlay: Path | None = None


def sources(patches: Sequence[str], revision: str = "") -> Sources:
    """The sources of the guest with the series ``patches`` (names, folders; with @N their first N patches) and what they need.

    ``revision``: vm/ as of that revision of the checkout that dnh is run from.
    Raises UsageError for a series or a revision that is not there, PatchError for one that does not apply.
    """
    vm = _revision(revision) if revision else None
    series = [read_series(name, None) for name in with_needs(patches)]
    if not any(s.diffs for s in series):
        return Sources(tuple(s.folder for s in series if s.files), vm)
    own = (vm or data_dir("vm")) / "usermode"
    made: dict[str, bytes] = {}
    headers = False
    for path, content in apply_series(series, lambda path: _read(own, path)).items():
        if not path.startswith("sys/"):
            raise PatchError(f"{path}: the user-mode guest has the kernel's files only (sys/...)")
        made[path] = content or b""  # a file that goes is an empty one
        headers = headers or (path.endswith(".h") and _find(own, path) is not None)
    if headers:
        # A header is found beside the file that asks for it: all of them have to stand in one tree.
        return Sources((), _copy(vm or data_dir("vm"), made))
    return Sources((), vm, _kept("overlay", made, lambda folder: _link(folder, made), "links"))


def _find(own: Path, path: str) -> Path | None:
    """Where the user-mode guest has FreeBSD's ``path``."""
    rel = path.removeprefix("sys/")
    return next((p for p in (own / rel, own / "include" / rel) if p.is_file()), None)


def _read(own: Path, path: str) -> bytes | None:
    found = _find(own, path)
    return found.read_bytes() if found else None


def _write(folder: Path, made: dict[str, bytes]) -> None:
    for path, content in made.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _link(folder: Path, made: dict[str, bytes]) -> None:
    """As _write, each file a link to where this content of it is kept: the same file of two series is compiled once."""
    for path, content in made.items():
        one = {path: content}
        kept = _kept("files", one, lambda inside, one=one: _write(inside, one))  # type: ignore[misc]
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(kept / path)


def _kept(kind: str, made: dict[str, bytes], fill: Callable[[Path], None], salt: str = "") -> Path:
    """A folder of the cache named after what is in it, filled once, whole or not there at all."""
    h = hashlib.sha256(salt.encode())
    for path, content in sorted(made.items()):
        h.update(f"{path}\0{len(content)}\0".encode())
        h.update(content)
    store = cache_dir("usermode", kind)
    target = store / h.hexdigest()[:24]
    if not target.is_dir():
        with tempfile.TemporaryDirectory(dir=store) as fresh:
            fill(Path(fresh) / "new")
            try:
                os.rename(Path(fresh) / "new", target)
            except OSError:
                if not target.is_dir():  # someone else was faster, with the same content
                    raise
    return target


def _copy(vm: Path, made: dict[str, bytes]) -> Path:
    """A copy of vm/ with the files of ``made`` over it."""
    parts = {str(p.relative_to(vm)): p.read_bytes() for room in ("usermode", "dngen")
             for p in sorted((vm / room).rglob("*.[ch]"))}  # fmt: skip
    for path, content in made.items():
        there = _find(vm / "usermode", path)
        parts[str(there.relative_to(vm)) if there else f"usermode/{path.removeprefix('sys/')}"] = content
    return _kept("vm", parts, lambda folder: _write(folder, parts))


def _revision(revision: str) -> Path:
    """vm/ as of a revision of the checkout."""
    root = data_dir("vm").parent
    commit = resolve(root, revision)

    def fill(folder: Path) -> None:
        with tarfile.open(fileobj=io.BytesIO(archive(root, commit, ("vm/usermode", "vm/dngen")))) as tar:
            tar.extractall(folder, filter="data")
        if not (folder / "vm" / "usermode").is_dir():
            shutil.rmtree(folder)
            raise UsageError(f"{revision}: that revision has no vm/usermode")

    return _kept("revisions", {}, fill, commit) / "vm"
