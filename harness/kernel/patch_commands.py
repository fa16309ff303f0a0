"""The words of ``dnh patch``: list, check, apply.

``check`` only reads the tree.  ``apply`` writes into the tree that it is given, after all of it is known to apply;
nothing else in this program writes into a user's tree.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from harness.errors import UsageError
from harness.kernel.patches import Series, apply_series, read_series, split_step, with_needs
from harness.kernel.tree import Tree, read_tree
from harness.paths import data_dir


def _all(names: list[str], tree: Tree) -> list[Series]:
    """The series named, each after the ones it needs."""
    return [read_series(name, tree) for name in with_needs(names)]


def _made(series: list[Series], tree: Tree) -> dict[str, bytes | None]:
    """What the series make of the tree, nothing of them being in it.  Raises UsageError."""

    def read(path: str) -> bytes | None:
        file = tree.path / path
        return file.read_bytes() if file.is_file() else None

    for s in series:
        for path, lines in s.appends:
            if lines in (read(path) or b""):
                raise UsageError(f"{s.name} is in {tree.path} already: {path} has its lines")
    return apply_series(series, read)


def _summary(made: dict[str, bytes | None], tree: Tree) -> list[str]:
    lines = []
    for path in sorted(made):
        there = (tree.path / path).exists()
        lines.append(f"  {'removed' if made[path] is None else 'changed' if there else 'new':8} {path}")
    return lines


def _list(_args: argparse.Namespace) -> int:
    folder = data_dir("kernel-patches")
    for path in sorted(p for p in folder.iterdir() if p.is_dir()):
        needs = [split_step(n)[0] for n in with_needs([path.name]) if n != path.name]
        patches = sorted(p.name for p in path.glob("*.patch"))
        files = sum(1 for p in (path / "sys").rglob("*") if p.is_file())
        what = ", ".join(([f"{len(patches)} patches"] if patches else []) + ([f"{files} files of its own"] if files else []))
        print(f"{path.name:20} {what}{'; needs ' + ', '.join(needs) if needs else ''}")
    return 0


def _check(args: argparse.Namespace) -> int:
    tree = read_tree(args.src)
    made = _made(_all(args.series, tree), tree)
    print(f"{' + '.join(args.series)} applies to {tree.release} ({tree.path}):")
    print("\n".join(_summary(made, tree)))
    return 0


def _write(path: Path, data: bytes) -> None:
    """The file as a whole or as it was, with the mode it had."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = path.stat().st_mode & 0o7777 if path.exists() else 0o644
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as f:
            f.write(data)
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _apply(args: argparse.Namespace) -> int:
    tree = read_tree(args.src)
    made = _made(_all(args.series, tree), tree)
    summary = _summary(made, tree)
    try:
        for path, data in made.items():
            if data is None:
                (tree.path / path).unlink()
            else:
                _write(tree.path / path, data)
    except OSError as e:
        raise UsageError(f"cannot write into {tree.path}: {e.strerror or e} ({e.filename})") from e
    print(f"{' + '.join(args.series)} is in {tree.path} ({tree.release}) now:")
    print("\n".join(summary))
    return 0


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Put list, check and apply under ``parser``."""
    sub = parser.add_subparsers(dest="patch_command", required=True, metavar="COMMAND")
    sub.add_parser("list", help="the series that come with the program").set_defaults(run=_list)
    for word, run, text in (
        ("check", _check, "whether series apply to a source tree; writes nothing"),
        ("apply", _apply, "write series into a source tree of your own"),
    ):
        p = sub.add_parser(word, help=text)
        p.add_argument("series", nargs="+", metavar="SERIES", help="name, folder or .patch file, in order")
        p.add_argument("--src", required=True, type=Path, metavar="TREE", help="a FreeBSD source tree")
        p.set_defaults(run=run)
