"""A comparison as JUnit XML: a testsuite a cell, a testcase for its verdicts and one for each metric."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import PurePath

from harness.regress import terminal as t
from harness.regress.model import Case, Metric, Outcome, Report
from harness.report import words


def junit(report: Report) -> str:
    """The XML.  ``failure``: got worse; ``error``: nothing could be said; differences are in system-out."""
    root = ET.Element("testsuites", {"name": "dnh regress"})
    for case in report.cases:
        suite = ET.SubElement(root, "testsuite", {"name": words.clean(case.title), "timestamp": report.started[:19]})
        properties = ET.SubElement(suite, "properties")
        for key, value in (("base", report.base.title), ("candidate", report.candidate.title),
                           ("base.digest", report.base.digest), ("candidate.digest", report.candidate.digest),
                           ("alpha", f"{report.alpha:g}"), ("trials", str(case.trials))):  # fmt: skip
            ET.SubElement(properties, "property", {"name": key, "value": words.one_line(value)})
        v = case.verdicts
        _one(suite, case, "verdicts", v.outcome, v.reason, [
            f"base: {t.verdict_text(v.base)}", f"candidate: {t.verdict_text(v.candidate)}",
            *(f"new: {s} ({n}x)" for s, n in v.new_signatures.items()),
            *(f"gone: {s} ({n}x)" for s, n in v.gone_signatures.items()),
        ])  # fmt: skip
        for m in case.metrics:
            _one(suite, case, m.metric, m.outcome, m.reason, _said(m))
        for name in ("failure", "error"):
            key = "failures" if name == "failure" else "errors"
            suite.set(key, str(sum(c.find(name) is not None for c in suite.iter("testcase"))))
        suite.set("tests", str(1 + len(case.metrics)))
        suite.set("skipped", "0")
        suite.set("time", "0.000")
    for key in ("tests", "failures", "errors"):
        root.set(key, str(sum(int(s.get(key, "0")) for s in root)))
    root.set("time", f"{report.seconds:.3f}")
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _said(m: Metric) -> list[str]:
    a, b = t.means(m)
    return [
        f"base {a}, candidate {b}: {t.share(m, m.difference)} in {t.interval(m)}",
        f"{m.test}, p {t.chance(m.p)}, corrected {t.chance(m.p_corrected)}, rank test {t.chance(m.p_rank)}",
        f"could have seen {t.least(m)}: {m.outcome}",
    ]


def _one(suite: ET.Element, case: Case, name: str, outcome: Outcome, reason: str, said: list[str]) -> None:
    path = PurePath(case.file)
    parts = [p.replace(".", "_") for p in (*path.parts[:-1], path.stem) if p not in ("/", "..", ".")]
    element = ET.SubElement(
        suite, "testcase", {"classname": words.clean(".".join(parts) or case.name), "name": words.clean(name), "time": "0.000"}
    )
    if outcome is Outcome.WORSE:
        found = ET.SubElement(element, "failure", {"type": "regression", "message": words.one_line(reason)})
        found.text = words.clean("\n".join(said))
    elif outcome is Outcome.UNMEASURED:
        ET.SubElement(element, "error", {"type": "unmeasured", "message": words.one_line(reason)})
    ET.SubElement(element, "system-out").text = words.clean("\n".join(said))
