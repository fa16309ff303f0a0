"""Git revisions of source trees, without touching the trees: their objects are read, their work trees left alone."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from harness.errors import MachineryError, UsageError
from harness.paths import cache_dir


def _git(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    # What the caller's shell says of another repository is not meant for this one.
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    try:
        return subprocess.run(
            ["git", "-c", "safe.directory=*", "-c", "advice.detachedHead=false", "-C", str(folder), *words],
            capture_output=True, stdin=subprocess.DEVNULL, env=env, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise UsageError("a git revision needs git(1), which is not here") from None


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"git ended with {done.returncode}"


def resolve(tree: Path, revision: str) -> str:
    """The commit (40 hex digits) that ``revision`` names in ``tree``.  Raises UsageError."""
    if not revision or revision.startswith("-"):
        raise UsageError(f"{revision!r} is no git revision")
    if _git(tree, "rev-parse", "--git-dir").returncode != 0:
        raise UsageError(f"{tree} is no git repository: no revision {revision!r} of it")
    done = _git(tree, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if done.returncode != 0:
        raise UsageError(f"{tree} has no revision {revision!r}")
    return done.stdout.decode().strip()


def archive(tree: Path, commit: str, paths: tuple[str, ...] = ()) -> bytes:
    """A tar of ``commit`` (of ``paths`` in it).  Raises UsageError when they are not in it."""
    done = _git(tree, "archive", "--format=tar", commit, "--", *paths)
    if done.returncode != 0:
        raise UsageError(f"{tree} at {commit[:12]}: {_said(done)}")
    return done.stdout


@contextlib.contextmanager
def checked_out(tree: Path, commit: str) -> Iterator[Path]:
    """A copy of ``tree`` at ``commit``, while the block lasts.

    There is one such copy for each repository, in the cache, and it is moved from commit to commit: files
    that do not differ keep their times, so a build of it compiles what changed and nothing else.
    """
    tree = tree.resolve()
    base = cache_dir("kernel", "checkouts")
    copy = base / f"{tree.name}-{hashlib.sha256(str(tree).encode()).hexdigest()[:8]}"
    with open(base / f"{copy.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (copy / ".git").exists():
            made = _git(base, "clone", "--quiet", "--shared", "--no-checkout", str(tree), str(copy))
            if made.returncode != 0:
                raise MachineryError(f"cannot copy {tree}: {_said(made)}")
        done = _git(copy, "checkout", "--quiet", "--force", "--detach", commit)
        if done.returncode != 0:
            raise MachineryError(f"cannot check {commit[:12]} out: {_said(done)}")
        _git(copy, "clean", "-fdxq")
        yield copy
