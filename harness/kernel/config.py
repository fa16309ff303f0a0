"""The kernel configuration of a guest: fragments of vm/kernel put together for one tree and flavour."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from harness.errors import UsageError
from harness.paths import data_dir

FLAVOURS = ("debug", "release")

# What a module replaces in the static kernel: module (sys/modules/NAME) -> the lines that make it static.
STATIC_OF_MODULE = {
    "dummynet": ("options DUMMYNET",),
    "ipfw": (
        "options IPFIREWALL",
        "options IPFIREWALL_DEFAULT_TO_ACCEPT",
        "options IPFIREWALL_VERBOSE",
        "options DUMMYNET",
    ),
    "if_bridge": ("device if_bridge",),
    "if_epair": ("device epair",),
    "if_vlan": ("device vlan",),
    "netmap": ("device netmap",),
    "pf": ("device pf",),
}

_OPTION = re.compile(r"^-?[A-Za-z_][A-Za-z0-9_]*(=\S+)?$")


def _squeeze(line: str) -> str:
    return " ".join(line.split())


def _known(line: str, options: frozenset[str], devices: frozenset[str]) -> bool:
    kind, _, rest = line.partition(" ")
    word = rest.split("=", 1)[0].split(" ", 1)[0]
    if kind == "options":
        return word in options
    if kind == "device":
        return word in devices
    return True


def compose(
    flavour: str,
    extra: Sequence[str],
    modules: Sequence[str],
    known: tuple[frozenset[str], frozenset[str]],
) -> str:
    """The text of the configuration file.

    ``extra`` are kernel options (``PSPAT``, ``HZ=100``, and ``-INET6`` to leave one out), ``modules`` what is
    to be a module instead of static, ``known`` what the tree knows (tree.known_words).  Raises UsageError for
    an option that the tree does not have, with the nearest that it has.
    """
    if flavour not in FLAVOURS:
        raise UsageError(f"unknown flavour {flavour!r}: one of {', '.join(FLAVOURS)}")
    options, devices = known
    lines: list[str] = []
    for name in ("base.conf", f"{flavour}.conf"):
        for raw in (data_dir("vm") / "kernel" / name).read_text().splitlines():
            body, _, comment = raw.partition("#")
            line = _squeeze(body)
            if not line or (comment.strip() == "if known" and not _known(line, options, devices)):
                continue
            lines.append(line)
    dropped = {drop for m in modules for drop in STATIC_OF_MODULE.get(m, ())}
    for option in extra:
        if not _OPTION.match(option):
            raise UsageError(f"{option!r} is no kernel option: NAME, NAME=value, or -NAME to leave one out")
        name = option.lstrip("-").split("=", 1)[0]
        if name not in options:
            near = difflib.get_close_matches(name, options, 1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise UsageError(f"the tree has no kernel option {name}{hint}; a patch series may bring it")
        lines = [ln for ln in lines if ln.split("=", 1)[0] != f"options {name}"]
        if not option.startswith("-"):
            lines.append(f"options {option}")
    lines = [ln for ln in lines if ln not in dropped]
    lines.append(f"ident {ident(flavour)}")
    return "".join("\t".join(ln.split(" ", 1)) + "\n" for ln in lines)


def ident(flavour: str) -> str:
    """The kernel's name, as uname -i tells it."""
    return f"DNH-{flavour.upper()}"
