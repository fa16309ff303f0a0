
"""What is wrong is told in one line, at its place, with the nearest right word."""

import re

import pytest

from harness.errors import UsageError
from harness.scenario import load, loads

# (what to replace, by what, the first line told, how many lines)
CASES = [
    ("name: weighted", "nam: weighted", "f:1:1: unknown key 'nam' (did you mean 'name'?)", 1),
    ("hosts:", "hots:", "f:2:1: unknown key 'hots' (did you mean 'hosts'?)", 1),
    ("sysctl:", "syctl:", "f:6:1: unknown key 'syctl' (did you mean 'sysctl'?)", 1),
    ("  server: {wan", "  client: {wan", "f:5:3: the key 'client' is there already, in line 3", 1),
    ("10.0.2.2/24", "10.0.2.2", "f:5:17: '10.0.2.2' is no address with a prefix (10.0.1.1/24)", 1),
    ("10.0.2.2/24", "10.0.2.0/24", "f:5:17: '10.0.2.0/24' is the network address of 10.0.2.0/24", 1),
    ("10.0.2.2/24", "10.0.2.1/24", "f:5:17: router has the address 10.0.2.1 already", 1),
    ("10.0.2.2/24", "10.0.9.2/24", "f:4:35: 10.0.2.1/24 is in no network of link wan", 2),
    ("{router: {net.", "{ruoter: {net.", "f:6:10: unknown host 'ruoter' (did you mean 'router'?)", 3),
    ("forwarding: 1", "forwarding: 0", "f:15:58: client has no way to server", 2),
    ("5001 out xmit wan", "5001 out xmit wna", "f:12:55: router has no link 'wna' (did you mean 'wan'?)", 1),
    ("pipe 1 config bw 10", "pip 1 config bw 10", "f:9:5: unknown ipfw command 'pip' (did you mean 'pipe'?)", 1),
    ("gold:   {udp: 20Mbit/s", "gold:   {udp: 20Mbits", "f:15:17: 'Mbits' is no unit of a rate (did you mean 'Mbit/s'?)", 1),
    ("gold:   {udp: 20Mbit/s", "gold:   {udp: 20ms", "f:15:17: 'ms' is no unit of a rate", 1),
    ("gold:   {udp: 20Mbit/s", "gold:   {udp: 20", "f:15:17: '20' needs a unit to be a rate", 1),
    ("gold:   {udp: 20Mbit/s", "gold:   {udp: -20Mbit/s", "f:15:17: '-20Mbit/s' is negative", 1),
    ("gold:   {udp: 20Mbit/s", "gold:   {upd: 20Mbit/s", "f:15:12: unknown key 'upd' (did you mean 'udp'?)", 1),
    ("gold:   {udp", "gold:   {tcp: bulk, udp", "f:15:3: gold: wants exactly one of udp, tcp and ping, has udp, tcp", 1),
    ("gold:   {udp: 20Mbit/s, size: 1000", "gold:   {udp: 20Mbit/s, size: 12", "f:15:33: size: '12' is too small, at least 28", 1),
    ("gold:   {udp: 20Mbit/s, size: 1000", "gold:   {udp: 20Mbit/s, size: [1]", "f:15:33: size: wanted a whole number, found a list", 1),
    ("gold:   {udp: 20Mbit/s, size: 1000", "gold:   {udp: 20Mbit/s, size: 50", "f:15:33: packets of an IPv4 flow have at least 64 bytes", 1),
    ('to: "server:5001"', 'to: "sever:5001"', "f:15:58: unknown host 'sever' (did you mean 'server'?)", 1),
    ('to: "server:5001"', 'to: "10.0.2.7:5001"', "f:15:58: no host has the address 10.0.2.7", 1),
    ('to: "server:5001"', 'to: "server:70000"', "f:15:3: gold: 'server:70000' is no host:port or address:port", 1),
    ('to: "server:5001"', "to: server", "f:15:3: gold: 'server' has no port (write server:5001)", 1),
    ('to: "server:5002"', 'to: "server:5001"', "f:16:58: flow gold has udp port 5001 of server already", 1),
    ('5001", for: 5s', '5001", fro: 5s', "f:15:72: unknown key 'fro' (did you mean 'for'?)", 1),
    ('5001", for: 5s', '5001"', "f:15:3: gold does not say how long it lasts", 1),
    ('5001", for: 5s', '5001", start: 3s, stop: 2s', "f:15:3: gold: stops at 2s, not after its start at 3s", 1),
    ("at: 2s", "at: 2", "f:18:10: '2' needs a unit to be a time", 1),
    ("at: 2s", "at: 99999999s", "f:18:10: 99999999 s is too large, at most 604800 s", 1),
    ("at: 2s", "every: 2us", "f:18:13: every would happen 3000000 times (at most 100000)", 1),
    ("on: router, run", "on: rooter, run", "f:18:18: unknown host 'rooter' (did you mean 'router'?)", 1),
    ("on: router, run", "on: router, link: wna up, run", "f:18:5: events.0: wants exactly one of run", 1),
    ("- {at: 2s, on: router, run", "- {at: 2s, one_of: [{on: router, link: wna up}]}\n  - {at: 2s, on: router, run", "f:18:42: router has no link 'wna' (did you mean 'wan'?)", 1),
    ('run: "ipfw pipe 1 config bw 5Mbit/s delay 20ms"', "link: wna up", "f:18:32: router has no link 'wna' (did you mean 'wan'?)", 1),
    ("verdict: pass", "verdict: pas", "f:20:12: unknown verdict 'pas' (did you mean 'pass'?)", 1),
    ("verdict: pass", "verdikt: pass", "f:20:3: unknown key 'verdikt' (did you mean 'verdict'?)", 1),
    ("verdict: pass", "panic.message: x", "f:20:3: panic.message has no meaning unless the verdict may be panic", 1),
    ("verdict: pass", "console: /(/", "f:20:13: not a regular expression", 1),
    ("gold.rate /", "god.rate /", "f:21:3: unknown flow 'god' (did you mean 'gold'?)", 1),
    ("/ bronze.rate", "/ bronze.rat", "f:21:22: unknown metric 'rat' (did you mean 'rate'?)", 1),
    ("/ bronze.rate", "* bronze.rate", "f:21:13: this comes to something that has no unit", 1),
    ("/ bronze.rate", "- bronze.loss", "f:21:13: a rate - a plain number makes no sense", 1),
    ("2 +- 2%", "5ms..1ms", "f:21:28: a time where a plain number is wanted", 1),
    ("2 +- 2%", "3..1", "f:21:28: this range is empty", 1),
    ("2 +- 2%", "2 +- -1", "f:21:33: a tolerance cannot be negative", 1),
    ("2 +- 2%", "< 0", "f:21:30: this can never hold", 1),
    ("< 200ms", "< 200", "f:22:21: a number without a unit where a time is wanted", 1),
    ("< 200ms", "< 200Mbit/s", "f:22:21: a rate where a time is wanted", 1),
    ("< 200ms", "> 200ms", "f:22:19: text that begins with > or | needs quotes", 1),
    ("gold.delay.p99", "router.pipe.7.drops", "f:22:3: router has no pipe 7 (it has 1)", 2),
    ("gold.delay.p99", "router.if.wna.opackets", "f:22:3: router has no link 'wna' (did you mean 'wan'?)", 2),
    ("gold.delay.p99", "gold.rate[4s..2s]", "f:22:3: the window of gold.rate ends before it begins", 1),
    ("  gold:", "\tgold:", "f:15:1: a tab; YAML is indented with spaces", 1),
    ("events:", "matrix: {bw: [1, 2]}\nevents:", "f:17:10: nothing uses ${bw}", 1),
    ("events:", "matrix: {flows.gold.udp: [1Mbit/s, 2Mbit]}\nevents:", "f:17:36: 'Mbit' is no unit of a rate", 1),
    ("events:", "kernel: {flavour: debgu}\nevents:", "f:17:19: 'debgu' is not one of debug, release (did you mean 'debug'?)", 1),
    ("events:", "links: {lam: {mtu: 1400}}\nevents:", "f:17:9: no host has a link 'lam' (did you mean 'lan'?)", 1),
    ("events:", "routes: {client: {default: 10.0.9.9}}\nevents:", "f:17:28: 10.0.9.9 is on no link of client", 1),
    ("events:", "pf: {router: pass}\nevents:", "f:17:1: pf needs a real FreeBSD", 1),
    ("events:", "sample: 1us\nevents:", "f:17:9: sample makes", 1),
    ("events:", "ncpu: many\nevents:", "f:17:7: ncpu: wanted a whole number, found 'many'", 1),
    ("events:", "scale: perhaps\nevents:", "f:17:8: scale: wanted yes or no, found 'perhaps'", 1),
    ("events:", 'about: "a\\ud800"\nevents:', "f:17:8: a character U+D800 has no place in a scenario", 1),
    ("events:", 'about: "a\\x07"\nevents:', "f:17:8: a character U+0007 has no place in a scenario", 1),
    ("events:", "a: &a [*a]\nevents:", "f:17:4: aliases that repeat themselves", 1),
    ("events:", "tags: !!python/name:os.system x\nevents:", "f:17:7: the tag", 1),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "told", "lines"), CASES, ids=[c[1][:40] for c in CASES])
def test_told_at_its_place(sketch: str, old: str, new: str, told: str, lines: int) -> None:
    assert old in sketch
    with pytest.raises(UsageError) as e:
        loads(sketch.replace(old, new, 1), "f")
    said = str(e.value).splitlines()
    assert said[0].startswith(told), said
    assert len(said) == lines, said
    assert e.value.exit_code == 2


def test_several_at_once_in_the_order_of_the_file(sketch: str) -> None:
    text = sketch.replace("size: 1000", "size: 1", 1).replace("5s}", "5}").replace("at: 2s", "at: 2ss")
    with pytest.raises(UsageError) as e:
        loads(text, "f")
    places = [tuple(map(int, line.split(":")[1:3])) for line in str(e.value).splitlines()]
    assert len(places) == 4
    assert places == sorted(places)


def test_very_many_are_counted(sketch: str) -> None:
    flows = "".join(
        f"  f{n}: {{udp: 1Mbit/x, from: client, to: 'server:{n + 1}', for: 1s}}\n" for n in range(100)
    )
    with pytest.raises(UsageError) as e:
        loads(sketch.replace("events:", f"{flows}events:".replace("  f0", "  f0", 1)), "f")
    said = str(e.value).splitlines()
    assert len(said) == 21
    assert said[-1] == "f: and 80 more"


def test_an_unknown_key_hides_nothing(sketch: str) -> None:
    text = sketch.replace("on: router, run", "onn: guest, on: router, run").replace(
        "gold.rate /", "god.rate /"
    )
    with pytest.raises(UsageError) as e:
        loads(text, "f")
    assert [line.split(": ")[1][:12] for line in str(e.value).splitlines()] == [
        "unknown key ",
        "unknown flow",
    ]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", ":1:1: an empty file"),
        (b"- a\n", ":1:1: wanted a mapping"),
        (b"name: \xff\n", ":1:7: not UTF-8: byte 0xff"),
        ("naïve: \xa0".encode() + b"\n\n x\x80", ":3:3: not UTF-8: byte 0x80"),
        (b"name: a\x00b\n", ":1:8: a character U+0000 that YAML does not allow"),
        (b"name: [" + b"[" * 5000, ":1:"),
        (b"x: " * 300000, ": the file is too large (at most 524288 bytes)"),
        (b"a: 1\n---\nb: 2\n", ":2:1: a second document"),
        (b"a: 'x\n", ":2:1: a text in quotes without its end"),
        (b"a: %x\n", ":1:4: text that begins with % needs quotes"),
        (b"a: b: c\n", ":1:5: a ':' that makes no sense"),
        (b"? [a, b]\n: c\n", ":1:3: a key must be a word"),
    ],
)
def test_files_that_are_none(tmp_path, data: bytes, told: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(data)
    with pytest.raises(UsageError) as e:
        load(path)
    first = str(e.value).splitlines()[0]
    assert first.startswith(f"{path}{told}"), first


def test_aliases_that_grow(sketch: str) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )
    with pytest.raises(UsageError, match="aliases that make more than 50000 values"):
        loads(bomb, "f")


def test_aliases_are_fine_otherwise(sketch: str) -> None:
    text = sketch.replace(
        'from: client, to: "server:5001", for: 5s', 'from: client, to: "server:5001", for: &long 5s'
    )
    text = text.replace('"server:5002", for: 5s', '"server:5002", for: *long')
    assert loads(text)[0].flows["bronze"].duration == 5.0


def test_a_missing_file(tmp_path) -> None:
    with pytest.raises(UsageError, match=re.escape(f"{tmp_path}/no.yaml: no such file or directory")):
        load(tmp_path / "no.yaml")
    with pytest.raises(UsageError, match="is a directory"):
        load(tmp_path)


OVERRIDES = [
    ("flows.gold.udp", "5ms", "--set flows.gold.udp: 'ms' is no unit of a rate"),
    ("flows.god.udp", "5Mbit/s", "--set flows.god.udp: no 'god' in flows (did you mean 'gold'?)"),
    ("flows.gold.upd", "5Mbit/s", "--set flows.gold.upd: unknown key 'upd'"),
    ("kernl.flavour", "debug", "--set kernl.flavour: unknown key 'kernl' (did you mean 'kernel'?)"),
    ("kernel.flavour", "x", "--set kernel.flavour: 'x' is not one of debug, release"),
    ("events.3.at", "1s", "--set events.3.at: events has no item '3' (0 to 0)"),
    ("name.x", "1s", "--set name.x: name is 'weighted fairness through a router', there is no 'x' in it"),
    ("", "1", "--set : '' is no path of keys"),
    ("flows.gold", "{udp: 1Mbit/s", "--set flows.gold:1:14: "),
    ("expect.gold.rat", "< 5Mbit/s", "--set expect.gold.rat: unknown metric 'rat' (did you mean 'rate'?)"),
    ("expect.gold.rate", "< 5ms", "--set expect.gold.rate: a time where a rate is wanted"),
]


@pytest.mark.parametrize(("key", "value", "told"), OVERRIDES, ids=[o[0] for o in OVERRIDES])
def test_set_names_itself(sketch: str, key: str, value: str, told: str) -> None:
    with pytest.raises(UsageError) as e:
        loads(sketch, "f", {key: value})
    assert str(e.value).startswith(told)
    assert "\n" not in str(e.value)
