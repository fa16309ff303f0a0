"""Flows through the router's dummynet, for its tests: dngen from the client to the server."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from netlab import Lab


@dataclass(frozen=True)
class Flow:
    """UDP to a port of the server: ``rate`` in dngen's words, ``size`` of the IP packet in bytes."""

    port: int
    rate: str = "20Mbit/s"
    size: int = 1000
    seconds: float = 2.0
    more: str = ""


def router(lab: Lab, *commands: str) -> None:
    for command in commands:
        lab.do(f"jexec router ipfw -q {command}")


def fresh(lab: Lab) -> None:
    """No rules, no pipes, sysctls as they were, ARP done."""
    router(lab, "flush", "pipe flush")
    lab.do(
        "jexec router sysctl net.link.ether.ipfw=0 net.inet.ip.fw.one_pass=1 net.inet.ip.dummynet.io_fast=0"
    )
    lab.do("jexec router sysctl net.inet.ip.dummynet.expire=1")
    lab.do("jexec client ping -c 1 -i 0.01 -t 2 10.0.2.2")


def send(lab: Lab, *flows: Flow, during: str = "", tail: float = 1.0) -> list[dict[str, Any]]:
    """What the server got of each flow: the receiver's final line, with the sender's under ``sender``."""
    longest = max(f.seconds for f in flows) + tail
    words = []
    for f in flows:
        words.append(
            f"jexec server dngen recv udp --port {f.port} --for {longest:.6f}s --interval 50ms --id f{f.port} "
            f"> /r{f.port} &"
        )
    words.append("sleep 0.001;")
    for f in flows:
        words.append(
            f"jexec client dngen send udp --to 10.0.2.2:{f.port} --rate {f.rate} --size {f.size} "
            f"--for {f.seconds:.6f}s --id f{f.port} {f.more} > /s{f.port} &"
        )
    lab.do(" ".join(words) + (f" {during};" if during else "") + " wait", timeout=110.0)
    results = []
    for f in flows:
        text = lab.do(f"cat /r{f.port}")
        got = final(text)
        got["intervals"] = [r for r in records(text) if r["kind"] == "interval"]
        got["sender"] = final(lab.do(f"cat /s{f.port}"))
        results.append(got)
        lab.do(f"rm /r{f.port} /s{f.port}")
    return results


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def final(text: str) -> dict[str, Any]:
    return next(r for r in records(text) if r["kind"] == "final")


def rate(got: dict[str, Any]) -> float:
    """bit/s between the first and the last packet."""
    seconds = (got["last"] - got["first"]) / 1e9
    return float((got["bytes"] - got["bytes"] / got["received"]) * 8 / seconds)


def steady(got: dict[str, Any], skip: float = 0.3) -> float:
    """bit/s while the sender was sending, without the first ``skip`` seconds: queues are full by then."""
    begin, end = got["sender"]["t0"] + skip * 1e9, got["sender"]["t1"]
    inside = [i for i in got["intervals"] if i["t0"] >= begin and i["t1"] <= end]
    return float(sum(i["bytes"] for i in inside) * 8 / ((inside[-1]["t1"] - inside[0]["t0"]) / 1e9))
