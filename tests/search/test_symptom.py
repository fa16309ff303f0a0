"""Which runs count as failing."""

from types import SimpleNamespace

import pytest

from harness.run.result import Verdict
from harness.search.journal import Outcome
from harness.search.runs import Symptom


def result(verdict, signature=None):
    panic = SimpleNamespace(signature=signature) if signature else None
    return SimpleNamespace(verdict=Verdict(verdict), panic=panic, expectations=[], reports=[])


@pytest.mark.parametrize(("symptom", "verdict", "signature", "outcome"), [
    (Symptom(), "pass", None, "good"), (Symptom(), "fail", None, "bad"), (Symptom(), "hang", None, "bad"),
    (Symptom(), "panic", "x-1", "bad"), (Symptom(), "error", None, "neither"),
    (Symptom("x"), "panic", "x-1", "bad"), (Symptom("x"), "panic", "y-1", "neither"), (Symptom("x"), "fail", None, "neither"),
    (Symptom("x", Outcome.GOOD), "panic", "y-1", "good"),
    (Symptom(verdicts=(Verdict.PANIC,)), "fail", None, "good"), (Symptom(verdicts=(Verdict.PANIC,)), "panic", "y", "bad"),
    (Symptom(verdicts=(Verdict.PANIC,)), "error", None, "neither"),
])  # fmt: skip
def test_what_counts(symptom, verdict, signature, outcome):
    assert symptom.outcome(result(verdict, signature)) == outcome
