"""``dnh bench usermode``: how fast and how large the user-mode guest is, with the machine's name beside it."""

from __future__ import annotations

import json
import platform
import re
import statistics
import tempfile
import time
from pathlib import Path

import psutil

from harness.guest.base import GuestConfig
from harness.guest.usermode import UsermodeGuest

PACKETS = 1_500_000
FLOWS = 10_000

_HOSTS = (
    "jail -c name=a vnet persist path=/",
    "jail -c name=b vnet persist path=/",
    "ifconfig epair create",
    "ifconfig epair0a vnet a",
    "ifconfig epair0b vnet b",
    "jexec a ifconfig epair0a inet 10.0.1.1/24 up",
    "jexec b ifconfig epair0b inet 10.0.1.2/24 up",
)


def _guest(folder: str) -> UsermodeGuest:
    return UsermodeGuest(GuestConfig(folder=Path(folder), flavour="release"))


def _boot() -> float:
    times = []
    for _ in range(7):
        with tempfile.TemporaryDirectory() as folder:
            guest = _guest(folder)
            began = time.perf_counter()
            guest.boot()
            times.append(time.perf_counter() - began)
            guest.kill()
    return statistics.median(times)


def _packets() -> float:
    """Packets per second of the guest's CPU time, from udp socket to udp socket through one FIFO pipe."""
    with tempfile.TemporaryDirectory() as folder:
        guest = _guest(folder)
        try:
            guest.boot()
            for command in _HOSTS:
                guest.console.check(command)
            guest.console.check("jexec a ipfw pipe 1 config bw 2Gbit/s queue 100")
            guest.console.check("jexec a ipfw -q add 100 pipe 1 udp from any to any out")
            assert guest.pid is not None
            process = psutil.Process(guest.pid)
            before = process.cpu_times()
            guest.console.check("jexec b dngen recv udp --port 5001 --for 6s --id bench > /tmp/b.rx &")
            guest.console.check(
                f"jexec a dngen send udp --to 10.0.1.2:5001 --pps {PACKETS // 5} --size 200 --for 5s --id bench > /tmp/b.tx", 120
            )
            guest.console.run("wait", 120)
            after = process.cpu_times()
            return PACKETS / (after.user + after.system - before.user - before.system)
        finally:
            guest.kill()


def _memory() -> tuple[int, float]:
    """Flows with a packet each in a queue of their own, and the guest's greatest memory with them in MiB."""
    with tempfile.TemporaryDirectory() as folder:
        guest = _guest(folder)
        try:
            guest.boot()
            for command in _HOSTS:
                guest.console.check(command)
            guest.console.check("jexec a ipfw pipe 1 config bw 1Kbit/s")
            guest.console.check("jexec a ipfw queue 1 config pipe 1 mask src-port 0xffff buckets 4096")
            guest.console.check("jexec a ipfw -q add 100 queue 1 udp from any to any out")
            for n in range(FLOWS // 250):
                sender = "dngen send udp --to 10.0.1.2:5001 --senders 250 --pps 250 --size 200 --for 1s --id bench"
                guest.console.check(f"jexec a {sender} > /tmp/b{n}", 120)
            shown = re.search(r"(\d+) flows", guest.console.check("jexec a ipfw queue 1 show", 60))
            assert shown is not None
            return int(shown.group(1)), int(guest.console.check("sysctl -n kern.dnh.maxrss_kb")) / 1024
        finally:
            guest.kill()


def usermode(as_json: bool) -> int:
    """Measure and print; 0."""
    flows, mebibytes = _memory()
    figures = {
        "machine": f"{platform.node()} {platform.machine()} {processor()}",
        "boot_ms": round(_boot() * 1000, 1),
        "packets_per_cpu_second": round(_packets()),
        "flows": flows,
        "flows_mib": round(mebibytes, 1),
    }
    if as_json:
        print(json.dumps(figures))
        return 0
    print(f"machine                    {figures['machine']}")
    print(f"boot to prompt             {figures['boot_ms']} ms (median of 7)")
    print(f"one FIFO pipe, udp to udp  {figures['packets_per_cpu_second']:,} packets/s of CPU")
    print(f"{flows:,} flows queued       {figures['flows_mib']} MiB at most, the whole guest")
    return 0


def processor() -> str:
    """The processor's own name."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor()
