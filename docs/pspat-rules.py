"""The tables of pspat-rules.md, out of runs: what each broken rule and each attempt made of a kernel, in its own words.

    dnh run scenarios/pspat/rules.yaml scenarios/pspat/attempts.yaml --json usermode.json
    dnh run scenarios/pspat/rules.yaml scenarios/pspat/attempts.yaml --guest qemu:15.1-attempts --json 15.1.json
    python docs/pspat-rules.py usermode.json 15.1.json

writes everything between the marks of pspat-rules.md anew, a column for each guest.  Of several runs of a cell the first
that is not a pass stands there: a rule is shown by one run that shows it.  Of a guest that did not keep up with its own
traffic and did not panic, loss shows nothing, nor does a rule's count that loss alone can move.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("pspat-rules.md")
BEGIN, END = "<!-- out of runs: docs/pspat-rules.py -->", "<!-- end of the runs -->"
RULES = (
    "owner", "tag", "vnet", "epoch", "lock", "lifetime",
    "context", "thread", "errors", "departure", "once", "queues",
)  # fmt: skip


def row_of(run: dict[str, Any]) -> str | None:
    """`C4 epoch` or `A`, the row that a run belongs to; None for a run of something else."""
    cell = run["scenario"]["cell"]
    if "rule" in cell:
        n = int(cell["rule"])
        return f"C{n} {RULES[n - 1]}"
    if cell.get("honour", "") == "net.pspat.attempt":
        return str(cell["attempt"])
    return None


def reasons(run: dict[str, Any]) -> list[str]:
    """What was wrong, without what is a slow machine's."""
    said = [str(r) for r in run["reasons"]]
    if not any("did not keep up" in r for r in said):
        return said
    moved = re.compile(r"\.loss|did not keep up|packets is 1\.[0-4]\d*, wanted <")
    return [r for r in said if not moved.search(r)]


def words(run: dict[str, Any]) -> str:
    """A verdict and what the kernel, or the first expectation that failed, said."""
    panic = run.get("panic")
    if panic:
        said = str(panic["message"]).replace("|", "\\|")
        place = panic["culprit"] or panic["process"] or ""
        cycle = f", repeating {' → '.join(panic['cycle'])}" if panic["cycle"] else ""
        return f"panic: {said}" + (f" in `{place}`" if place and place not in said else "") + cycle
    if run["verdict"] == "pass":
        return "pass"
    return f"{run['verdict']}: {(reasons(run) or [''])[0]}".replace("|", "\\|")


def guest_of(run: dict[str, Any]) -> str:
    """The head of a run's column."""
    if run["guest"]["kind"] == "usermode":
        return f"user-mode guest, seed {run['seed']}"
    return f"{run['kernel']['release']} {run['kernel']['flavour']}, {run['guest']['kind']}"


def tables(runs: list[dict[str, Any]]) -> str:
    """Markdown: one table of the rules and one of the attempts."""
    said: dict[str, dict[str, str]] = {}
    heads: list[str] = []
    for run in runs:
        row = row_of(run)
        nothing = not run.get("panic") and run["verdict"] != "pass" and not reasons(run)
        if row is None or nothing or run["verdict"] == "error":
            continue
        column = heads[0] if run["guest"]["kind"] == "usermode" and heads else guest_of(run)
        if column not in heads:
            heads.append(column)
        cells = said.setdefault(row, {})
        if cells.get(column, "pass") == "pass":
            cells[column] = words(run)
    out = []
    rules = [f"C{n} {word}" for n, word in enumerate(RULES, 1)]
    for title, names in (("rule", rules), ("attempt", list("ABCDEF"))):
        rows = [r for r in names if r in said]
        if rows:
            out += [f"| {title} | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
            out += [f"| {r} | " + " | ".join(said[r].get(h, "not run") for h in heads) + " |" for r in rows]
            out.append("")
    return "\n".join(out)


def main(files: list[str]) -> int:
    """Rewrite the page from the JSON of runs."""
    runs = [run for f in files for run in json.loads(Path(f).read_text(encoding="utf-8"))]
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{tables(runs)}\n{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
