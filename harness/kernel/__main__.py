"""``python -m harness.kernel build|fetch|add|list|remove``: the words of ``dnh guest`` by themselves."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from harness.errors import DnhError
from harness.kernel.commands import add_commands


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is the README's."""
    parser = argparse.ArgumentParser(prog="harness.kernel")
    add_commands(parser)
    args = parser.parse_args(argv)
    try:
        code: int = args.run(args)
    except DnhError as e:
        print(f"dnh: {e}", file=sys.stderr)
        return e.exit_code
    except KeyboardInterrupt:
        print("dnh: interrupted; what was built so far is kept", file=sys.stderr)
        return 130
    return code


if __name__ == "__main__":
    raise SystemExit(main())
