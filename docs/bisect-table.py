"""The table of bisect.md, out of searches: what each setting has to honour, on which guest, after how many runs.

    for r in 1 2 3; do dnh bisect scenarios/pspat/rules.yaml --over rules --set rule=$r --json r$r.json; done
    python docs/bisect-table.py r*.json real/*.json

writes everything between the marks of bisect.md anew, three columns for each guest.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("bisect.md")
BEGIN, END = "<!-- out of searches: docs/bisect-table.py -->", "<!-- end of the searches -->"


def row_of(subject: str) -> str:
    """`C4 broken` or `attempt A` of an answer's subject."""
    found = re.search(r"\b(rule|attempt)=(\w+)", subject)
    if not found:
        return subject
    return f"C{found[2]} broken" if found[1] == "rule" else f"attempt {found[2]}"


def order(row: str) -> tuple[bool, int, str]:
    """Rules by their number, then attempts."""
    number = re.match(r"C(\d+)", row)
    return number is None, int(number[1]) if number else 0, row


def cells(answer: dict[str, Any]) -> list[str]:
    """What is to be honoured, runs and ideal, seconds."""
    honour = (answer["answer"] or {}).get("honour")
    said = ", ".join(honour) if honour else answer["words"][0]
    return [said, f"{answer['runs']} ({answer['ideal']['one_run_tells']})", f"{answer['seconds']:.1f}"]


def table(answers: list[dict[str, Any]]) -> str:
    """Markdown: a row for each setting, three columns for each guest."""
    guests = list(dict.fromkeys(a["guest"] for a in answers))
    said = {(row_of(a["subject"]), a["guest"]): cells(a) for a in answers}
    head = ["setting", *(f"{g}: {what}" for g in guests for what in ("honour", "runs (ideal)", "s"))]
    rows = [head, ["---"] * len(head)]
    for row in sorted({r for r, _ in said}, key=order):
        rows.append([row, *(c for g in guests for c in said.get((row, g), ["not run", "", ""]))])
    return "\n".join("| " + " | ".join(r) + " |" for r in rows)


def main(files: list[str]) -> None:
    """Read the answers, write the page."""
    answers = []
    for file in files:
        read = json.loads(Path(file).read_text())
        answers += read if isinstance(read, list) else [read]
    text = PAGE.read_text()
    before, rest = text.split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{table(answers)}\n\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main(sys.argv[1:])
