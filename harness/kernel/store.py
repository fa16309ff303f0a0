"""The guests that are there, by name: a folder each under ~/.cache/dnh/guests, whole or not there at all.

guests/NAME/guest.json    what it is (Identity), and where in its files what is
guests/NAME/disk.img      raw or qcow2, never written to: guests run on overlays
guests/NAME/kernel.debug  symbols, of guests that were built here
guests/NAME/modules/      *.ko.debug
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.paths import cache_dir

FORMAT = 1
KEPT = 6  # builds that no guest is made of any more, kept for the way back
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$")


@dataclass(frozen=True)
class Identity:
    """Which kernel this is.  ``digest`` is of all that went in: two guests of one digest are the same."""

    release: str
    osversion: int
    flavour: str
    ident: str
    digest: str
    source: str  # "built", "fetched" or "added"
    patches: tuple[dict[str, str], ...] = ()  # name, digest
    options: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    compiler: str = ""
    kernel_sha256: str = ""
    world: str = ""
    dngen: str = ""
    tree: str = ""
    url: str = ""


@dataclass(frozen=True)
class Image:
    """A guest of the store.  Paths are absolute; ``symbols`` is None where there are none.

    ``tunables_offset`` is where in the raw disk 4096 bytes of loader commands may be put before a boot,
    ``shell`` tells that the console comes up with a root shell and no login.
    """

    name: str
    folder: Path
    disk: Path
    disk_format: str
    symbols: Path | None
    identity: Identity
    tunables_offset: int | None = None
    shell: bool = True
    created: str = ""
    seconds: dict[str, float] = field(default_factory=dict)


def guests_dir() -> Path:
    """The folder of all guests."""
    return cache_dir("guests")


def check_name(name: str) -> str:
    """``name`` if it can be a guest's.  Raises UsageError."""
    if not _NAME.match(name):
        raise UsageError(f"{name!r} cannot be a guest's name: letters, digits, . _ + -, at most 64")
    return name


def load(name: str) -> Image:
    """The guest of that name.  Raises UsageError with those that there are."""
    folder = guests_dir() / check_name(name)
    try:
        data: dict[str, Any] = json.loads((folder / "guest.json").read_text())
        identity = dict(data["identity"])
        for key in ("patches", "options", "modules"):
            identity[key] = tuple(identity[key])
        return Image(
            name=name,
            folder=folder,
            disk=folder / data["disk"],
            disk_format=data["disk_format"],
            symbols=folder / data["symbols"] if data.get("symbols") else None,
            identity=Identity(**identity),
            tunables_offset=data.get("tunables_offset"),
            shell=bool(data.get("shell", True)),
            created=data.get("created", ""),
            seconds=dict(data.get("seconds", {})),
        )
    except FileNotFoundError:
        names = ", ".join(i.name for i in list_images()) or "none"
        raise UsageError(
            f"no guest named {name!r} (there is: {names}); 'dnh guest build' makes one"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise UsageError(
            f"the guest {name!r} is damaged ({e}): 'dnh guest remove {name}' and build it again"
        ) from e


def list_images() -> list[Image]:
    """All guests that are whole, by name."""
    found = []
    for folder in sorted(guests_dir().iterdir()):
        if _NAME.match(folder.name) and (folder / "guest.json").is_file():
            with suppress(UsageError):
                found.append(load(folder.name))
    return found


@contextmanager
def fresh_folder(name: str) -> Iterator[Path]:
    """A folder to fill; it takes the name's place, whole, when the block ends well, and is gone when not."""
    check_name(name)
    base = guests_dir()
    fresh, old = base / f".{name}.{os.getpid()}.new", base / f".{name}.{os.getpid()}.old"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    try:
        yield fresh
        if (base / name).exists():
            os.rename(base / name, old)
        os.rename(fresh, base / name)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def write_note(folder: Path, image: Image) -> None:
    """Write guest.json into ``folder`` (the paths of ``image`` count by their names alone)."""
    note = {
        "format": FORMAT,
        "name": image.name,
        "disk": image.disk.name,
        "disk_format": image.disk_format,
        "symbols": image.symbols.name if image.symbols else None,
        "tunables_offset": image.tunables_offset,
        "shell": image.shell,
        "created": image.created,
        "seconds": image.seconds,
        "identity": asdict(image.identity),
    }
    (folder / "guest.json").write_text(json.dumps(note, indent=1) + "\n")


def remove(name: str) -> None:
    """Remove a guest.  Raises UsageError when there is none of that name."""
    folder = guests_dir() / check_name(name)
    if not folder.is_dir():
        load(name)
    old = guests_dir() / f".{name}.{os.getpid()}.old"
    os.rename(folder, old)
    shutil.rmtree(old, ignore_errors=True)
    prune()


def prune(keep: int = KEPT) -> None:
    """Give back the room of what no guest is made of any more, but for the last ``keep`` of each kind.

    Those few make it free to go back to what was built a while ago.  A file that a guest uses has two names.
    """
    for kind, file in (("images", "disk.img"), ("kernels", "kernel.debug")):
        unused = []
        for folder in cache_dir("kernel", kind).iterdir():
            with suppress(OSError):
                if not folder.name.startswith(".") and (folder / file).stat().st_nlink == 1:
                    unused.append((folder.stat().st_mtime, folder))
        for _, folder in sorted(unused, reverse=True)[keep:]:
            shutil.rmtree(folder, ignore_errors=True)
    worlds = [w for w in cache_dir("kernel", "worlds").iterdir() if not w.name.startswith(".")]
    used = {i.identity.world for i in list_images()}
    spare = sorted((w for w in worlds if w.name not in used), key=lambda w: w.stat().st_mtime, reverse=True)
    for folder in spare[keep:]:
        shutil.rmtree(folder, ignore_errors=True)


def link_or_copy(source: Path, target: Path) -> None:
    """A second name for a file that nobody writes to; a copy where the file system has no hard links."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
