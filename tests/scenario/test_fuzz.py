
"""No document gives a traceback: it loads, or what is wrong is told in lines with places.

DNH_HYPOTHESIS=10000 tries as many more, of all kinds.
"""

import os
import re

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.scenario import load, loads
from harness.scenario.expect import FUNCTIONS
from harness.scenario.load import _keys
from harness.scenario.model import Event, Flow

from .conftest import SKETCH, all_files

FEW = 150
MANY = int(os.environ.get("DNH_HYPOTHESIS") or 0)
LINE = re.compile(r"(f|--set [^\n]*)(:\d+:\d+)?: \S.*")
TEXTS = [SKETCH, *(p.read_text() for p in all_files() if p.stat().st_size < 1400)]


def few(n: int = FEW) -> settings:
    return settings(
        max_examples=n, deadline=None, database=None, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip


def survives(text: str, overrides: dict[str, str] | None = None) -> bool:
    """Load a text: True when it is a scenario, False when it is not and this was told as it should be."""
    try:
        scenarios = loads(text, "f", overrides)
    except UsageError as e:
        lines = str(e).splitlines()
        assert lines
        assert len(lines) <= 21
        for line in lines:
            assert LINE.fullmatch(line) or line.startswith("f: and "), line
            assert line.isprintable(), line
        return False
    for s in scenarios[:3]:
        [again] = loads(s.to_yaml(), "f")
        assert again.sha256 == s.sha256
        assert again.agenda() == s.agenda()
    return True


# --- documents -------------------------------------------------------------------------------------

WORDS = st.sampled_from([
    *_keys(()), *Flow.model_fields, *Event.model_fields, *FUNCTIONS, "from", "for", "client", "router", "server", "lan",
    "wan", "guest", "all", "default", "gold", "address", "mtu", "ether", "verdict", "panic.message", "console",
    "gold.rate", "router.pipe.1.drops", "net.inet.ip.forwarding", "flavour", "tunables", "patches", "x", "", "<<", "~",
])  # fmt: skip
VALUES = st.sampled_from([
    "10.0.1.1/24", "10.0.2.1/24", "2001:db8::1/64", "10.0.1.1", "20Mbit/s", "1000pps", "5s", "20ms", "0", "-1", "1e999",
    "1e300s", "99999999999999999999999", "0x10", "1_000", "1:30", ".inf", ".nan", "yes", "off", "null", "bulk", "pass",
    "[pass, panic]", "< 200ms", "2 +- 2%", "1ms..5ms", "!= 0", "/regex(/", "not /x/", "${x}", "${gold}", "server:5001",
    "'quoted'", '"\\x41"', '"\\ud800"', "debug", "virtual", "02:00:00:00:00:01", "|\n  pipe 1 config bw 1Mbit/s",
    "2026-11-22", "a\x85b", "\ud800", "\ufeff", "a\r\nb", "a\x06b", "x" * 200, "!!int 5", "!x y", "&a b", "*a", "%", "@", "`", "[", "]", "{", "}", "# c", "\t", "é", "\u2028", "😀",
    "client", "router", "{}", "[]", "[[]]", "{a: {b: {c: d}}}", "4294967296", "0.1", "wan down", "1 config bw 1Mbit/s",
])  # fmt: skip
ANY = WORDS | VALUES | st.text(max_size=12)


def _flow_style(node: object) -> str:
    if isinstance(node, dict):
        return "{" + ", ".join(f"{k}: {_flow_style(v)}" for k, v in node.items()) + "}"
    if isinstance(node, list):
        return "[" + ", ".join(_flow_style(v) for v in node) + "]"
    return str(node)


TREES = st.recursive(
    ANY, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY, inner, max_size=5), max_leaves=25
)
TOP = st.dictionaries(WORDS, TREES, max_size=8).map(
    lambda d: "\n".join(f"{k}: {_flow_style(v)}" for k, v in d.items())
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A scenario that is there, with a few things replaced, removed, moved, doubled."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.integers(0, 6))
        tokens = [m.span() for m in re.finditer(r"[\w.+/%:-]+", text)] or [(0, 0)]
        a, b = draw(st.sampled_from(tokens))
        if kind == 0:
            text = text[:a] + draw(ANY) + text[b:]
        elif kind == 1:
            text = text[:a] + text[b:]
        elif kind == 2:
            at = draw(st.integers(0, len(text)))
            text = text[:at] + draw(st.text(max_size=3)) + text[at:]
        elif kind == 3:
            lines = text.split("\n")
            n = draw(st.integers(0, len(lines) - 1))
            text = "\n".join([*lines[:n], *lines[n + 1 :]])
        elif kind == 4:
            lines = text.split("\n")
            n, m = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
            lines[n], lines[m] = lines[m], lines[n]
            text = "\n".join(lines)
        elif kind == 5:
            lines = text.split("\n")
            n = draw(st.integers(0, len(lines) - 1))
            text = "\n".join(
                [*lines[:n], draw(st.sampled_from(["  ", " ", "\t", "- "])) + lines[n], *lines[n:]]
            )
        else:
            c, d = draw(st.sampled_from(tokens))
            text = text[:a] + text[c:d] + text[b:]
    return text


@few()
@given(mutated())
def test_scenarios_gone_wrong(text: str) -> None:
    survives(text)


@few()
@given(TOP)
@example("name: x\nhosts: {a: {l: }}")
@example("matrix: {name: [x, y]}\nhosts: {a: {l: }}")
@example("name: ${a}\nmatrix: {a: x}\nhosts: {a: {l: }}")
def test_keys_and_values_at_random(text: str) -> None:
    survives(text)


@few()
@given(st.text(max_size=200) | st.text(" \n\t-:?[]{}&*!|>'\"%@`#,abc123~<=", max_size=200))
def test_any_text(text: str) -> None:
    survives(text)


@few(max(50, FEW // 4))
@given(st.binary(max_size=200))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(data)
    try:
        load(path)
    except UsageError as e:
        assert str(e).startswith(str(path))


PATHS = st.lists(WORDS | st.integers(0, 3).map(str), min_size=1, max_size=5).map(".".join) | st.text(
    max_size=20
)


@few()
@given(PATHS, ANY | TREES.map(_flow_style))
def test_any_set(path: str, value: str) -> None:
    survives(SKETCH, {path: value})


@few()
@given(st.dictionaries(PATHS, st.lists(ANY, max_size=4), max_size=4))
def test_any_matrix(axes: dict[str, list[str]]) -> None:
    rows = "".join(f"  {k}: {_flow_style(v)}\n" for k, v in axes.items())
    survives(SKETCH.replace("events:", f"matrix:\n{rows}events:"))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not MANY, reason="DNH_HYPOTHESIS says how many")
@few(max(1, MANY))
@given(st.one_of(mutated(), TOP, st.text(max_size=200)))
def test_very_many_documents(text: str) -> None:
    survives(text)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 50_000,
        "- " * 100_000,
        "a:\n" + "".join(" " * n + "a:\n" for n in range(1, 400)),
        "x: " + "y" * 500_000,
        "name: " + "'" * 99_999,
        "a: &a\n" * 10_000,
        "\n".join(f"k{n}: v" for n in range(30_000)),
        "? " * 10_000,
        "!" * 10_000,
        "a: !<" + "x" * 10_000 + "> b",
        "a: |" + "9" * 5000 + "\n x",
        "a: \"\\U" + "F" * 8 + "\"",
        "%YAML 9.9\n---\na: b",
        "%TAG ! x\n---\n!a b",
        "--- |1-\n",
        "a: *b",
        "&a [*a, *a]",
        "&a {*a : *a}",
    ],
    ids=range(19),
)  # fmt: skip
@pytest.mark.timeout(30)
def test_monsters(text: str) -> None:
    assert not survives(text)


@pytest.mark.timeout(30)
def test_a_matrix_that_grows() -> None:
    long = "x" * 1000
    values = ", ".join(f"{n}{long}" for n in range(40))
    assert not survives(SKETCH.replace("name: weighted", "about: " + "${a}" * 5000 + "\nname: x").replace(
        "events:", f"matrix: {{a: [{values}]}}\nevents:"))  # fmt: skip
