"""The workflow files: YAML that a loader takes, with the words of this dnh."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from harness.cli import _parser

FILES = sorted((Path(__file__).resolve().parents[2] / "docs" / "ci").glob("*.yml"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_loads_and_its_commands_parse(file: Path) -> None:
    text = file.read_text()
    assert isinstance(yaml.safe_load(text), dict)
    commands = re.findall(r"dnh (regress .*)$", text, re.M)
    assert len(commands) == 2
    for command in commands:
        args = _parser().parse_args(shlex.split(command))
        assert args.base in ("usermode", "./src") and args.candidate.endswith("+./patches")
