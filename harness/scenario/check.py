"""What the parts of a scenario have to do with each other: hosts, links, addresses, flows, expectations.

``check`` finds all that is wrong in a scenario whose values are each fine by themselves.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from harness.ipfw import commands
from harness.scenario import expect as x
from harness.scenario.goals import COMPARABLE, goal_of
from harness.scenario.model import MOST_EVENTS, Action, Event, Flow, Scenario
from harness.scenario.words import listed, nearest, quoted

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Fault:
    """What is wrong, and where: the path of a value, ``key`` for its key, a character of its text."""

    path: Path
    message: str
    offset: int = 0
    key: bool = False


def check(scenario: Scenario) -> list[Fault]:
    """All that is wrong; empty for a scenario that can run."""
    return list(_all(scenario))


def _all(s: Scenario) -> Iterator[Fault]:
    yield from _names(s)
    wiring = [*_addresses(s), *_routes(s)]
    yield from wiring
    yield from _rules(s)
    for name, flow in s.flows.items():
        yield from _flow(s, name, flow, wired=not wiring)
    yield from _ports(s)
    for path, action in s.actions():
        yield from _action(s, path, action)
    for n, event in enumerate(s.events):
        yield from _event(s, n, event)
    yield from _length(s)
    yield from expectations(s)
    yield from goals(s)
    if "usermode" in s.guests:
        for key in ("dnctl", "pf"):
            if getattr(s, key):
                yield Fault(
                    (key,), f"{key} needs a real FreeBSD: add 'guests: [qemu, bhyve, remote]'", key=True
                )


def _unknown_host(s: Scenario, host: str, more: Iterable[str] = ()) -> str:
    known = [*s.hosts, *more]
    return f"unknown host {quoted(host)}{nearest(host, known) or f' (there are {listed(known)})'}"


def _names(s: Scenario) -> Iterator[Fault]:
    for key, more in (
        ("sysctl", ("all", "guest")), ("setup", ("guest",)), ("ipfw", ("guest",)), ("dnctl", ("guest",)),
        ("pf", ("guest",)), ("routes", ()),
    ):  # fmt: skip
        for host in getattr(s, key):
            if host not in s.hosts and host not in more:
                yield Fault((key, host), _unknown_host(s, host, more), key=True)
    for name in s.flows:
        if name in s.hosts:
            yield Fault(("flows", name), f"a host is called {quoted(name)} already", key=True)
    links = {link for ends in s.hosts.values() for link in ends}
    for link in s.links:
        if link not in links:
            yield Fault(("links", link), f"no host has a link {quoted(link)}{nearest(link, links)}", key=True)
    for host, ends in s.hosts.items():
        if not ends:
            yield Fault(("hosts", host), "a host without any link", key=True)


def _addresses(s: Scenario) -> Iterator[Fault]:
    seen: dict[object, str] = {}
    ethers: dict[str, str] = {}
    for host, ends in s.hosts.items():
        for link, end in ends.items():
            if end.ether:
                if end.ether in ethers:
                    yield Fault(
                        ("hosts", host, link, "ether"),
                        f"{ethers[end.ether]} has this Ethernet address already",
                    )
                ethers.setdefault(end.ether, f"{host} on {link}")
            others = [a for h, e in s.hosts.items() if h != host and link in e for a in e[link].address]
            for n, text in enumerate(end.address):
                address = ipaddress.ip_interface(text)
                path: Path = ("hosts", host, link, "address", n)
                if address.ip in seen:
                    yield Fault(path, f"{seen[address.ip]} has the address {address.ip} already")
                    continue
                seen[address.ip] = host
                networks = {ipaddress.ip_interface(a).network for a in others}
                same = [w for w in networks if w.version == address.version]
                if same and not any(address.ip in w for w in networks):
                    shown = listed(sorted(str(w) for w in same))
                    yield Fault(path, f"{text} is in no network of link {link} (the others are in {shown})")


def _routes(s: Scenario) -> Iterator[Fault]:
    for host, table in s.routes.items():
        if host not in s.hosts:
            continue
        networks = [e.address.network for e in s.topology.of(host)]
        for destination, gateway in table.items():
            path: Path = ("routes", host, destination)
            address = ipaddress.ip_address(gateway)
            if destination != "default" and ipaddress.ip_network(destination).version != address.version:
                yield Fault(path, f"a route to {destination} by {gateway} mixes IPv4 and IPv6")
            elif not any(address in w for w in networks):
                yield Fault(path, f"{gateway} is on no link of {host} ({listed(str(w) for w in networks)})")
            elif s.topology.owner(gateway) is None:
                yield Fault(path, f"no host has the address {gateway}")
            elif s.topology.owner(gateway) == host:
                yield Fault(path, f"{gateway} is an address of {host} itself")


_LEAST_UDP = {4: 64, 6: 84}  # dngen's own 36 bytes behind the headers
_VIA = re.compile(r"\b(?:via|xmit|recv)\s+([^\s,;)]+)")
_IPFW_WORDS = (
    "add", "pipe", "queue", "sched", "delete", "flush", "-f", "-q", "zero", "resetlog", "set", "table", "nat",
    "enable", "disable", "nat64lsn", "nat64stl", "nptv6", "internal", "list", "show", "nat64clat",
)  # fmt: skip


def _rules(s: Scenario) -> Iterator[Fault]:
    for host, block in s.ipfw.items():
        starts = [0]
        for row in block.splitlines(keepends=True):
            starts.append(starts[-1] + len(row))
        for command in commands(block):
            row_at = starts[command.line]
            row = block[row_at:]
            at = row_at + len(row) - len(row.lstrip())
            first = command.words[0]
            if first not in _IPFW_WORDS:
                yield Fault(
                    ("ipfw", host), f"unknown ipfw command {quoted(first)}{nearest(first, _IPFW_WORDS)}", at
                )
                continue
            if command.words[:1] != ["add"] or host not in s.hosts:
                continue
            for found in _VIA.finditer(command.text.split("//")[0]):
                word = found[1]
                links = s.hosts[host]
                if (
                    word in links
                    or word in ("any", "lo0")
                    or not re.fullmatch(r"[A-Za-z]\w*", word, re.ASCII)
                ):
                    continue
                place = block.find(word, block.find(found[0], at))
                near = nearest(word, links) or f" (it has {listed(links)})"
                yield Fault(("ipfw", host), f"{host} has no link {quoted(word)}{near}", max(place, at))


def _flow(s: Scenario, name: str, flow: Flow, wired: bool) -> Iterator[Fault]:
    path: Path = ("flows", name)
    known = True
    if flow.source not in s.hosts:
        yield Fault((*path, "from"), _unknown_host(s, flow.source))
        known = False
    try:
        wanted = ipaddress.ip_address(flow.host)
    except ValueError:
        if flow.host not in s.hosts:
            yield Fault((*path, "to"), _unknown_host(s, flow.host))
            known = False
        elif not s.topology.of(flow.host):
            yield Fault((*path, "to"), f"{flow.host} has no address")
            known = False
    else:
        if s.topology.owner(str(wanted)) is None:
            yield Fault((*path, "to"), f"no host has the address {wanted}")
            known = False
    if known and wired and not _reaches(s, flow):
        yield Fault(
            (*path, "to"),
            f"{flow.source} has no way to {flow.host}: no common link, and no host between them that forwards"
            " (net.inet.ip.forwarding: 1)",
        )
    elif known and wired:
        version = ipaddress.ip_address(s.target(flow)).version
        if flow.kind == "ping" and version == 6:
            yield Fault((*path, "ping"), f"{s.target(flow)} is IPv6: dngen pings IPv4 only (a slow udp flow has a delay, too)")
        elif flow.kind == "udp" and min(flow.weights) < _LEAST_UDP[version]:
            where = "sizes" if flow.sizes else "size"
            yield Fault((*path, where), f"packets of an IPv{version} flow have at least {_LEAST_UDP[version]} bytes")
    if flow.end is None and s.length_ is None:
        yield Fault(
            path,
            "does not say how long it lasts: for: 5s (or stop, or a 'for' of the whole scenario)",
            key=True,
        )
    elif flow.end is None and flow.start >= (s.length_ or 0):
        yield Fault((*path, "start"), "starts after the scenario's end")
    elif flow.end is not None and s.length_ is not None and flow.end > s.length_ + 1e-9:
        where = "stop" if flow.stop is not None else "for"
        yield Fault((*path, where), f"lasts until {flow.end:g}s, longer than the scenario ({s.length_:g}s)")


def _reaches(s: Scenario, flow: Flow) -> bool:
    """Is there a way?  Where hosts on it have routes of their own, that is their author's business."""
    receiver = s.receiver(flow)
    if s.routes or receiver == flow.source:
        return True
    versions = (4, 6) if flow.host in s.hosts else (ipaddress.ip_address(flow.host).version,)
    return any(receiver in s.topology.ways(flow.source, version) for version in versions)


def _ports(s: Scenario) -> Iterator[Fault]:
    seen: dict[tuple[str, str, int], str] = {}
    for name, flow in s.flows.items():
        if flow.kind == "ping":
            continue
        try:
            key = (flow.kind, s.receiver(flow), flow.port)
        except ValueError:
            continue
        if key in seen:
            yield Fault(
                ("flows", name, "to"),
                f"flow {seen[key]} has {flow.kind} port {flow.port} of {key[1]} already",
            )
        seen.setdefault(key, name)


def _action(s: Scenario, path: Path, action: Action) -> Iterator[Fault]:
    if action.on is not None and action.on != "guest" and action.on not in s.hosts:
        yield Fault((*path, "on"), _unknown_host(s, action.on, ("guest",)))
    elif action.on in s.hosts:
        for key in ("link", "destroy"):
            text = getattr(action, key)
            name = text.split()[0] if text else ""
            if name and name not in s.hosts[action.on]:
                near = nearest(name, s.hosts[action.on]) or f" (it has {listed(s.hosts[action.on])})"
                yield Fault((*path, key), f"{action.on} has no link {quoted(name)}{near}")


def _event(s: Scenario, n: int, event: Event) -> Iterator[Fault]:
    path: Path = ("events", n)
    if s.length_ is not None and event.at is not None and event.at > s.length_:
        yield Fault((*path, "at"), f"is after the end of the scenario ({s.length_:g}s)")
    if s.length_ is not None and event.start is not None and event.start > s.length_:
        yield Fault((*path, "from"), f"is after the end of the scenario ({s.length_:g}s)")
    if event.every is not None:
        end = min(s.length(), event.until) if event.until is not None else s.length()
        times = min((end - (event.start or 0)) / event.every, event.count or float("inf"))
        if times > MOST_EVENTS:
            yield Fault((*path, "every"), f"would happen {times:.0f} times (at most {MOST_EVENTS})")


def _length(s: Scenario) -> Iterator[Fault]:
    if s.sample and s.length() / s.sample > MOST_EVENTS:
        yield Fault(("sample",), f"makes {s.length() / s.sample:.0f} samples (at most {MOST_EVENTS})")


# --- expectations ----------------------------------------------------------------------------------


def expectations(s: Scenario) -> Iterator[Fault]:
    """What is wrong with the lines of ``expect``."""
    declared: tuple[str, ...] = ("pass",)
    if "verdict" in s.expect:
        value = s.expect["verdict"]
        declared = s.declared()
        for n, verdict in enumerate(declared):
            if verdict not in x.VERDICTS:
                path: Path = ("expect", "verdict") if isinstance(value, str) else ("expect", "verdict", n)
                near = nearest(verdict, x.VERDICTS) or f" (known: {listed(x.VERDICTS)})"
                yield Fault(path, f"unknown verdict {quoted(verdict)}{near}")
    if s.expect.get("reports", "none") not in ("none", "allowed"):
        yield Fault(("expect", "reports"), "wanted none or allowed")
    for key, value in s.expect.items():
        if key in ("verdict", "reports"):
            continue
        if key in x.SPECIAL:
            yield from _text(s, key, value, declared)
        elif key.startswith("panic.") or (re.fullmatch(r"\w+", key) and nearest(key, x.SPECIAL)):
            yield Fault(("expect", key), f"unknown key {quoted(key)}{nearest(key, x.SPECIAL)}", key=True)
        else:
            yield from _metric(s, key, value)


def goals(s: Scenario) -> Iterator[Fault]:
    """What is wrong with the lines of ``regress``."""
    for key, text in s.regress.items():
        path: Path = ("regress", key)
        try:
            tree = x.parse_expression(key)
        except x.ExpressionError as e:
            yield Fault(path, str(e), e.offset, key=True)
            continue
        for metric in x.metrics(tree):
            if metric.path.kind not in COMPARABLE:
                yield Fault(path, f"a {metric.path.kind} is not kept with a run and cannot be compared", metric.at, key=True)
            for message, offset in _metric_faults(s, metric):
                yield Fault(path, message, offset, key=True)
        try:
            goal_of(key, tree, text)
        except x.ExpressionError as e:
            yield Fault(path, str(e), e.offset)


def _text(s: Scenario, key: str, value: str | tuple[str, ...], declared: tuple[str, ...]) -> Iterator[Fault]:
    path: Path = ("expect", key)
    if key.startswith("panic.") and "panic" not in declared:
        yield Fault(path, f"{key} has no meaning unless the verdict may be panic", key=True)
    single = isinstance(value, str)
    for n, text in enumerate((value,) if isinstance(value, str) else value):
        try:
            x.parse_text(key, text)
        except x.ExpressionError as e:
            yield Fault(path if single else (*path, n), str(e), e.offset)


def _metric(s: Scenario, key: str, value: str | tuple[str, ...]) -> Iterator[Fault]:
    path: Path = ("expect", key)
    try:
        tree = x.parse_expression(key)
    except x.ExpressionError as e:
        yield Fault(path, str(e), e.offset, key=True)
        return
    for metric in x.metrics(tree):
        for message, offset in _metric_faults(s, metric):
            yield Fault(path, message, offset, key=True)
    for n, text in enumerate((value,) if isinstance(value, str) else value):
        where: Path = path if isinstance(value, str) else (*path, n)
        try:
            condition = x.parse_condition(text, tree)
        except x.ExpressionError as e:
            yield Fault(where, str(e), e.offset)
            continue
        for side in (condition.a, condition.b):
            for metric in x.metrics(side) if side is not None else ():
                for message, offset in _metric_faults(s, metric):
                    yield Fault(where, message, offset)


def _metric_faults(s: Scenario, metric: x.Metric) -> Iterator[tuple[str, int]]:
    p = metric.path
    if p.kind == "flow":
        flow = s.flows.get(p.owner)
        if flow is None:
            if p.owner in s.hosts:
                yield (
                    f"{p.owner} is a host, not a flow; a host has rule, pipe, queue, sched, if and sysctl",
                    metric.at,
                )
                return
            near = nearest(p.owner, s.flows) or f" (there are {listed(s.flows) or 'none'})"
            yield f"unknown flow {quoted(p.owner)}{near}", metric.at
            return
        if flow.kind == "tcp" and p.field in ("sent", "lost", "loss", "duplicates", "reordered"):
            yield f"a tcp flow has no {p.field}; it has rate, received, bytes and delay", metric.at
        if p.window is not None:
            end = s.length()
            if p.window[0] >= end:
                yield f"the window begins after the end of the run ({end:g}s)", metric.at
        return
    if p.owner != "guest" and p.owner not in s.hosts:
        if p.owner in s.flows:
            yield f"{p.owner} is a flow, not a host", metric.at
        else:
            yield _unknown_host(s, p.owner, ("guest",)), metric.at
        return
    if p.kind == "if" and p.owner in s.hosts and p.name not in s.hosts[p.owner]:
        near = nearest(p.name, s.hosts[p.owner]) or f" (it has {listed(s.hosts[p.owner])})"
        yield f"{p.owner} has no link {quoted(p.name)}{near}", metric.at
    if p.kind in ("pipe", "queue", "sched", "rule"):
        text = "\n".join(
            [s.ipfw.get(p.owner, ""), s.dnctl.get(p.owner, ""), s.setup.get(p.owner, "")]
            + [f"pipe {e.pipe}" if e.pipe else e.run or "" for _, e in s.actions() if e.on == p.owner]
        )
        if p.kind == "rule":
            known = set(re.findall(r"\badd\s+(\d+)", text))
            if re.search(r"\badd\s+[^\d\s]", text) or p.name == "65535":
                return  # rules whose number the kernel chooses
        else:
            known = set(re.findall(rf"\b{p.kind}\s+(\d+)", text))
            if p.kind == "sched":
                known |= set(re.findall(r"\bpipe\s+(\d+)", text))
        if str(int(p.name)) not in {str(int(k)) for k in known}:
            there = f"it has {listed(sorted(known, key=int))}" if known else "it has none"
            yield f"{p.owner} has no {p.kind} {p.name} ({there})", metric.at
