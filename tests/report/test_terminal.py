"""What a terminal, a pipe and a terminal without colour or Unicode get to see."""

import io
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from harness.report.load import NotRun, Run
from harness.report.progress import Progress
from harness.report.screen import Line, make_console, nice, plot, sparkline
from harness.report.terminal import show
from harness.run.result import Result, ScenarioRef, Verdict

from . import make


def shown(runs: Sequence[Result | Run], not_run: Sequence[NotRun] = (), width: int = 120) -> str:
    out = io.StringIO()
    console = make_console(out)
    console.width = width
    show([Run(r) if isinstance(r, Result) else r for r in runs], not_run, console)
    return out.getvalue()


def terminal(width: int = 100, encoding: str = "utf-8") -> tuple[Console, io.TextIOWrapper]:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="replace", newline="")
    return Console(file=file, force_terminal=True, width=width, height=40, markup=False, highlight=False), file


def test_a_pass_says_all_that_matters(tmp_path: Path) -> None:
    text = shown([Run(make.result(), tmp_path)])
    for part in (
        "✓ pass   weighted fairness through a router",
        "usermode · 15.1-RELEASE debug · seed 1 · virtual clock · 0.84 s",
        "all 3 expectations hold",
        "━━ gold  ━━ bronze",
        "5.54 Mbit/s",
        "gold.rate / bronze.rate  2 +- 2%            2.0031",
        "2.00 s  router  ipfw pipe 1 config bw 5Mbit/s delay 20ms",
        "run again  ./dnh run scenarios/dummynet/fairness.yaml --guest usermode --seed 1",
        str(tmp_path),
    ):
        assert part in text


def test_a_failure_says_what_was_measured() -> None:
    text = shown([make.result(Verdict.FAIL)])
    assert "✗ fail, declared pass" in text
    assert re.search(r"✗  gold.delay.p99 +< 80ms +119 ms +measured 119 ms, 38.7 ms more than allowed", text)


def test_a_panic_says_where() -> None:
    text = shown([make.result(Verdict.PANIC)])
    for part in ("Fatal trap 12: page fault", "ip_output+0x1a2 (ip_output.c:812)", "0x28 (small offset from NULL)",
                 "kernel [pspat arbiter]", "page-fault-ip_output-null-3fa1c2"):  # fmt: skip
        assert part in text
    assert "trap_fatal" not in text, "the handler's frames are not the news"


def test_a_spent_stack_says_what_repeats() -> None:
    p = make.panic(cycle=("ip_output", "pfil_run_hooks", "ipfw_check_packet"))
    text = shown([make.result(Verdict.PANIC, panic=p)])
    assert "ip_output → pfil_run_hooks → ipfw_check_packet → ip_output" in text


def test_many_runs() -> None:
    runs = [
        make.result(scenario=ScenarioRef(name="bandwidth", file="bw.yaml", sha256="", cell={"bw": f"{n}Mbit/s"})) for n in (1, 10)
    ]
    text = shown([*runs, make.result(Verdict.PANIC)], [NotRun("flap", "f.yaml", "makes sense on qemu only")])
    assert re.search(r"✓  bandwidth +bw=10Mbit/s +pass +pass", text)
    assert re.search(r"✗  weighted .* panic +pass +0.84 s +Fatal trap", text)
    assert re.search(r"-  flap +not run +makes sense on qemu only", text)
    assert "✗ 1 of 3 runs not as declared on usermode   2 pass, 1 panic, 1 not run" in text
    assert "ip_output+0x1a2" in text
    assert "✓ all 2 runs as declared" in shown(runs)


def test_the_same_failure_is_told_once() -> None:
    text = shown([make.result(Verdict.PANIC, repeat=n) for n in range(30)])
    assert text.count("ip_output+0x1a2") == 1
    assert "and 29 runs like it" in text


def test_repeats_are_counted_by_what_came() -> None:
    cells = [ScenarioRef(name="flap", file="f.yaml", sha256="", cell={"bw": n}) for n in (1, 2)]
    runs = [make.result(scenario=cells[0], repeat=n) for n in range(3)]
    runs += [make.result(Verdict.PANIC, scenario=cells[1], repeat=n) for n in range(2)]
    runs += [make.result(Verdict.PANIC, scenario=cells[1], repeat=2, panic=make.panic(signature="other-1")), make.hostile()]
    text = shown(runs)
    assert "  flap bw=1: 3 runs, 3 pass\n" in text
    assert "  flap bw=2: 3 runs\n      2 panic page-fault-ip_output-null-3fa1c2\n      1 panic other-1\n" in text
    assert not [line for line in text.splitlines() if line.endswith(": 1 runs")], "what ran once is in the table"


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140, 250])
def test_lines_fit(width: int) -> None:
    for runs in ([make.result(Verdict.PANIC)], [make.result(), make.result(Verdict.FAIL), make.hostile()]):
        lines = shown(runs, width=width).split("\n")
        # Below 80 columns a table may not fit, and is cut at the edge.
        assert all(len(line) <= width for line in lines)
        assert all(line == line.rstrip() for line in lines)


@settings(max_examples=60)
@given(st.lists(make.results(), max_size=3), st.integers(20, 200))
def test_nothing_in_a_result_reaches_the_terminal_as_a_command(results: list[Result], width: int) -> None:
    text = shown(results, width=width)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)


def test_hostile_names_do_nothing() -> None:
    text = shown([make.hostile()])
    assert "\x1b" not in text and "\u202e" not in text
    assert "[bold]" in text, "what looks like markup is text"


def test_a_terminal_without_unicode() -> None:
    console, file = terminal(encoding="ascii")
    show([Run(make.result(Verdict.PANIC))], (), console)
    file.flush()
    text = file.buffer.getvalue().decode("ascii")  # type: ignore[attr-defined]
    text = re.sub(r"\x1b\[[\d;]*m", "", text)
    assert "NO panic, declared pass" in text
    assert "┤" not in text and re.search(r"\*{3}", text) and "- 15.1-RELEASE" in text


def test_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    colour = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-7]|9[0-7])m")
    for no_color, expected in (("", True), ("1", False)):
        monkeypatch.setenv("NO_COLOR", no_color)
        console, file = terminal()
        show([Run(make.result())], (), console)
        with Progress(2, console) as progress:
            progress.start("a", "A")
            progress.phase("a", "run", 0.5)
            progress.done("a", make.result())
        file.flush()
        assert bool(colour.search(file.buffer.getvalue().decode())) is expected  # type: ignore[attr-defined]


def test_progress_in_a_pipe_is_plain_lines() -> None:
    now = [0.0]
    out = io.StringIO()
    with Progress(2, make_console(out), clock=lambda: now[0]) as progress:
        progress.start("a", "first")
        progress.phase("a", "build", None)
        progress.phase("a", "build", 0.1)
        progress.phase("a", "boot")
        progress.start("b", "second")
        for i in range(100):
            now[0] += 1
            progress.phase("b", "run", i / 100)
        progress.done("b", make.result(Verdict.PANIC))
        progress.done("a", make.result())
    lines = out.getvalue().split("\n")
    assert lines == [
        "first: build 10%",
        "second: run 30%",
        "second: run 60%",
        "second: run 90%",
        "[1/2] ✗ second  panic, declared pass  0.84 s  Fatal trap 12: page fault while in kernel mode, in ip_output",
        "[2/2] ✓ first  pass  0.84 s",
        "",
    ]


def test_progress_of_one_run_tells_its_phases() -> None:
    out = io.StringIO()
    with Progress(1, make_console(out)) as progress:
        progress.start("a", "first\x1b[2J")
        for phase in ("build", "boot", "setup", "run"):
            progress.phase("a", phase)
            progress.phase("a", phase, 0.5)
        progress.done("a", make.result())
        progress.say("bye")
    assert out.getvalue() == "first: build\nfirst: boot\nfirst: setup\nfirst: run\nbye\n"


def test_progress_on_a_terminal_leaves_only_the_finished_runs() -> None:
    console, file = terminal()
    with Progress(3, console) as progress:
        for key in "abc":
            progress.start(key, f"run {key}")
            progress.phase(key, "run", 2.0)
            progress.phase(key, "run", -1.0, "with a note")
        for key in "abc":
            progress.done(key, make.result())
        progress.done("never started", make.result())
    file.flush()
    text = file.buffer.getvalue().decode()  # type: ignore[attr-defined]
    assert text.count("✓") == 4
    assert text.rstrip().endswith("\x1b[2K") or "\x1b[2K" in text[-40:]


def test_sparkline() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7, 8], 8, 20) == " ▂▃▄▅▆▇██"
    assert sparkline([8] * 100, 8, 10) == "█" * 10
    assert sparkline([], 8, 10) == "" == sparkline([1], 0, 10)
    assert sparkline([4, 8], 8, 2, utf=False) == "+#"


@pytest.mark.parametrize(("top", "step"), [(10, 2.5), (8, 2), (1, 0.25), (7.9e6, 2e6), (101, 50), (0, 1)])
def test_steps_are_round(top: float, step: float) -> None:
    assert nice(top) == pytest.approx(step)


def test_a_plot_goes_from_corner_to_corner() -> None:
    rows = [r.plain for r in plot([Line("cyan", [0, 10], [0, 8])], width=20, height=5, x_end=10, unit=1)]
    assert rows[0].startswith("8 ┤")
    assert rows[0][-1] != " " and rows[4][3] != " "
    assert rows[-1].split() == ["0", "2", "4", "6", "8", "10", "s"]


@given(
    st.lists(st.tuples(st.floats(0, 1e3), st.floats(0, 1e12)), max_size=30),
    st.integers(1, 120),
    st.integers(1, 30),
    st.floats(0, 1e3),
    st.booleans(),
)
def test_any_plot_can_be_drawn(points: list[tuple[float, float]], w: int, h: int, end: float, utf: bool) -> None:
    line = Line("cyan", [x for x, _ in points], [y for _, y in points])
    rows = plot([line], width=w, height=h, x_end=end, unit=1e6, marks=[0.0, end], utf=utf)
    assert len(rows) == h + 3
    assert all(len(r.plain) <= w + 30 for r in rows)
