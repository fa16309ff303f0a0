"""dngen as processes on loopback; a proxy in between does known harm, and the counts must be exact."""

from __future__ import annotations

import contextlib
import json
import random
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.traffic import FlowMetrics, FlowSpec, read_flow, receiver_command, sender_command

LIMIT = 30


def free_port(kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def start(program: Path, words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(program), *words.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen[str], status: int = 0) -> str:
    try:
        out, err = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    assert process.returncode == status, err
    if status == 0:
        assert err == ""
    return out


def listening(port: int, proto: str) -> None:
    """Wait until somebody has the port (the kernel's own table; nothing is sent to it)."""
    table = Path(f"/proc/net/{proto}")
    if not table.exists():  # not Linux
        time.sleep(0.5)
        return
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if any(f":{port:04X} " in row.split(":", 1)[1] for row in table.read_text().splitlines()[1:]):
            return
        time.sleep(0.005)
    raise AssertionError(f"nobody listens on {proto} {port}")


def final(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text.splitlines()[-1])
    assert found["kind"] == "final"
    return found


def run(program: Path, spec: FlowSpec, via: int | None = None) -> tuple[FlowMetrics, str, str]:
    """A flow over loopback by the command lines of the harness; ``via`` is a proxy's port."""
    words = receiver_command(spec)
    assert words is not None
    receiver = start(program, words.removeprefix("dngen "))
    listening(spec.port, spec.kind + "6" * (":" in spec.to))
    words = sender_command(spec).removeprefix("dngen ")
    if via is not None:
        words = words.replace(f":{spec.port} ", f":{via} ")
    sent = finish(start(program, words))
    received = finish(receiver)
    return read_flow(spec.kind, sent, received), sent, received


def test_udp(dngen):
    spec = FlowSpec(
        id="gold",
        kind="udp",
        to="127.0.0.1",
        port=free_port(),
        rate=4e6,
        sizes={64: 2, 1000: 1},
        duration=0.6,
        senders=3,
    )
    m, sent, received = run(dngen, spec)
    # 600 ms of 4 Mbit/s: to the packet, each sender may be one short.
    assert abs(final(sent)["bytes"] - 300_000) <= 3 * 1000
    assert m.sent == m.received
    assert (m.lost, m.loss, m.duplicates, m.reordered, m.torn, m.missed) == (0, 0.0, 0, 0, 0, 0)
    assert m.rate == pytest.approx(4e6, rel=0.15)
    assert m.delay is not None
    assert 0 < m.delay.min <= m.delay.p50 <= m.delay.p99 <= m.delay.max < 2
    assert sum(n for _, n in m.histogram) == m.received
    assert sum(json.loads(x).get("packets", 0) for x in received.splitlines()) == m.received
    assert final(received)["finished"] == 3


def test_receiver_ends_when_the_senders_have(plain):
    began = time.monotonic()
    spec = FlowSpec(id="x", kind="udp", to="127.0.0.1", port=free_port(), pps=100, duration=0.2)
    port = spec.port
    receiver = start(plain, f"recv udp --port {port} --for 60s --id x")
    listening(port, "udp")
    finish(start(plain, sender_command(spec).removeprefix("dngen ")))
    assert final(finish(receiver))["received"] == 20
    assert time.monotonic() - began < 5


class Proxy:
    """Forwards datagrams; ``plan`` says for each sequence number its fate, and after how many others."""

    def __init__(self, to: int, plan: Callable[[int], list[int]], extra: bytes | None = None) -> None:
        self.forwarded: list[int] = []
        self._to = ("127.0.0.1", to)
        self._plan = plan
        self._extra = extra
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
        self.port = int(self._socket.getsockname()[1])
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._forward)
        self._thread.start()

    def _forward(self) -> None:
        held: list[tuple[int, int, bytes]] = []  # at which arrival, its sequence number, the packet
        arrivals = 0
        while True:
            try:
                packet = self._socket.recv(65536)
            except TimeoutError:
                # The end of the flow: what is held back still has to reach a receiver that lingers.
                self._release(held, 1 << 60)
                if self._over.is_set():
                    return
                continue
            (seq,) = struct.unpack_from(">Q", packet, 20)
            for after in self._plan(seq):
                held.append((arrivals + after, seq, packet))
            self._release(held, arrivals)
            if self._extra is not None:
                self._socket.sendto(self._extra, self._to)
            arrivals += 1

    def _release(self, held: list[tuple[int, int, bytes]], now: int) -> None:
        for item in sorted((h for h in held if h[0] <= now), key=lambda h: h[0]):
            held.remove(item)
            self._socket.sendto(item[2], self._to)
            self.forwarded.append(item[1])

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()


@contextlib.contextmanager
def proxy(to: int, plan: Callable[[int], list[int]], extra: bytes | None = None) -> Iterator[Proxy]:
    p = Proxy(to, plan, extra)
    try:
        yield p
    finally:
        p.close()


def judge(seqs: list[int]) -> tuple[int, int, int]:
    """Distinct, duplicates, reordered of a sequence as it arrived."""
    seen: set[int] = set()
    duplicates = reordered = 0
    for s in seqs:
        if s in seen:
            duplicates += 1
        else:
            reordered += bool(seen) and s < max(seen)
            seen.add(s)
    return len(seen), duplicates, reordered


def test_known_drops_duplicates_and_reordering(dngen):
    """300 packets: each tenth lost, some twice (at once, and much later), some held back for three others."""

    def plan(seq: int) -> list[int]:
        if seq % 10 == 5:
            return []
        if seq % 17 == 3:
            return [0, 0]
        if seq % 23 == 7:
            return [0, 40]
        if seq % 13 == 1:
            return [3]
        return [0]

    port = free_port()
    with proxy(port, plan) as p:
        spec = FlowSpec(id="x", kind="udp", to="127.0.0.1", port=port, pps=600, sizes={200: 1}, duration=0.5)
        m, _sent, _received = run(dngen, spec, via=p.port)
    assert m.sent == 300
    distinct, duplicates, reordered = judge(p.forwarded)
    lost = sum(1 for seq in range(300) if plan(seq) == [])
    assert (distinct, lost) == (300 - 30, 30)
    assert min(duplicates, reordered) > 10
    assert (m.received, m.lost, m.duplicates, m.reordered) == (len(p.forwarded), lost, duplicates, reordered)
    assert m.loss == lost / 300
    assert m.too_old == 0


@pytest.mark.parametrize("seed", range(3))
def test_random_harm_is_counted_exactly(plain, seed):
    rng = random.Random(seed)
    harm = [
        rng.choice([[], [0], [0], [0, rng.randrange(30)], [rng.randrange(20)], [rng.randrange(5)] * 3])
        for _ in range(1000)
    ]
    port = free_port()
    with proxy(port, lambda seq: harm[seq]) as p:
        spec = FlowSpec(id="x", kind="udp", to="127.0.0.1", port=port, pps=1500, sizes={100: 1}, duration=0.4)
        m, _sent, _received = run(plain, spec, via=p.port)
    distinct, duplicates, reordered = judge(p.forwarded)
    assert m.sent == 600
    assert (m.received, m.lost, m.duplicates, m.reordered) == (
        len(p.forwarded), 600 - distinct, duplicates, reordered,
    )  # fmt: skip


def test_strangers_are_not_counted(plain):
    """Junk, and a flow with another id, on the same port."""
    port = free_port()
    receiver = start(plain, f"recv udp --port {port} --for 20s --id mine")
    listening(port, "udp")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for junk in (b"", b"x" * 35, b"x" * 500, b"DNG1" + bytes(32), b"DNG1" + b"\xff" * 60):
            s.sendto(junk, ("127.0.0.1", port))
    finish(start(plain, f"send udp --to 127.0.0.1:{port} --pps 100 --for 100ms --id theirs"))
    finish(start(plain, f"send udp --to 127.0.0.1:{port} --pps 100 --for 100ms --id mine"))
    f = final(finish(receiver))
    assert (f["received"], f["duplicates"], f["strangers"]) == (10, 0, 15)


def test_two_runs_of_a_sender_are_no_duplicates(plain):
    port = free_port()
    receiver = start(plain, f"recv udp --port {port} --for 20s --senders 2 --id x")
    listening(port, "udp")
    for _ in range(2):
        finish(start(plain, f"send udp --to 127.0.0.1:{port} --pps 100 --for 100ms --id x"))
    f = final(finish(receiver))
    assert (f["received"], f["distinct"], f["duplicates"], f["reordered"]) == (20, 20, 0, 0)


def test_tcp(dngen):
    port = free_port(socket.SOCK_STREAM)
    spec = FlowSpec(id="bulk", kind="tcp", to="127.0.0.1", port=port, duration=0.4, senders=2)
    m, sent, received = run(dngen, spec)
    assert m.bytes == final(sent)["bytes"] > 1_000_000
    assert final(received)["received"] == final(sent)["sent"]
    assert sum(json.loads(x)["bytes"] for x in received.splitlines()[:-1]) == m.bytes
    assert m.rate == pytest.approx(m.bytes * 8 / 0.4, rel=0.35)
    assert m.delay is not None
    assert 0 < m.delay.min <= m.delay.p99
    assert m.errors == {}


@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_ipv6(plain, kind):
    kind_of_socket = socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM
    try:
        with socket.socket(socket.AF_INET6, kind_of_socket) as s:
            s.bind(("::1", 0))
            port = s.getsockname()[1]
    except OSError as e:
        pytest.skip(f"this machine has no IPv6: {e}")
    rate = 4e6 if kind == "udp" else None
    spec = FlowSpec(id="six", kind=kind, to="::1", port=port, rate=rate, sizes={84: 1, 1000: 1}, duration=0.4, senders=2)
    m, sent, _ = run(plain, spec)
    assert m.bytes == final(sent)["bytes"] > 100_000
    assert m.errors == {} and m.delay is not None and m.delay.min > 0
    if kind == "udp":
        # 400 ms of 4 Mbit/s of whole IPv6 packets: to the packet, each sender may be one short.
        assert m.sent == m.received and abs(m.bytes - 200_000) <= 2 * 1000


def test_tcp_waits_for_its_receiver_and_turns_strangers_away(plain):
    port = free_port(socket.SOCK_STREAM)
    sender = start(plain, f"send tcp --to 127.0.0.1:{port} --for 1s --id x")
    time.sleep(0.2)
    receiver = start(plain, f"recv tcp --port {port} --for 10s --id x")
    listening(port, "tcp")
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(b"GET / HTTP/1.0\r\n" + b"x" * 100)
        s.settimeout(10)
        with contextlib.suppress(ConnectionResetError):
            assert s.recv(1) == b""
    sent, received = final(finish(sender)), final(finish(receiver))
    assert list(sent["errors"]) == ["ECONNREFUSED"]
    assert sent["bytes"] == received["bytes"] > 0
    assert (received["senders"], received["strangers"]) == (1, 1)


def test_tcp_that_stalls_ends_all_the_same(plain):
    """A peer that accepts and never reads."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        began = time.monotonic()
        sent = final(finish(start(plain, f"send tcp --to 127.0.0.1:{port} --for 300ms --id x")))
        assert time.monotonic() - began < 3
    assert sent["last"] == sent["t1"]
    assert sent["errors"] == {}


def test_ping(dngen):
    process = start(dngen, "ping --to 127.0.0.1 --interval 10ms --for 300ms --id p --report 100ms")
    out, err = process.communicate(timeout=LIMIT)
    if "EPERM" in err or "EACCES" in err:
        pytest.skip("not allowed to open a raw socket here")
    assert process.returncode == 0, err
    m = read_flow("ping", out, out)
    assert m.sent is not None
    assert m.sent + m.missed == 30
    assert (m.lost, m.duplicates, m.reordered) == (0, 0, 0)
    assert m.received == m.sent
    assert m.delay is not None
    assert 0 < m.delay.p50 < 1
    assert final(out)["bytes"] == 84 * m.received


def test_on_and_off_show_in_the_intervals(plain):
    port = free_port()
    spec = FlowSpec(
        id="x", kind="udp", to="127.0.0.1", port=port, pps=1000, on=0.2, off=0.2, duration=0.8, interval=0.02
    )
    m, _sent, _received = run(plain, spec)
    assert m.sent == 400
    silent = [t for t, r in zip(m.t, m.rates, strict=True) if r == 0]
    assert sum(0.21 < t < 0.41 for t in silent) >= 8


def test_nobody_there_is_counted_and_not_fatal(plain):
    f = final(finish(start(plain, f"send udp --to 127.0.0.1:{free_port()} --pps 200 --for 100ms --id x")))
    assert f["sent"] == 20
    assert list(f["errors"]) == ["ECONNREFUSED"]
    f = final(finish(start(plain, f"send tcp --to 127.0.0.1:{free_port()} --for 100ms --id x"), status=1))
    assert list(f["errors"]) == ["ECONNREFUSED"]


def test_a_slow_sender_says_so(plain):
    """Stopped for 300 ms, it makes up for it, evenly, and says how late it was."""
    port = free_port()
    receiver = start(plain, f"recv udp --port {port} --for 20s --interval 10ms --id x")
    listening(port, "udp")
    sender = start(plain, f"send udp --to 127.0.0.1:{port} --pps 500 --for 1500ms --id x")
    time.sleep(0.4)
    sender.send_signal(signal.SIGSTOP)
    time.sleep(0.3)
    sender.send_signal(signal.SIGCONT)
    sent, received = finish(sender), finish(receiver)
    assert final(sent)["sent"] == 750
    assert final(received)["received"] == 750
    assert 0.2e9 < final(sent)["late"] < 0.8e9
    # Made up at twice the rate: 10 ms hold some ten packets then, not the 150 that were due.
    most = max(json.loads(x).get("packets", 0) for x in received.splitlines())
    assert most < 60


@pytest.mark.parametrize(
    "words",
    [
        "recv udp --port {} --for 60s --id x",
        "recv tcp --port {} --for 60s --id x",
        "send udp --to 127.0.0.1:{} --pps 10 --for 60s --id x",
    ],
)
def test_a_signal_ends_it_with_its_last_line(plain, words):
    process = start(plain, words.format(free_port()))
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    assert final(finish(process))
    assert time.monotonic() - began < 2


def test_receivers_never_stay(plain):
    for kind in ("udp", "tcp"):
        began = time.monotonic()
        assert (
            final(finish(start(plain, f"recv {kind} --port {free_port()} --for 300ms --id x")))["received"]
            == 0
        )
        assert 0.25 < time.monotonic() - began < 3
    port = free_port()
    receiver = start(plain, f"recv udp --port {port} --for 60s --idle 200ms --senders 9 --id x")
    listening(port, "udp")
    finish(start(plain, f"send udp --to 127.0.0.1:{port} --pps 100 --for 100ms --id x"))
    assert final(finish(receiver))["received"] == 10


def test_a_port_that_is_taken(plain):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("", 0))
        process = start(plain, f"recv udp --port {s.getsockname()[1]} --for 1s --id x")
        _out, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 1
    assert err.count("\n") == 1
    assert "EADDRINUSE" in err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("", "send udp"),
        ("recv sctp", "send udp"),
        ("send udp --rate 5Mbit/s --to 127.0.0.1:5 --for 1s", "--id"),
        ("send udp --rate 5Mbit/s --to 127.0.0.1:5 --id x", "--for"),
        ("send udp --rate 5Mbit/s --for 1s --id x", "--to"),
        ("send udp --to 127.0.0.1:5 --for 1s --id x", "--rate and --pps"),
        ("send udp --to 127.0.0.1:5 --rate 1Mbit/s --pps 5 --for 1s --id x", "--rate and --pps"),
        ("send udp --to 127.0.0.1 --rate 1Mbit/s --for 1s --id x", "--to"),
        ("send udp --to 127.0.0.256:5 --rate 1Mbit/s --for 1s --id x", "--to"),
        ("send udp --to host:5 --rate 1Mbit/s --for 1s --id x", "--to"),
        ("send udp --to 127.0.0.1:65536 --rate 1Mbit/s --for 1s --id x", "--to"),
        ("send udp --to [::1]5 --rate 1Mbit/s --for 1s --id x", "--to"),
        ("send udp --to [::1:5 --rate 1Mbit/s --for 1s --id x", "--to"),
        ("send udp --to []:5 --rate 1Mbit/s --for 1s --id x", "--to"),
        ("send udp --to [::1]:5 --rate 1Mbit/s --size 83 --for 1s --id x", "IPv6"),
        ("ping --to [::1] --for 1s --id x", "--to"),
        ("recv udp --port 5 --ip 5 --for 1s --id x", "--ip"),
        ("send udp --to 127.0.0.1:5 --rate 1Mbps --for 1s --id x", "--rate"),
        ("send udp --to 127.0.0.1:5 --rate 0bit/s --for 1s --id x", "--rate"),
        ("send udp --to 127.0.0.1:5 --rate -1Mbit/s --for 1s --id x", "--rate"),
        ("send udp --to 127.0.0.1:5 --pps 1.0000001 --for 1s --id x", "--pps"),
        ("send udp --to 127.0.0.1:5 --pps 5 --for 5 --id x", "--for"),
        ("send udp --to 127.0.0.1:5 --pps 5 --for 99999999999999999999s --id x", "--for"),
        ("send udp --to 127.0.0.1:5 --pps 5 --for 1s --id x --size 63", "--size"),
        ("send udp --to 127.0.0.1:5 --pps 5 --for 1s --id x --size 65536", "--size"),
        ("send udp --to 127.0.0.1:5 --pps 5 --for 1s --id x --sizes 64:0", "--sizes"),
        ("send udp --to 127.0.0.1:5 --pps 5 --for 1s --id x --sizes 64:1,", "--sizes"),
        ("send udp --to 127.0.0.1:5 --pps 5 --for 1s --id x --on 1s", "--on and --off"),
        ("send udp --to 127.0.0.1:5 --pps 5 --for 1s --id x --senders 257", "--senders"),
        ("send udp --to 127.0.0.1:5 --pps 5 --for 1s --id x --id y", "twice"),
        ("send udp --to 127.0.0.1:5 --pps 5 --for 1s --id x --frob 1", "--frob"),
        ("send udp --to 127.0.0.1:5 --pps 5 --for 1s --id", "missing"),
        ('send udp --to 127.0.0.1:5 --pps 5 --for 1s --id a"b', "--id"),
        ("recv udp --port 0 --for 1s --id x", "--port"),
        ("recv udp --port 5 --for 1s --id x --rate 5Mbit/s", "--rate"),
        ("ping --to 127.0.0.1:5 --for 1s --id x", "--to"),
        ("ping --to 127.0.0.1 --for 1s --id x --interval 0s", "--interval"),
    ],
)
def test_bad_usage_is_one_clear_line(plain, words, hint):
    done = subprocess.run(
        [str(plain), *words.split()], capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert done.returncode == 64
    assert done.stdout == ""
    assert done.stderr.startswith("dngen: ")
    assert done.stderr.count("\n") == 1
    assert hint in done.stderr


def test_help(plain):
    done = subprocess.run([str(plain), "help"], capture_output=True, text=True, timeout=LIMIT, check=True)
    assert done.stdout.startswith("usage: dngen send udp")
