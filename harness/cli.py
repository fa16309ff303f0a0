"""dnh's words and exit codes; no logic of its own.

Exit codes: 0 all as expected; 1 an expectation failed, or an unexpected panic or hang; 2 wrong usage or
scenario; 3 the machinery failed.
"""

from __future__ import annotations

import argparse
import errno
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from harness import __version__
from harness.errors import DnhError, Located


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dnh",
        description="Change a line of FreeBSD's packet path and know whether it panics and what it does to throughput.",
        epilog="Exit codes: 0 as expected, 1 not as expected, 2 wrong usage or scenario, 3 the machinery failed.",
    )
    parser.add_argument("--version", action="version", version=f"dnh {__version__}")
    words = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = words.add_parser("run", help="run scenarios, or folders of them")
    run.add_argument("scenarios", nargs="+", metavar="SCENARIO|FOLDER", type=Path)
    run.add_argument("--guest", default="usermode", metavar="KIND[:NAME]", help="usermode (default), qemu, qemu:NAME")
    run.add_argument("--seed", type=_seed, metavar="N", help="of the virtual clock's scheduler and dice (the scenario's, or 1)")
    run.add_argument("--repeat", type=int, metavar="N", help="runs of each cell, with seeds N, N+1, ... (the scenario's)")
    run.add_argument(
        "--for", dest="for_", metavar="TIME",
        help="repeat each scenario, its cells in turn, for TIME (10min) or until --repeat is reached; each cell at least once",
    )  # fmt: skip
    run.add_argument("--jobs", "-j", type=int, default=0, metavar="N", help="runs at the same time (one for each CPU)")
    run.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a value of the scenario")
    run.add_argument("--json", metavar="FILE", help="write all results as JSON ('-': to the output)")
    run.add_argument("--cold", action="store_true", help="boot for every run, no warm start")
    run.add_argument("--dump", choices=("text", "full"), help="on a panic, a crash dump into the run's folder (qemu)")
    run.add_argument("--sanitize", metavar="LIST", help="user-mode guest: address,undefined or thread ($DNH_SANITIZE)")
    run.add_argument("--out", type=Path, metavar="FOLDER", help="where the runs' folders go")
    run.add_argument("--keep", action="store_true", help="stay at the guest's console after the last run")

    check = words.add_parser("check", help="check scenarios without running them")
    check.add_argument("scenarios", nargs="+", metavar="SCENARIO|FOLDER", type=Path)
    check.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")

    console = words.add_parser("console", help="set a scenario's guest up and hand over its console (Ctrl-] leaves)")
    console.add_argument("scenario", metavar="SCENARIO", type=Path)
    console.add_argument("--guest", default="usermode", metavar="KIND[:NAME]")
    console.add_argument("--seed", type=_seed, default=1)
    console.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")

    words.add_parser("list", help="guests, patches and scenarios that are here, and what works on this machine")

    agree = words.add_parser("agree", help="run scenarios on two guests and compare metric by metric")
    report = words.add_parser("report", help="show runs again, as terminal page, JUnit or HTML")
    schema = words.add_parser("schema", help="print a JSON Schema")
    schema.add_argument("what", choices=("scenario", "result", "regress"))

    regress = words.add_parser("regress", help="compare two kernels: what got worse, and how sure that is")
    history = words.add_parser("history", help="a metric over the kernels that ran here")

    panic = words.add_parser("panic", help="say what happened in a console log, textdump or crash report")
    panics = words.add_parser("panics", help="the panics that the runs here have seen")
    guest = words.add_parser("guest", help="build, fetch, add, list, remove real FreeBSD guests")

    patch = words.add_parser("patch", help="list, check, apply patch series")

    bisect = words.add_parser("bisect", help="which rule, point, patch or revision turns the verdict; the smallest scenario")
    bench = words.add_parser("bench", help="measure this machine")
    bench.add_argument("what", choices=("usermode", "pspat"))
    bench.add_argument("--guest", metavar="KIND[:NAME]", default="usermode", help="of pspat: a kernel with pspat-bench")
    bench.add_argument("--json", action="store_true")

    test = words.add_parser("test", help="run dnh's own tests (arguments go to pytest; $DNH_SANITIZE)", add_help=False)
    test.add_argument("arguments", nargs=argparse.REMAINDER)

    from harness.commands.bisect import add_arguments as add_bisect_arguments
    from harness.kernel.commands import add_commands
    from harness.kernel.patch_commands import add_commands as add_patch_commands
    from harness.panic.commands import add_panic_arguments, add_panics_arguments
    from harness.regress.commands import add_arguments as add_regress_arguments
    from harness.regress.commands import add_history_arguments
    from harness.report import agree as agreement
    from harness.report.commands import add_arguments, add_output_arguments

    add_output_arguments(run)
    add_arguments(report)
    agreement.add_arguments(agree)
    add_panic_arguments(panic)
    add_panics_arguments(panics)
    add_commands(guest)
    add_patch_commands(patch)
    add_bisect_arguments(bisect)
    add_regress_arguments(regress)
    add_history_arguments(history)
    return parser


def _dispatch(args: argparse.Namespace) -> int:
    from harness.commands import run as commands

    match args.command:
        case "run":
            return commands.run(args)
        case "check":
            return commands.check(args)
        case "console":
            return commands.console(args)
        case "list":
            return commands.list_all()
        case "schema":
            return commands.schema(args.what)
        case "panics":
            return commands.panics(args)
        case "bench":
            return commands.bench(args)
        case "test":
            return commands.test(args.arguments)
        case "report":
            from harness.report import commands as reports

            return reports.run(args)
        case "panic":
            from harness.panic.commands import run_panic

            return run_panic(args)
        case _:
            return int(args.run(args))


def _seed(text: str) -> int:
    value = int(text)
    if not 0 <= value < 2**63:
        raise argparse.ArgumentTypeError(f"{text}: a seed is between 0 and {2**63 - 1}")
    return value


def _terminated(_signal: int, _frame: object) -> None:
    raise SystemExit(143)


def main(argv: Sequence[str] | None = None) -> int:
    """The command.  Ends every guest it started, whatever ends it."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    signal.signal(signal.SIGTERM, _terminated)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
        signal.signal(signal.SIGHUP, _terminated)
    try:
        if arguments[:1] == ["test"]:  # pytest's own options are not ours to read
            args = argparse.Namespace(command="test", arguments=arguments[1:])
        else:
            args = _parser().parse_args(arguments)
        return _dispatch(args)
    except DnhError as e:
        print(e if isinstance(e, Located) or str(e).startswith("dnh: ") else f"dnh: {e}", file=sys.stderr)
        return e.exit_code
    except KeyboardInterrupt:
        print("dnh: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output has gone; nothing more is to be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as e:
        if e.errno != errno.ENOSPC:
            return _fault()
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left to be written has no place either
        print(f"dnh: {e.strerror}", file=sys.stderr)
        return 3
    except Exception:
        return _fault()


def _fault() -> int:
    """A fault of dnh's own is the machinery's, and says where it is."""
    traceback.print_exc()
    print("dnh: this is a fault of dnh itself; the lines above say where", file=sys.stderr)
    return 3


if __name__ == "__main__":
    raise SystemExit(main())
