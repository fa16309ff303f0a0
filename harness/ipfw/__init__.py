"""ipfw and dummynet: what is pushed into a guest, and what the guest shows of it afterwards."""

from harness.ipfw.pipes import (
    PipeConfig,
    ShownPipe,
    differences,
    parse_config,
    parse_show,
)
from harness.ipfw.rules import Rule, ShownRule, parse_add, parse_list, same_rule
from harness.ipfw.text import IpfwCommand, commands

__all__ = [
    "IpfwCommand",
    "PipeConfig",
    "Rule",
    "ShownPipe",
    "ShownRule",
    "commands",
    "differences",
    "parse_add",
    "parse_config",
    "parse_list",
    "parse_show",
    "same_rule",
]
