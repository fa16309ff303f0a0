"""Threads that contend: nothing is lost, the same seed gives the same bytes, another seed another order."""

from __future__ import annotations

import re

import pytest
from kernlab import POWER_OFF, run


def order(text: str) -> str:
    found = re.search(r"order ([\d ]+)", text)
    assert found is not None, text
    return found.group(1)


@pytest.mark.parametrize("ncpu", ["1", "2", "4"])
@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_contended_counters_are_exact(seed: str, ncpu: str) -> None:
    ran = run("ktest fight\n" + POWER_OFF, "--seed", seed, "--ncpu", ncpu)
    assert ran.status == 0, ran.text
    assert "mutex 12000 spin 12000 per cpu 12000 of 12000" in ran.text


def test_contended_counters_are_exact_on_the_wall_clock() -> None:
    ran = run("ktest fight\n" + POWER_OFF, "--clock", "wall", timeout=60)
    assert ran.status == 0, ran.text
    assert "mutex 12000 spin 12000 per cpu 12000 of 12000" in ran.text


def test_same_seed_same_bytes() -> None:
    script = (
        "ktest fight\nktest lor\nktest callout\nsysctl kern.dnh.switches\n"
        "sysctl debug.kdb.panic=1\nalltrace\nreset\n"
    )
    for seed in ("1", "77"):
        first, second = (run(script, "--seed", seed) for _ in range(2))
        assert first.text == second.text


def test_seeds_differ() -> None:
    orders = {order(run("ktest fight\n" + POWER_OFF, "--seed", str(seed)).text) for seed in range(8)}
    assert len(orders) > 1


def test_callouts_fire_on_time_and_stop() -> None:
    ran = run("ktest callout\n" + POWER_OFF)
    assert "fired 1 after 5000 us\nstop 1\nstop -1\ndrain -1\n" in ran.text


@pytest.mark.parametrize("clock", ["virtual", "wall"])
def test_clean_under_thread_sanitizer(clock: str) -> None:
    ran = run("ktest fight\nktest callout\n" + POWER_OFF, "--clock", clock, sanitize="thread", timeout=120)
    assert "WARNING: ThreadSanitizer" not in ran.text, ran.text
    assert ran.status == 0


@pytest.mark.parametrize("clock", ["virtual", "wall"])
def test_thread_sanitizer_sees_a_data_race(clock: str) -> None:
    """On the virtual clock as well, where its threads are coroutines of one."""
    ran = run("ktest race\n" + POWER_OFF, "--clock", clock, sanitize="thread", timeout=120)
    assert re.search(r"WARNING: ThreadSanitizer: data race .*\n.*\n +#0 racer ", ran.text), ran.text
    assert ran.status != 0


@pytest.mark.parametrize("clock", ["virtual", "wall"])
def test_clean_under_address_sanitizer(clock: str) -> None:
    ran = run(
        "ktest fight\nktest callout\nktest lor\n" + POWER_OFF,
        "--clock", clock, sanitize="address,undefined", timeout=120,
    )
    assert "ERROR: AddressSanitizer" not in ran.text
    assert "runtime error" not in ran.text
    assert ran.status == 0
