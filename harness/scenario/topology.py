"""Who is joined to whom: owners of addresses, and shortest ways through hosts that forward."""

from __future__ import annotations

import ipaddress
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface
Net = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Port:
    """One host's end of a link: interface ``link`` in jail ``host``."""

    host: str
    link: str
    addresses: tuple[str, ...]
    mtu: int | None = None
    ether: str | None = None


@dataclass(frozen=True)
class Network:
    """All that has to be there before sysctls and rules: ports, and routes by host (destination, gateway)."""

    hosts: tuple[str, ...]
    ports: tuple[Port, ...]
    routes: tuple[tuple[str, str, str], ...]

    def links(self) -> dict[str, list[Port]]:
        """Ports by link, in the order of the scenario."""
        found: dict[str, list[Port]] = {}
        for port in self.ports:
            found.setdefault(port.link, []).append(port)
        return found


@dataclass(frozen=True)
class End:
    """An address of a host on a link."""

    host: str
    link: str
    address: Interface


class Topology:
    """The hosts' addresses by link, and which of them forward (host, IP version)."""

    def __init__(
        self, hosts: Mapping[str, Mapping[str, tuple[str, ...]]], forwarding: set[tuple[str, int]]
    ) -> None:
        self.ends = [
            End(host, link, ipaddress.ip_interface(address))
            for host, links in hosts.items()
            for link, addresses in links.items()
            for address in addresses
        ]
        self.forwarding = forwarding
        self._of: dict[str, list[End]] = {host: [] for host in hosts}
        self._on: dict[str, list[End]] = {}
        for end in self.ends:
            self._of[end.host].append(end)
            self._on.setdefault(end.link, []).append(end)

    def of(self, host: str) -> list[End]:
        """A host's addresses."""
        return self._of.get(host, [])

    def owner(self, address: str) -> str | None:
        """The host that has an address, or None."""
        wanted = ipaddress.ip_address(address)
        return next((e.host for e in self.ends if e.address.ip == wanted), None)

    def neighbours(self, host: str, version: int) -> list[tuple[End, End]]:
        """(own end, neighbour's end) for all that the host reaches without a router."""
        return [
            (own, other)
            for own in self.of(host)
            if own.address.version == version
            for other in self._on[own.link]
            if other.host != host and other.address.ip in own.address.network
        ]

    def ways(self, host: str, version: int) -> dict[str, list[tuple[End, End]]]:
        """The shortest way to every host within reach: its hops, each (sender's end, receiver's end)."""
        found: dict[str, list[tuple[End, End]]] = {host: []}
        waiting = deque([host])
        while waiting:
            here = waiting.popleft()
            if here != host and (here, version) not in self.forwarding:
                continue
            for hop in self.neighbours(here, version):
                if hop[1].host not in found:
                    found[hop[1].host] = [*found[here], hop]
                    waiting.append(hop[1].host)
        return found

    def routes(self, host: str) -> dict[str, str]:
        """Destination -> gateway for every network that is not the host's own and can be reached."""
        out: dict[str, str] = {}
        for version in (4, 6):
            own = {e.address.network for e in self.of(host)}
            for there, hops in self.ways(host, version).items():
                if not hops or (there, version) not in self.forwarding:
                    continue
                for end in self.of(there):
                    network = end.address.network
                    if end.address.version == version and network not in own and str(network) not in out:
                        out[str(network)] = str(hops[0][1].address.ip)
        return out

    def address_of(self, host: str, seen_from: str) -> str | None:
        """The address of ``host`` where the shortest way from ``seen_from`` comes in; IPv4 before IPv6.

        Where there is no way, its first address; None for a host without any.
        """
        for version in (4, 6):
            hops = self.ways(seen_from, version).get(host)
            if hops:
                return str(hops[-1][1].address.ip)
        return next((str(e.address.ip) for e in self.of(host)), None)
