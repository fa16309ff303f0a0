"""What tests of several folders use."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from harness.cli import main

# A busy machine is no failure of the code: what hangs is ended by pytest's own timeout.
settings.register_profile("dnh", deadline=None)
settings.load_profile("dnh")

# Whoever started us in the background may have had SIGINT ignored, and our children would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Calls ``dnh WORD ...`` for its exit code and its errors: within this process, which is a second faster.

    For wrong words, that end before a guest starts.  It is called in ``tmp_path``, where its state is kept too.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DNH_STATE", str(tmp_path / "state"))
    before = {s: signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGHUP)}

    def call(*words: object) -> tuple[int, str]:
        capsys.readouterr()
        try:
            code = main([str(w) for w in words])
        except SystemExit as e:  # argparse's own
            code = e.code if isinstance(e.code, int) else 2
        finally:
            for s, then in before.items():
                signal.signal(s, then)
        return code, capsys.readouterr().err

    return call
