"""A FreeBSD source tree: which release it is, which compiler it wants, which kernel options it knows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError

OLDEST = 1300000  # the first with vnet dummynet and flags in ip_fw_args; older trees were never tried
NEEDED = (
    "Makefile.inc1",
    "sys/conf/newvers.sh",
    "sys/sys/param.h",
    "sys/amd64/conf",
    "tools/build/make.py",
    "usr.sbin/config",
)


@dataclass(frozen=True)
class Tree:
    """A source tree.  ``osversion`` is __FreeBSD_version, ``clang`` the major version of its own clang."""

    path: Path
    release: str  # "15.1-RELEASE-p1"
    osversion: int  # 1501000
    clang: int  # 19

    @property
    def revision(self) -> str:
        """The release without its branch: "15.1"."""
        return self.release.split("-", 1)[0]

    @property
    def major(self) -> int:
        """The major release: 15."""
        return self.osversion // 100000


def read_tree(path: Path) -> Tree:
    """The tree at ``path``.  Raises UsageError when it is none, or none that this program can build."""
    path = path.expanduser().resolve()
    if not path.is_dir():
        raise UsageError(f"no source tree at {path}: there is no such folder")
    newvers, param = _text(path / "sys/conf/newvers.sh"), _text(path / "sys/sys/param.h")
    revision = re.search(r'^REVISION="([^"]+)"', newvers, re.M)
    branch = re.search(r'^BRANCH="?(?:\$\{BRANCH_OVERRIDE:-)?([\w.-]+)', newvers, re.M)
    version = re.search(r"^#define\s+__FreeBSD_version\s+(\d+)", param, re.M)
    # Before what is missing: an older tree has not all that is asked for, and is complete all the same.
    if revision and version and int(version[1]) < OLDEST:
        raise UsageError(f"{path} is FreeBSD {revision[1]}; 13.0 is the oldest that can be built")
    missing = [n for n in NEEDED if not (path / n).exists()]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise UsageError(f"{path} is no complete FreeBSD source tree: {missing[0]} is missing{more}")
    if not (revision and branch and version):
        raise UsageError(
            f"{path}: no release in sys/conf/newvers.sh or no __FreeBSD_version in sys/sys/param.h"
        )
    clang = path / "lib/clang/include/clang/Basic/Version.inc"
    major = re.search(
        r"^#define\s+CLANG_VERSION_MAJOR\s+(\d+)", clang.read_text() if clang.exists() else "", re.M
    )
    if not major:
        raise UsageError(
            f"{path}: lib/clang/include/clang/Basic/Version.inc does not tell which clang the tree wants"
        )
    return Tree(path, f"{revision[1]}-{branch[1]}", int(version[1]), int(major[1]))


def _text(file: Path) -> str:
    return file.read_text(errors="replace") if file.is_file() else ""


def known_words(src: Path) -> tuple[frozenset[str], frozenset[str]]:
    """(options, devices) that the tree's config(8) knows on amd64, from its sys/conf files."""
    options: set[str] = set()
    devices: set[str] = set()
    conf = src / "sys/conf"
    for name in ("options", "options.amd64", "options.x86"):
        f = conf / name
        if f.exists():
            for line in f.read_text(errors="replace").splitlines():
                word = line.split("#", 1)[0].split()
                if word:
                    options.add(word[0])
    for name in ("files", "files.amd64", "files.x86"):
        f = conf / name
        if f.exists():
            text = re.sub(r"\\\n", " ", f.read_text(errors="replace"))
            for line in text.splitlines():
                words = line.split("#", 1)[0].split()
                if "optional" in words:
                    for w in words[words.index("optional") + 1 :]:
                        if re.fullmatch(r"[a-z_][a-z0-9_]*", w):
                            devices.add(w)
                        elif w != "|":
                            break
    return frozenset(options), frozenset(devices)
