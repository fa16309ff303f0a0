"""Rules: the words of ``ipfw add`` and the lines of ``ipfw list``, brought to one form to be compared.

The kernel keeps a rule as instructions and ipfw(8) prints it back from these: the same rule in other
words.  Only what is printed differently for the same instructions is made equal here; any other
difference is a difference.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from dataclasses import dataclass

_ACTION = {"pass": "allow", "permit": "allow", "accept": "allow", "drop": "deny"}
_PROTO = {"all": "ip", "6": "tcp", "17": "udp", "1": "icmp"}
_MAC_TYPE = {"ip": "0x0800", "ipv4": "0x0800", "arp": "0x0806", "rarp": "0x8035", "vlan": "0x8100", "ipv6": "0x86dd"}
_SILENT = {"dst-port", "src-port", "dst-ip", "src-ip", "proto"}  # printed or not, by version and place


@dataclass(frozen=True)
class Rule:
    """A rule as pushed: number (None: the kernel's choice), set, and its words in canonical form."""

    number: int | None
    set: int
    words: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class ShownRule:
    """A rule as listed, with its counters where they were asked for."""

    number: int
    set: int | None
    words: tuple[str, ...]
    text: str
    packets: int = 0
    bytes: int = 0


def _address(word: str) -> str:
    try:
        if ":" in word.strip("[]") and "." in word:  # 10.0.0.0:255.255.255.0
            host, mask = word.split(":", 1)
            word = f"{host}/{mask}"
        if "/" in word:
            net = ipaddress.ip_network(word, strict=False)
            if net.prefixlen == 0:
                return "any"
            return str(net.network_address) if net.prefixlen == net.max_prefixlen else str(net)
        return str(ipaddress.ip_address(word))
    except ValueError:
        return word


def _canonical(words: list[str]) -> tuple[str, ...]:
    out: list[str] = []
    words = " ".join(words).replace("{", " { ").replace("}", " } ").split()
    i = 0
    while i < len(words):
        word = words[i]
        if word == "//":
            break
        if word in _SILENT or (word == "logamount" and i + 1 < len(words)):
            i += 2 if word == "logamount" else 1
            continue
        if word == "prob" and i + 1 < len(words):
            try:
                out += ["prob", f"{float(words[i + 1]):.4f}"]
                i += 2
                continue
            except ValueError:
                pass
        if out and out[-1] == "mac-type":
            word = ",".join(_MAC_TYPE.get(part, part) for part in word.split(","))
        if i == 0:
            word = _ACTION.get(word, word)
        word = _PROTO.get(word, word) if out and out[-1].isalnum() and "from" not in out else word
        out.append(",".join(_address(part) for part in word.split(",")))
        i += 1
    return tuple(out)


def parse_add(text: str) -> Rule:
    """A rule from the words of an ``add`` command (with or without the ``add``)."""
    words = text.split()
    if words and words[0] == "add":
        words = words[1:]
    number = None
    if words and words[0].isdigit():
        number = int(words.pop(0))
    set_number = 0
    if len(words) > 1 and words[0] == "set" and words[1].isdigit():
        set_number = int(words[1])
        words = words[2:]
    return Rule(number, set_number, _canonical(words), text)


_LISTED = re.compile(r"^(?:# DISABLED )?(\d{1,5})\s+(.*)$")


def parse_list(output: str, counters: bool = False) -> list[ShownRule]:
    """Rules from ``ipfw list`` (or, with ``counters``, from ``ipfw -a list`` / ``ipfw show``).

    Lines that are no rules (dynamic rules' headings, kernel messages) are passed over.
    """
    rules = []
    for line in output.splitlines():
        found = _LISTED.match(line.strip())
        if not found:
            continue
        number, words = int(found.group(1)), found.group(2).split()
        packets = octets = 0
        if counters:
            if len(words) < 3 or not (words[0].isdigit() and words[1].isdigit()):
                continue
            packets, octets = int(words[0]), int(words[1])
            words = words[2:]
        set_number = None
        if len(words) > 1 and words[0] == "set" and words[1].isdigit():
            set_number = int(words[1])
            words = words[2:]
        rules.append(ShownRule(number, set_number, _canonical(words), line.strip(), packets, octets))
    return rules


def same_rule(pushed: Rule, shown: ShownRule) -> bool:
    """Is the shown rule the pushed one?  The order of options does not count, their presence does."""
    if pushed.number is not None and pushed.number != shown.number:
        return False
    if shown.set is not None and shown.set != pushed.set:
        return False
    want, have = Counter(pushed.words), Counter(shown.words)
    # ipfw prints 'ip from any to any' for a rule written without it.
    filler = Counter(["ip", "from", "any", "to", "any"])
    return want == have or (not (want - have) and not ((have - want) - filler))
