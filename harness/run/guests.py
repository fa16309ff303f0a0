"""From the words of ``--guest`` to a guest; for the words see harness.guest.kernels."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Literal, cast

from harness.errors import UsageError
from harness.guest import kernels
from harness.guest.base import Guest, GuestConfig
from harness.guest.build import sanitizers
from harness.guest.usermode import UsermodeGuest
from harness.run.runner import GuestMaker, Progress
from harness.scenario import Scenario


def check(word: str) -> tuple[str, str | None]:
    """('qemu', 'NAME') from ``qemu:NAME``.  Raises UsageError with the nearest right word."""
    kernel = kernels.parse(word)
    return kernel.kind, kernel.name or None


def maker(word: str, cold: bool = False, sanitize: str | None = None, dump: str | None = None) -> GuestMaker:
    """A maker of guests for ``--guest WORD``.  Raises UsageError for what is not there."""
    kernel = kernels.parse(word)
    kernel = replace(kernel, sanitize=kernel.sanitize or sanitizers(sanitize))
    kind = kernel.kind
    building = threading.Lock()

    def make(scenario: Scenario, seed: int, folder: Path, progress: Progress) -> Guest:
        nonlocal kernel
        said = scenario.kernel
        wanted = cast(Literal["text", "full"] | None, dump or said.dump)
        if wanted and kind != "qemu":
            raise UsageError(f"a crash dump can be had of a qemu guest only, not of {kind}")
        config = GuestConfig(
            folder=folder, seed=seed, flavour="release" if (kernel.flavour or said.flavour) == "release" else "debug",
            clock=scenario.clock if kind == "usermode" else "wall", ncpu=scenario.ncpu,
            patches=kernel.series(tuple(said.patches)), options=tuple(dict.fromkeys((*said.options, *kernel.options))),
            tunables={k: str(v) for k, v in said.tunables.items()},
            modules=tuple(said.modules), sanitize=kernel.sanitize, hang=scenario.hang, revision=kernel.revision,
            dump=wanted,
        )  # fmt: skip

        def told(phase: str, fraction: float) -> None:
            progress("build", fraction)

        if kind == "usermode":
            return UsermodeGuest(config, told)
        with building:  # a tree is built once, by the first run
            kernel = kernels.prepared(kernel, told)
        name = kernel.name or None
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
