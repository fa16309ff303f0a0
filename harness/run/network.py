"""From a scenario's hosts and links to the commands that make them: vnet jails joined by epairs.

The commands are FreeBSD's own and the same for every guest.  A link of two hosts is an epair; a link of
one host, or of more than two, is a bridge in the guest's base system with an epair to each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from harness.errors import MachineryError
from harness.guest.console import Console, quote
from harness.scenario.topology import Network, Port


def _family(address: str) -> str:
    return "inet6" if ":" in address else "inet"


def _configure(port: Port) -> Iterable[str]:
    jexec = f"jexec {port.host} ifconfig {port.link}"
    if port.ether:
        yield f"{jexec} ether {port.ether}"
    if port.mtu:
        yield f"{jexec} mtu {port.mtu}"
    for n, address in enumerate(port.addresses):
        alias = " alias" if n else ""
        # Duplicate address detection would hold an IPv6 address back for a second.
        extra = " no_dad" if ":" in address else ""
        yield f"{jexec} {_family(address)} {address}{alias}{extra}"
    yield f"{jexec} up"


def _new_interface(console: Console, kind: str) -> str:
    # The kernel may say something of the new interface between the answer's lines.
    shown = console.check(f"ifconfig {kind} create")
    names = re.findall(rf"^({kind}\d+a?)\s*$", shown, re.M)
    if len(names) != 1:
        raise MachineryError(f"'ifconfig {kind} create' answered {shown.strip()!r}")
    return str(names[0])


def build(console: Console, network: Network, progress: Callable[[float], None] = lambda _f: None) -> None:
    """Make the hosts and links in the guest.

    Raises MachineryError with the command that failed.
    """
    steps = len(network.hosts) + len(network.ports) + 1
    done = 0
    for host in network.hosts:
        console.check(f"jail -c name={host} vnet persist path=/ host.hostname={host} allow.raw_sockets")
        console.check(f"jexec {host} ifconfig lo0 inet 127.0.0.1/8 up")
        done += 1
        progress(done / steps)
    for link, ports in network.links().items():
        if len(ports) == 2:
            a = _new_interface(console, "epair")
            ends = [(a, ports[0]), (a[:-1] + "b", ports[1])]
        else:
            bridge = _new_interface(console, "bridge")
            ends = []
            for port in ports:
                a = _new_interface(console, "epair")
                console.check(f"ifconfig {bridge} addm {a}")
                console.check(f"ifconfig {a} up")
                ends.append((a[:-1] + "b", port))
            console.check(f"ifconfig {bridge} up")
        for name, port in ends:
            console.check(f"ifconfig {name} vnet {port.host}")
            console.check(f"jexec {port.host} ifconfig {name} name {quote(link)}")
            for command in _configure(port):
                console.check(command)
            done += 1
            progress(done / steps)
    for host, destination, gateway in network.routes:
        family = "-6 " if ":" in gateway else ""
        what = "default" if destination == "default" else f"-net {destination}"
        console.check(f"jexec {host} route -q -n {family}add {what} {gateway}")
