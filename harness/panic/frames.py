"""Backtraces: frames as DDB, KDB, kgdb and people print them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from harness.panic import patterns as p
from harness.panic.event import Event, Trace
from harness.panic.model import Frame, Kind

PANICKING = ("vpanic", "panic", "kassert_panic", "kdb_backtrace", "db_trace_self_wrapper")
_HEX_DIGITS = tuple("0123456789abcdef")


def frame_line(event: Event, stripped: str) -> bool:
    """Is the line a frame, or part of one?  It is put into the event's backtrace."""
    first = stripped[0]
    if first == "#" and _numbered_frame(event, stripped):
        return True
    if ") at " in stripped and (found := p.FRAME.match(stripped)) and frame(event, found):
        return True
    if stripped.endswith(_HEX_DIGITS) and (found := p.BARE_FRAME.match(stripped)) and _bare_frame(event, found):
        return True
    trace = event.trace
    if trace is None:
        return False
    if first == "-" and (found := p.TRAP_LINE.match(stripped)):
        trace.pending = found["what"]
        if found["what"].startswith(("syscall", "user", "kthread")):
            trace.reached = True
        return True
    if trace.frames and trace.role == "kgdb" and _kgdb_rest(trace, stripped):
        return True
    if p.OLD_ARM_FRAME.match(stripped):
        return True
    if found := p.FRAME_START.match(stripped):
        trace.add(Frame(found["name"]))
        trace.cut = True
        return True
    return False


def _bare_frame(event: Event, found: re.Match[str]) -> bool:
    """``vpanic+0x131`` alone on a line: how people copy a screen."""
    if event.trace is None and found["sym"] in PANICKING:
        _begin(event)
        event.confirmed = True
    if event.trace is None:
        return False
    event.trace.add(Frame(found["sym"], _offset(found["off"])))
    return True


def frame(event: Event, found: re.Match[str]) -> bool:
    """A frame of DDB: ``name() at name+0x10/frame 0x...``."""
    name, symbol = found["name"], found["sym"]
    # arm64 until 12 names the caller behind "at", with the program counters in the next line
    caller = name != symbol and not _same_name(name, symbol) and bool(found["off"])
    if caller and (found["fp"] or found["args"]):
        return False
    trace = event.trace
    if trace is None and event.paused is not None:
        trace = event.trace = event.paused
        event.note("a message of another CPU lies within the backtrace")
    elif trace is None or (trace.frames and trace.role == "kgdb"):
        trace = _begin(event)
    event.confirmed = event.confirmed or event.message is None or name in PANICKING
    if name.startswith(("0x", "??")) or name in ("0", ""):
        name = "??"
    cut = not caller and symbol != found["name"] and not _same_name(found["name"], symbol)
    file = found["file"] or found["file2"] or ""
    line = found["line"] or found["line2"]
    trace.add(
        Frame(
            name.removeprefix("fbsd_"),
            None if cut or caller or found["off"] is None else _offset(found["off"]),
            file=file,
            line=int(line) if line else None,
            address=symbol if symbol.startswith("0x") else "",
        )
    )
    trace.cut = cut
    if found["fp"]:
        trace.width = max(trace.width, len(found["fp"]))
    return True


def _numbered_frame(event: Event, stripped: str) -> bool:
    if found := p.STACK_FRAME.match(stripped):
        trace = event.trace
        if trace is None and event.paused is not None and found["n"] != "0":
            trace = event.trace = event.paused
            event.note("a message of another CPU lies within the backtrace")
        if trace is None or (found["n"] == "0" and trace.frames):
            trace = _begin(event)
        offset = found["off"]
        trace.add(Frame(found["sym"].removeprefix("fbsd_"), _offset(offset), address=found["pc"]))
        event.confirmed = event.confirmed or event.message is None or found["sym"] in PANICKING
        return True
    if (found := p.KGDB_FRAME.match(stripped)) and (
        found["rest"] is not None or found["name"].startswith("<")
    ):
        if not (event.confirmed or _of_kernel(found["name"], found["pc"] or "")):
            return False  # a program's, below words that looked like a panic's
        trace = event.trace
        if trace is None and event.paused is not None and found["n"] != "0":
            trace = event.trace = event.paused
        if trace is None or trace.role != "kgdb" or (found["n"] == "0" and trace.frames):
            trace = _begin(event, role="kgdb")
        event.confirmed = True
        if found["name"].startswith("<"):
            trace.pending = "trap"
            return True
        trace.add(Frame(found["name"], address=found["pc"] or ""))
        _kgdb_rest(trace, found["rest"] or "")
        return True
    return False


def _of_kernel(function: str, pc: str) -> bool:
    """Is it a kernel's frame?  By its address: the upper half of the address space, or i386's 0xc0000000 on."""
    if not pc:
        return function in (*PANICKING, "doadump", "__curthread", "kern_reboot", "sched_switch", "db_dump")
    return (len(pc) == 18 and pc.startswith("0xffff")) or (len(pc) == 10 and pc[2] in "cdef")


def _kgdb_rest(trace: Trace, text: str) -> bool:
    if place := p.KGDB_PLACE.search(text):
        frame = trace.frames[-1]
        if not frame.file and not frame.module:
            trace.frames[-1] = replace(
                frame,
                file=place["file"] or "",
                line=int(place["line"]) if place["line"] else None,
                module=Path(place["module"]).name if place["module"] else "",
            )
        return True
    return p.KGDB_REST.match(text) is not None


def _begin(event: Event, of: int | None = None, role: str = "", pid: int | None = None) -> Trace:
    """A new backtrace; those that cannot matter are read but not kept."""
    trace = Trace(of=of, pid=pid, role=role)
    event.trace = trace
    mine = of is None or of == event.tid
    kept = sum(bool(t.frames) for t in event.traces)
    hung = event.hung is not None and pid == event.hung[1]
    if hung or (kept < 6 and (mine or event.tid is None or event.kind is Kind.SLEEPING_THREAD)):
        event.traces.append(trace)
    else:
        trace.role = "other"
    return trace


def new_trace(event: Event, stripped: str) -> bool:
    """Does the line announce a backtrace?"""
    if stripped.startswith("KDB: stack backtrace"):
        if event.single and any(t.frames for t in event.traces):
            return False  # of a panic right after the report
        found = p.TRACE_OF.match(stripped)
        _begin(event, of=int(found["tid"]) if found else None)
        event.message_open = False
        event.confirmed = event.confirmed or event.opener != "frames"
        return True
    if stripped in ("stack backtrace:", "Stack backtrace:") or p.ATTEMPTED.match(stripped):
        _begin(event)
        return True
    if p.ESTABLISHED.match(stripped):
        _begin(event, role="established")
        return True
    if stripped.startswith("Tracing ") and (found := p.TRACING.match(stripped)):
        tid, pid = int(found["tid"]), int(found["pid"])
        event.debugger = True
        if event.tid is None and (event.pid in (None, pid)) and not any(t.of for t in event.traces):
            event.tid = tid
            event.pid = pid if event.pid is None else event.pid
        if tid == event.tid:
            event.process = event.process or found["command"] or ""
            if found["cpu"]:
                event.set("cpuid", found["cpu"])
        _begin(event, of=tid, pid=pid).command = found["command"] or ""
        return True
    return False


def complete(event: Event | None, found: re.Match[str]) -> bool:
    """A whole frame, not the first half of one that was wrapped."""
    width = event.trace.width if event and event.trace else 0
    if found["sym"] != found["name"] and not _same_name(found["name"], found["sym"]):
        return False
    if width and not found["fp"]:
        return False
    return not width or len(found["fp"]) >= width - 1 or found["fp"] == "0"


def seems_wrapped(event: Event | None, text: str) -> bool:
    """The first half of a frame or of a trap line."""
    if event is None or event.trace is None:
        return False
    stripped = text.strip()
    if stripped.startswith("--- ") and not stripped.endswith("---"):
        return "rip = " in stripped or (
            len(stripped) > 40 and "esr" not in stripped and stripped[4:8] in ("trap", "sysc", "inte")
        )
    if "()" not in stripped or not p.FRAME_START.match(stripped):
        found = p.FRAME.match(stripped) if "() at" in stripped else None
        return found is not None and not complete(event, found)
    found = p.FRAME.match(stripped)
    return found is None or not complete(event, found)


def _offset(text: str | None) -> int:
    """An offset as the debugger prints it: hexadecimal with its mark, or a bare digit."""
    return int(text, 16 if text.startswith("0x") else 10) if text else 0


def _same_name(name: str, symbol: str) -> bool:
    return (
        name == symbol
        or symbol.startswith("0x")
        or name.removeprefix("fbsd_") == symbol.removeprefix("fbsd_")
    )
