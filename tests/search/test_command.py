"""``dnh bisect`` as it is called, on the user-mode guest: answers, interruptions, what cannot be run, exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.commands.bisect import _heard
from harness.paths import data_dir
from harness.scenario import load

from . import series

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(600)  # seconds each, and the first builds the guest; a busy machine takes longer
RULES = str(ROOT / "scenarios" / "pspat" / "rules.yaml")


def start(*words: str, cwd: Path) -> subprocess.Popen[str]:
    env = dict(os.environ, PYTHONPATH=str(ROOT), DNH_ENV="this", DNH_STATE=str(cwd / "state"))
    return subprocess.Popen([sys.executable, "-m", "harness", "bisect", *words], cwd=cwd, env=env, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip


def bisect(*words: str, cwd: Path) -> tuple[int, str, str]:
    process = start(*words, cwd=cwd)
    out, err = process.communicate(timeout=550)
    return process.returncode, out, err


@pytest.fixture
def ping(tmp_path: Path) -> Path:
    (tmp_path / "ping.yaml").write_text(series.SCENARIO)
    return tmp_path


def answer(*words: str, cwd: Path) -> dict:
    code, out, err = bisect(*words, "--json", "-", "--html", "page.html", cwd=cwd)
    assert code == 0, out + err
    page = (cwd / "page.html").read_text()
    assert "<svg" in page and "http" not in page.replace("http-equiv", "")
    return json.loads(out)


# --- rules -----------------------------------------------------------------------------------------


def test_the_broken_rule_is_found_by_who_is_not_told(tmp_path: Path) -> None:
    found = answer(RULES, "--over", "rules", "--set", "rule=5", cwd=tmp_path)
    assert found["answer"]["honour"] == ["C5"] and list(found["answer"]["culprits"]) == ["C5"]
    assert found["runs"] <= 24 and found["ideal"]["one_run_tells"] == 4
    assert all(step["runs"] for step in found["path"])


def test_two_broken_rules_are_both_needed(tmp_path: Path) -> None:
    text = Path(RULES).read_text().replace("sysctl net.pspat.break.c${rule}=1", "sysctl net.pspat.break.c${rule}=1\n    sysctl net.pspat.break.c4=1")
    (tmp_path / "two.yaml").write_text(text)
    found = answer("two.yaml", "--over", "rules", "--set", "rule=7", cwd=tmp_path)
    assert found["answer"]["honour"] == ["C4", "C7"]
    assert found["answer"]["proof"].startswith("each is a culprit alone")


def test_a_setting_that_fails_for_another_reason_is_no_rule_s_fault(ping: Path) -> None:
    code, out, _ = bisect(RULES, "--over", "rules", "--set", "rule=9", "--rules", "C1,C2", cwd=ping)
    assert code == 1 and "not these rules: with all of C1, C2 honoured it fails" in out


def test_rules_are_asked_of_a_kernel_that_has_them(ping: Path) -> None:
    code, _, err = bisect(str(ROOT / "scenarios/quickstart.yaml"), "--over", "rules", cwd=ping)
    assert code == 2 and "usermode has no patches (+pspat)" in err


# --- patches and revisions -------------------------------------------------------------------------


def repository(folder: Path, culprit: int, broken: int) -> Path:
    """Revisions, each with one patch more; one of them does not compile, the next one mends it."""
    good = series.write(folder.with_name("good"), culprit, data_dir("vm") / "usermode", share=10, count=5)
    bad = series.write(folder.with_name("bad"), culprit, data_dir("vm") / "usermode", share=10, broken=(broken,), count=5)
    folder.mkdir()

    def git(*words: str) -> None:
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t.invalid", *words], cwd=folder, check=True)

    git("init", "-q", "-b", "main")
    names = sorted(p.name for p in good.glob("*.patch"))
    for n in range(1, len(names) + 1):
        for m, earlier in enumerate(names[:n], 1):
            source = bad if m == broken == n else good
            (folder / earlier).write_text((source / earlier).read_text())
        (folder / "series.usermode").write_text("\n".join(names[:n]) + "\n")
        git("add", ".")
        git("commit", "-q", "-m", f"step {n}")
        git("tag", f"v{n}")
    return folder


def test_revisions_what_does_not_build_is_gone_around(ping: Path) -> None:
    repo = repository(ping / "repo", culprit=4, broken=3)
    found = answer("ping.yaml", "--over", "git", "--src", "repo", "v1..v5", cwd=ping)
    assert [s.split(" ", 1)[1] for s in found["answer"]["suspects"]] == ["step 3", "step 4"]
    skipped = [s for s in found["path"] if s["outcome"] == "neither"]
    assert [s["candidate"].split(" ", 1)[1] for s in skipped] == ["step 3"]
    assert "does not compile" in skipped[0]["why"]
    # git bisect run takes the same answers as exit codes.
    here = ["--over", "git", "--here", "--guest", f"usermode+{repo}"]
    codes = {}
    for tag in ("v2", "v3", "v4"):
        subprocess.run(["git", "checkout", "-q", tag], cwd=repo, check=True)
        codes[tag] = bisect("ping.yaml", *here, cwd=ping)[0]
    assert codes == {"v2": 0, "v3": 125, "v4": 1}


def test_wrong_ranges_are_told_in_one_line(ping: Path, said: Callable[..., tuple[int, str]]) -> None:
    repo = ping / "repo"
    repo.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=repo, check=True)
    for words, wanted in [
        (["--over", "git", "--src", "repo", "main"], "GOOD..BAD is wanted"),
        (["--over", "git", "--src", "nowhere", "a..b"], "there is no such folder"),
        (["--over", "git", "--src", "repo", "a..b"], "has no revision 'a'"),
        (["--over", "patches"], "which series?"),
        (["--over", "rules", "--rules", "C13"], "'C13' is no rule"),
        (["--over", "rules", "--series", "pspat"], "--series goes with --over patches"),
        (["--over", "points"], "over points wants a matrix"),
        (["--over", "rules", "--confidence", "30%"], "--confidence"),
        (["--over", "rules", "--length", "1 banana"], "--length 1 banana:"),
        (["--over", "rules", "--length", "1ms"], "at least 0.05 s"),
        (["--over", "rules", "--verdict", "panic,hung"], "'hung' is not one of panic, fail, hang"),
    ]:
        code, err = said("bisect", "ping.yaml", *words)
        assert code == 2 and wanted in err and len(err.splitlines()) == 1, (words, err)


# --- interruptions ---------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_goes_on_where_it_stopped(ping: Path, how: signal.Signals) -> None:
    folder = series.write(ping / "series", 3, data_dir("vm") / "usermode", share=6, count=4)
    words = ["ping.yaml", "--over", "patches", "--series", str(folder), "--out", "out", "--jobs", "1"]
    process = start(*words, cwd=ping)
    journal = None
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        journal = next(iter((ping / "out").glob("*/journal.jsonl")), None) if (ping / "out").exists() else None
        if journal and journal.read_bytes().count(b"\n") >= 5:
            break
        time.sleep(0.05)
    process.send_signal(how)
    process.communicate(timeout=30)
    assert process.returncode != 0 and journal is not None
    known = journal.read_bytes().count(b"\n")
    assert known >= 5
    code, out, err = bisect(*words, cwd=ping)
    assert code == 0, out + err
    assert "going on where it stopped" in out and "the first with which it fails: 3: 0003-step.patch" in out
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert len({(line["candidate"], line["number"]) for line in lines}) == len(lines) > known  # none was made twice
    assert sum(line["outcome"] == "neither" for line in lines) == 0


def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with _heard() as heard:
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN and signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
            os.kill(os.getpid(), signal.SIGHUP)
        assert heard == []
    finally:
        signal.signal(signal.SIGHUP, before)


# --- points and scenarios --------------------------------------------------------------------------


TOO_MUCH = """
name: too much
kernel: {patches: pspat-attempts, options: [PSPAT, PSPAT_ATTEMPTS]}
hosts:
  a: {lan: 10.0.1.1/24}
  b: {lan: 10.0.1.2/24}
setup:
  guest: |
    sysctl net.pspat.mailbox_size=64
    sysctl net.pspat.break.c7=1
ipfw:
  a: |
    pipe 1 config bw 20Mbit/s
    add 100 pipe 1 ip from any to any out
    add 200 count ip from any to any
flows:
  first: {udp: 1Mbit/s, from: a, to: "b:5001", for: 1s}
  second: {udp: 1Mbit/s, from: b, to: "a:5002", for: 1s, senders: 2}
events:
  - {at: 10ms, on: guest, run: "sysctl net.pspat.enable=1"}
  - {at: 800ms, on: guest, run: "sysctl net.pspat.enable=0"}
expect: {verdict: panic}
"""


def test_points_tell_the_boundary(tmp_path: Path) -> None:
    text = TOO_MUCH.replace("kernel:", "matrix: {break: [0, 1], mode: [arbiter, dispatcher]}\nkernel:").replace("verdict: panic", "")
    text = text.replace("break.c7=1", "break.c7=${break}\n    sysctl net.pspat.xmit_mode=${mode}")
    (tmp_path / "points.yaml").write_text(text)
    found = answer("points.yaml", "--over", "points", cwd=tmp_path)
    outcomes = {(p["cell"]["break"], p["cell"]["mode"]): p["outcome"] for p in found["answer"]["points"]}
    assert outcomes == {(0, "arbiter"): "good", (0, "dispatcher"): "good", (1, "arbiter"): "bad", (1, "dispatcher"): "bad"}
    assert {b["axis"] for b in found["answer"]["boundary"]} == {"break"}
    assert "it turns with break: 0 passes, 1 fails" in found["words"] and "mode does not matter" in found["words"]


def test_the_smallest_scenario_loads_runs_and_shows_it(tmp_path: Path) -> None:
    (tmp_path / "much.yaml").write_text(TOO_MUCH)
    found = answer("much.yaml", "--over", "scenario", "--write", "small.yaml", cwd=tmp_path)
    parts = found["answer"]["parts"]
    assert parts["after"] <= 7 < parts["before"]
    [small] = load(tmp_path / "small.yaml")
    assert len(small.flows) == 1 and small.length() < 0.5
    env = dict(os.environ, PYTHONPATH=str(ROOT), DNH_ENV="this")
    ran = subprocess.run([sys.executable, "-m", "harness", "run", "small.yaml", "--json", "-", "--out", "runs"],
                         cwd=tmp_path, env=env, capture_output=True, text=True)  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert json.loads(ran.stdout)["panic"]["signature"] == found["answer"]["signature"]
