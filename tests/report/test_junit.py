"""The XML is what CI systems read: the shape of Jenkins' schema, pytest's own, and no forbidden character."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.report.junit import junit
from harness.report.load import NotRun
from harness.run.result import Result, ScenarioRef, Verdict

from . import make

TIME = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]{0,3})?")
SHAPE: dict[str, tuple[set[str], set[str], set[str]]] = {
    # element: its children, the attributes it must have, those it may have
    "testsuites": ({"testsuite"}, set(), {"name", "time", "tests", "failures", "errors"}),
    "testsuite": (
        {"testcase", "properties", "system-out", "system-err"},
        {"name", "tests", "failures", "errors"},
        {"time", "skipped", "timestamp", "hostname", "id", "package", "file"},
    ),
    "testcase": (
        {"properties", "skipped", "error", "failure", "system-out", "system-err"},
        {"name"},
        {"classname", "time", "file"},
    ),
    "properties": ({"property"}, set(), set()),
    "property": (set(), {"name", "value"}, set()),
    "failure": (set(), set(), {"message", "type"}),
    "error": (set(), set(), {"message", "type"}),
    "skipped": (set(), set(), {"message", "type"}),
    "system-out": (set(), set(), set()),
    "system-err": (set(), set(), set()),
}


def check_shape(text: str, loose: frozenset[str] = frozenset()) -> ET.Element:
    """Raises AssertionError where the XML is not of the usual shape; its counts must add up, too."""
    root = ET.fromstring(text.encode())
    assert root.tag == "testsuites"
    for element in root.iter():
        children, must, may = SHAPE[element.tag]
        assert {child.tag for child in element} <= children, element.tag
        assert must <= set(element.keys()) <= must | may | loose, (element.tag, element.keys())
        assert TIME.fullmatch(element.get("time", "0.000")), element.get("time")
    for suite in root.iter("testsuite"):
        cases = suite.findall("testcase")
        assert int(suite.get("tests", "")) == len(cases)
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(attribute, "0")) == sum(case.find(tag) is not None for case in cases)
    return root


def case(r: Result) -> ET.Element:
    found = check_shape(junit([r])).find("testsuite/testcase")
    assert found is not None
    return found


def test_a_pass() -> None:
    found = case(make.result())
    assert found.get("classname") == "scenarios.dummynet.fairness"
    assert found.get("name") == "weighted fairness through a router"
    assert found.get("time") == "0.840"
    assert [child.tag for child in found] == ["properties", "system-out"]
    properties = {p.get("name"): p.get("value") for p in found.iter("property")}
    assert properties["seed"] == "1" and properties["kernel.digest"] == "9f2c41d07be3"
    assert "run again: ./dnh run scenarios/dummynet/fairness.yaml" in (found.findtext("system-out") or "")


def test_what_is_whose_fault() -> None:
    for verdict, declared, tag, kind in [
        (Verdict.FAIL, Verdict.PASS, "failure", "fail"),
        (Verdict.PANIC, Verdict.PASS, "failure", "panic"),
        (Verdict.HANG, Verdict.PASS, "failure", "hang"),
        (Verdict.PASS, Verdict.PANIC, "failure", "not-panic"),
        (Verdict.ERROR, Verdict.PASS, "error", "error"),
    ]:
        found = case(make.result(verdict, declared)).find(tag)
        assert found is not None and found.get("type") == kind, verdict
    for verdict in Verdict:
        quiet = case(make.result(verdict, verdict))
        assert quiet.find("failure") is None and quiet.find("error") is None


def test_a_failure_names_the_figure() -> None:
    found = case(make.result(Verdict.FAIL)).find("failure")
    assert found is not None
    assert found.get("message") == "fail, declared pass: measured 119 ms, 38.7 ms more than allowed"
    assert found.text == "gold.delay.p99 < 80ms: measured 119 ms"


def test_a_panic_has_its_excerpt() -> None:
    out = case(make.result(Verdict.PANIC)).findtext("system-out") or ""
    assert "signature: page-fault-ip_output-null-3fa1c2" in out
    assert "ip_output() at ip_output+0x1a2" in out


def test_a_suite_for_each_file_and_a_case_for_each_cell() -> None:
    results = [
        make.result(scenario=ScenarioRef(name=name, file=f"s/{name}.yaml", sha256="", cell={"bw": bw}), repeat=repeat)
        for name in ("a", "b")
        for bw in ("1Mbit/s", "2Mbit/s")
        for repeat in (0, 1)
    ]
    root = check_shape(junit(results, [NotRun("a", "s/a.yaml", "not on this guest", {"bw": "3Mbit/s"})]))
    assert [s.get("file") for s in root] == ["s/a.yaml", "s/b.yaml"]
    assert [c.get("name") for c in root[0]] == [
        "a [bw=1Mbit/s]",
        "a [bw=1Mbit/s] #2",
        "a [bw=2Mbit/s]",
        "a [bw=2Mbit/s] #2",
        "a [bw=3Mbit/s]",
    ]
    assert (root.get("tests"), root[0].get("skipped"), root[0].get("timestamp")) == (
        "9",
        "1",
        "2026-07-01T10:00:00",
    )
    skipped = root[0][-1].find("skipped")
    assert skipped is not None and skipped.get("message") == "not on this guest"


def test_hostile_names() -> None:
    text = junit([make.hostile()], [NotRun("\x00<", "&", "]]>\ud800")])
    root = check_shape(text)
    assert "<script>" not in text
    assert "alert(1)" in (root[0][0].get("name") or "")


@settings(max_examples=100)
@given(st.lists(make.results(), max_size=3))
def test_every_result_gives_good_xml(results: list[Result]) -> None:
    check_shape(junit(results))
    assert junit(results) == junit(results)


def test_the_shape_is_that_of_pytest_itself(tmp_path: Path) -> None:
    """What the check above takes is what pytest writes: else the check would be wrong."""
    (tmp_path / "test_it.py").write_text(
        "import pytest\n"
        "def test_a(record_property): record_property('seed', 1); print('out')\n"
        "def test_b(): assert 0\n"
        "@pytest.mark.skip\ndef test_c(): pass\n"
        "@pytest.fixture\ndef f(): 1 / 0\n"
        "def test_d(f): pass\n"
    )
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "--junit-xml=o.xml",
            "-c",
            "/dev/null",
            "test_it.py",
        ],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert len(list(check_shape((tmp_path / "o.xml").read_text()).iter("testcase"))) == 4
