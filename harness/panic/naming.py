"""The name of a panic: what in a report is the same on every boot, build and machine."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from harness.panic.model import Frame, Kind, is_interrupt

TRAP_NAMES = {
    1: "privileged instruction fault",
    3: "breakpoint instruction fault",
    6: "arithmetic trap",
    9: "general protection fault",
    10: "debug exception",
    12: "page fault",
    14: "alignment fault",
    18: "integer divide fault",
    19: "non-maskable interrupt trap",
    20: "overflow trap",
    21: "FPU bounds check fault",
    22: "FPU device not available",
    23: "double fault",
    24: "FPU operand fetch fault",
    25: "invalid TSS fault",
    26: "segment not present fault",
    27: "stack fault",
    28: "machine check trap",
    29: "SIMD floating-point exception",
    30: "reserved (unknown) fault",
    32: "DTrace pid return trap",
}
_TRAP_NUMBERS = {name: number for number, name in TRAP_NAMES.items()}

# Functions that carry out a panic, a trap, a lock, an allocation or a copy for somebody else.
_MACHINERY = re.compile(
    r"""(?:
      db_\w+ | kdb_(?!sysctl|stack_over)\w+ | v?panic | spl_panic | v?kassert_panic | kassert\w*
    | doadump | dump\w*sys\w* | kern_reboot | boot | deadlkres
    | trap | trap_\w+ | calltrap | alltraps\w* | dblfault_handler | Xdblfault | double_fault\w*
    | [Xx](?:page|prot)\w*
    | do_el1h_sync | handle_el1h\w* | data_abort | align_abort | external_abort | abort_handler\w*
    | unhandled_exception | serror | do_serror | undef\w*instruction | arm64_\w*trap\w*
    | vm_fault\w* | nmi_\w+ | ipi_nmi_handler | Xnmi\w* | (?:ipi_)?cpustop_handler | stop_cpus\w*
    | witness_\w+ | stack_\w+ | lock_\w+ | spinlock_\w+ | thread_lock\w* | _thread_lock\w* | turnstile_\w+
    | propagate_priority | sleepq_\w+ | _sleep | pause(?:_\w+)? | _cv_\w+ | cv_\w+ | msleep\w* | mi_switch | sched_\w+
    | lockmgr\w*
    | _?vn_lock\w* | VOP_LOCK\w* | vop_(?:std)?lock\w* | _?callout_(?:stop|reset|drain|schedule)\w*
    | _+lockmgr\w* | _*(?:lkpi_)?mtx_\w+ | _*rw_\w+ | _*sx_\w+ | _*rm_\w+ | _*epoch_\w+ | in_epoch\w* | seqc_\w+
    | _?refcount_\w+ | if_ref | if_rele
    | malloc\w* | wait_checks | free | zfree | realloc\w* | contigmalloc\w* | contigfree | kmem_\w+ | kmalloc\w* | uma_\w+
    | zone_\w+ | keg_\w+ | slab_\w+ | bucket_\w+ | cache_(?:alloc|free)\w* | item_(?:[cd]tor|check\w*) | trash_\w+
    | mtrash_\w+ | memguard_\w+
    | redzone_\w+ | mb_[cd]tor\w* | mb_free\w* | m_free\w* | m_get\w* | m_demote\w*
    | m_tag_(?:alloc|free|delete)\w*
    | m_copy\w* | m_dup\w* | m_pullup | m_adj | m_sanity | m_unshare | _m_\w+ | mb_\w+
    | uiomove\w* | copyin\w* | copyout\w* | fuword\w* | suword\w* | fubyte | subyte | memcpy\w*
    | memmove\w* | memset\w* | memcmp\w*
    | bcopy\w* | bzero\w* | bcmp | pagezero\w* | pagecopy\w* | str(?:len|cpy|lcpy|ncpy|cmp|ncmp|lcat|dup)\w*
    | k[acm]+san_\w+ | _*[acmt]+san_\w+ | csan_\w+ | _*ubsan_\w+ | __stack_chk_fail | report_\w+_access
    )(?:\.\w+)*""",
    re.VERBOSE,
)
_PANICKING = frozenset({"vpanic", "panic", "kassert_panic", "trap_fatal", "dblfault_handler", "spl_panic"})
_TRAPPED = frozenset({"trap_fatal", "dblfault_handler"})
# Where every thread begins: never at fault.
_ROOTS = re.compile(
    r"fork_exit|fork_trampoline|mi_startup|btext|amd64_syscall|fast_syscall\w*|X\w*syscall\w*|syscall\w*|"
    r"do_el0_sync|handle_el0\w*|svc_handler|virtdone|taskqueue_thread_loop|ithread_loop|Xint0x80_syscall|start"
)
_NAMELESS = re.compile(r"\?\?|0x[0-9a-f]+|0|kernload|_?etext|end|")
_IF_OUTPUT = re.compile(
    r"ether_output|looutput|(?:gif|gre|me|wg|enc|ipsec|infiniband|bridge|lagg|vlan|ng_iface|ppp|tun)_?output|pspat_if_output"
)

_INTERFACES = (
    "epair|em|igb|igc|ix|ixl|ice|iavf|vtnet|re|bge|bce|lagg|vlan|bridge|tun|tap|wg|lo|cxl|mce|mlxen|vmx|hn|pppoe|ovpn"
    "|gif|gre|enc|pflog|pfsync|ue|axe|msk|ena|ng|cpu|irq|swi|dn|ada|da|nda|nvd|vtbd|tmpfs|ql|netisr|if_io_tqg_|if_config_tqg_"
)
_NORMAL: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"[\w.+~-]*(?:/[\w.+~-]+)+\.([chSs])\b(?::\d+)?"), ""),  # the path goes, see normalize()
    (re.compile(r"\b([\w-]+\.[chSs]):\d+\b"), r"\1"),
    (re.compile(r"^sleeping thread holds .+$"), "sleeping thread"),  # the lock is told since 14
    # Until 13 the panic itself only names the malloc type that had the memory.
    (
        re.compile(r"^Memory modified after free \S+ \(\d+, [^,()]+, ([^()]+)\) \+ .*$|^Most recently used by (.+)$"),
        r"Memory modified after free (\1\2)",
    ),
    (re.compile(r"(?<=Memory modified after free )(.*?)(?: \+ \S+ = \S+| val=\S+ @ \S+)$"), r"\1"),
    (
        re.compile(
            r"(?:0x)[0-9a-fA-F]+|\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,16}\b|\b[0-9a-f]{16}\b"
        ),
        "ADDR",
    ),
    (re.compile(rf"\b({_INTERFACES})\d+[ab]?\b"), r"\1N"),
    (re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)*(?![\w])"), "N"),
    (re.compile(r"\s+"), " "),
)


def normalize(message: str) -> str:
    """The message without addresses, counts, pids, CPU and unit numbers, folders and line numbers."""
    path, _ = _NORMAL[0]
    text = path.sub(lambda found: PurePosixPath(found.group().partition(":")[0]).name, message)
    for pattern, instead in _NORMAL[1:]:
        text = pattern.sub(instead, text)
    return text.strip()


def trap_number(name: str) -> int | None:
    """amd64's number of a trap from the name that trap_fatal() panics with; None where it is none of them."""
    return _TRAP_NUMBERS.get(name)


def is_machinery(function: str) -> bool:
    """Panic, trap, lock, allocator, copy or sanitizer machinery."""
    return _MACHINERY.fullmatch(function) is not None


def is_root(function: str) -> bool:
    """A function that threads begin in."""
    return _ROOTS.fullmatch(function) is not None


def _is_struck(frame: Frame) -> bool:
    return bool(frame.trap) and not is_interrupt(frame.trap)


def culprit(frames: Sequence[Frame]) -> str:
    """First function that did not act for somebody else; empty where the stack has none.

    Counted from the call of panic() on: what panic() itself calls (console, debugger) is above it.  Where
    the handler of a trap panicked, from the function on that the trap struck.
    """
    own = [f for f in frames if not f.inlined]
    panicked = max((i for i, f in enumerate(own) if f.function in _PANICKING), default=-1)
    if panicked >= 0 and own[panicked].function in _TRAPPED:
        panicked = next((i for i in range(panicked, len(own)) if _is_struck(own[i])), panicked + 1) - 1
    names = [f.function for f in own[panicked + 1 :] if not _NAMELESS.fullmatch(f.function)]
    for name in names:
        if not is_machinery(name) and not is_root(name):
            return name
    struck = [f.function for f in frames if _is_struck(f)]
    return next((name for name in struck if not _NAMELESS.fullmatch(name)), "")


def cycle(frames: Sequence[Frame], at_least: int = 3) -> tuple[str, ...]:
    """The functions that a stack repeats, callers first; empty where nothing repeats ``at_least`` times.

    A cycle has no first member, and a trace may be cut anywhere: it starts with the name that sorts first.
    """
    names = [f.function for f in frames if not f.inlined]
    best: tuple[int, int, int] = (0, 0, 0)  # length of the run, -period, start
    for period in range(1, min(24, len(names) // 2) + 1):
        run = 0
        for i in range(period, len(names) + 1):
            if i < len(names) and names[i] == names[i - period]:
                run += 1
                continue
            if run and run + period >= at_least * period:
                best = max(best, (run + period, -period, i - run - period))
            run = 0
        if best[0] >= 0.9 * len(names):
            break
    length, negative, start = best
    if not length or length * 2 < len(names) - 12:
        return ()
    members = names[start : start - negative][::-1]
    if all(is_machinery(name) or _NAMELESS.fullmatch(name) for name in members):
        return ()
    return tuple(min(members[i:] + members[:i] for i in range(len(members))))


def points(frames: Sequence[Frame]) -> tuple[str, ...]:
    """Interception points on the stack, innermost first.

    ``dummynet_io`` under ``ipfw_check_frame`` is the layer-2 one.  A compiler may turn the last call of
    ``dummynet_io`` into a jump: then the hook that called it stands next to what it called.
    """
    names = [f.function for f in frames if not f.inlined]
    found: list[str] = []

    def add(point: str) -> None:
        if point not in found:
            found.append(point)

    for i, name in enumerate(names):
        if name == "dummynet_io" or name.startswith("pspat_dn_io"):
            # the nearest hook below tells the layer; pf calls dummynet from its own hook, on IP packets
            below = next((n for n in names[i:] if n.startswith(("ipfw_check_", "pf_"))), "")
            add("dummynet_l2" if below.startswith("ipfw_check_frame") else "dummynet")
        elif name == "ipfw_check_packet" and i and names[i - 1] == "ip_output":
            add("dummynet")
        elif name.startswith("ipfw_check_frame") and i and names[i - 1] == "ether_output_frame":
            add("dummynet_l2")
        elif _IF_OUTPUT.fullmatch(name):
            add("if_output")
    return tuple(found)


def suggests(address: int, arch: str, jump: bool = False) -> str:
    """What a faulting address looks like, in a few words; empty where it looks like nothing known."""
    call = " (called or jumped to)" if jump else ""
    text = f"{address:016x}"
    if (
        "deadc0de" in text
        or text.startswith("deadc0")
        or (address >> 16) & 0xFFFFFFFF in (0xDEADC0DE, 0xC0DEDEAD)
    ):
        return "freed memory (0xdeadc0de)" + call
    if "a5a5a5a5" in text or "5a5a5a5a" in text:
        return "fill pattern of an allocator" + call
    if address == 0:
        return "NULL" + call
    if address < 0x1000:
        return f"small offset from NULL (member at {address:#x})" + call
    if address >= 2**64 - 0x1000:
        return f"small negative number ({address - 2**64}) used as a pointer" + call
    if arch in ("", "amd64") and 0xFF010000_00000000 <= address < 0xFF110000_00000000:
        return "direct map (five-level paging)" + call
    if arch in ("", "amd64") and 0 < (address >> 47) < 0x1FFFF and address >> 56 != 0xFF:
        letters = address.to_bytes(8, "little")
        shown = letters.decode("ascii", "replace") if all(32 <= c < 127 for c in letters) else ""
        return "non-canonical address" + (f" (text {shown!r})" if shown else "") + call
    if address < 1 << 47:
        return "user-space address" + call
    if arch in ("", "amd64") and 0xFFFFF800_00000000 <= address < 0xFFFFFC00_00000000:
        return "direct map" + call
    return ""


def _slug(text: str, limit: int) -> str:
    slug = re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-").lower()
    return slug if len(slug) <= limit else slug[:limit].rsplit("-", 1)[0].rstrip("-")


def signature(kind: Kind, normalized: str, where: str, loop: tuple[str, ...], locks: tuple[str, ...]) -> str:
    """The panic's name: readable words and eight hexadecimal digits, fit for a file name and a shell.

    Made of the kind, the normalized message and the culprit; a spent stack of its cycle instead, an order
    reversal of its locks.  Nothing that a build changes goes in: offsets, lines, callers.  An assertion counts
    as a plain panic: since FreeBSD 14 its backtrace does not tell the two apart.
    """
    kind = Kind.PANIC if kind is Kind.KASSERT else kind
    parts: tuple[str, ...]
    where = re.sub(r"[^A-Za-z0-9_.+]", "", where)
    if kind is Kind.LOR:
        words, parts = "-".join(("lor", *(_slug(name, 24) for name in locks))), locks
    elif loop and kind is Kind.DOUBLE_FAULT:
        words, parts = f"{_slug(normalized, 40)}@{'+'.join(loop)[:70]}", loop
    else:
        text = _slug(normalized, 48) or kind.value
        known = tuple(kind.value.split("-"))
        if kind not in (Kind.PANIC, Kind.TRAP, Kind.DOUBLE_FAULT) and not text.startswith("-".join(known)):
            text = f"{kind.value}-{text}"
        words, parts = text + (f"@{where}" if where else ""), (where,)
    digest = hashlib.sha256("\0".join((kind.value, normalized, *parts)).encode()).hexdigest()[:8]
    return f"{words}-{digest}"
