"""The whole road on the user-mode guest: scenario in, verdict, files and exit code out."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import psutil
import pytest

from harness.errors import UsageError
from harness.run.cells import load_files

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / "scenarios"
QUICK = SCENARIOS / "quickstart.yaml"


def dnh(*words: object, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harness", *map(str, words)], cwd=ROOT, capture_output=True, text=True, timeout=300, **more
    )  # type: ignore[call-overload]


def results(folder: Path) -> list[dict]:
    return [json.loads(p.read_text()) for p in sorted(folder.glob("*/result.json"))]


def test_quickstart_passes_and_leaves_a_folder(tmp_path):
    done = dnh("run", QUICK, "--out", tmp_path, "--html", tmp_path / "page.html", "--junit", tmp_path / "j.xml")
    assert done.returncode == 0, done.stdout + done.stderr
    (result,) = results(tmp_path)
    assert result["verdict"] == "pass" and result["as_expected"]
    assert all(e["holds"] for e in result["expectations"])
    (folder,) = [p for p in tmp_path.iterdir() if p.is_dir()]
    assert {p.name for p in folder.iterdir()} >= {"result.json", "console.log", "scenario.yaml"}
    assert 'src="http' not in (tmp_path / "page.html").read_text()
    schema = json.loads(dnh("schema", "result").stdout)
    jsonschema.validate(result, schema)


def test_one_seed_gives_one_result(tmp_path):
    texts = []
    for n in (1, 2):
        assert dnh("run", QUICK, "--seed", 7, "--out", tmp_path / str(n)).returncode == 0
        (result,) = results(tmp_path / str(n))
        result.pop("durations")
        texts.append(json.dumps(result))
    assert texts[0] == texts[1]


def test_ten_seeds_raise_no_false_alarm(tmp_path):
    done = dnh("run", QUICK, "--repeat", 10, "--out", tmp_path)
    assert done.returncode == 0, done.stdout
    assert len(results(tmp_path)) == 10


def test_for_a_time(tmp_path):
    text = (SCENARIOS / "quickstart.yaml").read_text()
    scenario = tmp_path / "two.yaml"
    scenario.write_text(text + 'matrix: {about: ["one", "two"]}\n')
    # The time is over before it begins: each cell once.
    assert dnh("run", scenario, "--for", "0s", "--out", tmp_path / "once").returncode == 0
    assert sorted(r["scenario"]["cell"]["about"] for r in results(tmp_path / "once")) == ["one", "two"]
    # Longer than the repeats take: --repeat ends it; the cells have their turns.
    done = dnh("run", scenario, "--for", "1h", "--repeat", 2, "--jobs", 1, "--out", tmp_path / "two", "--json", tmp_path / "j")
    assert done.returncode == 0
    ran = [(r["seed"], r["scenario"]["cell"]["about"]) for r in json.loads((tmp_path / "j").read_text())]
    assert ran == [(1, "one"), (1, "two"), (2, "one"), (2, "two")]
    # As often as fits, with a seed of its own each.
    started = time.monotonic()
    done = dnh("run", QUICK, "--for", "3s", "--jobs", 2, "--out", tmp_path / "many")
    assert done.returncode == 0 and time.monotonic() - started > 3
    seeds = [r["seed"] for r in results(tmp_path / "many")]
    assert len(seeds) > 2 and sorted(seeds) == list(range(1, len(seeds) + 1))
    assert f"quickstart: {len(seeds)} runs, {len(seeds)} pass" in done.stdout
    for wrong, says in (("10", "needs a unit"), ("soon", "is not a time"), ("-1s", "at least 0 s")):
        done = dnh("run", QUICK, f"--for={wrong}")
        assert done.returncode == 2 and says in done.stderr and done.stderr.count("\n") == 1


def test_interrupted_it_says_what_it_has(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "run", QUICK, "--for", "10min", "--out", tmp_path], cwd=ROOT, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until = time.monotonic() + 60
    while len(list(tmp_path.glob("*/result.json"))) < 3 and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err and err.rstrip().endswith("dnh: interrupted")
    assert re.search(r"quickstart: \d+ runs, \d+ pass", out) and process.returncode != 0


def test_all_of_dummynet_as_declared(tmp_path):
    done = dnh("run", SCENARIOS / "dummynet", "--out", tmp_path)
    assert done.returncode == 0, done.stdout[-4000:]
    assert len(results(tmp_path)) >= 25


def test_pspat_at_every_point_as_declared(tmp_path):
    files = [SCENARIOS / "pspat" / f"{name}.yaml" for name in ("dummynet", "dummynet_l2", "if_output", "honoured")]
    done = dnh("run", *files, "--out", tmp_path)
    assert done.returncode == 0, done.stdout[-4000:]


def test_a_broken_rule_is_a_panic_with_a_name(tmp_path):
    done = dnh("run", SCENARIOS / "pspat" / "rules.yaml", "--set", "rule=4", "--out", tmp_path)
    assert done.returncode == 0, done.stdout[-4000:]
    (result,) = results(tmp_path)
    assert result["verdict"] == "panic"
    assert "epoch" in result["panic"]["message"]
    assert result["panic"]["signature"]
    assert result["panic"]["frames"]


def test_an_unmet_expectation_is_exit_1(tmp_path):
    done = dnh("run", QUICK, "--set", "expect.call\\.rate=9Mbit/s", "--out", tmp_path)
    if done.returncode == 2:  # how a key with a dot is written is the scenario room's affair
        text = QUICK.read_text().replace("call.rate: 2Mbit/s", "call.rate: 9Mbit/s")
        (tmp_path / "s.yaml").write_text(text)
        done = dnh("run", tmp_path / "s.yaml", "--out", tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr


def test_what_is_said_of_a_panic_counts_where_there_is_one(tmp_path):
    scenario = tmp_path / "either.yaml"
    for verdict, code in (("[pass, panic]", 0), ("pass", 2), ("panic", 1)):
        scenario.write_text(
            "name: either\nhosts: {a: {lan: 10.0.0.1/24}, b: {lan: 10.0.0.2/24}}\n"
            "flows: {f: {udp: 100Kbit/s, from: a, to: 'b:5001', for: 1s}}\n"
            f"expect: {{verdict: {verdict}, panic.function: ip_output}}\n"
        )
        assert dnh("run", scenario, "--out", tmp_path / "out").returncode == code, verdict


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [("ipfw:", "ipwf:", "ipfw"), ("for: 6s", "for: 6sec", "sec"), ("from: client", "from: cleint", "client")],
)
def test_wrong_yaml_is_one_line_and_exit_2(tmp_path, old, new, says):
    bad = tmp_path / "bad.yaml"
    bad.write_text(QUICK.read_text().replace(old, new, 1))
    done = dnh("run", bad, "--out", tmp_path)
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert lines[0].startswith(f"{bad}:") and says in done.stderr  # as editors find a place
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--guest", "qemu:no-such-guest"], "no guest named 'no-such-guest'"),
        (["--html", "."], ".: a folder, where a file is to be written"),
        (["--junit", f"{QUICK}/x.xml"], "quickstart.yaml is no folder"),
        (["--set", "flows.call.udp=0Mbit/s"], "nothing to send"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(tmp_path, words, says):
    done = dnh("run", QUICK, "--out", tmp_path, *words)
    assert done.returncode == 2 and says in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_read_is_not_passed_over(tmp_path, monkeypatch):
    (tmp_path / "good.yaml").write_text(QUICK.read_text())
    (tmp_path / "closed").mkdir()
    real = os.scandir

    def scandir(path):
        if str(path).endswith("closed"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(UsageError, match="closed: permission denied"):
        load_files([tmp_path], [])


def test_a_rule_that_the_guest_refuses_is_an_error_of_the_run(tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text(QUICK.read_text().replace("add 100 queue 1 udp", "add 100 quueue 1 udp"))
    done = dnh("run", bad, "--out", tmp_path)
    assert done.returncode in (2, 3)
    assert "quueue" in done.stdout + done.stderr


def test_no_compiler_is_exit_3_and_says_so(tmp_path):
    env = {"PATH": "/nowhere", "HOME": str(tmp_path), "DNH_CACHE": str(tmp_path / "cache"), "PYTHONPATH": str(ROOT)}
    done = dnh("run", QUICK, "--out", tmp_path, env=env)
    assert done.returncode == 3
    assert "compiler" in done.stdout + done.stderr


def _alive(sid: int, seeds: range) -> list[psutil.Process]:
    """What lives of the session that a process started, and guests with these seeds: each is in a session of its own."""
    found = []
    for p in psutil.process_iter():
        try:
            words = p.cmdline()
            guest = "dnh-usermode" in p.name() and "--seed" in words and int(words[words.index("--seed") + 1]) in seeds
            if (guest or os.getsid(p.pid) == sid) and p.status() != psutil.STATUS_ZOMBIE:
                found.append(p)
        except (psutil.Error, ProcessLookupError, PermissionError):
            continue
    return found


def _guests(seeds: range) -> list[psutil.Process]:
    return _alive(-1, seeds)


def _all_gone(sid: int, seeds: range) -> bool:
    """Whether all of it ends within five seconds."""
    end = time.monotonic() + 5
    while _alive(sid, seeds):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


REPEATS = 4


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("what", ["SIGINT", "SIGTERM", "SIGKILL", "guest"])
def test_killed_at_random_nothing_stays_and_the_result_reads(tmp_path, what):
    """The harness by each of three signals, or its guests by SIGKILL; DNH_KILLS=100 for the long form."""
    rng = random.Random(what)
    first = random.SystemRandom().randrange(10**6, 10**9)
    for n in range(int(os.environ.get("DNH_KILLS", "3"))):
        out = tmp_path / f"{what}{n}"
        seeds = range(first + n * REPEATS, first + (n + 1) * REPEATS)
        words = ["run", QUICK, "--repeat", str(REPEATS), "--seed", str(seeds[0]), "--jobs", "2", "--out", out]
        process = subprocess.Popen(
            [sys.executable, "-m", "harness", *words],
            cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
            # A shell's background job is started with SIGINT ignored, and so are all its children.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - one thread here
        )  # fmt: skip
        began = time.monotonic()
        while not (out.exists() or process.poll() is not None):  # Python itself has no manners while it starts
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 1.5))
        killed = 0
        if what == "guest":
            for g in _guests(seeds):
                with contextlib.suppress(psutil.NoSuchProcess):
                    g.kill()
                    killed += 1
        else:
            process.send_signal(signal.Signals[what])
        try:
            error = process.communicate(timeout=120 if what == "guest" else 20)[1]
        finally:
            process.kill()
        told = f"{what} {n}, {time.monotonic() - began:.2f} s: exit {process.returncode}\n{error}"
        assert "Traceback" not in error, told
        assert _all_gone(process.pid, seeds), told
        runs = [p for p in out.iterdir() if p.is_dir()]
        read = [json.loads(p.read_text()) for p in out.glob("*/result.json")]
        verdicts = [r["verdict"] for r in read]
        if what == "SIGKILL":
            continue
        assert len(read) == len(runs), told
        if what == "guest":
            assert process.returncode in (0, 3), told
            assert len(runs) == REPEATS and verdicts.count("error") <= killed, told
            assert (process.returncode == 3) == ("error" in verdicts), told
            assert all("SIGKILL" in r["reasons"][0] for r in read if r["verdict"] == "error"), told
        else:
            if process.returncode == -signal.Signals[what]:  # all was said and done, and Python had let go of its handlers
                assert len(runs) == REPEATS and set(verdicts) == {"pass"}, told
            else:
                assert process.returncode in (0, 130 if what == "SIGINT" else 143), told
            assert set(verdicts) <= {"pass", "error"}, told
            assert all(r["reasons"] == ["interrupted"] for r in read if r["verdict"] == "error"), told
