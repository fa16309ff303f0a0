"""What every guest offers, whatever it is made of.

A guest is a FreeBSD (or the user-mode program that behaves like one) with a console.  What lies above
knows this protocol and nothing of QEMU, bhyve, ssh or coroutines.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from harness.guest.build import sanitizers
from harness.guest.console import Console


@dataclass(frozen=True)
class GuestConfig:
    """How a guest is to be made for one scenario; a kind of guest takes what applies to it.

    ``patches`` are series by name or folder, ``options`` kernel options, ``tunables`` loader tunables,
    ``modules`` what is loaded after boot, ``revision`` a git revision of the user-mode guest's own sources.
    ``folder`` receives console.log and whatever else there is.
    ``dump`` asks for a crash dump on a panic, of the guests that can make one.
    ``hang`` is how many seconds the guest may go without a sign of life.
    """

    folder: Path
    seed: int = 1
    flavour: Literal["debug", "release"] = "debug"
    clock: Literal["virtual", "wall"] = "virtual"
    ncpu: int = 4
    patches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    tunables: dict[str, str] = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    sanitize: tuple[str, ...] = field(default_factory=sanitizers)
    revision: str = ""
    dump: Literal["text", "full"] | None = None
    hang: float = 20.0


@dataclass(frozen=True)
class GuestIdentity:
    """What is running: see harness.run.result.Kernel and GuestRef for the fields' meaning."""

    kind: str
    name: str
    clock: Literal["virtual", "wall"]
    ident: str
    release: str
    flavour: str
    digest: str
    patches: tuple[str, ...] = ()
    compiler: str = ""
    accelerator: str = ""
    ncpu: int = 1


class Guest(Protocol):
    """One guest, from its start to its end.

    ``boot`` leaves a root shell waiting on the console.  ``sleep`` lets guest time pass.  ``power_off``
    shuts down in order (and prints what leaked, where the kernel says so); ``kill`` ends it at once and
    may be called at any time, from any thread, any number of times.
    """

    kind: str
    console: Console
    notes: list[str]
    """What is to be told of this guest beside the verdict, in whole sentences: a second boot, for one."""

    def boot(self) -> None: ...

    def identity(self) -> GuestIdentity: ...

    def sleep(self, seconds: float) -> None: ...

    def now(self) -> float:
        """Seconds of the clock that ``sleep`` lets pass, from any fixed moment."""
        ...

    def break_to_debugger(self) -> bool:
        """Of a guest that hangs: try to reach the ``db>`` prompt; True when it is there."""
        ...

    def restore(self, key: str) -> bool:
        """Go to the snapshot of that key, if there is one: True, and the shell is as it was."""
        ...

    def snapshot(self, key: str) -> None:
        """Keep the present state under that key, where this kind of guest can."""
        ...

    def power_off(self) -> None: ...

    def kill(self) -> None: ...


@runtime_checkable
class CrashDumper(Protocol):
    """A guest that can have its kernel write a crash dump."""

    def before_questions(self) -> tuple[str, ...]:
        """What the debugger is told before it is asked anything: to keep its answers for the dump."""
        ...

    def crash_dump(self) -> Path | None:
        """At the debugger's prompt: the dump as a file in the run's folder, None where none was asked for.

        Raises MachineryError when there is no dump afterwards.  The guest has ended then.
        """
        ...
