"""From lines to figures: torn lines, hostile lines, rates, merging."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.traffic import (
    FlowMetrics,
    FlowSpec,
    jain,
    merge,
    percentile,
    read_flow,
    receiver_command,
    sender_command,
    window_rate,
)

MS = 10**6


def line(role: str, kind: str, t0: int, t1: int, **more: object) -> str:
    return json.dumps(
        {"dngen": 1, "id": "x", "role": role, "kind": kind, "t0": t0, "t1": t1, **more}, separators=(",", ":")
    )


def delays(values: list[int]) -> dict[str, object]:
    ordered = sorted(values)
    return {
        "delay": {
            "min": ordered[0], "mean": sum(values) // len(values), "p50": ordered[len(values) // 2],
            "p99": ordered[-1], "max": ordered[-1], "sum": sum(values), "sumsq": sum(v * v for v in values),
        },
        "hist": [[v, values.count(v)] for v in sorted(set(values))],
    }  # fmt: skip


def udp(
    count: int = 101, gap: int = 10 * MS, delay: int = 5 * MS, size: int = 1000, base: int = 10**9
) -> tuple[str, str]:
    """A flow of one packet each ``gap``, all of which arrive, with lines each 100 ms."""
    end = base + (count - 1) * gap
    sender = line(
        "udp-send", "final", base, base + count * gap, sent=count, bytes=count * size, missed=0, senders=1,
        first=base,
        last=end, late=2 * MS, errors={"ENOBUFS": 3},
    )  # fmt: skip
    lines = []
    for t in range(base, end + delay, 100 * MS):
        n = sum(t <= base + k * gap + delay < t + 100 * MS for k in range(count))
        one = {"min": delay, "mean": delay, "p50": delay, "p99": delay, "max": delay}
        lines.append(line("udp-recv", "interval", t, t + 100 * MS, packets=n, bytes=n * size, delay=one))
    lines.append(
        line(
            "udp-recv",
            "final",
            base,
            end + 10**9,
            received=count,
            distinct=count,
            bytes=count * size,
            duplicates=0,
            reordered=0,
            too_old=0,
            strangers=0,
            first=base + delay,
            last=end + delay,
            **delays([delay] * count),
        )
    )
    return sender + "\n", "\n".join(lines) + "\n"


def test_a_whole_flow():
    m = read_flow("udp", *udp())
    assert (m.sent, m.received, m.lost, m.loss, m.duplicates, m.reordered) == (101, 101, 0, 0.0, 0, 0)
    assert m.rate == pytest.approx(800_000)
    assert m.delay is not None
    assert (m.delay.min, m.delay.p50, m.delay.max, m.delay.mean, m.delay.std) == (
        0.005,
        0.005,
        0.005,
        0.005,
        0.0,
    )
    assert m.errors == {"ENOBUFS": 3}
    assert m.late == 0.002
    assert (m.start, m.end) == (0.005, 1.005)
    assert m.t[0] == 0.05
    assert window_rate(m, 0.1, 0.9) == pytest.approx(800_000)
    assert window_rate(m, 50, 60) is None


def test_packets_that_never_came_belong_to_the_flows_time():
    """Half of the flow's packets at its end are lost: half the rate, not the full one for half the time."""
    sender, receiver = udp()
    final = json.loads(receiver.splitlines()[-1])
    final |= {"received": 51, "distinct": 51, "bytes": 51_000, "last": final["first"] + 500 * MS} | delays(
        [5 * MS] * 51
    )
    m = read_flow("udp", sender, json.dumps(final, separators=(",", ":")))
    assert m.rate == pytest.approx(400_000)
    assert m.lost == 50
    final |= {"first": 10**9 + 505 * MS, "last": 10**9 + 1005 * MS}
    m = read_flow("udp", sender, json.dumps(final, separators=(",", ":")))
    assert m.rate == pytest.approx(51 * 8000)


@pytest.mark.parametrize("at", [0, 1, 14, 40, 120])
def test_a_torn_line_is_lost_and_counted(at):
    sender, receiver = udp()
    lines = receiver.splitlines()
    lines[3] = lines[3][:at] + "\nepair0a: link state changed to DOWN\n" + lines[3][at:]
    m = read_flow("udp", sender, "\n".join(lines))
    whole = read_flow("udp", sender, receiver)
    assert m.torn == (0 if at == 0 else 1)
    assert len(m.rates) == len(whole.rates) - (0 if at == 0 else 1)
    assert (m.received, m.delay, m.rate) == (whole.received, whole.delay, whole.rate)


def test_prompts_and_messages_around_a_line_do_no_harm():
    sender, receiver = udp()
    dressed = "\r\n".join(f"# {x}arp: 10.0.0.1 moved" for x in receiver.splitlines())
    assert read_flow("udp", "# " + sender, dressed) == read_flow("udp", sender, receiver)


def test_without_a_last_line_the_intervals_speak():
    sender, receiver = udp()
    m = read_flow("udp", sender, "\n".join(receiver.splitlines()[:-1]))
    assert m.received == 101
    assert m.rate == pytest.approx(800_000, rel=0.1)
    assert m.lost is None
    assert m.delay is None


def test_nothing_at_all():
    m = read_flow("udp", "", "")
    assert (m.sent, m.received, m.lost, m.loss, m.rate, m.delay) == (None, 0, None, None, 0.0, None)


def test_nothing_arrived():
    sender, _ = udp()
    final = line("udp-recv", "final", 10**9, 2 * 10**9, received=0, distinct=0, bytes=0, duplicates=0,
                 reordered=0, too_old=0, strangers=0, first=0, last=0, hist=[])  # fmt: skip
    m = read_flow("udp", sender, final)
    assert (m.sent, m.received, m.lost, m.loss, m.rate) == (101, 0, 101, 1.0, 0.0)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = ["kind", "t0", "t1", "packets", "bytes", "delay", "hist", "errors", "received", "distinct",
"sent", "first",
        "last", "duplicates", "late", "missed", "first_bytes"]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_no_line_makes_it_raise(data):
    """Cuts, noise, bytes turned, values of any kind where a number should be."""
    texts = list(udp(count=12))
    for i in (0, 1):
        lines = texts[i].splitlines()
        for _ in range(data.draw(st.integers(0, 4))):
            k = data.draw(st.integers(0, len(lines) - 1))
            how = data.draw(st.sampled_from(["cut", "noise", "value", "twice"]))
            if how == "cut":
                lines[k] = lines[k][: data.draw(st.integers(0, len(lines[k])))]
            elif how == "noise":
                at = data.draw(st.integers(0, len(lines[k])))
                lines[k] = lines[k][:at] + data.draw(st.text(max_size=20)) + lines[k][at:]
            elif how == "twice":
                lines.insert(k, lines[k])
            else:
                try:
                    value = json.loads(lines[k])
                except ValueError:
                    continue
                if isinstance(value, dict):
                    value[data.draw(st.sampled_from(KEYS))] = data.draw(json_values)
                    lines[k] = json.dumps(value, separators=(",", ":"))
        texts[i] = "\n".join(lines)
    m = read_flow(data.draw(st.sampled_from(["udp", "tcp"])), *texts)
    assert math.isfinite(m.rate)
    assert all(math.isfinite(r) for r in m.rates)
    assert m.loss is None or 0 <= m.loss <= 1


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_is_read(a, b):
    for proto in ("udp", "tcp", "ping"):
        read_flow(proto, a, '{"dngen":1,' + b)


def test_deep_and_huge_json_is_torn():
    bad = '{"dngen":1,"x":' + "[" * 100_000
    huge = '{"dngen":1,"kind":"final","t0":' + "9" * 5000 + ',"t1":1}'
    assert read_flow("udp", bad, huge).torn == 2


samples = st.lists(st.integers(1, 10**9), min_size=1, max_size=60)


@given(samples, st.floats(0, 1))
def test_percentile_against_sorted_samples(values, share):
    histogram = [(float(v), values.count(v)) for v in sorted(set(values))]
    assert percentile(histogram, share) == sorted(values)[max(1, math.ceil(share * len(values))) - 1]


def test_percentile_of_nothing():
    with pytest.raises(ValueError, match="empty"):
        percentile([], 0.5)


def flow_of(values: list[int]) -> FlowMetrics:
    sender, _ = udp()
    final = line(
        "udp-recv", "final", 10**9, 2 * 10**9, received=len(values), distinct=len(values),
        bytes=1000 * len(values),         duplicates=1, reordered=2, first=10**9, last=2 * 10**9,
        **delays(values),
    )  # fmt: skip
    return read_flow("udp", sender, final)


@given(samples, samples)
def test_merged_is_as_if_measured_together(a, b):
    merged, together = merge([flow_of(a), flow_of(b)]), flow_of(a + b)
    assert merged.delay is not None
    assert together.delay is not None
    for name in ("min", "p50", "p90", "p95", "p99", "p999", "max"):
        assert getattr(merged.delay, name) == getattr(together.delay, name)
    assert merged.delay.mean == pytest.approx(together.delay.mean)
    assert merged.delay.std == pytest.approx(together.delay.std, rel=1e-6, abs=1e-9)
    assert merged.histogram == together.histogram
    assert (merged.received, merged.duplicates, merged.reordered) == (len(a) + len(b), 2, 4)


def test_merged_rates_add_up():
    one = read_flow("udp", *udp())
    two = merge([one, one])
    assert two.rate == pytest.approx(2 * one.rate)
    assert two.rates == pytest.approx([2 * r for r in one.rates])
    with pytest.raises(ValueError, match="nothing"):
        merge([])


def test_jain():
    assert jain([5, 5, 5]) == pytest.approx(1)
    assert jain([9, 0, 0]) == pytest.approx(1 / 3)
    assert math.isnan(jain([]))
    assert math.isnan(jain([0, 0]))


def test_command_lines():
    udp_flow = FlowSpec(id="gold", kind="udp", to="10.0.2.2", port=5001, rate=2e7,
                        sizes={64: 7, 1500: 1}, start=0.5,
                        duration=5.0, senders=2, on=1.0, off=0.5)  # fmt: skip
    assert sender_command(udp_flow) == (
        "dngen send udp --to 10.0.2.2:5001 --id gold --for 5000000000ns --start 500000000ns --senders 2 "
        "--rate 20000000.000bit/s --sizes 64:7,1500:1 --on 1000000000ns --off 500000000ns"
    )
    assert receiver_command(udp_flow) == (
        "dngen recv udp --port 5001 --for 7000000000ns --interval 100000000ns --id gold"
    )
    assert "--for 7500000000ns" in str(receiver_command(udp_flow, lead=0.5))
    ping = FlowSpec(id="p", kind="ping", to="10.0.2.2", sizes={84: 1}, interval=0.01)
    assert receiver_command(ping) is None
    assert sender_command(ping) == (
        "dngen ping --to 10.0.2.2 --interval 10000000ns --size 84 --id p --for 1000000000ns"
    )
