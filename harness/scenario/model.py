"""What a scenario is: pydantic models of the YAML, one class a mapping, units as typed floats.

Times are seconds, rates bit/s, sizes bytes (of IP packets), packet rates packets/s.  The models have the
shape of the YAML, so that what is wrong with a value can be told at the value's own place; they read
text with units (``20ms``) as well as plain numbers in the base unit.  What several values have to do
with each other (a flow's host, an expectation's metric) is in ``harness.scenario.check``.
"""

from __future__ import annotations

import functools
import hashlib
import ipaddress
import json
import math
import random
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal, Self, cast

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PrivateAttr,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from harness.scenario import expect as x
from harness.scenario import goals as g
from harness.scenario import quantity as q
from harness.scenario.topology import Network, Port, Topology
from harness.scenario.words import listed, quoted
from harness.traffic import units

SCHEMA = "dnh-scenario/1"
GuestKind = Literal["usermode", "qemu", "bhyve", "remote"]
GUESTS: tuple[GuestKind, ...] = ("usermode", "qemu", "bhyve", "remote")
LONGEST = 7 * 86400.0
"""Seconds that anything in a scenario may last."""
MOST_EVENTS = 100_000
GRACE = 1.0
"""Seconds that a scenario goes on behind its last flow or event, when it does not say how long."""


def wrong(message: str, **where: int) -> PydanticCustomError:
    """An error with the message as it is shown; ``offset`` counts characters of the value's text."""
    return PydanticCustomError("dnh", "{message}", {"message": message, **where})


# --- values ----------------------------------------------------------------------------------------


def _quantity(parse: Callable[[str], float], unit: str, low: float, high: float) -> Any:
    """A validator for text with a unit, or a plain number that is in the base unit already."""

    def read(value: object) -> object:
        if isinstance(value, str):
            try:
                value = parse(value)
            except ValueError as e:
                raise wrong(str(e)) from None
            except OverflowError:
                raise wrong(f"{quoted(value)} is too large") from None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise wrong(f"wanted {q.CALLED[q.DIMS[unit]]}")
        if value < low:
            raise wrong(f"{q.shown(value, unit)} is too small, at least {q.shown(low, unit)}")
        if value > high:
            raise wrong(f"{q.shown(value, unit)} is too large, at most {q.shown(high, unit)}")
        return float(value)

    return BeforeValidator(read)


def _units(table: Mapping[str, float], plain: bool = False) -> str:
    words = "|".join(re.escape(w) for w in table)
    return rf"^\d+(\.\d+)?([eE][+-]?\d+)? *({words}){'?' if plain else ''}$|^0$"


def _schema(description: str, table: Mapping[str, float], examples: list[Any], plain: bool = False) -> Any:
    text = {"type": "string", "pattern": _units(table, plain)}
    number: dict[str, Any] = {"type": "number", "minimum": 0} if plain else {"const": 0}
    return WithJsonSchema({"anyOf": [text, number], "description": description, "examples": examples})


def _writer(unit: str) -> Any:
    return PlainSerializer(lambda value: q.exact(value, unit), return_type=str, when_used="json")


_TIME_SCHEMA = _schema("a time with its unit: ns, us, ms, s, min, h", units.TIME, ["20ms", "5s"])
Time = Annotated[float, _quantity(units.parse_time, "s", 0, LONGEST), _writer("s"), _TIME_SCHEMA]
"""Seconds, from 0."""
Span = Annotated[float, _quantity(units.parse_time, "s", 1e-6, LONGEST), _writer("s"), _TIME_SCHEMA]
"""Seconds, at least a microsecond."""


def _sample(value: object) -> object:
    return 0.0 if value in ("off", "no", "false", False) else value


Sample = Annotated[
    float,
    _quantity(units.parse_time, "s", 0, LONGEST),
    BeforeValidator(_sample),
    PlainSerializer(lambda v: q.exact(v, "s") if v else "off", return_type=str, when_used="json"),
    WithJsonSchema({
        "anyOf": [{"type": "string", "pattern": _units(units.TIME)}, {"enum": ["off", False]}],
        "description": "how often pipes and queues are asked for their length, or off",
        "examples": ["100ms", "off"],
    }),
]  # fmt: skip


def _text(value: object) -> object:
    """Scalars as their text; what YAML calls a number may be a version or a name here."""
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value) if isinstance(value, int | float) else value


def _one_line(value: object) -> object:
    value = _text(value)
    if isinstance(value, str) and ("\n" in value or not value.strip()):
        raise wrong("wanted one line of text" if value.strip() else "is empty")
    return value


Text = Annotated[str, BeforeValidator(_text), Field(max_length=65536)]
Line = Annotated[str, BeforeValidator(_one_line), Field(max_length=1000)]
Value = Annotated[
    str,
    BeforeValidator(_text),
    Field(max_length=1000),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]
"""What is given to a sysctl or a tunable."""


def _name(what: str, pattern: str, longest: int, reserved: tuple[str, ...] = ()) -> Any:
    compiled = re.compile(pattern, re.ASCII)

    def read(value: object) -> object:
        value = _text(value)
        if not isinstance(value, str):
            raise wrong(f"wanted the name of {what}")
        if value in reserved:
            raise wrong(f"{quoted(value)} cannot be the name of {what}, it has a meaning of its own")
        if len(value) > longest:
            raise wrong(f"{quoted(value)} is too long for the name of {what} (at most {longest} characters)")
        if not compiled.fullmatch(value):
            raise wrong(
                f"{quoted(value)} cannot be the name of {what}: letters, digits and _ with a letter first"
            )
        return value

    return BeforeValidator(read)


_WORD = r"[A-Za-z][A-Za-z0-9_]*"


def _named(description: str, longest: int = 31) -> Any:
    return WithJsonSchema(
        {"type": "string", "pattern": f"^{_WORD}$", "maxLength": longest, "description": description}
    )


HostName = Annotated[
    str,
    _name("a host", _WORD, 31, ("guest", "all", "panic", "console", "verdict", "reports", *x.FUNCTIONS)),
    _named("a host: a vnet jail"),
]
LinkName = Annotated[
    str,
    _name("a link", _WORD, 15, ("lo0", "any")),
    _named("a link, and the interface that each host has on it", 15),
]
FlowName = Annotated[
    str,
    _name("a flow", _WORD, 31, ("panic", "console", "verdict", "reports", "guest", *x.FUNCTIONS)),
    _named("a flow"),
]
Place = Annotated[str, _name("a host", _WORD, 31), _named("a host, or guest for the base system")]


def _sysctl_name(value: object) -> object:
    if (
        not isinstance(value, str)
        or len(value) > 200
        or not re.fullmatch(r"[A-Za-z_%][\w.%-]*", value, re.ASCII)
    ):
        raise wrong(f"{quoted(value)} is no name of a sysctl or tunable")
    return value


def _word(value: object) -> object:
    value = _text(value)
    if not isinstance(value, str) or len(value) > 200 or not re.fullmatch(r"[\w./+:-]+", value, re.ASCII):
        raise wrong(f"{quoted(value)} is no name (letters, digits and _ . / + : -)")
    return value


Sysctl = Annotated[
    str,
    BeforeValidator(_sysctl_name),
    WithJsonSchema(
        {"type": "string", "pattern": r"^[A-Za-z_%][\w.%-]*$", "examples": ["net.inet.ip.fw.one_pass"]}
    ),
]
FileWord = Annotated[
    str,
    BeforeValidator(_word),
    WithJsonSchema({"type": "string", "pattern": r"^[\w./+:-]+$"}),
]


def _address(value: object) -> object:
    text = _text(value)
    if not isinstance(text, str) or "/" not in text:
        raise wrong(f"{quoted(text)} is no address with a prefix (10.0.1.1/24)")
    try:
        address = ipaddress.ip_interface(text)
    except ValueError:
        raise wrong(f"{quoted(text)} is no address with a prefix (10.0.1.1/24)") from None
    if not text.rpartition("/")[2].isdigit():
        raise wrong(f"{quoted(text)}: write the prefix as a number (10.0.1.1/24)")
    network = address.network
    if address.version == 4 and network.prefixlen < 31 and address.ip in (network[0], network[-1]):
        which = "network" if address.ip == network[0] else "broadcast"
        raise wrong(f"{quoted(text)} is the {which} address of {network}, no host can have it")
    if address.ip.is_unspecified or address.ip.is_multicast or (address.version == 6 and "%" in text):
        raise wrong(f"{quoted(text)} is no address that a host can have")
    return str(address)


Address = Annotated[
    str,
    BeforeValidator(_address),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^[0-9A-Fa-f.:]+/\d{1,3}$",
            "examples": ["10.0.1.1/24", "2001:db8::1/64"],
        }
    ),
]


def _destination(value: object) -> object:
    text = _text(value)
    if text == "default":
        return text
    try:
        return str(ipaddress.ip_network(cast(str, text)))
    except (ValueError, TypeError):
        raise wrong(f"{quoted(text)} is no destination of a route (default, 10.0.3.0/24)") from None


def _gateway(value: object) -> object:
    text = _text(value)
    try:
        return str(ipaddress.ip_address(cast(str, text)))
    except (ValueError, TypeError):
        raise wrong(f"{quoted(text)} is no address of a gateway (10.0.1.2)") from None


Destination = Annotated[str, BeforeValidator(_destination)]
Gateway = Annotated[str, BeforeValidator(_gateway)]


def _ether(value: object) -> object:
    text = _text(value)
    if not isinstance(text, str) or not re.fullmatch(r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}", text, re.ASCII):
        raise wrong(f"{quoted(text)} is no Ethernet address (02:00:00:00:00:01)")
    if int(text[:2], 16) & 1:
        raise wrong(f"{quoted(text)} is a multicast address, no interface can have it")
    return text.lower()


Ether = Annotated[
    str,
    BeforeValidator(_ether),
    WithJsonSchema({"type": "string", "pattern": "^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$"}),
]


def _several(value: object) -> object:
    """One thing where a list of things is meant."""
    return (value,) if isinstance(value, str | int | float) and not isinstance(value, bool) else value


def _block(value: object) -> object:
    """Lines as one text, also when they are given as a list."""
    if isinstance(value, list | tuple) and all(isinstance(v, str) for v in value):
        return "\n".join(value) + "\n"
    return _text(value)


Block = Annotated[
    str,
    BeforeValidator(_block),
    Field(max_length=65536),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


def _list_of(items: dict[str, Any], **more: Any) -> Any:
    return WithJsonSchema({"anyOf": [items, {"type": "array", "items": items}], **more})


class _Model(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
    )


class Load(_Model):
    """What a udp flow offers: a rate in bit/s of IP packets, or packets/s."""

    rate: float | None = None
    pps: float | None = None

    def __str__(self) -> str:
        return q.exact(self.rate, "bit/s") if self.rate is not None else q.exact(self.pps or 0, "packets/s")


def _load(value: object) -> object:
    if not isinstance(value, str):
        if value == 0 or isinstance(value, Load):
            return value or Load(rate=0)
        raise wrong("wanted a rate (20Mbit/s) or a packet rate (1000pps)")
    text = value.strip()
    unit = text.lstrip("0123456789.eE+- ")
    try:
        rated = unit not in units.PACKET_RATE and not unit.lower().endswith("pps")
        amount = units.parse_rate(text) if rated else units.parse_pps(text)
    except ValueError as e:
        raise wrong(str(e)) from None
    if not 0 < amount <= 1e12:
        raise wrong(f"{quoted(text)} is {'negative' if amount < 0 else 'too large' if amount else 'nothing to send'}")
    return Load(rate=amount) if rated else Load(pps=amount)


Offered = Annotated[
    Load,
    BeforeValidator(_load),
    PlainSerializer(str, return_type=str, when_used="json"),
    _schema(
        "a rate of IP packets (bit/s) or packets per second",
        {**units.RATE, **units.PACKET_RATE},
        ["20Mbit/s", "1000pps"],
    ),
]
PacketSize = Annotated[
    int, Field(ge=28, le=65535), WithJsonSchema({"type": "integer", "minimum": 28, "maximum": 65535})
]


# --- the parts -------------------------------------------------------------------------------------


class Attachment(_Model):
    """A host's end of a link.  The short form is the address, or a list of them."""

    address: Annotated[
        tuple[Address, ...], BeforeValidator(_several),
        _list_of({"type": "string", "pattern": r"^[0-9A-Fa-f.:]+/\d{1,3}$"}),
    ] = ()  # fmt: skip
    """One address with its prefix, or a list of them; IPv4 or IPv6."""
    mtu: Annotated[int | None, Field(ge=72, le=65535)] = None
    """The interface's MTU in bytes; by default that of the link."""
    ether: Ether | None = None
    """The interface's Ethernet address; by default the kernel's choice."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if value is None:
            return {}
        return {"address": value} if isinstance(value, str | list | tuple) else value


class Link(_Model):
    """What is said of a link: nothing is needed, hosts make links by naming them."""

    mtu: Annotated[int | None, Field(ge=72, le=65535)] = None
    """The MTU in bytes of every interface on it."""


class Kernel(_Model):
    """Which kernel the scenario wants."""

    patches: Annotated[tuple[FileWord, ...], BeforeValidator(_several), _list_of({"type": "string"})] = ()
    """Patch series by name (pspat) or folder, applied in this order."""
    flavour: Literal["debug", "release"] = "debug"
    """debug: INVARIANTS and WITNESS; release: neither."""
    options: Annotated[tuple[FileWord, ...], BeforeValidator(_several), _list_of({"type": "string"})] = ()
    """Kernel options beyond those of the flavour."""
    tunables: dict[Sysctl, Value] = Field(default_factory=dict)
    """Loader tunables."""
    modules: Annotated[tuple[FileWord, ...], BeforeValidator(_several), _list_of({"type": "string"})] = ()
    """Modules loaded after boot."""
    dump: Literal["text", "full"] | None = None
    """A crash dump on a panic: text (what the debugger says and the message buffer, a tar) or full (a vmcore)."""


class Flow(_Model):
    """Traffic from one host to an address: exactly one of udp, tcp and ping."""

    udp: Offered | None = None
    """What is offered: a rate (20Mbit/s) or packets per second (1000pps)."""
    tcp: Literal["bulk"] | None = None
    """bulk: as much as it gets."""
    ping: Span | None = None
    """The interval between two echo requests."""
    size: PacketSize | None = None
    """Bytes of an IP packet (default 1000, ping 84)."""
    sizes: Annotated[
        dict[PacketSize, Annotated[int, Field(ge=1, le=10**6)]], Field(min_length=1, max_length=64)
    ] | None = None  # fmt: skip
    """Sizes with their weights: {64: 7, 576: 4, 1500: 1}."""
    source: Place = Field(alias="from")
    """The sending host."""
    to: Annotated[str, BeforeValidator(_text), WithJsonSchema({
        "type": "string", "examples": ["server:5001", "10.0.2.2:5001", "[2001:db8::2]:5001", "server"],
        "description": "host:port or address:port; for a ping without a port",
    })]  # fmt: skip
    """Where to: host:port or address:port (IPv6 in brackets); a ping has no port."""
    start: Time = 0.0
    """When it starts."""
    duration: Span | None = Field(default=None, alias="for")
    """How long it lasts."""
    stop: Time | None = None
    """When it ends, instead of for."""
    on: Span | None = None
    """With off: how long it sends before it pauses."""
    off: Span | None = None
    """With on: how long it pauses."""
    senders: Annotated[int, Field(ge=1, le=1024)] = 1
    """How many threads send; they share the rate."""

    @model_validator(mode="after")
    def _agree(self) -> Flow:
        kinds = [k for k in ("udp", "tcp", "ping") if getattr(self, k) is not None]
        if len(kinds) != 1:
            raise wrong(
                "wants exactly one of udp, tcp and ping" + (f", has {listed(kinds)}" if kinds else "")
            )
        kind = kinds[0]
        if self.size is not None and self.sizes is not None:
            raise wrong("has both size and sizes")
        if self.duration is not None and self.stop is not None:
            raise wrong("has both for and stop")
        if self.stop is not None and self.stop <= self.start:
            raise wrong(
                f"stops at {q.exact(self.stop, 's')}, not after its start at {q.exact(self.start, 's')}"
            )
        if (self.on is None) != (self.off is None):
            raise wrong("has on without off" if self.off is None else "has off without on")
        if kind == "tcp" and (self.size or self.sizes or self.on):
            raise wrong("a tcp flow has no size, sizes, on or off")
        if kind == "ping" and (self.on or self.sizes or self.senders != 1):
            raise wrong("a ping has no sizes, senders, on or off")
        host, port = split_target(self.to)
        if not host:
            raise wrong(f"{quoted(self.to)} is no host:port or address:port")
        if kind == "ping" and port is not None:
            raise wrong(f"{quoted(self.to)}: a ping has no port")
        if kind != "ping" and port is None:
            raise wrong(f"{quoted(self.to)} has no port (write {host}:5001)")
        return self

    @property
    def kind(self) -> Literal["udp", "tcp", "ping"]:
        """udp, tcp or ping."""
        return "udp" if self.udp is not None else "tcp" if self.tcp is not None else "ping"

    @property
    def host(self) -> str:
        """The host or address that it goes to, as written."""
        return split_target(self.to)[0]

    @property
    def port(self) -> int:
        """The port that it goes to; 0 for a ping."""
        return split_target(self.to)[1] or 0

    @property
    def weights(self) -> dict[int, int]:
        """Sizes of IP packets (bytes) with their weights."""
        return dict(self.sizes) if self.sizes else {self.size or (84 if self.kind == "ping" else 1000): 1}

    @property
    def end(self) -> float | None:
        """When it ends (s); None: with the scenario."""
        if self.stop is not None:
            return self.stop
        return None if self.duration is None else self.start + self.duration


def split_target(to: str) -> tuple[str, int | None]:
    """``server:5001`` -> (server, 5001); ``[2001:db8::1]:53``; without a port (server, None).

    An empty host means that the text makes no sense.
    """
    found = re.fullmatch(
        r"\[([0-9A-Fa-f:.]+)\](?::(\d{1,5}))?|([\w.-]+)(?::(\d{1,5}))?", to.strip(), re.ASCII
    )
    if not found:
        try:
            return str(ipaddress.IPv6Address(to.strip())), None
        except ValueError:
            return "", None
    host, port = found[1] or found[3], found[2] or found[4]
    if port is not None and not 1 <= int(port) <= 65535:
        return "", None
    return host, None if port is None else int(port)


_ACTIONS = ("run", "link", "pipe", "delete", "sysctl", "destroy", "unload", "load", "jail")


class Action(_Model):
    """Something to be done: where (on), and exactly one of what."""

    on: Place | None = None
    """The host that it happens on; guest is the base system."""
    run: Line | None = None
    """A command of the guest's shell."""
    link: Line | None = None
    """An interface and what becomes of it: wan down, wan up."""
    pipe: Line | None = None
    """ipfw pipe ...: 1 config bw 5Mbit/s."""
    delete: Line | None = None
    """A pipe, queue, sched or rule to delete: pipe 1, rule 100."""
    sysctl: dict[Sysctl, Value] | None = None
    """Sysctls to set."""
    destroy: Line | None = None
    """An interface to destroy."""
    unload: FileWord | None = None
    """A kernel module to unload."""
    load: FileWord | None = None
    """A kernel module to load."""
    jail: Literal["remove"] | None = None
    """remove: jail -r of the host."""
    may_fail: bool = False
    """The command's exit status does not matter."""

    @model_validator(mode="after")
    def _action(self) -> Self:
        actions = self.actions()
        if len(actions) != 1:
            what = f", has {listed(actions)}" if actions else ""
            raise wrong(f"wants exactly one of {', '.join(self.kinds())}{what}")
        if self.on is None and actions[0] not in ("unload", "load", "one_of"):
            raise wrong("says not where: on: a host, or guest")
        if self.link is not None and not re.fullmatch(r"\S+ +(up|down)", self.link.strip()):
            raise wrong(f"{quoted(self.link)}: write an interface and up or down (wan down)")
        if self.delete is not None and not re.fullmatch(
            r"(pipe|queue|sched|rule) +\d{1,5}", self.delete.strip(), re.ASCII
        ):
            raise wrong(f"{quoted(self.delete)}: write pipe, queue, sched or rule and its number (pipe 1)")
        if self.pipe is not None and not re.match(r"\d{1,5}\s+\S", self.pipe.strip(), re.ASCII):
            raise wrong(
                f"{quoted(self.pipe)}: write the pipe's number and its configuration (1 config bw 5Mbit/s)"
            )
        if self.jail is not None and self.on == "guest":
            raise wrong("the base system cannot be removed, only a host")
        return self

    @classmethod
    def kinds(cls) -> tuple[str, ...]:
        """The keys that say what to do."""
        return _ACTIONS

    def actions(self) -> list[str]:
        """The keys of an action that are set: one, in a valid event."""
        return [a for a in self.kinds() if getattr(self, a) is not None]

    def commands(self) -> list[tuple[str | None, str]]:
        """FreeBSD's commands for it: (host, command) with host None for the base system."""
        on = None if self.on in (None, "guest") else self.on
        if self.run is not None:
            return [(on, self.run)]
        if self.link is not None:
            return [(on, f"ifconfig {' '.join(self.link.split())}")]
        if self.pipe is not None:
            return [(on, f"ipfw pipe {self.pipe.strip()}")]
        if self.delete is not None:
            kind, number = self.delete.split()
            return [(on, f"ipfw delete {number}" if kind == "rule" else f"ipfw {kind} delete {number}")]
        if self.sysctl is not None:
            return [(on, f"sysctl {name}={value}") for name, value in self.sysctl.items()]
        if self.destroy is not None:
            return [(on, f"ifconfig {self.destroy.strip()} destroy")]
        if self.unload is not None:
            return [(None, f"kldunload {self.unload}")]
        if self.load is not None:
            return [(None, f"kldload {self.load}")]
        return [(None, f"jail -r {self.on}")]


class Event(Action):
    """Something that happens during the run: when (at or every), and an action or one of several at random."""

    at: Time | None = None
    """When it happens, once."""
    every: Span | None = None
    """Or the interval at which it happens again and again."""
    start: Time | None = Field(default=None, alias="from")
    """With every: the first time (default: one interval after the start)."""
    until: Time | None = None
    """With every: not after this time (default: the end of the run)."""
    count: Annotated[int | None, Field(ge=1, le=MOST_EVENTS)] = None
    """With every: at most so many times."""
    one_of: Annotated[tuple[Action, ...], Field(min_length=1, max_length=100)] | None = None
    """Actions of which each time one is taken, by the run's seed."""

    @classmethod
    def kinds(cls) -> tuple[str, ...]:
        return (*_ACTIONS, "one_of")

    @model_validator(mode="after")
    def _time(self) -> Self:
        if (self.at is None) == (self.every is None):
            raise wrong("wants either at or every")
        if self.at is not None and (self.start, self.until, self.count) != (None, None, None):
            raise wrong("from, until and count go with every, not with at")
        if self.start is not None and self.until is not None and self.start > self.until:
            raise wrong(f"from {q.exact(self.start, 's')} until {q.exact(self.until, 's')} is an empty time")
        if self.one_of is not None and (self.on is not None or self.may_fail):
            raise wrong("on and may_fail stand with each action of one_of")
        return self

    def times(self, length: float) -> Iterator[float]:
        """The moments (s) at which it happens within a run of ``length`` seconds."""
        if self.at is not None:
            yield self.at
            return
        assert self.every is not None
        first = self.every if self.start is None else self.start
        end = length if self.until is None else min(self.until, length)
        n = 0
        while first + n * self.every <= end + 1e-9 and (self.count is None or n < self.count):
            yield first + n * self.every
            n += 1

    def action(self, dice: random.Random) -> Action:
        """What is done this time."""
        return dice.choice(self.one_of) if self.one_of else self


def _condition(value: object) -> object:
    if isinstance(value, list | tuple):
        if not value or len(value) > 50:
            raise wrong("an empty list" if not value else "a list of more than 50")
        values = tuple(_text(v) for v in value)
        if not all(isinstance(v, str) for v in values):
            raise wrong("wanted a list of conditions")
        return values
    value = _text(value)
    if not isinstance(value, str):
        raise wrong("wanted a condition, such as '>= 9.9Mbit/s' or '20ms +- 1ms'")
    return value


ConditionText = Annotated[
    str | tuple[str, ...],
    BeforeValidator(_condition),
    WithJsonSchema({
        "anyOf": [{"type": ["string", "number"]}, {"type": "array", "items": {"type": ["string", "number"]}}],
        "examples": ["< 200ms", ">= 9.9Mbit/s", "2 +- 2%", "1ms..5ms", "0", "!= 0"],
    }),
]  # fmt: skip


def _scalar(value: object) -> object:
    """A matrix's value as what it looks like: whole number, fraction or text."""
    if isinstance(value, str) and re.fullmatch(r"-?(0|[1-9]\d{0,17})", value, re.ASCII):
        return int(value)
    if (
        isinstance(value, str)
        and re.fullmatch(r"-?\d{1,17}\.\d{1,17}", value, re.ASCII)
        and repr(float(value)) == value
    ):
        return float(value)
    return value


Scalar = Annotated[str | int | float | bool, WithJsonSchema({"type": ["string", "number", "boolean"]})]


class Scenario(_Model):
    """A scenario, or one cell of its matrix: hosts, what they are given, traffic, events, expectations."""

    name: Line
    """What it is, in a few words."""
    about: Text = ""
    """What it shows and why, in plain words."""
    reference: Annotated[tuple[Line, ...], BeforeValidator(_several), _list_of({"type": "string"})] = ()
    """Addresses of bug reports, papers, manual pages."""
    tags: Annotated[tuple[FileWord, ...], BeforeValidator(_several), _list_of({"type": "string"})] = ()
    """Words to choose scenarios by."""
    guests: Annotated[
        tuple[GuestKind, ...], BeforeValidator(_several), Field(min_length=1),
        _list_of({"enum": list(GUESTS)}),
    ] = GUESTS  # fmt: skip
    """The kinds of guest that it makes sense on (default: all)."""
    clock: Literal["virtual", "wall"] | None = None
    """The guest's clock; ``virtual``: it does not depend on how fast the host is.  Without a word the user-mode guest has a
    virtual one and real guests the wall's; said, an emulated guest (QEMU without KVM) counts its instructions, on one CPU."""
    ncpu: Annotated[int, Field(ge=1, le=64)] = 4
    """CPUs of the guest."""
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 1
    """The seed, where the command line gives none."""
    repeat: Annotated[int, Field(ge=1, le=100_000)] = 1
    """How many runs of each cell; the seed counts up."""
    limit: Span = 120.0
    """Wall time that a run may take; four times as much where an emulated guest counts its instructions (clock: virtual)."""
    hang: Span = 20.0
    """Wall time without a sign of life after which the guest counts as hung."""
    length_: Span | None = Field(default=None, alias="for")
    """Guest time that the run lasts (default: until 1 s after the last flow and event)."""
    sample: Sample = 0.1
    """How often queues are asked for their length, or off."""
    scale: bool = False
    """yes: on a guest that is too slow all rates may be multiplied by one factor: the flows', those in ipfw,
    dnctl and events, and those expected.  Times, sizes, counts and ratios stay."""
    matrix: dict[
        Line,
        Annotated[
            tuple[Scalar, ...],
            BeforeValidator(_several),
            Field(min_length=1),
            _list_of({"type": ["string", "number", "boolean"]}),
        ],
    ] = Field(default_factory=dict)
    """Values to be tried in all combinations: of a dotted path into the scenario, or of a name that is used
    as ${name} in its text."""
    but: Annotated[tuple[dict[Line, Any], ...], Field(max_length=1000)] = ()
    """Cells of the matrix that differ: the values that choose them, and dotted paths with what they have instead:
    {attempt: C, expect.verdict: pass}."""
    cell: dict[str, Annotated[Scalar, BeforeValidator(_scalar)]] = Field(default_factory=dict)
    """Of an expanded scenario: the values that this cell of the matrix has."""
    kernel: Kernel = Kernel()
    """Patches, flavour, options, tunables, modules."""
    hosts: Annotated[dict[HostName, dict[LinkName, Attachment]], Field(min_length=1, max_length=256)]
    """Hosts, each a vnet jail, with their links; a link joins all hosts that name it."""
    links: dict[LinkName, Link] = Field(default_factory=dict)
    """Properties of links."""
    routes: dict[HostName, dict[Destination, Gateway]] = Field(default_factory=dict)
    """Routes by host; a host without any gets the shortest ones through hosts that forward."""
    sysctl: dict[Place, dict[Sysctl, Value]] = Field(default_factory=dict)
    """Sysctls by host; all: every host; guest: the base system."""
    setup: dict[Place, Block] = Field(default_factory=dict)
    """Shell commands by host (or guest), run before the rules."""
    ipfw: dict[Place, Block] = Field(default_factory=dict)
    """ipfw commands by host, one a line, comments allowed."""
    dnctl: dict[Place, Block] = Field(default_factory=dict)
    """dnctl commands by host (pf's dummynet; real guests)."""
    pf: dict[Place, Block] = Field(default_factory=dict)
    """pf.conf by host (real guests)."""
    flows: Annotated[dict[FlowName, Flow], Field(max_length=1024)] = Field(default_factory=dict)
    """Traffic by name."""
    events: Annotated[tuple[Event, ...], Field(max_length=1000)] = ()
    """What happens during the run."""
    expect: dict[Line, ConditionText] = Field(default_factory=dict)
    """What must hold: metrics with conditions, verdict, panic.message, console ..."""
    regress: Annotated[dict[Line, Line], Field(max_length=100)] = Field(default_factory=dict)
    """What 'dnh regress' compares: metric (or expression) -> higher, lower or same, and the least difference
    that counts: 5%, or an amount (default 2%).  Without it: rate, loss and delay of every flow."""

    _file: str = PrivateAttr(default="")

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Scenario:
        """A copy, other values where ``update`` has some; nothing worked out of the old ones is kept."""
        copy = super().model_copy(update=update, deep=deep)
        for name in ("sha256", "topology", "expectations", "text_expectations"):
            copy.__dict__.pop(name, None)
        return copy

    # What the file was called; the text that the runner writes into a run's folder; who it is.

    @property
    def file(self) -> str:
        """The file that it was read from."""
        return self._file

    def in_file(self, file: str) -> Scenario:
        """The same scenario as read from ``file``."""
        copy = self.model_copy()
        copy._file = file
        return copy

    def to_dict(self) -> dict[str, Any]:
        """The scenario as YAML would have it, defaults left out; units are written out."""
        plain = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        for flow in plain.get("flows", {}).values():
            if "sizes" in flow:
                flow["sizes"] = {int(k): v for k, v in flow["sizes"].items()}
        for host in plain.get("hosts", {}).values():
            for link, end in host.items():
                addresses = end.get("address", [])
                if set(end) <= {"address"}:
                    host[link] = addresses[0] if len(addresses) == 1 else addresses
        return plain

    def to_yaml(self) -> str:
        """The expanded scenario as YAML; reads back as the same scenario."""
        text: str = yaml.dump(
            self.to_dict(),
            Dumper=_Dumper,
            sort_keys=False,
            allow_unicode=True,
            width=110,
            default_flow_style=False,
        )
        return text

    @functools.cached_property
    def sha256(self) -> str:
        """Hash of the expanded form: the same for the same scenario however its YAML is written."""
        return _digest(self.to_dict())

    def setup_digest(self) -> str:
        """Hash of what a guest has before anything is pushed into it: kernel, hosts, links, routes."""
        plain = self.to_dict()
        keys = ("kernel", "ncpu", "clock", "hosts", "links", "routes")
        forwards = {h: (self.forwards(h, 4), self.forwards(h, 6)) for h in self.hosts}
        return _digest([{k: plain.get(k) for k in keys}, forwards])

    # Time.

    def flow_end(self, flow: Flow) -> float:
        """When a flow ends (s)."""
        return flow.end if flow.end is not None else (self.length_ or 0.0)

    def length(self) -> float:
        """Guest time (s) that the run lasts."""
        if self.length_ is not None:
            return self.length_
        ends = [f.end or 0.0 for f in self.flows.values()]
        for event in self.events:
            last = event.at if event.at is not None else (event.until or event.start or 0.0)
            if event.every is not None and event.count is not None and event.until is None:
                last = (event.every if event.start is None else event.start) + (event.count - 1) * event.every
            ends.append(last)
        return max(ends, default=0.0) + GRACE

    def agenda(self, seed: int = 1) -> list[tuple[float, Action]]:
        """All that is to be done with its moments (s), in the order of time; ``seed`` throws the dice of one_of."""
        length = self.length()
        moments = [(at, n, event) for n, event in enumerate(self.events) for at in event.times(length)]
        dice = random.Random(seed)
        return [(at, event.action(dice)) for at, _, event in sorted(moments, key=lambda m: m[:2])]

    def actions(self) -> Iterator[tuple[tuple[str | int, ...], Action]]:
        """Every action that may happen, with its path in the file."""
        for n, event in enumerate(self.events):
            if event.one_of is None:
                yield ("events", n), event
            else:
                yield from ((("events", n, "one_of", k), action) for k, action in enumerate(event.one_of))

    # Network.

    def sysctls_of(self, host: str) -> dict[str, str]:
        """Sysctls of a host: those of ``all``, then its own.  ``guest`` is the base system."""
        every = self.sysctl.get("all", {}) if host != "guest" else {}
        return {**every, **self.sysctl.get(host, {})}

    def forwards(self, host: str, version: int) -> bool:
        """Does the host forward packets of this IP version?"""
        name = "net.inet.ip.forwarding" if version == 4 else "net.inet6.ip6.forwarding"
        return self.sysctls_of(host).get(name, "0").strip() not in ("0", "")

    @functools.cached_property
    def topology(self) -> Topology:
        """Who is joined to whom, and by which way."""
        return Topology(
            {host: {link: end.address for link, end in ends.items()} for host, ends in self.hosts.items()},
            {(host, v) for host in self.hosts for v in (4, 6) if self.forwards(host, v)},
        )

    def network(self) -> Network:
        """All that has to be there before sysctls and rules: ports and routes."""
        ports = []
        for host, ends in self.hosts.items():
            for link, end in ends.items():
                mtu = end.mtu or (self.links[link].mtu if link in self.links else None)
                ports.append(Port(host, link, end.address, mtu, end.ether))
        every = [(host, d, g) for host, table in routes(self).items() for d, g in table.items()]
        return Network(tuple(self.hosts), tuple(ports), tuple(every))

    def target(self, flow: Flow) -> str:
        """The address that a flow goes to: a host's name stands for its address on the flow's way."""
        if flow.host in self.hosts:
            found = self.topology.address_of(flow.host, flow.source)
            if found is None:
                raise ValueError(f"host {flow.host} has no address that {flow.source} can reach")
            return found
        return str(ipaddress.ip_address(flow.host))

    def receiver(self, flow: Flow) -> str:
        """The host that has the address that a flow goes to."""
        if flow.host in self.hosts:
            return flow.host
        owner = self.topology.owner(flow.host)
        if owner is None:
            raise ValueError(f"no host has the address {flow.host}")
        return owner

    # What is expected.

    def declared(self) -> tuple[str, ...]:
        """The verdicts that count as expected; the first is the one to be reported."""
        value = self.expect.get("verdict", "pass")
        return (value.strip(),) if isinstance(value, str) else tuple(v.strip() for v in value)

    def reports_allowed(self) -> bool:
        """May the kernel report something (a lock order, a leak) without the verdict being fail?"""
        return self.expect.get("reports") == "allowed"

    @functools.cached_property
    def expectations(self) -> tuple[x.Expectation, ...]:
        """The lines about metrics, parsed.  Raises ExpressionError where check() would have told."""
        return tuple(
            x.parse_expectation(metric, condition)
            for metric, value in self.expect.items()
            if metric not in x.SPECIAL
            for condition in ((value,) if isinstance(value, str) else value)
        )

    @functools.cached_property
    def text_expectations(self) -> tuple[x.TextExpectation, ...]:
        """The lines about the console and about a panic."""
        out = []
        for key, value in self.expect.items():
            if key not in x.SPECIAL or key in ("verdict", "reports"):
                continue
            if isinstance(value, str) or key == "panic.cycle":
                out.append(
                    x.parse_text(key, (value,) if key == "panic.cycle" and isinstance(value, str) else value)
                )
            else:
                out += [x.parse_text(key, v) for v in value]
        return tuple(out)

    @functools.cached_property
    def goals(self) -> tuple[g.Goal, ...]:
        """What two kernels are compared by.  Raises ExpressionError where check() would have told."""
        if not self.regress:
            return g.usual(self.flows)
        return tuple(g.parse_goal(metric, text) for metric, text in self.regress.items())

    def scaled(self, factor: float) -> Scenario:
        """The scenario for a slow guest: every rate times ``factor``.  ValueError unless ``scale: yes``."""
        if not self.scale:
            raise ValueError(f"{self.name} does not allow its rates to be scaled")

        def flow(f: Flow) -> Flow:
            if f.udp is None:
                return f
            load = f.udp
            return f.model_copy(update={"udp": Load(
                rate=None if load.rate is None else load.rate * factor,
                pps=None if load.pps is None else load.pps * factor,
            )})  # fmt: skip

        def text(value: Any) -> Any:
            if isinstance(value, str):
                return q.scale_rates(value, factor)
            return tuple(q.scale_rates(v, factor) for v in value)

        events = [
            e.model_copy(
                update={k: text(getattr(e, k)) for k in ("run", "pipe") if getattr(e, k) is not None}
            )
            for e in self.events
        ]
        blocks = {
            k: {h: text(v) for h, v in getattr(self, k).items()} for k in ("setup", "ipfw", "dnctl", "pf")
        }
        expected = {k: v if k in x.SPECIAL else text(v) for k, v in self.expect.items()}
        copy = self.model_copy(update={
            "flows": {n: flow(f) for n, f in self.flows.items()}, "events": tuple(events), "expect": expected,
            **blocks,
        })  # fmt: skip
        return type(self).model_validate(copy.to_dict()).in_file(self.file)


def routes(scenario: Scenario) -> dict[str, dict[str, str]]:
    """Routes by host, destination -> gateway: the scenario's; where a host has none, the shortest ones."""
    return {
        host: scenario.routes[host] if host in scenario.routes else scenario.topology.routes(host)
        for host in scenario.hosts
    }


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # Text of several lines reads best as a block; YAML cannot write one that has tabs or trailing blanks.
    block = "\n" in text and "\t" not in text and not re.search(r"[ \r][\n]|^\s|[^\n -~]", text)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if block else None)


_Dumper.add_representer(str, _represent)
