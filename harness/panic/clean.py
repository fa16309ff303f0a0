"""From a line as somebody quoted it to the line as the kernel printed it."""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[()][0-9A-B]|[@-Z\\^_=>78])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufeff\u200b]")
_MONTH = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_CLOCK = r"\d\d:\d\d:\d\d(?:[.,]\d+)?"
# What log keepers put before a kernel's line.  The named groups mark the ones that only kernels' lines have.
_PREFIX = re.compile(
    rf"""\s*(?:
      [>|│](?=[\s>|]|\w|$|<|-|\[|\#)\s?
    | <\d{{1,3}}>(?:1\s+)?
    | (?P<uptime>\[\s*\d+(?:\.\d+)?\])(?:\s|$)
    | \[?\d{{4}}-\d\d-\d\d[T ]{_CLOCK}(?:Z|[+-]\d\d:?\d\d)?\]?:?\s+
    | (?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\s+)?(?:{_MONTH})\s+\d{{1,2}}\s+(?:\d{{4}}\s+)?{_CLOCK}\s
    | \[?{_CLOCK}\]?\s+
    | (?P<syslog>(?:\S+\s+)?(?:<[\w.]+>\s+)?kernel(?:\[\d+\])?:)(?:\s|$)
    | (?P<rfc5424>\S+\s+kernel\s+\S+\s+\S+\s+(?:-|\[meta[^\]]*\]))\s
    | (?P<viewer>(?:Emergency|Alert|Critical|Error|Warning|Notice|Informational|Debug)\s+kernel)(?:\s|$)
    | db(?:\{{\d+\}})?>(?:\s+|$)
    | (?P<script>db:\d+:[\w.-]+>)(?:\s+|$)
    | \S*?(?:ddb|msgbuf|panic|version|config)\.txt[\d\s]{{10,60}}ustar[\s\d]*rootwheel
    )""",
    re.VERBOSE,
)
# Where a log was reflowed into paragraphs, these start what were lines of their own.
_REFLOWED = re.compile(
    r"\s+(?=(?:[\w.$?]+\(\) at [\w.$?]+[+/]|\#\d+\s+0x[0-9a-f]{6,}\s|--- (?:trap|syscall|interrupt)"
    r"|KDB: |cpuid = \d|"
    r"time = \d{6}|panic: |Fatal trap \d|fault virtual address\s*=|fault code\s*=|instruction pointer\s*=|"
    r"stack pointer\s*=|frame pointer\s*=|code segment\s*=|processor eflags\s*=|current process\s*=|"
    r"trap number\s*=|Uptime: \d|Dumping \d))"
)


def strip_escapes(line: str) -> str:
    """Without terminal escapes and control characters; a lone carriage return stays for the caller."""
    if "\x1b" in line:
        line = _ESCAPE.sub("", line)
    if not line.isprintable():
        line = _CONTROL.sub("", line)
    return line


def clean(line: str) -> tuple[str, bool]:
    """The line without quotes, time stamps, syslog's words and prompts; whether these showed a"
    " kernel's line."""
    line = strip_escapes(line)
    kernel = False
    at = 0
    for _ in range(10):
        found = _PREFIX.match(line, at)
        if found is None or found.end() == at:
            break
        kernel = kernel or found.lastgroup in ("uptime", "syslog", "rfc5424", "viewer", "script")
        at = found.end()
    if at:
        line = line[at:]
    return line.rstrip(), kernel


def unflow(line: str) -> list[str]:
    """The lines that a paragraph was made of: logs pasted where line ends are lost."""
    if len(line) > 200 and len(parts := _REFLOWED.split(line)) > 3:
        return [part.strip() for part in parts]
    return [line]


def undouble(line: str) -> str:
    """Two CPUs that printed the same characters in turn: every second one."""
    if len(line) > 12 and line[::2] == line[1::2]:
        return line[::2]
    return line
