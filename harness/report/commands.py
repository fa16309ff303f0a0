"""``dnh report RUN...``: runs that were made before, shown again."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.errors import MachineryError, UsageError
from harness.report.load import NotRun, Run, load
from harness.run.store import write_atomically


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words of ``dnh report``."""
    parser.add_argument(
        "runs",
        metavar="RUN",
        nargs="+",
        help="a run's folder, a folder of them, or 'last' for the latest run",
    )
    parser.add_argument("--terminal", action="store_true", help="show on the terminal too when a file is written")
    add_output_arguments(parser)


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """``--html`` and ``--junit``, which other commands that make runs take as well."""
    parser.add_argument("--html", metavar="FILE", help="write one self-contained HTML page ('-': to the output)")
    parser.add_argument("--junit", metavar="FILE", help="write JUnit XML ('-': to the output)")


def run(args: argparse.Namespace) -> int:
    """Show and write what was asked for.  The exit code tells of the report, not of the runs: 0.

    Raises UsageError when a RUN is not one, MachineryError when a file cannot be written.
    """
    runs = load(args.runs)
    write(runs, html=args.html, junit=args.junit)
    if args.terminal or not (args.html or args.junit):
        from harness.report.terminal import show

        show(runs)
    return 0


def write(runs: Sequence[Run], not_run: Sequence[NotRun] = (), *, html: str | None = None, junit: str | None = None) -> None:
    """Write the page and the XML, each whole or not at all; None: not wanted, ``-``: to the output."""
    if junit:
        from harness.report.junit import junit as as_junit

        put(junit, as_junit([r.result for r in runs], not_run))
    if html:
        from harness.report.html import html as as_html

        put(html, as_html(runs, not_run))


def check_targets(*targets: str | None) -> None:
    """Can these files be written?  To be asked before the runs whose results go there.  Raises as ``put``."""
    for where in targets:
        if not where or where == "-":
            continue
        path = Path(where)
        if path.is_dir():
            raise UsageError(f"{where}: a folder, where a file is to be written")
        made = next(p for p in (path.absolute(), *path.absolute().parents) if p.exists())
        if made != path.absolute() and not made.is_dir():
            raise UsageError(f"{where}: {made} is no folder")
        if not os.access(made, os.W_OK):
            raise MachineryError(f"cannot write {where}: no permission for {made}")


def put(where: str, text: str) -> None:
    """Write ``text`` to a file, to a device, or with ``-`` to the output."""
    if where == "-":
        # As bytes: the text says that it is UTF-8, whatever the locale is.
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
        return
    path = Path(where)
    if path.is_dir():
        raise UsageError(f"{where}: a folder, where a file is to be written")
    try:
        if path.exists() and not path.is_file():
            # A device or a pipe is written to, never replaced.
            path.write_text(text, "utf-8")
            return
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise MachineryError(f"cannot write {where}: {e.strerror}") from e
    write_atomically(path, text)
