
"""Every scenario of the repository loads, and the published schema accepts it."""

import re
from typing import Any

import jsonschema
import pytest

from harness.paths import data_dir
from harness.scenario import load
from harness.scenario import tree as t
from harness.scenario.schema import scenario_schema

VALIDATOR = jsonschema.Draft202012Validator(scenario_schema())


def as_editors_read(node: t.Node) -> Any:
    """The tree as YAML 1.2 has it: numbers, booleans and null are what they are, all else is text."""
    if isinstance(node, t.Sequence):
        return [as_editors_read(n) for n in node.items]
    if isinstance(node, t.Mapping):
        return {key: as_editors_read(value) for key, (_, value) in node.items.items()}
    if node.style is not None:
        return node.text
    if node.text in ("", "~", "null"):
        return None
    if node.text in ("true", "false"):
        return node.text == "true"
    if re.fullmatch(r"[-+]?\d+", node.text):
        return int(node.text)
    if re.fullmatch(r"[-+]?\d+\.\d*", node.text):
        return float(node.text)
    return node.text


def tree(text: str) -> Any:
    node = t.parse(text, "f")
    assert node is not None
    return as_editors_read(node)


def test_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(scenario_schema())


def test_loads_and_fits_the_schema(file) -> None:
    cells = load(file)
    assert cells
    text = file.read_text()
    for data in (tree(text), *(tree(c.to_yaml()) for c in cells[:3])):
        errors = sorted(VALIDATOR.iter_errors(data), key=str)
        assert not errors, errors[0]


def test_says_what_it_is_for(file) -> None:
    for s in load(file):
        assert s.about
        if file.parent.name == "reports":  # of other people, or of what was found here and has no address yet
            assert s.reference or not file.name.startswith("opnsense-")
            assert all(r.startswith("https://") for r in s.reference)
            assert "qemu" in s.guests  # the user-mode guest may have the fault as well, but proves nothing of FreeBSD


def test_as_many_as_promised() -> None:
    files = list((data_dir("scenarios") / "dummynet").glob("*.yaml"))
    assert len(files) >= 12
    reports = {r for p in (data_dir("scenarios") / "reports").glob("*.yaml") for r in load(p)[0].reference}
    for what in ("src/issues/298", "src/issues/315", "src/issues/84", "src/issues/273",
                 "core/issues/10640", "core/issues/10645", "core/issues/9875", "core/issues/8649"):  # fmt: skip
        assert f"https://github.com/opnsense/{what}" in reports


@pytest.mark.parametrize(
    "wrong",
    [
        {"nam": "x"},
        {"flows": {"a": {"udp": "20Mbits", "from": "a", "to": "b:1"}}},
        {"flows": {"a": {"from": "a", "to": "b:1"}}},
        {"hosts": {"1a": {}}},
        {"kernel": {"flavour": "fast"}},
        {"expect": {"verdict": "good"}},
        {"events": [{"run": "x", "on": "a"}]},
    ],
)
def test_schema_refuses(sketch: str, wrong: dict[str, Any]) -> None:
    data = tree(sketch)
    assert VALIDATOR.is_valid(data)
    assert not VALIDATOR.is_valid({**data, **wrong})


def test_rules_and_their_control_differ_in_the_rule_only() -> None:
    folder = data_dir("scenarios") / "pspat"
    [honoured] = load(folder / "honoured.yaml")
    for broken in load(folder / "rules.yaml"):
        assert broken.hosts == honoured.hosts and broken.flows == honoured.flows and broken.ipfw == honoured.ipfw
        assert broken.events == honoured.events and broken.sysctl == honoured.sysctl and broken.ncpu == honoured.ncpu
        rule = f"sysctl net.pspat.break.c{broken.cell['rule']}=1"
        assert str(broken.setup["guest"]).replace(rule, "").split() == str(honoured.setup["guest"]).split()
        assert {k: v for k, v in broken.expect.items() if k != "verdict"} == {
            k: v for k, v in honoured.expect.items() if k != "verdict"
        }
