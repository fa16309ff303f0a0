"""pytest runs scenarios: ``pytest scenarios/ --guest=qemu:NAME -n 2``.

Every cell of a scenario's matrix is a test, its tags are markers (``-m accuracy``), a seed more is a test more
(``--dnh-repeat``).  Nothing is collected unless --guest is given, so the plugin is no one's burden.
With pytest-xdist the user-mode guest runs as often at once as there are workers; of one real image likewise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.errors import DnhError
from harness.report import words
from harness.report.load import is_run
from harness.run import guests
from harness.run.cells import run_again
from harness.run.result import Result, Verdict
from harness.run.runner import GuestMaker, Plan, run
from harness.run.store import Store
from harness.scenario import Scenario, load

_MAKERS: dict[str, GuestMaker] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    """--guest and its companions."""
    group = parser.getgroup("dnh", "scenarios of dnh")
    group.addoption("--guest", metavar="KERNEL", help="run scenarios (*.yaml) on usermode, qemu:NAME, TREE[+SERIES]")
    group.addoption("--dnh-set", action="append", default=[], metavar="KEY=VALUE", help="change a value of the scenarios")
    group.addoption("--dnh-repeat", type=int, default=0, metavar="N", help="runs of each cell, each with its seed")
    group.addoption("--dnh-out", metavar="FOLDER", help="where the runs' folders go")


def pytest_configure(config: pytest.Config) -> None:
    """Tell early of a guest that there is not."""
    word = config.getoption("--guest")
    if word:
        try:
            guests.check(word)
        except DnhError as e:
            raise pytest.UsageError(f"--guest {word}: {e}") from None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A scenario file, when a guest is asked for."""
    if file_path.suffix in (".yaml", ".yml") and parent.config.getoption("--guest") and _is_scenario(file_path):
        return ScenarioFile.from_parent(parent, path=file_path)
    return None


def _is_scenario(path: Path) -> bool:
    """A mapping with hosts at its top; other YAML that lies about is none, nor is what a run kept of its own."""
    if path.name == "scenario.yaml" and is_run(path.parent):
        return False
    try:
        return re.search(r"^hosts:", path.read_text("utf-8", "replace"), re.M) is not None
    except OSError:
        return False


class ScenarioFile(pytest.File):
    """One scenario file."""

    def collect(self) -> Iterator[pytest.Item]:
        """A test for each cell and seed.  A file that is wrong is an error of collection, told in its own words."""
        option = self.config.getoption
        settings = dict(word.partition("=")[::2] for word in option("--dnh-set"))
        try:
            cells = load(self.path, settings)
        except DnhError as e:
            raise self.CollectError(str(e)) from None
        for cell in cells:
            for n in range(option("--dnh-repeat") or cell.repeat):
                parts = [f"{k}={v}" for k, v in cell.cell.items()] + ([f"seed={cell.seed + n}"] if n else [])
                name = f"{cell.name}[{','.join(parts)}]" if parts else cell.name
                yield ScenarioItem.from_parent(self, name=name, scenario=cell, repeat=n)


class ScenarioItem(pytest.Item):
    """One run of one cell."""

    def __init__(self, *, scenario: Scenario, repeat: int, **more: Any) -> None:
        super().__init__(**more)
        self.scenario, self.repeat = scenario, repeat
        for tag in scenario.tags:
            mark = re.sub(r"\W", "_", tag)
            self.config.addinivalue_line("markers", f"{mark}: scenarios tagged {tag}")
            self.add_marker(mark)

    def runtest(self) -> None:
        """Run it; fails with what a person needs to know first."""
        word = self.config.getoption("--guest")
        s = self.scenario
        kind, _ = guests.check(word)
        if s.guests and kind not in s.guests:
            pytest.skip(f"makes sense on {', '.join(s.guests)} only")
        if word not in _MAKERS:
            _MAKERS[word] = guests.maker(word)
        out = self.config.getoption("--dnh-out")
        seed = s.seed + self.repeat
        again = run_again(s, seed, word, self.config.getoption("--dnh-set"))
        result, folder = run(Plan(s, seed, self.repeat, word, again), _MAKERS[word], Store(Path(out) if out else None))
        self.user_properties += [("verdict", str(result.verdict)), ("seed", str(seed)), ("kernel", result.kernel.ident)]
        if not result.as_expected:
            raise ScenarioFailed(result, folder)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """A few lines, no traceback, for a kernel's failure; the usual for one of ours."""
        if isinstance(excinfo.value, ScenarioFailed):
            return excinfo.value.text()
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the test is."""
        return self.path, None, f"scenario: {self.name}"


class ScenarioFailed(Exception):
    """A run that was not as declared."""

    def __init__(self, result: Result, folder: Path) -> None:
        super().__init__(words.outcome(result))
        self.result, self.folder = result, folder

    def text(self) -> str:
        """What failed, why, the panic's frames, how to run it again."""
        r = self.result
        who = "the machinery failed" if r.verdict is Verdict.ERROR else words.outcome(r)
        lines = [f"{r.scenario.name}: {who}", *(f"  {reason}" for reason in r.reasons[:8])]
        if r.panic is not None:
            lines += [f"  signature: {r.panic.signature}", *(f"    {f}" for f in words.log(r.panic)[:12])]
        return "\n".join([*lines, f"  run again: {r.command}", f"  folder:    {self.folder}"])
