"""What FreeBSD's kernel, debugger and loader print, as patterns; 10 to 16, amd64, arm64 and i386."""

from __future__ import annotations

import re

# Words of alarm: a piece of a log without any of them is passed over.  Few and short, for every piece is
# searched for each of them; lines are then looked at more closely.
ALARMS = tuple(
    word.encode()
    for word in (
        "anic",  # panic: vpanic() Panic String
        "Fatal ",
        "FFaattaall",
        "ppaanniicc",
        "lock o",  # lock order reversal, lock of (
        "KDB: ",
        "ocks held:",
        "held by 0x",
        "Sleeping thread (tid",
        "San: ",
        "KASSERT failed: ",
        "ountroot",
        "Mounting from ",
        " limit reached",
        " leaked memory",
        "was not empty (",
        "---<<BOOT>>---",
        "Copyright (c) 1992-",
        "FreeBSD 1",
        "going to debugger",
        "ersion String:",
        "Uptime: ",
        "ebooting",
        "halted",
        " by root",
        "exiting on signal 15",
        "trap_fatal",
        "Stopped at",
        "Tracing ",
        "curthread ",
        "show pcpu",
        "ABORTING BOOT",
        "o bootable ",
        "No /boot/",
        "can't load 'kernel'",
        "don't know how to load",
        "which disk we",
        "Boot failed",
        "ERROR: cannot open /boot/",
        "nread portion of the kernel",
        "dumped core - see",
    )
)

_HEX = r"(?:0x)?[0-9a-fA-F]+"
FRAME = re.compile(
    r"(?P<name>[A-Za-z0-9_.$?]{1,128}|\?\? )\((?P<args>[^()]*)\) at"
    r" (?P<sym>[A-Za-z0-9_.$?]{1,128})(?:\+(?P<off>0x[0-9a-f]+|\d{1,10}))?"
    r"(?: \[(?P<file>[^\]:]+):(?P<line>-?\d{1,10})\])?"
    r"(?:/frame (?P<fp>0x[0-9a-f]+|0))?(?: \[(?P<file2>[^\]:]+):(?P<line2>-?\d{1,10})\])?\s*$"
)
PLAIN_FRAME = re.compile(
    r"(?P<name>[a-zA-Z_]\w*)(?P<args>\(\)) at (?P<sym>\w+)\+(?P<off>0x[0-9a-f]+)"
    r"/frame (?P<fp>0x[0-9a-f]{8,16})(?P<file>)(?P<line>)(?P<file2>)(?P<line2>)\r?$"
)
FRAME_START = re.compile(r"(?P<name>[A-Za-z_?.$][A-Za-z0-9_.$?]*)\(\)(?: at)?(?:\s+[^\s]*)?(?:/frame)?\s*$")
STACK_FRAME = re.compile(
    r"#(?P<n>\d{1,10})\s+(?P<pc>0x[0-9a-f]+) at"
    r" (?P<sym>[A-Za-z0-9_.$?]{1,128})(?:\+(?P<off>0x[0-9a-f]+|\d{1,10}))?$"
)
BARE_FRAME = re.compile(r"(?P<sym>[A-Za-z_]\w+)\+(?P<off>0x[0-9a-f]+)$")  # as people copy them by hand
KGDB_FRAME = re.compile(
    r"#(?P<n>\d{1,10})\s+(?:(?P<pc>0x[0-9a-f]+) in )?(?P<name>[A-Za-z0-9_.$?]+"
    r"|<signal handler called>)(?: ?\((?P<rest>.*))?$"
)
KGDB_PLACE = re.compile(r"(?:^|[\s)])(?:at (?P<file>[^\s:]+):(?P<line>\d{1,10})|from (?P<module>/\S+))\s*$")
KGDB_REST = re.compile(r"(?!---|\(kgdb\))(?:[\w.\[\]*<>]+ ?=|No locals|.*[),}{]$)")
OLD_ARM_FRAME = re.compile(r"\s*(?:pc|sp)\s*=\s*0x[0-9a-f]+\s+(?:lr|fp)\s*=")
TRAP_LINE = re.compile(
    r"-{1,3} (?P<what>(?:trap|syscall|interrupt|exception|unhandled|system error|unknown|invalid"
    r"|kthread|user)\b.*?)(?: -{2,3})?$"
)
FATAL_TRAP = re.compile(r"Fatal trap (?P<n>\d{1,10}): (?P<name>.+?) while in (?P<mode>\w+)(?: mode)?\s*$")
FATAL_TRAP_CUT = re.compile(r"Fatal trap (?P<n>\d{1,10}): (?P<name>[a-zA-Z ()/-]{3,60})$")
PANIC = re.compile(r"panic: ?(?P<message>.*)$")
PANIC_MIDDLE = re.compile(r"(?<![./-])(?<!after )panic: (?P<message>.+)$")  # glued to another CPU's words, too
PATH_CUT = re.compile(r"/\S*[\w/]$")
PATH_GOES_ON = re.compile(r"[\w.+-]*(?:/[\w.+-]+)*\.[chS]:\d")
SETTING = re.compile(r"\s*(?P<key>[A-Za-z][\w #]{1,24}?)\s*(?:=|:)\s+(?P<value>\S.*)$")
PROCESS = re.compile(r"(?P<pid>\d{1,10})(?: \((?P<name>.*)\))?")
THREAD_LINE = re.compile(r"\[ ?thread pid (?P<pid>\d{1,10}) tid (?P<tid>\d{1,10}) ?\]")
CURTHREAD = re.compile(
    rf"{_HEX}: pid (?P<pid>\d{{1,10}})(?: tid (?P<tid>\d{{1,10}}))?.*?\"(?P<name>[^\"]*)\""
)
TRACING = re.compile(
    r"Tracing (?:command (?P<command>.+?) )?pid (?P<pid>\d{1,10}) tid (?P<tid>\d{1,10})(?: td"
    r" \S+)?(?: \(CPU (?P<cpu>\d{1,10})\))?"
)
SLEEPING = re.compile(
    r"Sleeping thread \(tid (?P<tid>\d{1,10}), pid (?P<pid>-?\d{1,10})\) owns a non-sleepable lock"
)
TRACE_OF = re.compile(r"KDB: stack backtrace of thread (?P<tid>\d{1,10}):")
ORDER = re.compile(r"lock order reversal:(?P<how>(?: \([^()]*\))?)$")
SPIN = re.compile(rf"spin lock {_HEX} \((?P<lock>.+)\) held by .+ too long$")
ORDER_LOCK = re.compile(rf"\s*(?P<n>1st|2nd|3rd) (?:{_HEX} )?(?P<lock>.+?) @ (?P<file>\S.*)$")
ORDER_CUT = re.compile(rf"\s*(?P<n>1st|2nd|3rd) {_HEX} (?P<lock>.+?)(?: @)?$")
HELD = re.compile(
    rf"\s*(?P<how>exclusive|shared) (?P<cls>[a-z]+(?: [a-z]+)*?) (?P<lock>.+?) r = \d+"
    rf" \({_HEX}\)(?:(?: locked)? @ (?P<file>\S+))?"
)
HELD_BY = re.compile(rf"Process (?P<pid>\d{{1,10}}) \((?P<name>.*)\) thread {_HEX} \((?P<tid>\d{{1,10}})\)")
LOCKS_HELD = re.compile(
    r"(?P<what>.+?) with the following (?:non-sleepable )?locks held:$"
    r"|Thread \S+ exiting with the following locks held:$"
)
# Where such a line may follow a program's unfinished one: a prompt, the name of a sysctl.
LOCKS_HELD_BEGINS = re.compile(
    r'Sleeping (?:on|in) "|uma_\w+: |userret: |Kernel page fault with|[Cc]alling \w+|(?:malloc|vm|sysctl)_\w+'
)
MISMATCH = re.compile(
    r"(?:shared lock of|exclusive lock of|shared unlock of|exclusive unlock of"
    r"|forbidden unlock of) \(.+\) .+ @ \S+:\d+$"
)
MISMATCH_FROM = re.compile(r"while (?:exclusively|share) locked from \S+:\d+$")
DUPLICATE = re.compile(r'acquiring duplicate lock of same type: "?(?P<lock>[^"]*)"?$')
BARE_FRAMES = re.compile(
    r"(?:vpanic|panic|trap_fatal)\(\) at |#\d+ .* (?:at|in) (?:vpanic|panic|trap_fatal)[+ ]"
    r"|KDB: stack backtrace|Stopped at|Tracing (?:command|pid) |curthread\s*=|show pcpu$"
    r"|(?:kdb_backtrace|vpanic)\+0x[0-9a-f]+$"
)
ESTABLISHED = re.compile(r"lock order .+ established at:$")
ATTEMPTED = re.compile(r"lock order .+ attempted at:$")
RACE = re.compile(r".*CSan: Racy Access \[(?P<one>.*?)>?\] \[(?P<two>.*?)>?\]")
SANITIZER = re.compile(r"(?P<which>ASan|MSan): (?P<what>[A-Z].*)$")
WARN_ONLY = re.compile(r"KASSERT failed: (?P<message>.+)$")
MBUFS = re.compile(r"(?:\[zone: (?P<zone>[^\]]+)\] )?(?P<what>kern\.ipc\.\w+ limit reached)")
LEAKED = re.compile(
    r"Warning: memory type (?P<type>.+?) leaked memory on destroy \(\d+ allocations, \d+ bytes leaked\)"
    r"|Freed UMA keg \((?P<keg>.+?)\) was not empty \(\d+ items\)"
)
RIP = re.compile(r"rip (?P<rip>0x[0-9a-f]+|[0-9a-f]{8,16}) rsp ")
REGISTERS = re.compile(
    r"\s*(?:x\d+|r[a-z0-9]{1,2}|e[a-z]{2}|sp|lr|elr|spsr|far|esr|pc)\s*[:=]\s*(?:0x)?[0-9a-f]{4,16}\b"
)
REGISTER = re.compile(
    r"\b(?P<name>x\d+|r[a-z0-9]{1,2}|lr|far|elr|esr|e[a-z]{2})\s*[:=]\s*(?:0x)?(?P<value>[0-9a-f]{4,16})\b"
)
# The terminal driver's answer to ^T.
STATUS = re.compile(r"load: [\d.]+ +cmd: (?P<command>.{1,40}?) (?P<pid>\d{1,10}) \[(?P<state>[^\]]{1,80})\] [\d.]+r ")
BREAK = re.compile(
    r"(?:^|\s)KDB: enter: (?P<how>(?:line )?break\b.*|manual escape to debugger)$"
    r"|^(?P<nmi>NMI\b.*going to debugger)$",
    re.I,
)
VERSION = re.compile(r"(?:@\(#\))?(?P<version>FreeBSD \d+\.\d+-[A-Z][\w.-]+.*)$")
RELEASE = re.compile(r"\bFreeBSD \d+\.\d+-(?:RELEASE|STABLE|CURRENT|PRERELEASE|ALPHA|BETA|RC)[\w.-]*")
VERSION_STRING = re.compile(r"\s*Version String: (?P<version>FreeBSD .+)$")
PANIC_STRING = re.compile(r"\s*Panic String: ?(?P<message>.*)$")
BANNER = re.compile(r"---<<BOOT>>---|Copyright \(c\) 1992-\d{4} The FreeBSD Project")
FAREWELL = re.compile(
    r"Uptime: \d|Rebooting\.\.\.|^rebooting|The operating system has halted|(?:reboot|halt"
    r"|power-down) by |exiting on signal 15|cpu_reset"
    r"|KDB: reboot requested"
)
BOOT_FAILED: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^\s*mountroot>\s*(?:$|[?._]\s*$|\w+:)"), "no root file system: the kernel asks at mountroot>"),
    (re.compile(r"Loader variables:$"), ""),
    (re.compile(r"BTX halted"), "BTX halted"),
    (re.compile(r"(?:No|no) bootable (?:device|medium|disk|kernel|option)|^\w*boot: No /boot/\w+"), ""),
    (re.compile(r"can't load 'kernel'"), ""),
    (re.compile(r"don't know how to load module '(?:/boot/)?kernel"), ""),
    (re.compile(r"Can't work out which disk we are booting from"), ""),
    (re.compile(r"Boot failed|ERROR: cannot open /boot/"), ""),
    (re.compile(r"ERROR: ABORTING BOOT"), "rc: ABORTING BOOT"),
)
MOUNT_FAILED = re.compile(r"Mounting from (?P<what>\S+) failed with error (?P<error>-?\d{1,10})")
FOREIGN = re.compile(
    r"goroutine \d+ \[|^\s*runtime\.|Starting stack trace\.\.\.|trap type \d+, code=|not syncing"
    r"|^\s*main\.\w+\(|NetBSD |OpenBSD |exit status 2$"
)
PROMPT = re.compile(r"\s*(?:>\s*)?db(?:\{\d+\})?> ?")
CORE_TEXT = re.compile(
    r"Unread portion of the kernel message buffer|dumped core - see |unread portion of the kernel"
)
ARM_EC = {
    0x20: "instruction abort",
    0x21: "instruction abort",
    0x22: "PC alignment fault",
    0x24: "data abort",
    0x25: "data abort",
    0x26: "SP alignment fault",
    0x2F: "system error",
    0x3C: "breakpoint",
    0x00: "undefined instruction",
}


KEYS = frozenset(
    {
        "fault virtual address",
        "fault code",
        "instruction pointer",
        "stack pointer",
        "frame pointer",
        "code segment",
        "processor eflags",
        "current process",
        "trap number",
        "time",
        "version",
        "rip",
        "rsp",
        "rbp",
        "far",
        "esr",
        "elr",
        "spsr",
    }
)
PCPU = frozenset(
    {
        "dynamic pcpu",
        "curpcb",
        "fpcurthread",
        "idlethread",
        "self",
        "curpmap",
        "tssp",
        "rsp0",
        "kcr3",
        "ucr3",
        "scr3",
        "gs32p",
        "ldt",
        "tss",
        "curvnet",
        "spin locks held",
        "curthread",
        "commontssp",
    }
)
QUICK = re.compile("|".join(re.escape(word.decode()) for word in ALARMS))
