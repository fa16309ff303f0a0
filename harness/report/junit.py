"""JUnit XML as CI systems read it: one testsuite a scenario file, one testcase a cell and repeat.

A ``failure`` is the kernel's (an expectation that does not hold, a panic or hang that was not declared, a
declared panic that did not come), an ``error`` the harness's own, ``skipped`` what was not run.
The elements and attributes are those of Jenkins' junit-10.xsd plus ``properties`` inside a testcase, which
pytest writes too and the usual readers take.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from harness.report import words
from harness.report.load import NotRun, known
from harness.run.result import Result, Verdict

_LOG_LINES = 60


def junit(results: Iterable[Result], not_run: Sequence[NotRun] = ()) -> str:
    """The XML of these results, suites and cases in the order in which they come."""
    suites: dict[tuple[str, str], list[ET.Element]] = {}
    started: dict[tuple[str, str], list[str]] = {}
    for r in results:
        key = (r.scenario.file, r.scenario.name)
        suites.setdefault(key, []).append(_case(r))
        started.setdefault(key, []).append(r.durations.started)
    for n in not_run:
        suites.setdefault((n.file, n.name), []).append(_skipped(n))

    root = ET.Element("testsuites", {"name": "dnh"})
    for (file, name), cases in suites.items():
        suite = ET.SubElement(root, "testsuite", {"name": _text(name or file or "dnh")})
        if file:
            suite.set("file", _text(file))
        # JUnit's timestamp is an ISO 8601 time without fraction or zone.
        when = sorted(s for s in started.get((file, name), []) if s)
        if when:
            suite.set("timestamp", _text(when[0])[:19])
        suite.extend(cases)
        _totals(suite, cases)
    _totals(root, list(root.iter("testcase")))
    # The readers' schema knows no such attribute on the outermost element.
    root.attrib.pop("skipped")
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _text(text: str) -> str:
    return words.clean(text)


def _totals(element: ET.Element, cases: list[ET.Element]) -> None:
    element.set("tests", str(len(cases)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(attribute, str(sum(case.find(tag) is not None for case in cases)))
    element.set("time", f"{sum(float(case.get('time', '0')) for case in cases):.3f}")


def _class(file: str, name: str) -> str:
    """scenarios/dummynet/rate.yaml -> scenarios.dummynet.rate, so that readers show a tree."""
    if not file:
        return _text(name)
    path = PurePath(file)
    return _text(".".join(p.replace(".", "_") for p in (*path.parts[:-1], path.stem) if p not in ("/", "..", ".")))


def _case(r: Result) -> ET.Element:
    # The seed belongs to the name's meaning only where a cell is repeated; it is a property always.
    name = words.title(r)
    case = ET.Element(
        "testcase",
        {
            "classname": _class(r.scenario.file, r.scenario.name),
            "name": name,
            "time": f"{max(0.0, r.durations.total):.3f}",
        },
    )
    properties = ET.SubElement(case, "properties")
    for key, value in _properties(r):
        ET.SubElement(properties, "property", {"name": words.one_line(key), "value": words.one_line(value)})
    if not r.as_expected:
        machinery = r.verdict is Verdict.ERROR
        kind = r.verdict if r.verdict is not Verdict.PASS else f"not-{r.declared}"
        message = words.outcome(r) + (f": {words.why(r)}" if words.why(r) else "")
        found = ET.SubElement(case, "error" if machinery else "failure", {"type": str(kind), "message": message})
        found.text = _text(_why(r))
    out = ET.SubElement(case, "system-out")
    out.text = _text(_system_out(r))
    return case


def _properties(r: Result) -> list[tuple[str, str]]:
    if not known(r):
        return [("verdict", str(r.verdict))]
    found = [
        ("verdict", str(r.verdict)),
        ("declared", str(r.declared)),
        ("seed", str(r.seed)),
        ("repeat", str(r.repeat)),
        ("guest", words.guest(r)),
        ("clock", r.guest.clock),
        ("kernel", r.kernel.ident),
        ("kernel.digest", r.kernel.digest),
        ("kernel.flavour", r.kernel.flavour),
    ]
    if r.kernel.patches:
        found.append(("kernel.patches", " ".join(r.kernel.patches)))
    found += [(f"cell.{k}", str(v)) for k, v in r.scenario.cell.items()]
    if r.panic is not None:
        found.append(("signature", r.panic.signature))
    return found


def _why(r: Result) -> str:
    lines = [*r.reasons]
    lines += [f"{e.metric} {e.condition}: measured {words.measured(e)}" for e in r.expectations if not e.holds]
    return "\n".join(lines) or words.outcome(r)


def _system_out(r: Result) -> str:
    lines = [f"run again: {words.command(r)}"] if r.command else []
    if r.panic is not None:
        lines += ["", f"panic: {words.one_line(r.panic.message)}", f"signature: {r.panic.signature}"]
        if r.panic.culprit:
            lines.append(f"in: {r.panic.culprit}")
        log = words.log(r.panic)
        lines += [
            "",
            *(log if len(log) <= _LOG_LINES else [*log[:_LOG_LINES], f"... {len(log) - _LOG_LINES} lines more"]),
        ]
    return "\n".join(lines)


def _skipped(n: NotRun) -> ET.Element:
    name = words.one_line(n.name) + (f" [{words.cell(n.cell)}]" if n.cell else "")
    case = ET.Element("testcase", {"classname": _class(n.file, n.name), "name": name, "time": "0.000"})
    ET.SubElement(case, "skipped", {"type": "dnh.skip", "message": words.one_line(n.reason)})
    return case
