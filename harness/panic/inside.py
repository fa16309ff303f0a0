"""What a line of an open report says: message, registers, locks, the debugger's answers."""

from __future__ import annotations

import re

from harness.panic import naming
from harness.panic import patterns as p
from harness.panic.event import Event
from harness.panic.frames import frame_line, new_trace
from harness.panic.model import Kind

_AMOUNT = re.compile(r"Uptime: (?:\d+[dhms])+|Dumping \d+")


def continues(event: Event, text: str) -> bool:
    """Does the line belong to the open report?  What it says is put into it."""
    stripped = text.strip()
    if not stripped:
        return False
    if event.frozen:
        if p.PROMPT.match(text):
            event.frozen = False
        return event.since < 30
    if frame_line(event, stripped) or new_trace(event, stripped):
        return True
    if _setting(event, text, stripped):
        event.message_open = False
        return True
    if _locks(event, text):
        return True
    if stripped.startswith(
        ("KDB: ", "Uptime: ", "Dumping ", "Automatic reboot", "Rebooting", "cpu_reset")
    ):
        if stripped.startswith(("Uptime: ", "Dumping ")) and not _AMOUNT.match(stripped):
            return False
        if stripped.startswith(("KDB: debugger backends", "KDB: current backend")):
            return False  # of a boot
        entered = stripped.startswith("KDB: enter: ") and not stripped.endswith(": panic")
        event.confirmed = event.confirmed or not (entered or event.opener == "middle")
        event.message_open = False
        if stripped.startswith("Uptime: "):
            event.set("uptime", stripped.removeprefix("Uptime: "))
        if stripped.startswith(("Uptime", "Dumping", "Automatic", "Rebooting")):
            event.over = True
        if stripped.startswith("KDB: enter"):
            event.debugger = True
        return True
    if stripped.startswith("GNU gdb ") and event.message and not event.has_frames:
        event.confirmed = True  # savecore's summary: the message buffer follows
        event.message_open = False
        return True
    if stripped.startswith(("Stopped at", "--More--", "db>")):
        event.debugger = True
        return True
    if event.kind is Kind.WITNESS and p.MISMATCH_FROM.match(stripped):
        event.message = f"{event.message} {stripped}"
        return True
    if event.message_open and event.follow <= 4:
        return _message_rest(event, stripped)
    return False


def _message_rest(event: Event, stripped: str) -> bool:
    """A panic message that was wrapped."""
    message = event.message or ""
    opened = message.endswith((" at", "@", ",", "(", ":", " for")) or message.count("(") > message.count(
        ")"
    )
    if (
        (event.message_width >= 66 or opened)
        and len(message) < 600
        and not p.FOREIGN.search(stripped)
        and "://" not in stripped
    ):
        hard = event.message_width in (80, 132) and not message.endswith((" at", "@", ",", ":", " for"))
        hard = hard or bool(p.PATH_CUT.search(message) and p.PATH_GOES_ON.match(stripped))
        event.message = message + ("" if hard else " ") + stripped
        event.message_width = len(stripped)
        event.note("wrapped lines were joined")
        return True
    event.message_open = False
    return False


def _setting(event: Event, text: str, stripped: str) -> bool:
    """``cpuid = 1`` and its like; register blocks."""
    if stripped.startswith(("cpuid =", "cpuid\t", "cpuid  ")):
        if found := re.match(r"cpuid\s*= (\d+)", stripped):
            if (
                event.fields.get("cpuid", found[1]) != found[1]
                and event.trap is not None
                and not event.has_frames
                and event.message is None
            ):
                event.note("two CPUs trapped at once: their fields may be mixed")
            event.set("cpuid", found[1])
            event.confirmed = True
            return True
        return False
    if found := p.THREAD_LINE.search(stripped):
        if event.tid is None:
            event.tid, event.pid = int(found["tid"]), int(found["pid"])
        event.debugger = True
        return True
    if found := p.RIP.match(stripped):
        event.set("instruction pointer", found["rip"])
        event.registers = True
        return True
    if found := p.SETTING.match(text):
        key, value = found["key"].strip(), found["value"].strip()
        if key in p.KEYS:
            event.confirmed = True
            if key in ("fault virtual address", "instruction pointer", "rip", "far", "elr"):
                event.registers = True
            if key == "current process":
                if event.pid is None and (process := p.PROCESS.match(value)):
                    event.pid, event.thread = int(process["pid"]), process["name"] or ""
                return True
            if key == "version":
                event.version = value if value.startswith("FreeBSD ") else event.version
            if key == "trap number" and event.trap is None and value.isdigit() and len(value) < 5:
                event.trap = int(value)
            if key == "rip":
                key = "instruction pointer"
            event.set(key, value)
            return True
        if key == "curthread" and (who := p.CURTHREAD.match(value)):
            if event.tid is None or str(event.tid) == who["tid"]:
                event.tid = int(who["tid"]) if who["tid"] else event.tid
                event.pid = int(who["pid"])
                event.thread = event.thread or who["name"]
            return True
        if key in p.PCPU:
            return True
    if p.REGISTERS.match(text):
        for register in p.REGISTER.finditer(text):
            name, value = register["name"], register["value"]
            if "deadc0de" in value and len(event.freed_in) < 8 and name not in event.freed_in:
                event.freed_in.append(name)
            if name in ("far", "esr", "elr"):
                event.set(name, "0x" + value)
        event.registers = True
        return True
    return stripped.startswith(
        ("= DPL", "rax 0x", "rcx 0x", "r8 0x", "r11 0x", "r14 0x", "cs 0x", "fsbase 0x")
    )


def _locks(event: Event, text: str) -> bool:
    if found := p.ORDER_LOCK.match(text) or (p.ORDER_CUT.match(text) if event.kind is Kind.LOR else None):
        if event.kind not in (Kind.LOR, Kind.WITNESS):
            return False
        event.confirmed = True
        name = re.sub(r" \([^()]*(?:\([^()]*\)[^()]*)*\)$", "", found["lock"]).strip()
        if event.kind is Kind.LOR or name not in event.lock_names:
            event.lock_names.append(name)
        return True
    if found := p.HELD_BY.match(text):
        event.locks_of = int(found["tid"])
        return True
    if found := p.HELD.match(text):
        name = re.sub(r" \([^()]*\)$", "", found["lock"])
        held = f"{found['how']} {found['cls']} {name}"
        held += f" @ {naming.normalize(found['file'])}" if found["file"] else ""
        mine = event.locks_of is None or event.tid is None or event.locks_of == event.tid
        kept = event.own_locks if mine else event.locks
        if held not in kept and len(kept) < 64:
            kept.append(held)
        if event.kind is Kind.WITNESS and name not in event.lock_names:
            event.lock_names.append(name)
        return True
    return False
