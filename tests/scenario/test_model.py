
"""Scenarios: what loads, what it means, and that it reads back as written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from harness.errors import UsageError
from harness.scenario import load, loads, routes
from harness.scenario import quantity as q
from harness.scenario.model import Event, Flow, split_target
from harness.traffic import units


def test_the_sketch_as_it_stands(sketch: str) -> None:
    [s] = loads(sketch, "sketch.yaml")
    gold = s.flows["gold"]
    assert (gold.kind, gold.udp and gold.udp.rate, gold.weights, gold.port) == ("udp", 20e6, {1000: 1}, 5001)
    assert s.target(gold) == "10.0.2.2"
    assert s.receiver(gold) == "server"
    assert s.length() == 6.0
    assert [(t, e.commands()) for t, e in s.agenda()] == [
        (2.0, [("router", "ipfw pipe 1 config bw 5Mbit/s delay 20ms")])
    ]
    assert s.declared() == ("pass",)
    assert [e.metric for e in s.expectations] == ["gold.rate / bronze.rate", "gold.delay.p99"]
    assert s.network().routes == (
        ("client", "10.0.2.0/24", "10.0.1.2"),
        ("server", "10.0.1.0/24", "10.0.2.1"),
    )
    assert s.file == "sketch.yaml"
    assert s.cell == {}


def test_reads_back(file) -> None:
    for s in load(file):
        [again] = loads(s.to_yaml(), "again")
        assert again.model_dump() == s.model_dump()
        assert again.sha256 == s.sha256
        assert again.to_yaml() == s.to_yaml()


def test_the_hash_is_of_what_it_says_not_of_how(sketch: str) -> None:
    [a] = loads(sketch)
    [b] = loads(
        sketch.replace("20Mbit/s", "20000 kbit/s")
        .replace("# each", "# All")
        .replace("for: 5s", "for: 5000ms")
    )
    [c] = loads(sketch.replace("20Mbit/s", "21Mbit/s"))
    assert a.sha256 == b.sha256 != c.sha256


def test_setup_digest_is_of_hosts_and_kernel_alone(sketch: str) -> None:
    [a] = loads(sketch)
    [b] = loads(sketch.replace("20Mbit/s", "21Mbit/s").replace("delay 20ms", "delay 1ms"))
    [c] = loads(sketch, overrides={"kernel.flavour": "release"})
    assert a.setup_digest() == b.setup_digest() != c.setup_digest()


def test_copies_forget_what_was_worked_out(sketch: str) -> None:
    [a] = loads(sketch)
    before = (a.sha256, a.expectations, a.topology)
    b = a.model_copy(update={"expect": {"gold.loss": "< 5%"}, "name": "other"})
    assert b.sha256 != before[0]
    assert [e.metric for e in b.expectations] == ["gold.loss"]


# --- matrix ----------------------------------------------------------------------------------------


def test_matrix_of_paths_and_names(sketch: str) -> None:
    text = sketch.replace("bw 10Mbit/s delay", "bw ${bw} delay").replace(
        "events:",
        "matrix:\n  bw: [1Mbit/s, 2Mbit/s]\n  flows.gold.size: [100, 200]\n  kernel.flavour: [debug]\nevents:",
    )
    cells = loads(text, "f")
    assert [c.cell for c in cells] == [
        {"bw": bw, "flows.gold.size": size, "kernel.flavour": "debug"}
        for bw in ("1Mbit/s", "2Mbit/s")
        for size in (100, 200)
    ]
    assert [c.flows["gold"].size for c in cells] == [100, 200, 100, 200]
    assert "bw 2Mbit/s" in cells[3].ipfw["router"]
    assert all(not c.matrix for c in cells)
    assert len({c.sha256 for c in cells}) == 4
    [again] = loads(cells[3].to_yaml())
    assert again.cell == cells[3].cell
    assert again.sha256 == cells[3].sha256


def test_cells_that_differ(sketch: str) -> None:
    text = sketch.replace("events:", """matrix:
  flows.gold.size: [100, 200]
  seed: [7, 8]
but:
  - {flows.gold.size: 200, expect.verdict: [fail, panic]}
  - {flows.gold.size: 200, seed: 8, expect.verdict: panic, name: the last}
events:""")  # fmt: skip
    cells = loads(text)
    assert [c.expect.get("verdict") for c in cells[2:]] == [("fail", "panic"), "panic"]
    assert cells[0].expect == cells[1].expect and cells[0].expect.get("verdict") not in ("panic", ("fail", "panic"))
    assert [c.name == "the last" for c in cells] == [False, False, False, True]


@pytest.mark.parametrize(
    ("but", "said"),
    [
        ("[{seed: 7}]", "wanted a value of the matrix and a path"),
        ("[{expect.verdict: fail}]", "wanted a value of the matrix and a path"),
        ("[{sead: 7, name: x}]", "unknown key 'sead'"),
        ("[x]", "wanted a value of the matrix and a path"),
        ("{seed: 7}", "wanted a list"),
    ],
)
def test_cells_that_differ_wrongly(sketch: str, but: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        loads(sketch.replace("events:", f"matrix: {{seed: [7, 8]}}\nbut: {but}\nevents:"))
    with pytest.raises(UsageError, match="there is no matrix"):
        loads(sketch.replace("events:", f"but: {but}\nevents:"))


def test_matrix_in_keys_numbers_and_dotted_names(sketch: str) -> None:
    text = sketch.replace("gold.delay.p99: < 200ms", "gold.delay.${p}: < 200ms").replace(
        "events:",
        "matrix:\n  p: [p50, p99]\n  sysctl.router.net.inet.ip.fw.one_pass: [0, 1]\n  seed: [7, 8]\nevents:",
    )
    cells = loads(text)
    assert len(cells) == 8
    assert cells[0].sysctl["router"] == {"net.inet.ip.forwarding": "1", "net.inet.ip.fw.one_pass": "0"}
    assert (cells[0].seed, cells[1].seed) == (7, 8)
    assert "gold.delay.p99" in cells[-1].expect


def test_matrix_too_large(sketch: str) -> None:
    axes = "".join(f"  flows.gold.size.x{n}: [{', '.join(map(str, range(100)))}]\n" for n in range(6))
    with pytest.raises(UsageError, match="the matrix makes 1000000000000 cells"):
        loads(sketch.replace("events:", f"matrix:\n{axes}events:"))


def test_shell_text_keeps_its_dollars(sketch: str) -> None:
    [s] = loads(sketch.replace("events:", 'setup: {client: "x=1; echo ${x} $x"}\nevents:'))
    assert s.setup["client"] == "x=1; echo ${x} $x"


def test_set(sketch: str) -> None:
    text = sketch.replace("events:", "matrix: {flows.gold.size: [100, 200]}\nevents:")
    [s] = loads(
        text, "f", {"flows.gold.size": "300", "seed": "5", "sysctl.client.net.x.y": "3", "events.0.at": "1s"}
    )
    assert s.flows["gold"].size == 300
    assert (s.seed, s.sysctl["client"], s.events[0].at) == (5, {"net.x.y": "3"}, 1.0)
    assert len(loads(text, "f", {"flows.gold.size": "[1000, 1100, 1200]"})) == 3
    [s] = loads(sketch, "f", {"expect.gold.rate[1s..2s]": "> 1Mbit/s", "links": "{lan: {mtu: 1400}}"})
    assert "gold.rate[1s..2s]" in s.expect
    assert [p.mtu for p in s.network().ports] == [1400, 1400, None, None]


# --- hosts, links, routes --------------------------------------------------------------------------

CHAIN = """\
name: chain
hosts:
  a: {l1: [10.0.1.1/24, 2001:db8:1::1/64]}
  r1: {l1: [10.0.1.2/24, 2001:db8:1::2/64], l2: [10.0.2.1/24, 2001:db8:2::1/64]}
  r2: {l2: [10.0.2.2/24, 2001:db8:2::2/64], l3: {address: [10.0.3.1/24, 2001:db8:3::1/64], mtu: 1400}}
  b: {l3: [10.0.3.2/24, 2001:db8:3::2/64]}
sysctl:
  r1: {net.inet.ip.forwarding: 1}
  r2: {net.inet.ip.forwarding: 1, net.inet6.ip6.forwarding: 1}
flows:
  x: {udp: 1Mbit/s, from: a, to: "b:5001", for: 1s}
"""


def test_routes_through_hosts_that_forward() -> None:
    [s] = loads(CHAIN)
    assert routes(s) == {
        "a": {"10.0.2.0/24": "10.0.1.2", "10.0.3.0/24": "10.0.1.2"},
        "r1": {"10.0.3.0/24": "10.0.2.2", "2001:db8:3::/64": "2001:db8:2::2"},
        "r2": {"10.0.1.0/24": "10.0.2.1"},
        "b": {"10.0.2.0/24": "10.0.3.1", "10.0.1.0/24": "10.0.3.1", "2001:db8:2::/64": "2001:db8:3::1"},
    }
    [s] = loads(
        CHAIN.replace(
            "sysctl:\n", "routes: {a: {default: 10.0.1.2}}\nsysctl:\n  all: {net.inet6.ip6.forwarding: 1}\n"
        )
    )
    assert routes(s)["a"] == {"default": "10.0.1.2"}
    assert routes(s)["r2"] == {"10.0.1.0/24": "10.0.2.1", "2001:db8:1::/64": "2001:db8:2::1"}


@pytest.mark.parametrize(
    ("to", "target", "owner"),
    [
        ("b:5001", "10.0.3.2", "b"),
        ("r2:5001", "10.0.2.2", "r2"),
        ("10.0.3.1:5001", "10.0.3.1", "r2"),
        ("[2001:db8:1::2]:5001", "2001:db8:1::2", "r1"),
        ("a:5001", "10.0.1.1", "a"),
    ],
)
def test_targets(to: str, target: str, owner: str) -> None:
    [s] = loads(CHAIN.replace('"b:5001"', f'"{to}"'))
    assert (s.target(s.flows["x"]), s.receiver(s.flows["x"])) == (target, owner)


def test_no_way() -> None:
    with pytest.raises(UsageError, match="a has no way to 2001:db8:3::2"):
        loads(CHAIN.replace("b:5001", "[2001:db8:3::2]:5001"))


@pytest.mark.parametrize(
    ("flow", "said"),
    [
        ('udp: 1Mbit/s, size: 83, from: a, to: "[2001:db8:1::2]:5001"', "at least 84 bytes"),
        ('ping: 1s, from: a, to: "2001:db8:1::2"', "dngen pings IPv4 only"),
    ],
)
def test_what_ipv6_flows_cannot(flow: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        loads(CHAIN + f"  y: {{{flow}, for: 1s}}\n")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("server:5001", ("server", 5001)), ("10.0.0.1:1", ("10.0.0.1", 1)), ("server", ("server", None)),
        ("2001:db8::1", ("2001:db8::1", None)), ("[2001:db8::1]:53", ("2001:db8::1", 53)), ("x:0", ("", None)),
        ("x:65536", ("", None)), ("x y", ("", None)), ("", ("", None)), (":5", ("", None)),
    ],
)  # fmt: skip
def test_split_target(text: str, parts: tuple[str, int | None]) -> None:
    assert split_target(text) == parts


# --- events ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "commands"),
    [
        ({"on": "r", "link": "wan down"}, [("r", "ifconfig wan down")]),
        ({"on": "r", "pipe": "1 config bw 5Mbit/s"}, [("r", "ipfw pipe 1 config bw 5Mbit/s")]),
        ({"on": "r", "delete": "pipe 1"}, [("r", "ipfw pipe delete 1")]),
        ({"on": "r", "delete": "rule 100"}, [("r", "ipfw delete 100")]),
        ({"on": "guest", "sysctl": {"a.b": 1, "c.d": "x"}}, [(None, "sysctl a.b=1"), (None, "sysctl c.d=x")]),
        ({"on": "r", "destroy": "wan"}, [("r", "ifconfig wan destroy")]),
        ({"unload": "dummynet"}, [(None, "kldunload dummynet")]),
        ({"load": "dummynet"}, [(None, "kldload dummynet")]),
        ({"on": "r", "jail": "remove"}, [(None, "jail -r r")]),
        ({"on": "r", "run": "true; false"}, [("r", "true; false")]),
    ],
)
def test_events_are_freebsds_commands(event: dict, commands: list) -> None:
    assert Event.model_validate({"at": "1s", **event}).commands() == commands


def test_times_of_events() -> None:
    def times(**keys: object) -> list[float]:
        return list(Event.model_validate({"run": "x", "on": "r", **keys}).times(1.0))

    assert times(at="500ms") == [0.5]
    assert times(every="250ms") == [0.25, 0.5, 0.75, 1.0]
    assert times(every="250ms", **{"from": "0"}) == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert times(every="250ms", until="600ms") == [0.25, 0.5]
    assert times(every="100ms", count=3) == pytest.approx([0.1, 0.2, 0.3])


def test_models_are_frozen_and_closed(sketch: str) -> None:
    [s] = loads(sketch)
    with pytest.raises(ValidationError):
        s.seed = 3  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Flow.model_validate({"udp": "1Mbit/s", "from": "a", "to": "b:1", "x": 1})


# --- scale -----------------------------------------------------------------------------------------


def test_scaled(sketch: str) -> None:
    [s] = loads(
        sketch.replace("events:", "scale: yes\nevents:").replace(
            "gold.delay.p99: < 200ms", "gold.rate: 6666667bit/s"
        )
    )
    half = s.scaled(0.5)
    assert half.flows["gold"].udp and half.flows["gold"].udp.rate == 10e6
    assert "pipe 1 config bw 5Mbit/s delay 20ms queue 50" in half.ipfw["router"]
    assert half.events[0].run == "ipfw pipe 1 config bw 2500Kbit/s delay 20ms"
    assert half.expect["gold.rate / bronze.rate"] == "2 +- 2%"
    assert half.expect["gold.rate"] == "3333334bit/s"
    assert half.flows["gold"].duration == 5.0
    with pytest.raises(ValueError, match="does not allow"):
        loads(sketch)[0].scaled(0.5)


# --- units -----------------------------------------------------------------------------------------


@given(st.sampled_from(["bit/s", "s", "packets/s", "bytes", "packets", ""]), st.floats(1e-9, 1e15))
def test_text_of_a_quantity_reads_back_exactly(unit: str, value: float) -> None:
    text = q.exact(value, unit)
    parse = {"bit/s": units.parse_rate, "s": units.parse_time, "packets/s": units.parse_pps}.get(
        unit, units.parse_size
    )
    assert parse(text) == value


@given(st.integers(1, 10**6), st.sampled_from(["ns", "us", "ms", "s"]))
def test_whole_numbers_stay_whole(number: int, unit: str) -> None:
    value = units.parse_time(f"{number}{unit}")
    assert units.parse_time(q.exact(value, "s")) == value
    assert len(q.exact(value, "s")) <= len(f"{number}{unit}") + 1


def test_schema_version_is_in_the_schema() -> None:
    from harness.scenario.schema import scenario_schema

    schema = scenario_schema()
    assert schema["$id"].endswith("dnh-scenario-1.json")
    assert set(schema["required"]) == {"name", "hosts"}


def test_one_of_several_by_the_seed() -> None:
    text = """
name: dice
hosts: {a: {lan: 10.0.1.1/24}, b: {lan: 10.0.1.2/24}}
flows: {load: {udp: 1Mbit/s, from: a, to: "b:5001", for: 5s}}
events:
  - every: 10ms
    one_of:
      - {on: guest, run: "true"}
      - {on: a, link: lan down, may_fail: true}
      - {unload: dummynet}
expect: {verdict: pass}
"""
    s = loads(text)[0]
    first = [a.commands() for _, a in s.agenda(1)]
    assert first == [a.commands() for _, a in s.agenda(1)]
    assert first != [a.commands() for _, a in s.agenda(2)]
    counts = [sum(a.commands() == [c] for _, a in s.agenda(1)) for c in ((None, "true"), ("a", "ifconfig lan down"))]
    assert len(first) == 600 and all(150 < n < 250 for n in counts)
