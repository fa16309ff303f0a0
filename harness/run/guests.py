"""From the words of ``--guest`` to a guest; for the words see harness.guest.kernels."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Literal, cast

from harness.errors import UsageError
from harness.guest import kernels
from harness.guest.base import Guest, GuestConfig
from harness.guest.build import Built, sanitizers
from harness.guest.usermode import UsermodeGuest, build_for
from harness.run.runner import GuestMaker, Progress
from harness.scenario import Scenario


def check(word: str) -> tuple[str, str | None]:
    """('qemu', 'NAME') from ``qemu:NAME``.  Raises UsageError with the nearest right word."""
    kernel = kernels.parse(word)
    return kernel.kind, kernel.name or None


def patches(word: str, scenario: Scenario) -> tuple[str, ...] | None:
    """The patch series of the kernel that this scenario would run on; None where that cannot be known from here."""
    kernel = kernels.parse(word)
    if kernel.kind == "usermode" or kernel.tree is not None:
        return kernel.series(tuple(scenario.kernel.patches))
    if kernel.kind == "remote":
        return None
    from harness.guest.qemu import find_image

    image = find_image(kernel.name or None).identity
    return tuple(p["name"] for p in image.patches) if image.source == "built" else None


def config_of(kernel: kernels.KernelWord, scenario: Scenario, seed: int, folder: Path, dump: str | None = None) -> GuestConfig:
    """What a scenario asks of a guest with that kernel.  Raises UsageError for what it cannot have."""
    said = scenario.kernel
    wanted = cast(Literal["text", "full"] | None, dump or said.dump) if kernel.kind == "qemu" else None
    return GuestConfig(
        folder=folder, seed=seed, flavour="release" if (kernel.flavour or said.flavour) == "release" else "debug",
        clock=scenario.clock or ("virtual" if kernel.kind == "usermode" else "wall"), ncpu=scenario.ncpu,
        patches=kernel.series(tuple(said.patches)), options=tuple(dict.fromkeys((*said.options, *kernel.options))),
        tunables={k: str(v) for k, v in said.tunables.items()},
        modules=tuple(said.modules), sanitize=kernel.sanitize, hang=scenario.hang, revision=kernel.revision,
        dump=wanted,
    )  # fmt: skip


def maker(
    word: str | kernels.KernelWord, cold: bool = False, sanitize: str | None = None, dump: str | None = None,
    built: Built | None = None,
) -> GuestMaker:  # fmt: skip
    """A maker of guests for ``--guest WORD``; ``built`` is the user-mode guest's program where it is known.

    Raises UsageError for what is not there.
    """
    kernel = kernels.parse(word) if isinstance(word, str) else word
    kernel = replace(kernel, sanitize=kernel.sanitize or sanitizers(sanitize))
    kind = kernel.kind
    if dump and kind != "qemu":
        raise UsageError(f"a crash dump (--dump) can be had of a qemu guest only, not of {kind}")
    if kind in ("qemu", "bhyve") and kernel.tree is None:
        from harness.guest.qemu import find_image

        find_image(kernel.name or None)
    building = threading.Lock()
    programs: dict[tuple[object, ...], Built] = {}  # one build for all runs: what they run is one thing

    def make(scenario: Scenario, seed: int, folder: Path, progress: Progress) -> Guest:
        nonlocal kernel
        config = config_of(kernel, scenario, seed, folder, dump)

        def told(phase: str, fraction: float) -> None:
            progress(f"build: {phase}", fraction)

        if kind == "usermode":
            key = (config.flavour, config.sanitize, config.patches, config.options)
            with building:
                if key not in programs:
                    programs[key] = built or build_for(config, told)
            return UsermodeGuest(config, told, programs[key])
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
