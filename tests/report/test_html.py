"""The page stands alone, obeys nothing that is written in it, and is the same each time."""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.report import plots
from harness.report.html import html
from harness.report.load import NotRun, Run
from harness.run.result import QueueSeries, Result, ScenarioRef, Verdict

from . import make

VOID = {"meta", "br", "img", "link", "input", "hr"}
SVG = {"svg", "g", "path", "use", "text", "tspan", "defs", "clippath", "rect", "title", "desc"}
HTML = {
    "html", "head", "meta", "title", "style", "body", "main", "header", "footer", "h1", "h2", "h3", "p", "b", "span", "div",
    "dl", "dt", "dd", "code", "pre", "button", "table", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "ul", "ol",
    "li", "details", "summary", "article", "a", "i", "script",
}  # fmt: skip


class Page(HTMLParser):
    """Raises AssertionError for tags that do not close, elements that no one expects, addresses elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: Counter[str] = Counter()
        self.links: list[str] = []
        self.text: list[str] = []
        self.elements: Counter[str] = Counter()
        self.labels: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        assert tag in HTML | SVG, tag
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, names)
        for name, value in attrs:
            assert not name.startswith("on"), (tag, name)
            assert name not in ("src", "srcset", "action", "data", "poster"), (tag, name)
            if name in ("href", "xlink:href"):
                assert value and value.startswith("#"), value
                self.links.append(value[1:])
            if name == "id":
                self.ids[value or ""] += 1
            if name in ("style", "clip-path"):
                self.links += re.findall(r"url\(#([^)]*)\)", value or "")
                assert not re.search(r"url\((?!#)", value or ""), value
            if name in ("aria-label", "aria-labelledby"):
                self.labels += (value or "").split()
        if tag == "svg":
            assert ("role", "img") in attrs and "aria-labelledby" in names
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)


def check(runs: Sequence[Result | Run], not_run: Sequence[NotRun] = ()) -> tuple[Page, str]:
    """The page, after all that must hold for every page."""
    text = html([Run(r) if isinstance(r, Result) else r for r in runs], not_run)
    page = Page(text)
    assert max(page.ids.values(), default=1) == 1, page.ids.most_common(3)
    assert set(page.links) <= set(page.ids), set(page.links) - set(page.ids)
    assert page.elements["script"] == 1 == page.elements["style"]
    style = text[text.index("<style>") : text.index("</style>")]
    assert "@import" not in style and "url(" not in style
    assert not re.search(r"https?://(?!www\.w3\.org/)", text)
    used = set(re.findall(r"var\(--([\w-]+)\)", text)) - {"c"}  # an element's own
    assert used <= set(re.findall(r"--([\w-]+):", text)), used
    text.encode()
    return page, text


def test_a_pass() -> None:
    page, text = check([make.result()])
    said = " ".join(page.text)
    for part in ("weighted fairness through a router", "All 3 expectations hold.", "5.54 Mbit/s", "2.0031", "Counters at the end",
                 "./dnh run scenarios/dummynet/fairness.yaml --guest usermode --seed 1", "ipfw pipe 1 config bw 5Mbit/s",
                 "FreeBSD 15.1-RELEASE dnh-usermode debug", "9f2c41d07be3"):  # fmt: skip
        assert part in said
    assert page.elements["svg"] == 4
    assert "gold: median 64.0 ms, 99 % within 120 ms" in said, "a plot says in words what it shows"
    assert len(text) < 200_000


def test_what_is_broken_comes_before_the_plots() -> None:
    _, text = check([make.result(Verdict.FAIL)])
    assert text.index("38.7 ms more than allowed") < text.index("<svg")
    _, text = check([make.result()])
    assert text.index("gold.delay.p99") > text.index("<svg")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_console_around_a_panic(tmp_path: Path, end: str) -> None:
    console = make.console().replace("\r\n", end) + "after\n"
    _, text = check([Run(make.result(Verdict.PANIC), make.folder(tmp_path / "r", make.result(), console))])
    pre = re.search(r"<pre .*?</pre>", text, re.S)
    assert pre is not None
    lines = re.findall(r"<span(?: class=\"([pm ]+)\")?>(.*?)</span>", pre.group())
    assert lines[0] == ("", "FreeBSD 15.1-RELEASE (dnh usermode)")
    assert lines[3] == ("p m", "Fatal trap 12: page fault while in kernel mode")
    assert sum(mark.startswith("p") for mark, _ in lines) == len(make.PANIC_LINES)
    assert lines[-1] == ("", "after")


def test_a_panic_without_its_console() -> None:
    page, _ = check([make.result(Verdict.PANIC)])
    assert any("pspat_arbiter() at pspat_arbiter+0x211" in part for part in page.text)


def test_a_hang_shows_the_end_of_the_console(tmp_path: Path) -> None:
    page, _ = check([Run(make.result(Verdict.HANG), make.folder(tmp_path / "r", make.result(), "a\r\nthe end\r\n"))])
    assert "the end" in page.text


def test_many_runs_have_an_index_with_filters() -> None:
    page, text = check(
        [make.result(), make.result(Verdict.PANIC), make.result(Verdict.PANIC, Verdict.PANIC)],
        [NotRun("flap", "f.yaml", "makes sense on qemu only")],
    )
    assert re.findall(r'data-show="(\w*)"', text) == ["", "wrong", "pass", "panic"]
    assert re.findall(r'<tr data-v="([\w ]+)"', text) == ["pass", "panic wrong", "panic", "skipped"]
    assert page.links[:3] == ["run-1", "run-2", "run-3"]
    assert re.findall(r'<details class="run" id="run-\d" data-v="[\w ]+"( open)?>', text) == ["", " open", ""]
    assert "1 of 3 runs not as declared" in " ".join(page.text)


def test_of_very_many_runs_those_that_matter_are_plotted() -> None:
    runs = [
        make.result(
            Verdict.PASS if n != 150 else Verdict.FAIL,
            scenario=ScenarioRef(name=f"s{n % 2}", file=f"s{n % 2}.yaml", sha256="", cell={"n": n}),
        )
        for n in range(200)
    ]
    page, text = check(runs)
    assert page.elements["svg"] == 3 * 4
    assert len(text) < 3_000_000


def test_hostile_names() -> None:
    page, text = check([make.hostile()], [NotRun("<img src=x>", "<", "</script><script>")])
    assert "<script>alert" not in text and "<img" not in text
    assert "\x1b" not in text and "\u202e" not in text and "\ud800" not in text
    assert any("<script>alert(1)</script>" in part for part in page.text)


@settings(max_examples=25, deadline=None)
@given(st.lists(make.results(), max_size=2))
def test_every_result_gives_a_good_page(results: list[Result]) -> None:
    check(results)


def test_the_same_bytes_each_time(tmp_path: Path) -> None:
    here = html([Run(make.result()), Run(make.result(Verdict.PANIC))])
    assert here == html([Run(make.result()), Run(make.result(Verdict.PANIC))])
    code = (
        "import sys; from harness.report.load import Run; from harness.report.html import html;"
        "from harness.run.result import Verdict; from report import make;"
        "sys.stdout.buffer.write(html([Run(make.result()), Run(make.result(Verdict.PANIC))]).encode())"
    )
    root = Path(__file__).resolve().parents[2]
    for seed in ("1", "2"):
        env = {
            "PYTHONPATH": f"{root}:{root / 'tests'}",
            "PYTHONHASHSEED": seed,
            "LC_ALL": "C",
            "MPLCONFIGDIR": str(tmp_path),
        }
        there = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True, timeout=90)
        assert there.stdout.decode() == here


@pytest.mark.filterwarnings("error")
def test_delays_of_nothing_are_drawn() -> None:
    for xs in ([0.0], [0.0, 0.0], [1e-9, 1e-9], []):
        curve = plots.Curve("f", 0, xs, [0.5] * len(xs))
        assert "<svg" in plots.distribution([curve], key="k", title="t", description="d")


def test_a_flow_keeps_its_colour() -> None:
    _, text = check([make.result()])
    rate, delay, cdf = re.findall(r"<svg.*?</svg>", text, re.S)[:3]
    for svg in (rate, delay, cdf):
        for name, colour in (("gold", "s0"), ("bronze", "s1")):
            line = re.search(rf"<title>{name}</title>.*?</g>", svg, re.S)
            assert line is not None and f"var(--{colour})" in line.group()


def test_many_flows_stay_apart_and_small() -> None:
    flows = {f"f{n}": make.flow(1e5 * (n + 1), seed=n) for n in range(100)}
    page, text = check([make.result(flows=flows)])
    assert len(text) < 2_000_000
    assert page.elements["svg"] == 4


def test_long_runs_are_thinned() -> None:
    t = [i / 100 for i in range(100_000)]
    packets = [50 if i == 77_777 else i % 7 for i in range(100_000)]
    q = QueueSeries(host="r", kind="pipe", number=1, t=t, packets=packets, bytes=packets, drops=packets)
    _, text = check([make.result(queues=[q])])
    assert len(text) < 200_000
    curve = plots._thinned(plots.Curve("q", 0, t, [float(p) for p in packets]))
    assert max(curve.y) == 50, "a short peak is not lost"


def test_a_queue_that_is_always_empty_does_not_hide_the_others() -> None:
    def q(kind: str, n: int) -> QueueSeries:
        return QueueSeries.model_validate(
            {
                "host": "r",
                "kind": kind,
                "number": 1,
                "t": [0, 1],
                "packets": [n, n],
                "bytes": [0, 0],
                "drops": [0, 0],
            }
        )

    _, text = check([make.result(queues=[q("pipe", 0), q("queue", 3)])])
    assert "r queue 1: at most 3 packets" in text and "r pipe 1" not in text


def contrast(a: str, b: str) -> float:
    def luminance(colour: str) -> float:
        if len(colour) == 4:
            colour = "#" + "".join(c * 2 for c in colour[1:])
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_colours_can_be_told_from_the_ground() -> None:
    """WCAG 2.2: 4.5 for text, 3 for lines, on light and on dark."""
    _, text = check([make.result()])
    for block in re.findall(r":root \{(.*?)\}", text, re.S)[:2]:
        c = dict(re.findall(r"--([\w-]+): (#[0-9a-f]+)", block))
        for name in ("ink", "muted", "link", "event", "good", "bad", "panic", "hang", "error"):
            assert contrast(c[name], c["bg"]) >= 4.5, (name, c[name])
        for name in ("good", "bad", "panic", "hang", "error"):
            assert contrast(c[name], c[f"{name}bg"]) >= 4.5, name
        for i in range(plots.SLOTS):
            assert contrast(c[f"s{i}"], c["bg"]) >= 3, (i, c[f"s{i}"])
