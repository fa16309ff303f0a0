"""What a build needs from the machine, looked at before anything is begun, and told in one message."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from harness.errors import MachineryError
from harness.kernel.tree import Tree

ON_FREEBSD = sys.platform.startswith("freebsd")

# Commands of the host that the tree's build calls: command -> (Debian package, FreeBSD package).
COMMANDS = {
    "bash": ("bash", ""),
    "patch": ("patch", ""),
    "bzip2": ("bzip2", ""),
    "xz": ("xz-utils", ""),
    "gzip": ("gzip", ""),
    "time": ("time", ""),
    "find": ("findutils", ""),
    "cmp": ("diffutils", ""),
    "hostname": ("hostname", ""),
    "awk": ("mawk", ""),
    "which": ("debianutils", ""),
}

# Measured: the copy of the tree, the tools and the world; one kernel's objects; one guest's files.
FIRST_BUILD_GB = 4.0
NEXT_BUILD_GB = 1.0


@dataclass(frozen=True)
class Toolchain:
    """The compiler a tree is built with: its programs, its version line and its major version."""

    cc: str
    cxx: str
    cpp: str
    ld: str
    version: str
    major: int


def _major(cc: str) -> tuple[int, str] | None:
    try:
        out = subprocess.run(
            [cc, "--version"], capture_output=True, text=True, timeout=30, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    m = re.search(r"clang version (\d+)\.(\S+)", out)
    return (int(m[1]), out.splitlines()[0]) if m else None


def _family(cc: str) -> Toolchain | None:
    """The programs that belong to a clang: beside it, with the same ending ("-19", "19" or none)."""
    found = shutil.which(cc)
    if not found:
        return None
    known = _major(found)
    if known is None:
        return None
    path = Path(found)
    m = re.match(r"^(?:clang|cc)(-?\d*)$", path.name)
    end = m[1] if m else ""
    base = "cc" if path.name == "cc" else "clang"
    names = {
        "cxx": ["c++", "clang++"] if base == "cc" else [f"clang++{end}"],
        "cpp": ["cpp", "clang-cpp"] if base == "cc" else [f"clang-cpp{end}"],
        "ld": [f"ld.lld{end}", "ld.lld", "ld"],
    }
    got: dict[str, str] = {}
    for key, tries in names.items():
        for t in tries:
            there = path.parent / t
            hit = str(there) if there.exists() else shutil.which(t)
            if hit:
                got[key] = hit
                break
        else:
            return None
    return Toolchain(str(path), got["cxx"], got["cpp"], got["ld"], known[1], known[0])


def find_toolchain(tree: Tree, wanted: str | None = None) -> tuple[Toolchain | None, list[str]]:
    """The clang for a tree, and what was looked at: (None, tries) when there is none that fits.

    A tree is built with the major version it ships itself: an older one lacks flags, a newer one has
    warnings that the tree's -Werror stumbles over.  ``wanted`` (or $DNH_KERNEL_CC) overrides that.
    """
    wanted = wanted or os.environ.get("DNH_KERNEL_CC")
    if wanted:
        family = _family(wanted)
        return family, [wanted]
    n = tree.clang
    tries = [
        f"clang-{n}",
        f"clang{n}",
        f"/usr/lib/llvm-{n}/bin/clang",
        f"/usr/local/llvm{n}/bin/clang",
        "clang",
    ]
    if ON_FREEBSD:
        tries.insert(0, "/usr/bin/cc")
    seen: list[str] = []
    for t in tries:
        family = _family(t)
        if family is not None:
            if family.major == n:
                return family, tries
            seen.append(f"{t} is {family.major}")
    return None, seen


def check(tree: Tree, cache: Path, first: bool, wanted_cc: str | None = None) -> Toolchain:
    """Everything at once: compiler, commands, disk space.  Raises MachineryError with all that is missing."""
    troubles: list[str] = []
    debian: list[str] = []
    freebsd: list[str] = []
    toolchain, seen = find_toolchain(tree, wanted_cc)
    if toolchain is None:
        n = tree.clang
        also = f" ({'; '.join(seen)})" if seen else ""
        if wanted_cc:
            troubles.append(f"{wanted_cc} is no clang with clang++, clang-cpp and ld.lld beside it")
        else:
            troubles.append(f"FreeBSD {tree.release} is built with clang {n}: not found here{also}")
        debian += [f"clang-{n}", f"lld-{n}"]
        freebsd += [f"llvm{n}"]
    for command, (deb, bsd) in COMMANDS.items():
        if shutil.which(command) is None and not (ON_FREEBSD and not bsd):
            troubles.append(f"the command {command} is missing")
            debian.append(deb)
            if bsd:
                freebsd.append(bsd)
    if toolchain is not None and not ON_FREEBSD:
        probe = (
            "#include <string>\n#include <sys/types.h>\nint main() { return (int)std::string().size(); }\n"
        )
        out = subprocess.run(
            [toolchain.cxx, "-x", "c++", "-std=c++17", "-", "-o", "/dev/null"],
            input=probe, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if out.returncode != 0:
            troubles.append(f"{toolchain.cxx} cannot build a C++ program for this machine (headers missing?)")
            debian += ["libc6-dev", "libstdc++-dev"]
    need = FIRST_BUILD_GB if first else NEXT_BUILD_GB
    free = shutil.disk_usage(cache).free / 1e9
    if free < need:
        troubles.append(f"{free:.1f} GB free under {cache}, {need:.0f} GB are needed")
    if not troubles:
        assert toolchain is not None
        return toolchain
    lines = [f"cannot build FreeBSD {tree.release} on this machine:"] + [f"  - {t}" for t in troubles]
    if debian:
        words = ["libstdc++-12-dev" if w == "libstdc++-dev" else w for w in dict.fromkeys(debian)]
        lines.append(f"  on Debian:  apt-get install {' '.join(words)}")
    if freebsd:
        lines.append(f"  on FreeBSD: pkg install {' '.join(dict.fromkeys(freebsd))}")
    raise MachineryError("\n".join(lines))
