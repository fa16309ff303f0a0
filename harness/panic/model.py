"""What a console log said happened: the model.  Standard library only, so that any layer may embed it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What sort of thing happened.  The order is that of gravity: what stops the kernel comes first."""

    DOUBLE_FAULT = "double-fault"
    TRAP = "trap"
    KASSERT = "kassert"
    KASAN = "kasan"
    KMSAN = "kmsan"
    SLEEPING_THREAD = "sleeping-thread"
    DEADLOCK = "deadlock"
    WATCHDOG = "watchdog"
    PANIC = "panic"
    BOOT_FAILURE = "boot-failure"
    HANG = "hang"
    REBOOT = "reboot"
    KCSAN = "kcsan"
    LOR = "lor"
    WITNESS = "witness"
    MBUFS = "mbufs"
    LEAK = "leak"


def is_interrupt(trap: str) -> bool:
    """A trap line that tells of an interrupt or a system call, not of a fault."""
    return trap.startswith(("interrupt", "syscall"))


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a backtrace, the innermost first.

    ``trap`` is set on the frame that a trap interrupted: the text between the ``---`` of the trap
    line printed just above it (``trap 0xc, rip = ...``).  Frames before it are the handler's.
    """

    function: str
    offset: int | None = None
    module: str = ""
    file: str = ""
    line: int | None = None
    address: str = ""
    trap: str = ""
    inlined: bool = False


@dataclass(frozen=True, slots=True)
class Panic:
    """One thing that happened, as far as the log tells.  Addresses are hexadecimal text."""

    kind: Kind
    message: str
    """As printed, joined where the log wrapped it."""
    normalized: str
    """The message without addresses, counts, pids, CPU numbers, source lines."""
    signature: str
    """Readable name and short hash; the same for the same panic on every boot and build."""
    fatal: bool = True
    """The kernel stopped.  False for what was only reported (WITNESS, mbufs, leaks, warn-only checks)."""
    trap: int | None = None
    """Trap number; on arm64 the exception class of ESR_EL1."""
    trap_name: str = ""
    fault_address: str = ""
    fault_suggests: str = ""
    """What the address looks like: NULL, small offset, freed memory, non-canonical, ... or empty."""
    instruction: str = ""
    """Instruction pointer at the trap."""
    thread: str = ""
    tid: int | None = None
    pid: int | None = None
    process: str = ""
    cpu: int | None = None
    frames: tuple[Frame, ...] = ()
    culprit: str = ""
    """First function that is not panic, trap, lock, allocator or copy machinery."""
    cycle: tuple[str, ...] = ()
    """For a spent stack: the functions that repeat, in the order of the calls, outermost first."""
    points: tuple[str, ...] = ()
    """Interception points on the stack, innermost first: dummynet, dummynet_l2, if_output."""
    locks: tuple[str, ...] = ()
    """Locks named by the report (order reversal: first, second) or held (show alllocks)."""
    uptime: str = ""
    version: str = ""
    """The kernel's version line, where the log has one: in the report itself or at an earlier boot."""
    arch: str = ""
    """amd64, arm64, i386 ... or empty."""
    first_line: int = 0
    last_line: int = 0
    """Lines of the log, counted from 1, that this was read from."""
    log: str = ""
    """Those lines, cleaned of escapes and quotes; cut in the middle when there are very many."""
    missing: tuple[str, ...] = ()
    """What such a report has and this one has not: backtrace, thread, registers, message, ..."""
    notes: tuple[str, ...] = ()
    """What the reader had to assume (interleaved CPUs taken apart, wrapped lines joined, ...)."""

    @property
    def name(self) -> str:
        """The readable half of the signature."""
        return self.signature.rpartition("-")[0]

    @property
    def handler_frames(self) -> tuple[Frame, ...]:
        """The frames before the trap: panic, debugger and trap handling."""
        return self.frames[: self._struck()]

    @property
    def struck_frames(self) -> tuple[Frame, ...]:
        """The frames from the one that was interrupted on; all of them where nothing trapped."""
        return self.frames[self._struck() :]

    def _struck(self) -> int:
        return next(
            (i for i, frame in enumerate(self.frames) if frame.trap and not is_interrupt(frame.trap)), 0
        )

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Panic:
        """The panic that ``to_dict`` (or JSON of it) tells of.  ValueError or TypeError for anything else."""
        known = dict(values)
        known["kind"] = Kind(known["kind"])
        known["frames"] = tuple(Frame(**frame) for frame in known.get("frames", ()))
        for name in ("cycle", "points", "locks", "missing", "notes"):
            known[name] = tuple(known.get(name, ()))
        return cls(**known)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)
