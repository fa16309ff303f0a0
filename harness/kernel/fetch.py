"""Official images by release, and the user's own: downloaded with resume, checked, unpacked, named."""

from __future__ import annotations

import hashlib
import http.client
import lzma
import os
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from harness.errors import MachineryError, UsageError
from harness.kernel import store
from harness.kernel.runner import Progress
from harness.kernel.store import Identity, Image
from harness.paths import cache_dir, data_dir

CHUNK = 1 << 20
TRIES = 4


@dataclass(frozen=True)
class Catalogue:
    """vm/catalogue.yaml, read and checked."""

    server: str
    kinds: Mapping[str, tuple[str, tuple[str, ...]]]  # kind -> (folder, files)
    checksums: str
    releases: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # release -> file -> sha512


def read_catalogue(path: Path | None = None) -> Catalogue:
    """The catalogue.  Raises MachineryError when it makes no sense."""
    path = path or data_dir("vm") / "catalogue.yaml"
    try:
        data: dict[str, Any] = yaml.safe_load(path.read_text())
        kinds = {k: (str(v["folder"]), tuple(map(str, v["files"]))) for k, v in data["kinds"].items()}
        releases = {
            str(r): {str(f): str(s).lower() for f, s in (v or {}).get("sha512", {}).items()}
            for r, v in data["releases"].items()
        }
        for release, sums in releases.items():
            for name, value in sums.items():
                if not re.fullmatch(r"[0-9a-f]{128}", value):
                    raise ValueError(f"release {release}: {name}: not a SHA-512")
        return Catalogue(str(data["server"]).rstrip("/"), kinds, str(data["checksums"]), releases)
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as e:
        raise MachineryError(f"the catalogue {path} cannot be used: {e}") from e


def _open(url: str, offset: int = 0) -> http.client.HTTPResponse:
    request = urllib.request.Request(url, headers={"User-Agent": "dnh"})
    if offset:
        request.add_header("Range", f"bytes={offset}-")
    response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=30)
    return response


def parse_checksums(text: str) -> dict[str, str]:
    """file -> sha512 from a list in BSD form, ``SHA512 (file) = hex``; other lines are passed over."""
    return {
        m[1]: m[2].lower() for m in re.finditer(r"^SHA512 \(([^)]+)\) = ([0-9A-Fa-f]{128})\s*$", text, re.M)
    }


def _get_text(url: str) -> str:
    try:
        with _open(url) as r:
            return r.read(CHUNK).decode(errors="replace")
    except urllib.error.HTTPError as e:
        raise MachineryError(f"{url}: the server says {e.code} {e.reason}") from e
    except (OSError, http.client.HTTPException) as e:
        raise MachineryError(f"{url}: {getattr(e, 'reason', None) or e}") from e


def _append(url: str, part: Path, progress: Progress, what: str) -> bool:
    """One attempt to bring the rest of ``url`` into ``part``; True when the server says that this was all."""
    have = part.stat().st_size if part.exists() else 0
    try:
        with _open(url, have) as r:
            if have and r.status != 206:
                have = 0  # the server does not resume: from the beginning
            length = r.headers.get("Content-Length")
            total = have + int(length) if length else 0
            with open(part, "r+b" if have else "wb") as f:
                f.seek(have)
                f.truncate()
                while block := r.read(CHUNK):
                    f.write(block)
                    have += len(block)
                    progress(what, 0.8 * have / total if total else 0.0)
            return not total or have == total
    except urllib.error.HTTPError as e:
        if e.code == 416 and have:
            return True  # nothing after what we have: the checksum will tell
        if e.code >= 500:
            return False
        raise MachineryError(f"{url}: the server says {e.code} {e.reason}") from e


def download(url: str, target: Path, sha512: str, progress: Progress, pause: float = 1.0) -> None:
    """Bring ``url`` to ``target``; what an earlier attempt left in ``target``.part is continued.

    Raises MachineryError: unreachable, cut off again and again, or not the file the checksum is of (then
    what was downloaded is thrown away).
    """
    part = target.with_name(target.name + ".part")
    trouble: Exception | None = None
    for attempt in range(TRIES):
        if attempt:
            time.sleep(pause * attempt)
        try:
            if _append(url, part, progress, f"downloading {target.name}"):
                break
            trouble = None
        except (OSError, http.client.HTTPException) as e:
            if isinstance(e, OSError) and e.errno == 28:
                raise MachineryError(f"no room for {target.name}: {e.strerror}") from e
            trouble = e
    else:
        reason = f" ({getattr(trouble, 'reason', None) or trouble})" if trouble else ""
        kept = part.stat().st_size if part.exists() else 0
        raise MachineryError(
            f"{url}: the download was cut off {TRIES} times{reason}; "
            f"{kept} bytes are kept, the same command continues"
        )
    progress(f"checking {target.name}", 0.82)
    with open(part, "rb") as f:
        got = hashlib.file_digest(f, "sha512").hexdigest()
    if got != sha512:
        part.unlink()
        raise MachineryError(
            f"{url}: the checksum is wrong: SHA-512 is {got[:16]}..., "
            f"{sha512[:16]}... was expected; thrown away"
        )
    os.replace(part, target)


def unpack(source: Path, target: Path, progress: Progress) -> None:
    """Unpack an .xz to a sparse file.  Raises MachineryError when it is damaged or there is no room."""
    size, read = max(1, source.stat().st_size), 0
    unpacker = lzma.LZMADecompressor()
    zeros = bytes(CHUNK)
    try:
        with open(source, "rb") as inp, open(target, "wb") as out:
            while block := inp.read(CHUNK):
                read += len(block)
                data = unpacker.decompress(block)
                for at in range(0, len(data), 65536):
                    piece = data[at : at + 65536]
                    if piece == zeros[: len(piece)]:
                        out.seek(len(piece), os.SEEK_CUR)
                    else:
                        out.write(piece)
                progress(f"unpacking {source.name}", 0.85 + 0.14 * read / size)
            out.truncate()
        if not unpacker.eof:
            raise MachineryError(f"{source.name} ends too early")
    except lzma.LZMAError as e:
        raise MachineryError(f"{source.name} is damaged: {e}") from e
    except OSError as e:
        raise MachineryError(f"cannot unpack {source.name}: {e.strerror or e}") from e


def disk_format(path: Path) -> str:
    """raw or qcow2, by the file's first bytes.  Raises UsageError for what is no disk of either kind."""
    with open(path, "rb") as f:
        head = f.read(1024)
    if head[:4] == b"QFI\xfb":
        return "qcow2"
    if head[:6] == b"\xfd7zXZ\0" or head[:2] == b"\x1f\x8b":
        raise UsageError(f"{path} is compressed: unpack it first (xz -d, gunzip)")
    if len(head) == 1024 and head[510:512] == b"\x55\xaa":
        return "raw"
    raise UsageError(f"{path} is neither a qcow2 nor a raw disk with a boot sector")


def _nothing(_phase: str, _fraction: float) -> None:
    return None


def fetch(
    release: str,
    name: str = "",
    kind: str = "ci",
    catalogue: Catalogue | None = None,
    progress: Progress = _nothing,
) -> tuple[Image, str]:
    """The official image of a release, as a guest; returns it and a line on where its checksum came from.

    Raises UsageError for a release or kind that the catalogue does not have, MachineryError for the rest.
    """
    cat = catalogue or read_catalogue()
    release = release.removesuffix("-RELEASE").removeprefix("FreeBSD-")
    if release not in cat.releases:
        raise UsageError(f"no release {release!r} in the catalogue; there is {', '.join(cat.releases)}")
    if kind not in cat.kinds:
        raise UsageError(f"no kind {kind!r} of image; there is {', '.join(cat.kinds)}")
    name = store.check_name(name or f"{release}-official")
    folder, files = cat.kinds[kind]
    base = f"{cat.server}/{folder.format(release=release)}"
    candidates = [f.format(release=release) for f in files]
    pinned = {f: s for f, s in cat.releases[release].items() if f in candidates}
    if pinned:
        file = next(f for f in candidates if f in pinned)
        sha512, origin = pinned[file], "checksum: from the catalogue"
    else:
        progress("looking for the image", 0.0)
        listed = parse_checksums(_get_text(f"{base}/{cat.checksums}"))
        found = next((f for f in candidates if f in listed), None)
        if found is None:
            raise MachineryError(f"{base}/{cat.checksums} names none of {', '.join(candidates)}")
        file, sha512 = found, listed[found]
        origin = f"checksum: from {cat.checksums} of the same server, none is pinned in the catalogue"
    downloads = cache_dir("downloads")
    packed = downloads / file
    if packed.exists():
        with open(packed, "rb") as f:
            if hashlib.file_digest(f, "sha512").hexdigest() != sha512:
                packed.unlink()
    if not packed.exists():
        download(f"{base}/{file}", packed, sha512, progress)
    with store.fresh_folder(name) as fresh:
        disk = fresh / "disk.img"
        unpack(packed, disk, progress)
        fmt = disk_format(disk)
        identity = Identity(
            release=f"{release}-RELEASE", osversion=0, flavour="release", ident="GENERIC", digest=sha512[:24],
            source="fetched", url=f"{base}/{file}",
        )  # fmt: skip
        store.write_note(fresh, _image(name, disk, fmt, identity))
    progress("done", 1.0)
    return store.load(name), origin


def _image(name: str, disk: Path, fmt: str, identity: Identity) -> Image:
    return Image(
        name, store.guests_dir() / name, Path(disk.name), fmt, None, identity, shell=False,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )  # fmt: skip


def add(path: Path, name: str = "", release: str = "unknown", flavour: str = "release") -> Image:
    """Take the user's own disk image in, as a copy.  Raises UsageError when it is none."""
    path = path.expanduser()
    if not path.is_file():
        raise UsageError(f"no image at {path}")
    fmt = disk_format(path)
    name = store.check_name(name or re.sub(r"[^A-Za-z0-9._+-]", "-", path.stem) or "added")
    try:
        with store.fresh_folder(name) as fresh:
            disk = fresh / "disk.img"
            shutil.copyfile(path, disk)
            with open(disk, "rb") as f:
                digest = hashlib.file_digest(f, "sha512").hexdigest()[:24]
            identity = Identity(
                release=release,
                osversion=0,
                flavour=flavour,
                ident="",
                digest=digest,
                source="added",
                url=str(path),
            )
            store.write_note(fresh, _image(name, disk, fmt, identity))
    except OSError as e:
        raise MachineryError(f"cannot copy {path} into the cache: {e.strerror or e}") from e
    return store.load(name)
