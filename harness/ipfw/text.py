"""A block of ipfw text, as people keep it in a file, cut into single commands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class IpfwCommand:
    """One command without the leading ``ipfw``; ``line`` counts from 0 in its block."""

    line: int
    text: str

    @property
    def words(self) -> list[str]:
        return self.text.split()

    @property
    def is_rule(self) -> bool:
        return self.words[:1] == ["add"]

    @property
    def configures(self) -> tuple[str, int] | None:
        """('pipe', 1) for ``pipe 1 config ...``, else None."""
        w = self.words
        if len(w) >= 3 and w[0] in ("pipe", "queue", "sched") and w[2] == "config" and w[1].isdigit():
            return w[0], int(w[1])
        return None


def commands(block: str) -> list[IpfwCommand]:
    """The commands of a block: comments (#) and empty lines left out, ``\\`` at a line's end joins."""
    out: list[IpfwCommand] = []
    pending, start = "", 0
    for n, raw in enumerate(block.splitlines()):
        line = raw.split("#", 1)[0].strip()
        if not pending:
            start = n
        if line.endswith("\\"):
            pending += line[:-1].strip() + " "
            continue
        text = (pending + line).strip()
        pending = ""
        if text == "ipfw" or text.startswith("ipfw "):
            text = text[4:].strip()
        if text:
            out.append(IpfwCommand(start, text))
    if pending.strip():
        out.append(IpfwCommand(start, pending.strip()))
    return out
