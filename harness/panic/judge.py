"""From the pieces of a report to a Panic; when two reports are one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.panic import naming
from harness.panic import patterns as p
from harness.panic.event import Event, Trace
from harness.panic.model import Frame, Kind, Panic, is_interrupt


def _number(text: str) -> int | None:
    """What a number of at most 64 bits says: hexadecimal, unless it has fewer than four digits and"
    " no mark."""
    found = re.fullmatch(r"(?:0x)?0*([0-9a-fA-F]{1,16})", text)
    if found is None:
        return None
    return int(found[1], 10 if text.isdigit() and len(text) < 4 else 16)


def panic_of(event: Event, version: str, arch: str) -> Panic:
    """What the report says; ``version`` and ``arch`` are those of the last boot that the log showed."""
    trace = _primary(event)
    frames = _with_places(trace.frames, event) if trace else []
    panic_line = event.message
    trap, trap_name = event.trap, event.trap_name
    kind = event.kind
    message = event.trap_line or panic_line or ""
    if event.opener == "frames" and not message:
        inside = next(
            (f.trap for f in frames if f.trap and not is_interrupt(f.trap)), trace.pending if trace else ""
        )
        trapped = any(f.function in ("trap_fatal", "dblfault_handler") for f in frames)
        if trapped and (found := re.match(r"trap (0x[0-9a-f]+|[1-9]\d*)", inside)):
            trap = _number(found[1])
        elif trapped and any(f.function == "trap_pfault" for f in frames):
            trap = 12  # the trap line is cut off, its handler is not
        trap_name = naming.TRAP_NAMES.get(trap or 0, "")
    if trap is None and panic_line is not None:
        trap = naming.trap_number(panic_line)
        trap_name = panic_line if trap is not None else ""
    arch = _arch_of(event, frames) or arch
    if kind in (None, Kind.TRAP):
        kind, trap, trap_name = _kind_of(event, frames, trap, trap_name, panic_line or "")
    assert kind is not None
    esr_text = event.fields.get("esr", "")
    for frame in frames:
        if not esr_text and (found := re.match(r"exception, esr (0x[0-9a-f]+)", frame.trap)):
            esr_text = found[1]
    if arch == "arm64" and kind is Kind.TRAP and (esr := _number(esr_text)) is not None:
        trap = esr >> 26
        trap_name = p.ARM_EC.get(trap, trap_name or "exception")
    if kind is Kind.DOUBLE_FAULT:
        trap, trap_name = 23, "double fault"
    if kind is Kind.HANG and trace is not None and event.hung is not None and trace.pid == event.hung[1]:
        # The thread of the command that did not end, and not the one that the break found on the CPU.
        event.thread, event.tid, event.pid, event.process = trace.command, trace.of, trace.pid, trace.command
        event.fields.pop("cpuid", None)
    normalized = _normalized(kind, event, trap_name, message, panic_line)
    address = _fault_address(event, panic_line or "")
    instruction = (
        event.fields.get("instruction pointer", event.fields.get("elr", "")).rpartition(":")[2].split(" ")[0]
    )
    jump = bool(address and instruction) and _number(address) == _number(instruction)
    suggestion = ""
    if address and (number := _number(address)) is not None:
        suggestion = naming.suggests(number, arch, jump)
    elif event.freed_in:
        suggestion = f"freed memory (0xdeadc0de in {', '.join(event.freed_in)})"
    loop: tuple[str, ...] = ()
    if kind in (Kind.DOUBLE_FAULT, Kind.TRAP, Kind.PANIC):
        loop = naming.cycle(frames, 2 if kind is Kind.DOUBLE_FAULT else 4)
    where = naming.culprit(_running(kind, frames))
    if kind is Kind.KCSAN and (race := p.RACE.match(panic_line or "")):
        where = "+".join(sorted({side.rpartition("<")[2].rstrip(">") for side in (race["one"], race["two"])}))
    if loop and kind is Kind.DOUBLE_FAULT:
        where = loop[0]
    locks = tuple(
        event.lock_names if kind in (Kind.LOR,) or (kind is Kind.WITNESS and not event.own_locks) else []
    )
    locks = locks or tuple(event.own_locks or ([] if event.tid is not None else event.locks))
    lines = [*event.head, *([f"[... {event.dropped} lines ...]"] if event.dropped else []), *event.tail]
    cpu = event.fields.get("cpuid", "").split(";")[0].strip()
    fatal = kind not in (Kind.KCSAN, Kind.LOR, Kind.WITNESS, Kind.MBUFS, Kind.LEAK) and not event.single
    return Panic(
        kind=kind,
        message=message,
        normalized=normalized,
        signature=naming.signature(
            kind,
            normalized,
            "" if _found_late(kind, normalized) else where,
            loop,
            locks if kind is Kind.LOR else (),
        ),
        fatal=fatal,
        trap=trap,
        trap_name=trap_name,
        fault_address=address,
        fault_suggests=suggestion,
        instruction=instruction,
        thread=event.thread,
        tid=event.tid,
        pid=event.pid,
        process=event.process,
        cpu=int(cpu) if cpu.isdigit() else None,
        frames=tuple(frames),
        culprit=where,
        cycle=loop,
        points=naming.points(frames),
        locks=locks,
        uptime=event.fields.get("uptime", ""),
        version=event.version or version,
        arch=arch,
        first_line=event.start,
        last_line=max(event.last, event.start),
        log="\n".join(lines),
        missing=_missing(kind, event, trace, fatal),
        notes=tuple(event.notes),
    )


_ON_CPU = frozenset({"running", "runnable"})


def _found_late(kind: Kind, normalized: str) -> bool:
    """Whoever is on the stack came by when it was found out: another one on every boot."""
    return normalized == "broken into" or normalized.startswith("Memory modified after free")


def _running(kind: Kind, frames: list[Frame]) -> list[Frame]:
    """Of a watchdog or a break into the debugger, what the interrupt found running."""
    if kind in (Kind.WATCHDOG, Kind.HANG):
        for i, frame in enumerate(frames):
            if frame.trap.startswith("interrupt"):
                return frames[i:]
    return frames


def _arch_of(event: Event, frames: list[Frame]) -> str:
    if (
        "esr" in event.fields
        or "far" in event.fields
        or any(f.function.startswith(("handle_el", "do_el")) for f in frames)
    ):
        return "arm64"
    if any("rip =" in f.trap for f in frames):
        return "amd64"
    pointer = event.fields.get("stack pointer", event.fields.get("instruction pointer", ""))
    if pointer:
        return "i386" if re.fullmatch(r"0x[0-9a-f]+:0x[0-9a-f]{1,8}", pointer) else "amd64"
    return ""


STRUCK = "function that was struck"


@dataclass(frozen=True, slots=True)
class Marks:
    """What tells two reports with one name apart: when and where they were printed."""

    kind: Kind
    normalized: str
    printed: tuple[str, str, str]  # time, stack pointer, uptime; empty where the log has none
    boot: int
    frames: bool
    info: bool

    @classmethod
    def of(cls, event: Event, panic: Panic, boot: int) -> Marks:
        time, pointer, uptime = (event.fields.get(key, "") for key in ("time", "stack pointer", "uptime"))
        return cls(panic.kind, panic.normalized, (time, pointer, uptime), boot, event.has_frames, event.info)


def same(old: Marks, new: Marks, core_text: bool) -> bool:
    """The same report, printed a second time.

    core.txt, textdumps and bug reports quote the message buffer again, or the debugger after it; a bare
    mention (info.N, a title) comes before or after the log itself.
    """
    if (old.kind, old.normalized) != (new.kind, new.normalized) or new.kind in (
        Kind.MBUFS,
        Kind.LEAK,
        Kind.REBOOT,
    ):
        return False
    if old.boot != new.boot and not core_text:
        return False
    for one, other in zip(old.printed, new.printed, strict=True):
        if one and other:
            return one == other
    return core_text or old.info or new.info or not (old.frames and new.frames)


def nested(event: Event, panic: Panic) -> bool:
    """A panic on the way down of another: its own stack shows the first, or the debugger."""
    if not panic.fatal or event.opener not in ("panic", "trap"):
        return False
    names = [frame.function for frame in panic.frames]
    return names.count("vpanic") > 1 or "db_trap" in names[4:]


def _primary(event: Event) -> Trace | None:
    """The backtrace that tells of the event: the sleeper's for a sleeping thread, else the first of"
    " its own."""
    traces = [t for t in event.traces if t.frames and t.role != "established"]
    if event.kind is Kind.SLEEPING_THREAD:
        traces.sort(key=lambda t: t.of != event.tid)
    elif event.hung is not None and (waiting := [t for t in traces if t.pid == event.hung[1]]):
        traces = waiting
    else:
        mine = [t for t in traces if t.of is None or event.tid is None or t.of == event.tid]
        traces = mine or traces
        printed = [t for t in traces if t.role != "kgdb"]
        kgdb = [t for t in traces if t.role == "kgdb"]
        traces = printed or traces
        if kgdb and traces and event.kind is Kind.TRAP and unseen_struck(traces[0].frames):
            traces = kgdb  # it knows the function that the trap struck
        if len(traces) > 1 and traces[0].cut and len(traces[1].frames) > len(traces[0].frames):
            traces = traces[1:]
    return traces[0] if traces else None


def _with_places(frames: list[Frame], event: Event) -> list[Frame]:
    """Frames with the files and lines that kgdb printed of the same stack."""
    kgdb = next((t.frames for t in event.traces if t.role == "kgdb" and t.frames), None)
    if kgdb is None or frames is kgdb:
        return list(frames)
    placed: list[Frame] = []
    at = 0
    for frame in frames:
        window = range(at, min(at + 12, len(kgdb)))
        found = next((i for i in window if kgdb[i].function == frame.function), None)
        if found is None or frame.file:
            placed.append(frame)
            continue
        other = kgdb[found]
        at = found + 1
        address = frame.address or other.address
        placed.append(replace(frame, file=other.file, line=other.line, module=other.module, address=address))
    return placed


_ASSERTION = re.compile(
    r"^Assertion .* failed|(?: at|@) ?\S+\.[chsS]:\d+|recurs\w+ on non-recursive|not owned"
    r"|not locked|NOT in |witness_warn|excl->|share->"
)


def _kind_of(
    event: Event, frames: list[Frame], trap: int | None, trap_name: str, message: str
) -> tuple[Kind, int | None, str]:
    if trap == 23 or message == "double fault":
        return Kind.DOUBLE_FAULT, 23, "double fault"
    if message.startswith("ASan:"):
        return Kind.KASAN, trap, trap_name
    if message.startswith("MSan:"):
        return Kind.KMSAN, trap, trap_name
    if re.match(r"vm_fault failed: (?:0x)?[0-9a-f]+", message) or re.match(
        r"Unhandled EL1 \w+ abort", message
    ):
        return Kind.TRAP, trap, trap_name or "data abort"
    if event.kind is Kind.TRAP or (trap is not None and trap_name):
        return Kind.TRAP, trap, trap_name
    if message.startswith("sleeping thread"):
        return Kind.SLEEPING_THREAD, trap, trap_name
    if (
        "possible deadlock" in message
        or "held too long" in message
        or re.search(r"spin ?lock.*too long", message)
    ):
        return Kind.DEADLOCK, trap, trap_name
    if message.startswith("watchdog timeout"):
        return Kind.WATCHDOG, trap, trap_name
    if re.match(r"mountroot:|no init$|vfs_mountroot|cannot mount root", message):
        return Kind.BOOT_FAILURE, trap, trap_name
    if _ASSERTION.search(message) or any(f.function in ("kassert_panic", "vkassert_panic") for f in frames):
        return Kind.KASSERT, trap, trap_name
    return Kind.PANIC, trap, trap_name


def _normalized(kind: Kind, event: Event, trap_name: str, message: str, panic_line: str | None) -> str:
    if kind in (Kind.TRAP, Kind.DOUBLE_FAULT) and trap_name:
        return trap_name
    if kind is Kind.HANG:
        if event.hung is not None and event.hung[2] not in _ON_CPU:
            return f"{event.hung[0]} waits in {naming.normalize(event.hung[2].lstrip('*'))}"
        return "broken into"
    if event.prelude:
        prelude = naming.normalize(event.prelude)
        locks = ", ".join(dict.fromkeys(event.lock_names))
        said = naming.normalize(panic_line or message)
        return (said if prelude == said else f"{said}: {prelude}") + (f": {locks}" if locks else "")
    if kind is Kind.KCSAN and (race := p.RACE.match(message)):
        sides = [re.sub(r"^Cpu\d+ |Addr=\S+ |PC=\S+<", "", side) for side in (race["one"], race["two"])]
        return "CSan: Racy Access " + " / ".join(sorted(side.rstrip(">") for side in sides))
    normal = naming.normalize(message)
    if kind is Kind.WITNESS and event.lock_names and not any(name in normal for name in event.lock_names):
        normal += ": " + ", ".join(dict.fromkeys(event.lock_names))
    return normal


def _fault_address(event: Event, message: str) -> str:
    for key in ("fault virtual address", "far"):
        if value := event.fields.get(key):
            value = value.split(" ")[0]
            return (
                value if value.startswith("0x") else "0x" + value if _number("0x" + value) is not None else ""
            )
    if found := re.search(
        r"(?:nofault entry, addr: |Invalid access, .* at )(0x[0-9a-f]+|[0-9a-f]{8,16})", message
    ):
        return found[1] if found[1].startswith("0x") else "0x" + found[1]
    return ""


def unseen_struck(frames: Sequence[Frame]) -> int:
    """Where the function that a trap struck should stand and does not; 0 where nothing is amiss.

    A kernel without DDB unwinds by frame pointers, and misses the one function that the trap interrupted.
    """
    if any(frame.trap for frame in frames):
        return 0
    return next((i + 1 for i, f in enumerate(frames) if f.function in ("calltrap", "handle_el1h_sync")), 0)


def _missing(kind: Kind, event: Event, trace: Trace | None, fatal: bool) -> tuple[str, ...]:
    missing: list[str] = []
    if (
        kind in (Kind.MBUFS, Kind.LEAK, Kind.REBOOT, Kind.BOOT_FAILURE)
        and not event.has_frames
        and event.opener != "panic"
    ):
        return ()
    if not (event.message or event.trap_line):
        missing.append("message")
    if trace is None:
        missing.append("backtrace")
    elif trace.cut or not trace.reached:
        missing.append("end of the backtrace")
    if trace is not None and kind is Kind.TRAP and unseen_struck(trace.frames):
        missing.append(STRUCK)
    if kind is Kind.LOR and len(event.lock_names) < 2:
        missing.append("locks")
    if kind in (Kind.TRAP, Kind.DOUBLE_FAULT) and not event.registers:
        missing.append("registers")
    if fatal and not event.thread and event.tid is None and event.pid is None:
        missing.append("thread")
    return tuple(missing)


def merged(one: Panic, two: Panic) -> Panic:
    """Two readings of one report: the fuller, with what only the other knows."""
    full, other = (two, one) if (len(two.frames) > 0) > (len(one.frames) > 0) else (one, two)
    changes: dict[str, object] = {
        name: getattr(other, name)
        for name in (
            "trap",
            "trap_name",
            "fault_address",
            "fault_suggests",
            "instruction",
            "thread",
            "tid",
            "pid",
            "process",
            "cpu",
            "uptime",
            "version",
            "arch",
            "locks",
            "message",
        )
        if getattr(full, name) in ("", None, ()) and getattr(other, name) not in ("", None, ())
    }
    known = {
        "thread": full.thread or other.thread or full.tid or other.tid or full.pid,
        "registers": full.instruction or other.instruction,
        "message": full.message or other.message,
    }
    changes["missing"] = tuple(word for word in full.missing if not known.get(word))
    changes["notes"] = tuple(dict.fromkeys((*full.notes, *other.notes)))
    changes["first_line"] = min(one.first_line, two.first_line)
    return replace(full, **changes)  # type: ignore[arg-type]
