"""Interfaces and vnets that go away while packets are under way."""

from __future__ import annotations

from pathlib import Path

import pytest
from netlab import Lab, booted, line_topology

LOAD = "jexec client ping -q -i 0.0005 -s 1000 -t {seconds} 10.0.2.2 > /ping.{n} &"


def load(lab: Lab, streams: int = 3, seconds: int = 2) -> None:
    for n in range(streams):
        lab.do(LOAD.format(n=n, seconds=seconds))
    lab.do("sleep 0.2")


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "command",
    [
        "jexec router ifconfig wan destroy",
        "jexec client ifconfig lan destroy",
        "jexec router ifconfig lan down; sleep 0.01; jexec router ifconfig lan up",
        "jexec router ifconfig wan vnet client",
        "ifconfig lan -vnet client",
        "jail -r server",
        "jail -r router",
        "jail -r client",
        "jexec router route flush",
        "jexec client arp -d -a",
    ],
)
def test_under_load(tmp_path: Path, command: str, seed: int) -> None:
    with booted(tmp_path, seed=seed) as lab:
        line_topology(lab)
        load(lab)
        lab.run(command)
        lab.do("sleep 2.5; wait", timeout=60)
        # What is left of the guest works.
        lab.do("jail -c name=again vnet persist path=/")
        lab.do("jail -r again")
        lab.do("ping -c 1 -t 2 127.0.0.1")


def test_link_that_flaps(tmp_path: Path) -> None:
    with booted(tmp_path) as lab:
        line_topology(lab)
        load(lab)
        for _ in range(10):
            lab.do("jexec router ifconfig wan down; sleep 0.02; jexec router ifconfig wan up; sleep 0.02")
        lab.do("sleep 2; wait")
        assert "0.0% packet loss" in lab.do("jexec client ping -c 3 -i 0.1 -t 5 10.0.2.2")


def test_interface_goes_home_when_its_jail_goes(tmp_path: Path) -> None:
    with booted(tmp_path) as lab:
        lab.do("jail -c name=j vnet persist path=/")
        lab.do("ifconfig epair create")
        lab.do("ifconfig epair0b vnet j")
        assert "epair0b" not in lab.do("ifconfig -l").split()
        assert lab.do("jexec j ifconfig -l").split() == ["lo0", "epair0b"]
        lab.do("jexec j ifconfig epair0b inet 10.7.0.1/24 up")
        lab.do("jail -r j")
        assert "epair0b" in lab.do("ifconfig -l").split()
        assert "inet" not in lab.do("ifconfig epair0b")
        lab.do("ifconfig epair0b destroy")
        assert lab.do("ifconfig -l").split() == ["lo0"]


def test_interface_born_in_a_jail_dies_with_it(tmp_path: Path) -> None:
    with booted(tmp_path) as lab:
        lab.do("jail -c name=j vnet persist path=/")
        lab.do("jail -c name=k vnet persist path=/")
        assert "epair0a" in lab.do("jexec j ifconfig epair create")
        lab.do("ifconfig epair0b -vnet j")
        lab.do("ifconfig epair0b vnet k")
        lab.do("jail -r j")
        assert lab.do("jexec k ifconfig -l").split() == ["lo0"]
        lab.do("jail -r k")


def test_jails_are_listed_and_refused(tmp_path: Path) -> None:
    with booted(tmp_path) as lab:
        lab.do("jail -c name=one vnet persist path=/ host.hostname=one.example")
        lab.do("jail -c name=two vnet persist path=/")
        assert lab.do("jls name").split() == ["one", "two"]
        assert "one.example" in lab.do("jls")
        assert lab.do("jls -j two jid") == "2"
        assert "already exists" in lab.fails("jail -c name=one vnet persist path=/")
        assert "needs vnet" in lab.fails("jail -c name=three persist")
        assert "not found" in lab.fails("jail -r three")
        assert "not found" in lab.fails("jexec three ifconfig")
        lab.do("jail -r one two")
        assert lab.do("jls name") == ""


def test_many_jails_come_and_go(tmp_path: Path) -> None:
    with booted(tmp_path) as lab:
        for round_ in range(5):
            for n in range(6):
                lab.do(f"jail -c name=j{n} vnet persist path=/")
            for n in range(0, 6, 2):
                lab.link(f"j{n}", f"j{n + 1}", "x0")
                lab.do(f"jexec j{n} ifconfig x0 inet 10.{n}.{round_}.1/24 up")
                lab.do(f"jexec j{n + 1} ifconfig x0 inet 10.{n}.{round_}.2/24 up")
                lab.do(f"jexec j{n} ping -c 1 -t 2 10.{n}.{round_}.2")
            for n in (3, 0, 5, 1, 4, 2):
                lab.do(f"jail -r j{n}")
            for end in lab.do("ifconfig -l").split():
                if end != "lo0":
                    # Of a pair the first destroy takes both.
                    lab.run(f"ifconfig {end} destroy")
        assert lab.do("ifconfig -l").split() == ["lo0"]
