"""The path of a search as one self-contained page: what was asked, in which order, what each run showed."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from harness.report.words import one_line
from harness.search.answer import Answer
from harness.search.judge import Decision

_STYLE = """
:root { color-scheme: light dark; --bg: #fff; --card: #f6f7f9; --line: #d5d9de; --ink: #1b2026; --muted: #5b636d;
  --good: #008f68; --bad: #d55e00; --neither: #525c68; }
@media (prefers-color-scheme: dark) { :root { --bg: #14171b; --card: #1c2127; --line: #2c333b; --ink: #e5e9ee;
  --muted: #9ba5b0; --good: #2fc398; --bad: #ff8c52; --neither: #b3bcc6; } }
body { margin: 0 auto; max-width: 1040px; padding: 24px; background: var(--bg); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { font-size: 22px; } h2 { font-size: 17px; margin: 34px 0 4px; } p.answer { font-weight: 600; margin: 4px 0; }
p { margin: 2px 0; } .quiet { color: var(--muted); font-size: 13.5px; }
svg { width: 100%; height: auto; background: var(--card); border-radius: 8px; margin: 12px 0; }
svg text { fill: var(--ink); font-size: 12px; font-family: inherit; } svg .muted { fill: var(--muted); }
.good { fill: var(--good); } .bad { fill: var(--bad); } .neither { fill: none; stroke: var(--neither); stroke-width: 1.5; }
table { border-collapse: collapse; font-size: 13.5px; } td, th { text-align: left;
  padding: 3px 12px 3px 0; border-top: 1px solid var(--line); }
td.n { text-align: right; } b.good { color: var(--good); } b.bad { color: var(--bad); }
"""
_ROW, _TOP, _LEFT, _WIDTH, _MOST_DOTS = 22, 30, 330, 1000, 40


def page(answers: Sequence[Answer]) -> str:
    """The page of one search or several.  It fetches nothing; names are escaped."""
    body = "".join(_section(a, n) for n, a in enumerate(answers))
    title = one_line(answers[0].subject if len(answers) == 1 else f"{len(answers)} searches over {answers[0].over}")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>dnh bisect: {escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'">'
        f"<style>{_STYLE}</style></head><body><h1>dnh bisect: {escape(title)}</h1>{body}</body></html>\n"
    )


def _section(a: Answer, number: int) -> str:
    words = "".join(f"<p>{escape(one_line(w))}</p>" for w in a.words[1:])
    sure = f" Wrong with a probability of at most {a.error:.2g}." if a.found else ""
    return (
        f"<h2>{escape(one_line(a.subject))}</h2>"
        f'<p class="answer">{escape(one_line(a.words[0]))}</p>{words}'
        f'<p class="quiet">{escape(a.accounts())}.{sure}</p>{picture(a, number)}{_table(a)}'
    )


def picture(a: Answer, number: int = 0) -> str:
    """One row a candidate in the order in which they were asked, one dot a run: filled where it failed or passed."""
    rows = a.decisions
    height = _TOP + _ROW * len(rows) + 12
    widest = max((min(d.runs, _MOST_DOTS) for d in rows), default=1)
    step = min(16.0, (_WIDTH - _LEFT - 210) / max(widest, 1))
    out = [
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-labelledby="path-{number}">'
        f'<title id="path-{number}">The path of the search: {escape(one_line(a.subject))}</title>'
        f'<text class="muted" x="12" y="19">what was tried</text>'
        f'<text class="muted" x="{_LEFT}" y="19">what it showed, run by run</text>'
    ]
    for n, d in enumerate(rows):
        y = _TOP + _ROW * n + _ROW / 2
        out.append(f'<text x="12" y="{y + 4:g}">{n + 1}. {escape(one_line(d.candidate.title, 46))}</text>')
        out += _dots(d, y, step)
    return "".join(out) + "</svg>"


def _dots(d: Decision, y: float, step: float) -> list[str]:
    kinds = ["bad" if shown else "good" for shown in d.path] or ["neither"]
    shown, more = kinds[:_MOST_DOTS], len(kinds) - _MOST_DOTS
    out = [
        f'<circle class="{kind}" cx="{_LEFT + 6 + step * i:g}" cy="{y:g}" r="{min(5.0, step * 0.36):.3g}">'
        f"<title>run {i + 1}: {kind}</title></circle>"
        for i, kind in enumerate(shown)
    ]
    x = _LEFT + 18 + step * len(shown)
    label = f"{'… ' if more > 0 else ''}{d.outcome}" + (f": {one_line(d.signature, 52)}" if d.signature else "")
    return [*out, f'<text class="muted" x="{x:g}" y="{y + 4:g}">{escape(label)}</text>']


def _table(a: Answer) -> str:
    rows = "".join(
        f'<tr><td class="n">{n}</td><td>{escape(one_line(d.candidate.title))}</td><td><b class="{d.outcome}">{d.outcome}</b></td>'
        f'<td class="n">{d.bad} of {d.runs}</td><td class="n">{d.error:.2g}</td><td>{escape(one_line(d.why, 160))}</td></tr>'
        for n, d in enumerate(a.decisions, 1)
    )
    return f"<table><tr><th></th><th>tried</th><th>odds say</th><th>failed</th><th>error</th><th>why</th></tr>{rows}</table>"
