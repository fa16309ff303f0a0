"""ipfw(8) of the user-mode guest: what is added is shown again in FreeBSD's words; sets, numbers, counters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from netlab import Lab, booted


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with booted(tmp_path_factory.mktemp("ipfw")) as made:
        yield made


@pytest.fixture(autouse=True)
def _no_rules(lab: Lab) -> None:
    lab.do("ipfw -q flush; ipfw set enable 0 1 2 3 4 5")


def added(lab: Lab, rule: str) -> str:
    """What ipfw says of the rule, which must be what the list shows of it."""
    said = lab.do(f"ipfw add {rule}").strip()
    number = said.split()[0]
    assert said in lab.do(f"ipfw list {int(number)}").splitlines()
    return said


#: As it is typed, as it is shown (None: the same).
RULES: list[tuple[str, str | None]] = [
    ("100 allow ip from any to any", None),
    ("100 pass all from any to any", "100 allow ip from any to any"),
    ("100 permit ip from any to any", "100 allow ip from any to any"),
    ("100 accept ip from 0.0.0.0/0 to any", "100 allow ip from any to any"),
    ("100 drop udp from any to any", "100 deny udp from any to any"),
    ("100 count ip from any to any", None),
    ("100 skipto 65535 ip from any to any", None),
    ("100 pipe 1 ip from any to any", None),
    ("100 queue 65534 ip from any to any", None),
    ("100 reject ip from any to any", None),
    ("100 unreach host ip from any to any", "100 reject ip from any to any"),
    ("100 unreach port udp from any to any", None),
    ("100 unreach 77 udp from any to any", None),
    ("100 reset tcp from any to any", None),
    ("100 allow 6 from any to any", "100 allow tcp from any to any"),
    ("100 allow 200 from any to any", None),
    ("100 allow { tcp or udp } from any to any", None),
    ("100 allow not tcp from any to any", None),
    ("100 allow ip4 from any to any", None),
    ("100 allow ip from 10.0.0.1 to 10.0.0.2/32", "100 allow ip from 10.0.0.1 to 10.0.0.2"),
    ("100 allow ip from 10.1.2.3/8 to me", "100 allow ip from 10.0.0.0/8 to me"),
    ("100 allow ip from 10.0.0.0:255.255.0.0 to any", "100 allow ip from 10.0.0.0/16 to any"),
    ("100 allow ip from 10.0.0.0:255.0.255.0 to any", None),
    ("100 allow ip from 10.0.0.1,10.0.0.2,10.1.0.0/16 to not 10.9.0.0/16", None),
    ("100 allow ip from { 1.2.3.4 or not 10.0.0.0/8 or me } to any", None),
    ("100 allow ip from 10.0.0.0/24{1,3-7,9} to any", "100 allow ip from 10.0.0.0/24{1,3-7,9} to any"),
    ("100 allow udp from any 53 to any 1024-65535,53,80-81", None),
    ("100 allow udp from any domain to any http", "100 allow udp from any 53 to any 80"),
    ("100 allow udp from any to any dst-port 5001", "100 allow udp from any to any 5001"),
    ("100 allow udp from any to any src-port 7 dst-port 9", "100 allow udp from any 7 to any 9"),
    ("100 allow udp from any to any not dst-port 5001", "100 allow udp from any to any not 5001"),
    ("100 allow ip from any to any in", None),
    ("100 allow ip from any to any not in", "100 allow ip from any to any out"),
    ("100 allow ip from any to any out xmit lan", None),
    ("100 allow ip from any to any in recv epair*", None),
    ("100 allow ip from any to any via 10.0.0.1", None),
    ("100 allow ip from any to any not via lan", None),
    ("100 allow ip from any to any layer2", None),
    ("100 allow ip from any to any not layer2 out via lan", None),
    ("100 allow ip from any to any MAC 02:00:00:00:00:01 any", None),
    (
        "100 allow ip from any to any MAC any 02:00:00:00:00:01/24",
        "100 allow ip from any to any MAC any 02:00:00:00:00:00/24",
    ),
    ("100 allow ip from any to any mac-type arp", "100 allow ip from any to any mac-type 0x0806"),
    ("100 allow ip from any to any mac-type 0x0800,0x86dd", None),
    ("100 allow ip from any to any iplen 1000", None),
    ("100 allow ip from any to any iplen 0-100,1500", None),
    ("100 allow ip from any to any ipttl 1-5", None),
    ("100 allow ip from any to any ipid 7", None),
    ("100 allow ip from any to any ipver 4", None),
    ("100 allow ip from any to any iptos lowdelay,!throughput", None),
    ("100 allow ip from any to any ipprecedence 3", None),
    ("100 allow ip from any to any dscp af11,ef,7", "100 allow ip from any to any dscp 7,af11,ef"),
    ("100 allow ip from any to any frag", "100 allow ip from any to any frag offset"),
    ("100 allow ip from any to any frag df,!mf", None),
    ("100 allow icmp from any to any icmptypes 0,8", None),
    ("100 allow tcp from any to any established", None),
    ("100 allow tcp from any to any setup", None),
    ("100 allow tcp from any to any tcpflags syn,!ack", "100 allow tcp from any to any setup"),
    ("100 allow tcp from any to any tcpflags syn,fin,!rst", None),
    ("100 allow tcp from any to any tcpdatalen 0", None),
    ("100 allow tcp from any to any tcpwin 100-200", None),
    ("100 allow ip from any to any src-ip 10.0.0.1", "100 allow ip from 10.0.0.1 to any"),
    ("100 allow ip from any to any proto udp", "100 allow udp from any to any"),
    ("100 prob 0.5 deny ip from any to any", "100 prob 0.500000 deny ip from any to any"),
    ("100 allow log ip from any to any", None),
    ("100 allow log logamount 10 ip from any to any", None),
    ("100 allow ip from any to any // a word or two", None),
    ("100 allow in via lan", "100 allow in via lan"),
    ("100 allow dst-port 80 out", None),
    ("100 allow ip from any to any { in or out }", None),
    ("100 allow ip from any to any { dst-port 80 or src-port 80 }", None),
]


@pytest.mark.parametrize(("rule", "shown"), RULES, ids=[r[0].removeprefix("100 ") for r in RULES])
def test_rule_is_shown_as_freebsd_shows_it(lab: Lab, rule: str, shown: str | None) -> None:
    said = added(lab, rule)
    assert said == "00" + (shown or rule)
    # What is shown can be typed again.
    lab.do("ipfw delete 100")
    assert added(lab, said.removeprefix("00")) == said


octet = st.integers(0, 255)
address = st.tuples(octet, octet, octet, octet).map(lambda o: ".".join(map(str, o)))


@st.composite
def network(draw: st.DrawFn) -> str:
    bits = draw(st.integers(1, 31))
    value = draw(st.integers(0, 2**32 - 1)) & (0xFFFFFFFF << (32 - bits)) & 0xFFFFFFFF
    return ".".join(str(value >> s & 255) for s in (24, 16, 8, 0)) + f"/{bits}"


addresses = st.one_of(
    st.just("any"),
    st.just("me"),
    address.filter(lambda a: a != "0.0.0.0"),
    network(),
    st.lists(st.one_of(address, network()), min_size=2, max_size=5).map(",".join),
)
port = st.integers(0, 65535)
port_range = st.tuples(port, port).filter(lambda p: p[0] < p[1]).map(lambda p: f"{p[0]}-{p[1]}")
ports = st.lists(st.one_of(port.map(str), port_range), min_size=1, max_size=6).map(",".join)
option = st.one_of(
    st.sampled_from(["in", "out", "layer2", "established", "setup", "not layer2"]),
    st.sampled_from(["via", "recv", "xmit"]).flatmap(
        lambda w: st.sampled_from(["lan", "epair0a", "ep*", "10.1.2.3"]).map(lambda n: f"{w} {n}")
    ),
    ports.map(lambda p: f"iplen {p}"),
    st.lists(st.integers(0, 31), min_size=1, max_size=5, unique=True).map(
        lambda t: "icmptypes " + ",".join(map(str, sorted(t)))
    ),
)


@st.composite
def rules(draw: st.DrawFn) -> str:
    """A rule in the words in which ipfw shows it."""
    number = draw(st.integers(1, 65534))
    action = draw(
        st.one_of(
            st.sampled_from(["allow", "deny", "count", "reject", "reset"]),
            st.integers(1, 65534).map(lambda n: f"pipe {n}"),
            st.integers(1, 65534).map(lambda n: f"queue {n}"),
            st.integers(1, 65535).map(lambda n: f"skipto {n}"),
        )
    )
    log = draw(st.sampled_from(["", " log", " log logamount 3"]))
    proto = draw(st.sampled_from(["ip", "tcp", "udp", "icmp", "gre", "77", "{ tcp or udp }", "not tcp"]))
    negate = st.sampled_from(["", "not "])
    ends = []
    for _ in range(2):
        where = draw(addresses)
        ends.append(
            (draw(negate) if where != "any" else "")
            + where
            + draw(st.one_of(st.just(""), ports.map(lambda p: " " + p)))
        )
    options = draw(st.lists(option, max_size=4, unique_by=lambda o: o.split()[0]))
    return f"{number:05d} {action}{log} {proto} from {ends[0]} to {ends[1]}" + "".join(
        f" {o}" for o in options
    )


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rule=rules())
def test_random_rules_come_back_as_they_went(lab: Lab, rule: str) -> None:
    if rule.count(" established") and rule.count(" setup"):
        return
    number = int(rule.split(maxsplit=1)[0])
    said = lab.do(f"ipfw add {number} {rule.split(' ', 1)[1]}").strip()
    assert said == rule
    assert rule in lab.do(f"ipfw list {number}").splitlines()
    lab.do(f"ipfw delete {number}")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(
        st.one_of(
            st.sampled_from(
                [
                    "add",
                    "allow",
                    "deny",
                    "pipe",
                    "1",
                    "queue",
                    "ip",
                    "udp",
                    "from",
                    "any",
                    "to",
                    "not",
                    "or",
                    "{",
                    "}",
                    "(",
                    ")",
                    "in",
                    "out",
                    "via",
                    "recv",
                    "10.0.0.1",
                    "10.0.0.0/33",
                    "10.0.0.0/8{1-300}",
                    "1-2-3",
                    ",",
                    ",,",
                    "5-1",
                    "70000",
                    "dst-port",
                    "MAC",
                    "prob",
                    "log",
                    "logamount",
                    "frag",
                    "df",
                    "icmptypes",
                    "99",
                    "set",
                    "31",
                    "tcpflags",
                    "syn,foo",
                    "iptos",
                    "dscp",
                    "zz",
                    "proto",
                    "//",
                    "table(1)",
                    "me6",
                    "tablearg",
                ]
            ),
            st.text("abcxyz0123456789.,-:/{}!", min_size=1, max_size=12),
        ),
        max_size=14,
    )
)
def test_no_words_harm_it(lab: Lab, words: list[str]) -> None:
    """Nonsense is refused with one of sysexits(3)'s numbers, and the rest of the rules stay as they were."""
    status, _ = lab.run("ipfw add 7 " + " ".join(f"'{w}'" for w in words))
    assert status in (0, 64, 65, 68)
    assert ("00007" in lab.do("ipfw list")) == (status == 0)
    if status == 0:
        lab.do("ipfw delete 7")


REFUSED = [
    ("add", 64, "missing action"),
    ("add foo", 65, "invalid action foo"),
    ("add allow", 64, "missing protocol"),
    ("add allow udp", 64, "missing ``from''"),
    ("add allow udp from", 64, "missing address"),
    ("add allow udp from any", 64, "missing ``to''"),
    ("add allow udp from any to any nonsense", 64, "unrecognised option [-1] nonsense"),
    ("add allow ip from any to any keep-state", 64, "unsupported option keep-state"),
    ("add allow ip from any to any uid root", 64, "unsupported option uid"),
    ("add allow ip from any to any jail 1", 64, "unsupported option jail"),
    ("add allow ip6 from any to any", 64, "unsupported protocol ``ip6''"),
    ("add allow ip from table(1) to any", 64, "tables are not supported"),
    ("add fwd 1.2.3.4 ip from any to any", 64, "unsupported action fwd"),
    ("add nat 1 ip from any to any", 64, "unsupported action nat"),
    ("add allow ip from 10.0.0.0/33 to any", 65, "bad width ``33''"),
    ("add allow ip from 10.0.0.0:x to any", 65, "bad netmask ``x''"),
    ("add allow ip from nobody.example to any", 68, "hostname ``nobody.example'' unknown"),
    ("add prob 2 allow ip from any to any", 65, "illegal match prob. 2"),
    ("add set 32 allow ip from any to any", 65, "illegal set 32"),
    ("add pipe ip from any to any", 65, "illegal argument for pipe(ip)"),
    ("add pipe 0 ip from any to any", 65, "illegal argument for pipe(0)"),
    ("add allow icmp from any to any icmptypes 40", 65, "ICMP type out of range"),
    ("add allow tcp from any to any tcpflags foo", 65, "invalid flag foo"),
    ("add allow ip from any to any MAC 1:2:3 any", 65, "Incorrect MAC address"),
    ("add allow ip from { 1.1.1.1 or 2.2.2.2 to any", 64, 'missing ")"'),
    ("add allow ip from not 0.0.0.0/0 to any", 65, "not any never matches"),
    ("nonsense", 64, "bad command `nonsense'"),
    ("table 1 add 1.2.3.4", 64, "unsupported command `table'"),
    ("nat 1 config if lan", 64, "unsupported command `nat'"),
    ("-N list", 64, "unsupported option -N"),
    ("delete", 64, "missing rule specification"),
    ("delete 4711", 69, "rule 4711 not found"),
    ("delete 4711-4712", 69, "no rules in 4711-4712 range"),
    ("list 4711", 69, "rule 4711 does not exist"),
    ("list x", 64, "invalid rule number: x"),
    ("set", 64, "set needs command"),
    ("set disable 32", 65, "invalid set number 32"),
    ("zero x", 64, "invalid rule number ``x''"),
]


@pytest.mark.parametrize(("words", "status", "message"), REFUSED, ids=[r[0] for r in REFUSED])
def test_what_is_wrong_is_refused_in_ipfws_way(lab: Lab, words: str, status: int, message: str) -> None:
    got, output = lab.run("ipfw " + " ".join(f"'{w}'" for w in words.split()))
    assert got == status
    assert output.startswith(f"ipfw: {message}")
    assert len(lab.do("ipfw list").splitlines()) == 1


def numbers(lab: Lab, words: str = "list") -> list[int]:
    return [int(line.split()[0]) for line in lab.do(f"ipfw {words}").splitlines()]


def test_numbers_come_in_steps(lab: Lab) -> None:
    for _ in range(3):
        lab.do("ipfw -q add count ip from any to any")
    lab.do("sysctl net.inet.ip.fw.autoinc_step=7; ipfw -q add count ip from any to any")
    lab.do("sysctl net.inet.ip.fw.autoinc_step=100")
    lab.do("ipfw -q add 50 count ip from any to any; ipfw -q add 200 deny ip from any to any")
    assert numbers(lab) == [50, 100, 200, 200, 300, 307, 65535]
    lab.do("ipfw -q add 65500 count ip from any to any; ipfw -q add count ip from any to any")
    assert numbers(lab)[-3:] == [65500, 65500, 65535]
    lab.do("ipfw delete 100-300")
    assert numbers(lab) == [50, 307, 65500, 65500, 65535]
    lab.do("ipfw delete 50 65500")
    assert numbers(lab) == [307, 65535]
    assert int(lab.do("sysctl -n net.inet.ip.fw.static_count")) == 2


def test_sets(lab: Lab) -> None:
    for n in (1, 2, 3):
        lab.do(f"ipfw -q add {n}00 set {n} count ip from any to any")
    lab.do("ipfw set disable 2")
    assert lab.do("ipfw set show").startswith("disable 2 enable 0 1 3 4")
    assert numbers(lab) == [100, 300, 65535]
    assert "# DISABLED 00200 set 2 count ip from any to any" in lab.do("ipfw -S list").splitlines()
    lab.do("ipfw set swap 1 2")
    assert numbers(lab) == [200, 300, 65535]
    lab.do("ipfw set enable 2; ipfw set move 3 to 5; ipfw set move rule 100 to 5")
    assert numbers(lab, "set 5 list") == [100, 300]
    lab.do("ipfw delete set 5")
    assert numbers(lab) == [200, 65535]
    lab.do("ipfw -q add 400 set 31 count ip from any to any; ipfw -q flush")
    assert numbers(lab) == [400, 65535], "set 31 survives a flush"
    lab.do("ipfw delete 400")


def test_counters_zero_and_timestamps(lab: Lab) -> None:
    lab.do("ipfw -q add 100 count icmp from any to any out; ifconfig lo0 inet 127.0.0.1/8 up")
    lab.do("ping -c 3 -i 0.01 -t 2 127.0.0.1")
    assert re.search(r"^00100 +6 +504 count icmp from any to any out$", lab.do("ipfw show 100"), re.M)
    assert re.search(r"^00100 +6 +504 count", lab.do("ipfw -a list 100"), re.M)
    assert re.search(
        r"^00100 \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4} count", lab.do("ipfw -t list 100"), re.M
    )
    assert re.search(r"^00100 \d{10} count", lab.do("ipfw -T list 100"), re.M)
    assert lab.do("ipfw zero 100").strip() == "Entry 100 cleared."
    assert re.search(r"^00100 +0 +0 count", lab.do("ipfw show 100"), re.M)
    assert re.search(r"^00100 {25} ?count", lab.do("ipfw -t list 100"), re.M)
    assert lab.do("ipfw zero").strip() == "Accounting cleared."
    assert lab.do("ipfw resetlog").strip() == "Logging counts reset."
    assert "not found" in lab.fails("ipfw zero 4711")


def test_test_only_touches_nothing(lab: Lab) -> None:
    assert lab.do("ipfw -n add 100 allow ip from any to any").strip() == "00100 allow ip from any to any"
    assert numbers(lab) == [65535]


def test_file_of_commands(lab: Lab) -> None:
    lab.do("echo 'add 100 allow ip from any to any' > /rules; echo '# a comment' >> /rules")
    lab.do("echo 'add 200 deny udp from any to any' >> /rules; ipfw -q /rules")
    assert numbers(lab) == [100, 200, 65535]
    lab.do("echo 'add foo' >> /rules; ipfw -q flush")
    status, output = lab.run("ipfw -q /rules")
    assert status == 65
    assert "Line 4: invalid action foo" in output
    lab.do("rm /rules")


def test_log_goes_to_the_console(lab: Lab, tmp_path: Path) -> None:
    lab.do("sysctl net.inet.ip.fw.verbose=1; ipfw -q add 100 count log logamount 2 icmp from any to any out")
    lab.do("ifconfig lo0 inet 127.0.0.1/8 up")
    output = lab.do("ping -c 4 -i 0.01 -t 2 127.0.0.1; sysctl net.inet.ip.fw.verbose=0")
    said = re.findall(r"ipfw: .*", output)
    assert said == [
        "ipfw: 100 Count ICMP:8.0 127.0.0.1 127.0.0.1 out via lo0",
        "ipfw: 100 Count ICMP:0.0 127.0.0.1 127.0.0.1 out via lo0",
        "ipfw: limit 2 reached on entry 100",
    ]
