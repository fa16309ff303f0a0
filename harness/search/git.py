"""Over revisions: a git range as an ordered list of kernels, from the good end to the bad one.

The repository is a FreeBSD source tree (each revision is built, what did not change is not), or a patch series
that goes on the guest (each revision is that series as it was then).  Its work tree is not touched.
"""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path

from harness.errors import UsageError
from harness.guest.kernels import KernelWord
from harness.kernel.revisions import archive, resolve
from harness.paths import cache_dir
from harness.search.patches import Step


def revision_steps(kernel: KernelWord, src: Path, span: str) -> list[Step]:
    """The kernels of A and of all that lies between it and B, B included, along first parents.

    Raises UsageError for a range that is none, or where A is no ancestor of B.
    """
    good, dots, bad = span.partition("..")
    if not dots or not good or not bad or bad.startswith("."):
        raise UsageError(f"--src {src} {span}: GOOD..BAD is wanted")
    src = src.expanduser().resolve()
    if not src.is_dir():
        raise UsageError(f"--src {src}: there is no such folder")
    first, last = resolve(src, good), resolve(src, bad)
    commits = _lines(src, "rev-list", "--first-parent", "--reverse", f"{first}..{last}")
    below = subprocess.run(["git", "-c", "safe.directory=*", "-C", str(src), "merge-base", "--is-ancestor", first, last],
                           capture_output=True)  # fmt: skip
    if below.returncode != 0 or not commits:
        raise UsageError(f"--src {src} {span}: {good} does not lie before {bad}")
    return [Step(_word(kernel, src, commit), commit, _title(src, commit)) for commit in (first, *commits)]


def is_tree(src: Path) -> bool:
    """Whether it is a FreeBSD source tree."""
    return (src / "sys").is_dir() and (src / "Makefile.inc1").exists()


def _lines(src: Path, *words: str) -> list[str]:
    done = subprocess.run(["git", "-c", "safe.directory=*", "-C", str(src), *words], capture_output=True, text=True)
    if done.returncode != 0:
        raise UsageError(f"{src}: {(done.stderr.strip().splitlines() or ['git failed'])[-1]}")
    return done.stdout.splitlines()


def _title(src: Path, commit: str) -> str:
    return _lines(src, "log", "-1", "--format=%h %s", commit)[0][:80]


def _word(kernel: KernelWord, src: Path, commit: str) -> str:
    """The kernel's word at that commit."""
    head, comma, tail = kernel.text.partition(",")
    if is_tree(src):
        patches = "".join(f"+{p}" for p in kernel.patches)
        return f"{src}@{commit}{patches}{comma}{tail}"
    if kernel.kind != "usermode" and kernel.tree is None:
        raise UsageError(f"{src} is a patch series: it goes on usermode or a source tree, not on the image {kernel.text}")
    return f"{head}+{_series(src, commit)}{comma}{tail}"


def _series(src: Path, commit: str) -> Path:
    """The repository's files at that commit, as a folder of the cache."""
    store = cache_dir("series")
    target = store / commit
    if not target.is_dir():
        with tempfile.TemporaryDirectory(dir=store) as fresh:
            with tarfile.open(fileobj=io.BytesIO(archive(src, commit))) as tar:
                tar.extractall(Path(fresh) / "new", filter="data")
            try:
                os.rename(Path(fresh) / "new", target)
            except OSError:
                if not target.is_dir():  # someone else was faster
                    raise
    return target
