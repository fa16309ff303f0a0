"""The house as the README says it: imports run downward only."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def rooms() -> list[str]:
    """From the top, as the README has them."""
    [line] = re.findall(r"`harness/` reads downward: ([^;]*?);", (ROOT / "README.md").read_text(), re.S)
    return re.findall(r"`(\w+)`", line)


def imported(file: Path) -> set[str]:
    """The rooms that a file knows, those it loads late included."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
        elif isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("harness.")}
    return found


def test_imports_run_downward_only() -> None:
    order = rooms()
    there = {p.name for p in (ROOT / "harness").iterdir() if (p / "__init__.py").is_file()}
    assert there == set(order) - {"cli"}
    for room in there:
        above = set(order[: order.index(room)])
        for file in (ROOT / "harness" / room).rglob("*.py"):
            assert not imported(file) & above, f"{file} knows {imported(file) & above}"
