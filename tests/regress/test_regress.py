"""``dnh regress`` and ``dnh history`` on the user-mode guest: found, not found, panics, bad words, files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from harness.regress.model import regress_schema

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
NOISY, SLOW = HERE / "noisy.yaml", f"usermode+{HERE / 'slow'}"
pytestmark = pytest.mark.timeout(900)


def dnh(*words: object) -> subprocess.CompletedProcess[str]:
    env = dict(os.environ, PYTHONPATH=str(ROOT), COLUMNS="140")
    return subprocess.run(
        [sys.executable, "-m", "harness", *map(str, words)], cwd=ROOT, env=env, capture_output=True, text=True, timeout=380
    )


def test_a_slow_patch_is_found_and_the_one_before_is_not(tmp_path: Path) -> None:
    out = tmp_path / "runs"
    common = ("--trials", 4, "--most", 4, "--out", out)
    done = dnh("regress", "--base", "usermode", "--candidate", f"{SLOW}@1", NOISY, *common, "--json", "-")
    report = json.loads(done.stdout)
    jsonschema.validate(report, regress_schema())
    assert done.returncode == 0, done.stderr
    assert {m["outcome"] for m in report["cases"][0]["metrics"]} == {"same"}  # paired by seed: not one bit differs
    files = [tmp_path / n for n in ("c.html", "c.xml")]
    done = dnh("regress", "--base", "usermode", "--candidate", SLOW, NOISY, *common, "--metric", "call.rate=higher 3%",
               "--html", files[0], "--junit", files[1])  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 regression" in done.stdout and "call.rate" in done.stdout and "worse" in done.stdout
    page = files[0].read_text()
    assert page.count("<circle") == 8 and "src=" not in page and "http" not in page.replace("http-equiv", "")
    suite = ET.parse(files[1]).getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    # What the runs have measured, kernel by kernel.
    svg, web = tmp_path / "h.svg", tmp_path / "h.html"
    done = dnh("history", "call.rate", "--runs", out, "--svg", svg, "--html", web, "--json", tmp_path / "h.json")
    assert done.returncode == 0, done.stderr
    (series,) = json.loads((tmp_path / "h.json").read_text())
    assert [(k["name"].split()[0], len(k["values"])) for k in series["kernels"]] == [
        ("usermode", 8), ("usermode+slow@1", 4), ("usermode+slow", 4)
    ]  # fmt: skip
    assert svg.read_text().startswith("<svg xmlns") and ET.fromstring(svg.read_text()) is not None
    assert "usermode+slow@1" in web.read_text() and "usermode+slow@1" in done.stdout
    assert dnh("history", "gold.rate", "--runs", out).returncode == 2


def test_a_candidate_that_panics(tmp_path: Path) -> None:
    source = (ROOT / "vm/usermode/netpfil/ipfw/ip_dn_io.c").read_text().splitlines()
    at = next(i for i, line in enumerate(source) if line.startswith("dn_first_credit("))
    at = next(i for i in range(at, len(source)) if source[i] == "")
    patch = tmp_path / "bad.patch"
    patch.write_text(
        f"--- a/sys/netpfil/ipfw/ip_dn_io.c\n+++ b/sys/netpfil/ipfw/ip_dn_io.c\n@@ -{at},2 +{at},3 @@\n"
        f" {source[at - 1]}\n \n+\tKASSERT(p->burst == 77, (\"planted\"));\n"
    )
    done = dnh("regress", "--base", "usermode", "--candidate", f"usermode+{patch}", NOISY, "--trials", 3, "--most", 3,
               "--out", tmp_path / "runs", "--json", "-")  # fmt: skip
    report = json.loads(done.stdout)
    assert done.returncode == 1, done.stderr
    verdicts = report["cases"][0]["verdicts"]
    assert verdicts["candidate"] == {"panic": 3} and verdicts["outcome"] == "worse"
    assert list(verdicts["new_signatures"].values()) == [3]
    assert "planted" in report["regressions"][0]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("--candidate", "usermod"), "did you mean 'usermode'"),
        (("--candidate", "usermode", "--metric", "call.rat=higher"), "unknown metric"),
        (("--candidate", "usermode", "--metric", "call.rate=faster"), "not one of higher, lower, same"),
        (("--candidate", "usermode", "--metric", "call.rate=higher 2ms"), "is not a rate"),
        (("--candidate", "usermode", "--alpha", "200%"), "between 0 and 50%"),
        (("--candidate", "usermode", "--trials", "1"), "at least 2"),
        (("--candidate", "usermode", "--executor", "ssh://x"), "dask://HOST:PORT"),
    ],
)
def test_wrong_words(words: tuple[str, ...], wanted: str, said: Callable[..., tuple[int, str]]) -> None:
    code, err = said("regress", "--base", "usermode", *words, NOISY)
    assert code == 2 and wanted in err and len(err.splitlines()) == 1, err


def test_wrong_lines_of_a_scenario_have_a_place(tmp_path: Path, said: Callable[..., tuple[int, str]]) -> None:
    file = tmp_path / "bad.yaml"
    text = NOISY.read_text()
    for line, wanted in (
        ("call.rate: highest", "is not one of higher, lower, same (did you mean 'higher'?)"),
        ("cal.rate: higher", "unknown flow 'cal'"),
        ("call.rate: higher 2ms", "is not a rate"),
        ('guest.sysctl."net.x": lower', "cannot be compared"),
    ):
        file.write_text(text.replace("call.rate: higher 3%", line))
        code, err = said("check", file)
        row = 1 + text[: text.index("call.rate: higher")].count("\n")
        assert code == 2 and f"bad.yaml:{row}:" in err and wanted in err, err
