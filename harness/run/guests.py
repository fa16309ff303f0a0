"""From the words of ``--guest`` to a guest: usermode, qemu[:NAME], bhyve[:NAME], remote:USER@HOST or FILE."""

from __future__ import annotations

from pathlib import Path

from harness.errors import UsageError
from harness.guest.base import Guest, GuestConfig
from harness.guest.build import sanitizers
from harness.guest.usermode import UsermodeGuest
from harness.run.runner import GuestMaker, Progress
from harness.scenario import Scenario

KINDS = ("usermode", "qemu", "bhyve", "remote")


def check(word: str) -> tuple[str, str | None]:
    """('qemu', 'NAME') from ``qemu:NAME``.  Raises UsageError with the nearest right word."""
    kind, _, name = word.partition(":")
    if kind not in KINDS:
        import difflib

        near = difflib.get_close_matches(kind, KINDS, 1)
        hint = f" (did you mean '{near[0]}'?)" if near else f": one of {', '.join(KINDS)}"
        raise UsageError(f"no such kind of guest: '{kind}'{hint}")
    if kind == "usermode" and name:
        raise UsageError("the usermode guest has no names")
    if kind == "remote" and not name:
        raise UsageError("which machine? remote:USER@HOST, or remote:FILE.yaml")
    return kind, name or None


def maker(word: str, cold: bool = False, sanitize: str | None = None) -> GuestMaker:
    """A maker of guests for ``--guest WORD``.  Raises UsageError for what is not there."""
    kind, name = check(word)
    chosen = sanitizers(sanitize)

    def make(scenario: Scenario, seed: int, folder: Path, progress: Progress) -> Guest:
        config = GuestConfig(
            folder=folder, seed=seed, flavour=scenario.kernel.flavour,
            clock=scenario.clock if kind == "usermode" else "wall", ncpu=scenario.ncpu,
            patches=tuple(scenario.kernel.patches), options=tuple(scenario.kernel.options),
            tunables={k: str(v) for k, v in scenario.kernel.tunables.items()},
            modules=tuple(scenario.kernel.modules), sanitize=chosen,
        )  # fmt: skip

        def told(phase: str, fraction: float) -> None:
            progress("build", fraction)

        if kind == "usermode":
            return UsermodeGuest(config, told)
        if kind == "qemu":
            from harness.guest.qemu import QemuGuest, find_image

            return QemuGuest(config, find_image(name, config.flavour), told, cold)
        if kind == "bhyve":
            from harness.guest.bhyve import BhyveGuest
            from harness.guest.qemu import find_image

            return BhyveGuest(config, find_image(name, config.flavour), told)
        from harness.guest.remote import RemoteGuest
        from harness.guest.ssh import parse

        assert name is not None
        return RemoteGuest(config, parse(name))

    return make
