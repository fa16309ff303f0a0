"""The errors that end a command, each with its exit code (see README, "Exit codes")."""

from __future__ import annotations


class DnhError(Exception):
    """An error that is told to the user in one line, without a traceback."""

    exit_code = 3


class UsageError(DnhError):
    """The user's words, scenario, tree or patch are at fault: exit 2."""

    exit_code = 2


class Located(UsageError):
    """What is wrong in files: each line begins with its place, file:line:column, for editors to find."""


class MachineryError(DnhError):
    """The machinery failed (no QEMU, no disk, a build error, a guest that is gone): exit 3."""

    exit_code = 3
