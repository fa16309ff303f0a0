"""YAML as a tree of nodes that know where they stand: file, line and column of every key and value.

Scalars stay the text that they were (``on``, ``1:30`` and ``5s`` are words; what they mean is for the
model to say).  PyYAML scans and parses; documents that are huge, nested too deeply, or that grow without
measure through aliases are refused while they are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from harness.errors import Located
from harness.scenario.words import printable, quoted

MAX_BYTES = 512 * 1024
MAX_DEPTH = 24
MAX_NODES = 50_000
MAX_PROBLEMS = 20
_YAML = "tag:yaml.org,2002:"


@dataclass(frozen=True, order=True)
class Place:
    """Where something stands; line and column count from 1, 0 means the source as a whole."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, in one line."""

    place: Place
    message: str

    def __str__(self) -> str:
        message = self.message if len(self.message) <= 600 else self.message[:597] + "..."
        return printable(f"{self.place}: {message}")


class Problems(Located):
    """All that is wrong, one line each, in the order of the file."""

    def __init__(self, problems: list[Problem]) -> None:
        seen = {str(p): p for p in problems}
        self.problems = sorted(seen.values(), key=lambda p: p.place)
        lines = [str(p) for p in self.problems[:MAX_PROBLEMS]]
        rest = len(self.problems) - MAX_PROBLEMS
        if rest > 0:
            lines.append(printable(f"{self.problems[0].place.source}: and {rest} more"))
        super().__init__("\n".join(lines))


@dataclass
class Scalar:
    text: str
    place: Place
    style: str | None = None
    """None for plain, ' or " for quoted, | and > for blocks."""
    null: bool = False
    lines: list[Place] = field(default_factory=list)
    """Of a literal block: where each of its lines begins."""


@dataclass
class Sequence:
    items: list[Node]
    place: Place


@dataclass
class Mapping:
    items: dict[str, tuple[Scalar, Node]]
    place: Place

    def get(self, key: str) -> Node | None:
        found = self.items.get(key)
        return found[1] if found else None


Node = Scalar | Sequence | Mapping


class _Loader(yaml.SafeLoader):
    """PyYAML's composer with limits."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0
        self.nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.depth += 1
        self.nodes += 1
        try:
            if self.depth > MAX_DEPTH:
                raise yaml.MarkedYAMLError(None, None, f"nested more than {MAX_DEPTH} deep", self.get_mark())
            if self.nodes > MAX_NODES:
                raise yaml.MarkedYAMLError(None, None, f"more than {MAX_NODES} values", self.get_mark())
            node: yaml.Node | None = super().compose_node(parent, index)
            return node
        finally:
            self.depth -= 1


def decode(data: bytes, source: str) -> str:
    """The text of a file.  Raises Problems for what is not UTF-8 or too large."""
    if len(data) > MAX_BYTES:
        raise Problems([Problem(Place(source), f"the file is too large (at most {MAX_BYTES} bytes)")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        good = data[: e.start].decode("utf-8", "replace").lstrip("\ufeff")
        place = Place(source, good.count("\n") + 1, len(good) - (good.rfind("\n") + 1) + 1)
        raise Problems([Problem(place, f"not UTF-8: byte 0x{data[e.start]:02x}")]) from None


def parse(text: str, source: str) -> Node | None:
    """The tree of a document; None for an empty one.  Raises Problems."""
    bad = re.search(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    if bad:
        raise Problems(
            [
                Problem(
                    _at(text, bad.start(), source),
                    f"a character U+{ord(bad[0]):04X} that YAML does not allow",
                )
            ]
        )
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        return None if root is None else _Builder(text, source).build(root)
    except yaml.MarkedYAMLError as e:
        mark = e.problem_mark or e.context_mark
        if e.context == _BLOCK and e.context_mark:
            mark = e.context_mark
        place = Place(source, mark.line + 1, mark.column + 1) if mark else Place(source, 1, 1)
        raise Problems([Problem(place, _message(e, text))]) from None
    except yaml.YAMLError as e:
        raise Problems([Problem(Place(source, 1, 1), str(e).splitlines()[0])]) from None
    except (RecursionError, ValueError, OverflowError, IndexError) as e:
        # PyYAML lets a few of these out of its scanner, for escapes and tags that make no sense.
        place = Place(source, loader.line + 1, loader.column + 1)
        raise Problems([Problem(place, f"not YAML: {type(e).__name__}")]) from None
    finally:
        loader.dispose()


def _at(text: str, index: int, source: str) -> Place:
    start = text.rfind("\n", 0, index) + 1
    return Place(source, text.count("\n", 0, index) + 1, index - start + 1)


_BLOCK = "while scanning a block scalar"
_WORDS = {
    "mapping values are not allowed here": "a ':' that makes no sense; text with ': ' in it needs quotes",
    "could not find expected ':'": "a key without ':'",
    "expected <block end>, but found '<block mapping start>'": "this line is not indented as those above it",
    "but found another document": "a second document; a file holds one scenario",
}


def _message(e: yaml.MarkedYAMLError, text: str) -> str:
    problem = (e.problem or e.context or "not YAML").strip()
    mark = e.problem_mark or e.context_mark
    if "'\\t'" in problem:
        return "a tab; YAML is indented with spaces"
    if mark is not None and ("cannot start any token" in problem):
        rows = text.split("\n")
        row = rows[mark.line] if mark.line < len(rows) else ""
        if mark.column < len(row) and row[mark.column] in "%@`":
            return f"text that begins with {row[mark.column]} needs quotes"
    if e.context == _BLOCK:
        return "text that begins with > or | needs quotes"
    for known, better in _WORDS.items():
        if problem.startswith(known):
            return better
    if e.context and e.context.startswith("while scanning a quoted scalar"):
        return f"a text in quotes without its end ({problem})" if "end of stream" in problem else problem
    return problem.splitlines()[0]


_STRAY = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def stray(text: str) -> str | None:
    """What is wrong with a text that has characters in it (by escapes) that nobody can write or send."""
    found = _STRAY.search(text)
    return f"a character U+{ord(found[0]):04X} has no place in a scenario" if found else None


class _Builder:
    def __init__(self, text: str, source: str) -> None:
        self.rows = re.split("\r\n|[\r\n\x85\u2028\u2029]", text)
        self.source = source
        self.nodes = 0
        self.problems: list[Problem] = []

    def build(self, root: yaml.Node) -> Node:
        tree = self.node(root, 0)
        if self.problems:
            raise Problems(self.problems)
        return tree

    def place(self, node: yaml.Node) -> Place:
        return Place(self.source, node.start_mark.line + 1, node.start_mark.column + 1)

    def node(self, node: yaml.Node, depth: int) -> Node:
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            what = (
                "aliases that repeat themselves"
                if depth > MAX_DEPTH
                else f"aliases that make more than {MAX_NODES} values"
            )
            raise yaml.MarkedYAMLError(None, None, what, node.start_mark)
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node)
        if node.tag not in (f"{_YAML}seq", f"{_YAML}map"):
            self.problems.append(Problem(self.place(node), f"the tag {quoted(node.tag)} has no meaning here"))
        if isinstance(node, yaml.SequenceNode):
            return Sequence([self.node(n, depth + 1) for n in node.value], self.place(node))
        items: dict[str, tuple[Scalar, Node]] = {}
        for k, v in node.value:
            if not isinstance(k, yaml.ScalarNode):
                self.problems.append(Problem(self.place(k), "a key must be a word, not a list or a mapping"))
                continue
            key = self.scalar(k)
            if key.text in items:
                first = items[key.text][0].place
                self.problems.append(
                    Problem(key.place, f"the key {quoted(key.text)} is there already, in line {first.line}")
                )
                continue
            if key.null and not key.text:
                self.problems.append(Problem(key.place, "an empty key"))
                continue
            items[key.text] = (key, self.node(v, depth + 1))
        return Mapping(items, self.place(node))

    def scalar(self, node: yaml.ScalarNode) -> Scalar:
        place = self.place(node)
        tag = node.tag or ""
        if tag.removeprefix(_YAML) not in (
            "str",
            "int",
            "float",
            "bool",
            "null",
            "timestamp",
            "merge",
            "value",
        ):
            self.problems.append(Problem(place, f"the tag {quoted(tag)} has no meaning here"))
        if strange := stray(node.value):
            self.problems.append(Problem(place, strange))
        out = Scalar(node.value, place, node.style, null=tag == f"{_YAML}null" and node.style is None)
        if node.style == "|":
            out.lines = self.block_lines(node)
        return out

    def block_lines(self, node: yaml.ScalarNode) -> list[Place]:
        first = node.start_mark.line + 1
        count = len(node.value.splitlines())
        rows = self.rows[first : min(first + count, node.end_mark.line + 1)]
        indent = min((len(r) - len(r.lstrip(" ")) for r in rows if r.strip(" ")), default=0)
        return [Place(self.source, first + n + 1, indent + 1) for n in range(len(rows))]


def plain(node: Node) -> Any:
    """A tree as plain Python: text, None, lists, dicts."""
    if isinstance(node, Scalar):
        return None if node.null else node.text
    if isinstance(node, Sequence):
        return [plain(n) for n in node.items]
    return {key: plain(value) for key, (_, value) in node.items.items()}


def scalars(node: Node) -> Iterator[Scalar]:
    """All values (not keys) that are scalars."""
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from scalars(item)
    else:
        for _, value in node.items.values():
            yield from scalars(value)


def within(scalar: Scalar, offset: int) -> Place:
    """The place of a character of a scalar's text."""
    if scalar.lines:
        before = scalar.text[:offset]
        row = before.count("\n")
        if row < len(scalar.lines):
            start = scalar.lines[row]
            return Place(start.source, start.line, start.column + offset - (before.rfind("\n") + 1))
    if not scalar.place.line or scalar.style in ("|", ">") or "\n" in scalar.text:
        return scalar.place
    return Place(
        scalar.place.source, scalar.place.line, scalar.place.column + offset + (1 if scalar.style else 0)
    )
