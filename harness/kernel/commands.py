"""The words of ``dnh guest``: build, fetch, add, list, remove.

``add_commands(parser)`` puts them under a parser; each sets ``run`` to a function of the parsed arguments
that returns the exit code.  Errors are DnhErrors, for whoever calls.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from harness.kernel import fetch as fetching
from harness.kernel import store
from harness.kernel.assemble import KernelSpec, build
from harness.kernel.config import FLAVOURS


class _Meter:
    """Progress for a person: one moving line on a terminal, a line now and then in a pipe."""

    def __init__(self) -> None:
        self._tty = sys.stderr.isatty()
        self._last = ("", -100.0, 0.0)

    def __call__(self, phase: str, fraction: float) -> None:
        percent, now = fraction * 100, time.monotonic()
        phase_was, percent_was, when = self._last
        if self._tty:
            if phase != phase_was or now - when > 0.1:
                print(f"\r\033[K{percent:3.0f} %  {phase}", end="", file=sys.stderr, flush=True)
                self._last = (phase, percent, now)
        elif phase != phase_was or percent - percent_was >= 10:
            print(f"{percent:3.0f} %  {phase}", file=sys.stderr, flush=True)
            self._last = (phase, percent, now)

    def end(self) -> None:
        if self._tty:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _build(args: argparse.Namespace) -> int:
    spec = KernelSpec(
        src=args.src, patches=tuple(args.patches), flavour=args.flavour, options=tuple(args.option),
        modules=tuple(args.module), name=args.name, compiler=args.cc, jobs=args.jobs,
    )  # fmt: skip
    meter = _Meter()
    try:
        result = build(spec, meter)
    finally:
        meter.end()
    seconds = {k: round(v, 1) for k, v in result.seconds.items()}
    if args.json:
        note = {"name": result.image.name, "disk": str(result.image.disk), "cached": result.cached,
                "seconds": seconds, "identity": asdict(result.image.identity)}  # fmt: skip
        print(json.dumps(note, indent=1))
    else:
        how = "was there already" if result.cached else "built"
        times = ", ".join(f"{k} {v}" for k, v in seconds.items() if k != "total")
        print(f"{result.image.name}: {how} in {seconds['total']} s ({times})\n  {result.image.disk}")
    return 0


def _fetch(args: argparse.Namespace) -> int:
    meter = _Meter()
    try:
        image, origin = fetching.fetch(args.release, args.name, args.kind, progress=meter)
    finally:
        meter.end()
    print(f"{image.name}: {image.identity.url}\n  {origin}\n  {image.disk}")
    return 0


def _add(args: argparse.Namespace) -> int:
    image = fetching.add(args.image, args.name, args.release, args.flavour)
    print(f"{image.name}: {image.disk} ({image.disk_format})")
    return 0


def _list(args: argparse.Namespace) -> int:
    images = store.list_images()
    if args.json:
        print(
            json.dumps(
                [{"name": i.name, "disk": str(i.disk), "identity": asdict(i.identity)} for i in images]
            )
        )
        return 0
    for i in images:
        what = i.identity
        extra = [p["name"] for p in what.patches] + list(what.options) + [f"{m}.ko" for m in what.modules]
        print(f"{i.name:24} {what.release:18} {what.flavour:8} {what.source:8} {' '.join(extra)}".rstrip())
    if not images:
        print("no guests; 'dnh guest build --src TREE' makes one, 'dnh guest fetch RELEASE' brings one")
    return 0


def _remove(args: argparse.Namespace) -> int:
    for name in args.name:
        store.remove(name)
    return 0


def add_build_arguments(p: argparse.ArgumentParser) -> None:
    """The options of ``dnh guest build``."""
    p.add_argument("--src", required=True, type=Path, metavar="TREE", help="a FreeBSD source tree; only read")
    p.add_argument("--patches", action="append", default=[], metavar="SERIES",
                   help="a patch series (name, folder, .patch file); again for more, in order")  # fmt: skip
    p.add_argument(
        "--flavour", choices=FLAVOURS, default="debug", help="debug: every check (default); release: none"
    )
    p.add_argument("--option", action="append", default=[], metavar="NAME[=VALUE]",
                   help="a kernel option more, -NAME for one less")  # fmt: skip
    p.add_argument("--module", action="append", default=[], metavar="NAME",
                   help="as a module, not static (dummynet, ipfw, ...); or one of a series")  # fmt: skip
    p.add_argument("--name", default="", help="the guest's name (default: from release, flavour, patches)")
    p.add_argument(
        "--cc", default="", metavar="CLANG", help="this clang instead of the version the tree ships"
    )
    p.add_argument("--jobs", "-j", type=int, default=0, help="make jobs (default: one for each CPU)")
    p.add_argument("--json", action="store_true", help="the result as JSON")
    p.set_defaults(run=_build)


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Put build, fetch, add, list and remove under ``parser``."""
    sub = parser.add_subparsers(dest="guest_command", required=True, metavar="COMMAND")
    add_build_arguments(sub.add_parser("build", help="kernel, world and disk image from a source tree"))
    p = sub.add_parser("fetch", help="an official image, checked")
    p.add_argument("release", help="13.2, 14.3, 15.1 ...")
    p.add_argument("--kind", default="ci", help="ci (default) or vm, see vm/catalogue.yaml")
    p.add_argument("--name", default="")
    p.set_defaults(run=_fetch)
    p = sub.add_parser("add", help="a disk image of your own")
    p.add_argument("image", type=Path)
    p.add_argument("--name", default="")
    p.add_argument("--release", default="unknown")
    p.add_argument("--flavour", choices=FLAVOURS, default="release")
    p.set_defaults(run=_add)
    p = sub.add_parser("list", help="the guests that are here")
    p.add_argument("--json", action="store_true")
    p.set_defaults(run=_list)
    p = sub.add_parser("remove", help="remove guests")
    p.add_argument("name", nargs="+")
    p.set_defaults(run=_remove)
