"""The one grammar for 'which kernel', of ``--guest``, ``dnh regress`` and ``dnh bisect``.

    KERNEL = BASE [+SERIES[@N]] ... [,KEY=VALUE] ...
    BASE   = usermode[@REVISION]            the user-mode guest; as of a git revision of dnh's checkout
           | qemu[:NAME] | bhyve[:NAME]     an image of 'dnh guest list'
           | remote:USER@HOST | remote:FILE
           | TREE[@REVISION]                a FreeBSD source tree (a path with a /), built and run by qemu
    KEY    = flavour | option | sanitize    debug or release; a kernel option; address, undefined, thread

SERIES is a patch series by name or path, SERIES@N its first N patches (SERIES@0: none).  So
``usermode+pspat@3``, ``/usr/src@releng/15.1+mine,flavour=release``, ``./src@HEAD~2``.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import UsageError
from harness.guest.build import FLAVOURS, SANITIZERS, Progress
from harness.kernel.patches import find_series, split_step
from harness.kernel.revisions import checked_out, resolve

KINDS = ("usermode", "qemu", "bhyve", "remote")


@dataclass(frozen=True)
class KernelWord:
    """A kernel as it was named.  Of a tree, ``kind`` is qemu and ``name`` empty until ``prepared``."""

    text: str
    kind: str
    name: str = ""
    tree: Path | None = None
    revision: str = ""
    patches: tuple[str, ...] = ()
    flavour: str = ""
    options: tuple[str, ...] = ()
    sanitize: tuple[str, ...] = ()

    def series(self, wanted: tuple[str, ...]) -> tuple[str, ...]:
        """The series of a scenario that wants ``wanted``: what the word says of one of them is what counts."""
        own = {split_step(p)[0] for p in self.patches}
        return (*(p for p in wanted if split_step(p)[0] not in own), *self.patches)

    def with_steps(self, series: str, n: int) -> KernelWord:
        """The same kernel with the first ``n`` patches of ``series``."""
        others = [p for p in self.patches if split_step(p)[0] != series]
        patches = (*others, f"{series}@{n}")
        tail = self.text.partition(",")[1:]
        base = self.text.partition(",")[0].partition("+")[0]
        return replace(self, text="+".join((base, *patches)) + "".join(tail), patches=patches)

    def at(self, revision: str) -> KernelWord:
        """The same kernel at another git revision."""
        head, comma, tail = self.text.partition(",")
        base, plus, rest = head.partition("+")
        if self.revision:
            base = base[: -len(self.revision) - 1]
        return replace(self, text=f"{base}@{revision}{plus}{rest}{comma}{tail}", revision=revision)


def parse(text: str) -> KernelWord:
    """Read a KERNEL.  Raises UsageError that says what is wrong, with the nearest right word."""
    head, *settings = text.split(",")
    base, *patches = head.split("+")
    word = _base(text, base)
    if "" in patches:
        raise UsageError(f"{text}: a patch series is wanted after '+'")
    if patches and (word.kind in ("bhyve", "remote") or (word.kind == "qemu" and word.tree is None)):
        raise UsageError(f"{text}: patches go on usermode or a source tree; an image is what it was built from")
    for name in patches:
        find_series(split_step(name)[0])
    word = replace(word, patches=tuple(patches))
    for setting in settings:
        word = _with(word, setting)
    return word


def _base(text: str, base: str) -> KernelWord:
    kind, _, name = base.partition(":")
    if kind in ("qemu", "bhyve", "remote"):
        if kind == "remote" and not name:
            raise UsageError("which machine? remote:USER@HOST, or remote:FILE.yaml")
        return KernelWord(text, kind, name)
    path, at, revision = base.rpartition("@")
    if not at or Path(base).expanduser().is_dir():
        path, revision = base, ""
    elif not revision:
        raise UsageError(f"{text}: a git revision is wanted after '@'")
    if path == "usermode":
        return KernelWord(text, "usermode", revision=revision)
    if path.startswith("usermode:"):
        raise UsageError("the usermode guest has no names")
    if "/" in path or path in (".", "..") or (at and Path(path).is_dir()):
        tree = Path(path).expanduser()
        if not tree.is_dir():
            raise UsageError(f"no source tree at {path}: there is no such folder")
        return KernelWord(text, "qemu", tree=tree.resolve(), revision=revision)
    near = difflib.get_close_matches(kind, KINDS, 1)
    hint = f" (did you mean '{near[0]}'?)" if near else f": one of {', '.join(KINDS)}, or a source tree (a path with a /)"
    raise UsageError(f"no such kind of guest: '{kind}'{hint}")


def _with(word: KernelWord, setting: str) -> KernelWord:
    key, _, value = setting.partition("=")
    built = word.kind == "usermode" or word.tree is not None
    if key not in ("flavour", "option", "sanitize") or not value:
        raise UsageError(f"{word.text}: {setting!r}: wanted flavour=..., option=... or sanitize=...")
    if not built:
        raise UsageError(f"{word.text}: {key} is said of usermode or a source tree; an image is what it was built from")
    if key == "flavour":
        if value not in FLAVOURS:
            raise UsageError(f"{word.text}: flavour is one of {', '.join(sorted(FLAVOURS))}")
        return replace(word, flavour=value)
    if key == "option":
        return replace(word, options=(*word.options, value))
    if word.kind != "usermode" or value not in SANITIZERS:
        raise UsageError(f"{word.text}: sanitize is for usermode, one of {', '.join(SANITIZERS)}")
    return replace(word, sanitize=(*word.sanitize, value))


def _no_progress(_phase: str, _fraction: float) -> None:
    return None


def prepared(word: KernelWord, progress: Progress = _no_progress) -> KernelWord:
    """The kernel with its tree built and entered among the guests; others as they are.

    Raises UsageError (tree, revision, patch), MachineryError (the build failed).
    """
    if word.tree is None or word.name:
        return word
    from harness.kernel.assemble import KernelSpec, build
    from harness.kernel.tree import read_tree

    def made(tree: Path, commit: str) -> str:
        spec = KernelSpec(
            src=tree, patches=word.patches, flavour=word.flavour or "debug", options=word.options,
        )  # fmt: skip
        what = hashlib.sha256(repr((str(word.tree), commit, word.patches, word.options)).encode()).hexdigest()[:8]
        plain = re.sub(r"-*@", "-", spec.guest_name(read_tree(tree)))[:48]
        return build(replace(spec, name=f"{plain}-{what}"), progress).image.name

    if not word.revision:
        return replace(word, name=made(word.tree, ""))
    commit = resolve(word.tree, word.revision)
    with checked_out(word.tree, commit) as copy:
        return replace(word, name=made(copy, commit))
