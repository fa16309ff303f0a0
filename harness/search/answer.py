"""What a search came to: in words, and as data (schema ``dnh-bisect/1``)."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from harness.search.journal import Outcome
from harness.search.judge import Decision, Judge

SCHEMA = "dnh-bisect/1"


@dataclass(frozen=True)
class Answer:
    """One search's answer.

    ``path``: how many candidates an errorless search of one run each would ask; ``rests``: the keys of those
    whose decisions the answer rests on (empty: all).
    """

    over: str
    subject: str
    found: bool
    words: tuple[str, ...]
    data: dict[str, Any]
    path: int = 0
    rests: tuple[str, ...] = ()
    decisions: tuple[Decision, ...] = ()
    runs: int = 0
    ideal: tuple[int, int] = (0, 0)
    share: float = 1.0
    error: float = 0.0
    seconds: float = 0.0
    guest: str = ""

    def accounts(self) -> str:
        """The runs against the ideal, in words."""
        one, known = self.ideal
        often = f", {known} where a bad one shows it in {self.share:.0%} of its runs" if self.share < 1 else ""
        asked = len({d.candidate.key for d in self.decisions}) or 1
        what = f"{self.runs} runs of {asked} candidate{'s' * (asked != 1)}"
        return f"{what} (ideal: {one} if one run told all{often}), {self.seconds:.1f} s"

    def to_dict(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA, "over": self.over, "subject": self.subject, "guest": self.guest, "found": self.found,
            "words": list(self.words), "answer": self.data, "runs": self.runs,
            "ideal": {"one_run_tells": self.ideal[0], "this_share": self.ideal[1]},
            "share": round(self.share, 4), "error": float(f"{self.error:.2g}"), "seconds": round(self.seconds, 2),
            "path": [
                {"candidate": d.candidate.title, "key": d.candidate.key, "outcome": str(d.outcome), "shown": d.bad,
                 "runs": d.runs, "error": float(f"{d.error:.2g}"), "signature": d.signature, "why": d.why}
                for d in self.decisions
            ],
        }  # fmt: skip


def finished(answer: Answer, judge: Judge, seconds: float) -> Answer:
    """The answer with the judge's accounts."""
    decisions = tuple(judge.decisions)
    last = {d.candidate.key: d for d in decisions if not answer.rests or d.candidate.key in answer.rests}
    return replace(
        answer,
        decisions=decisions,
        runs=judge.runs,
        ideal=judge.ideal(answer.path, decisions),
        share=judge.share.likely if judge.share.unshown else 1.0,
        # That none which passed was a bad one that had luck: at most the sum of what each may be.
        error=min(1.0, sum(d.error for d in last.values() if d.outcome is not Outcome.NEITHER)),
        seconds=seconds,
    )


def dump(answers: list[Answer]) -> str:
    """JSON: one answer, or a list of several."""
    plain = [a.to_dict() for a in answers]
    return json.dumps(plain[0] if len(plain) == 1 else plain, indent=1, ensure_ascii=False) + "\n"
