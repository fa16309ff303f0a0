"""Normalized messages, culprits, cycles, points and what addresses suggest."""

from __future__ import annotations

import pytest

from harness.panic import Frame, naming


def frames(*names: str) -> list[Frame]:
    return [Frame(name) for name in names]


@pytest.mark.parametrize(
    ("message", "normal"),
    [
        ("Assertion a == b failed at /usr/src/sys/net/if.c:123", "Assertion a == b failed at if.c"),
        (
            "mutex dummynet not owned at ../../../netpfil/ipfw/ip_dn_io.c:9",
            "mutex dummynet not owned at ip_dn_io.c",
        ),
        ("lock (sleep mutex) x @ /a/b.c:1", "lock (sleep mutex) x @ b.c"),
        ("bad m 0xfffff80001234567 len 1500", "bad m ADDR len N"),
        ("vm_fault failed: ffff0000004f2d8c error 1", "vm_fault failed: ADDR error N"),
        ("epair12a: gone on CPU 3, pid 77", "epairN: gone on CPU N, pid N"),
        ("sha256 of ip6_output in md5", "sha256 of ip6_output in md5"),
        (
            "Duplicate free of 0xff01 from zone 0xff02(mbuf) slab 0xff03(7)",
            "Duplicate free of ADDR from zone ADDR(mbuf) slab ADDR(N)",
        ),
        (
            "Memory modified after free 0xff01000002946c00 (384, malloc-384, dummynet) + 16 = 1deadc0de",
            "Memory modified after free (dummynet)",
        ),
    ],
)
def test_normalize(message: str, normal: str) -> None:
    assert naming.normalize(message) == normal
    assert naming.normalize(normal) == normal


@pytest.mark.parametrize(
    ("names", "culprit"),
    [
        (
            ("vpanic", "panic", "__mtx_lock_sleep", "__mtx_lock_flags", "dummynet_io", "ipfw_check_packet"),
            "dummynet_io",
        ),
        (("vpanic", "panic", "uma_dbg_free", "uma_zfree_arg", "m_freem", "sta_input"), "sta_input"),
        (("trap_fatal", "calltrap", "memmove_erms", "m_copydata", "ip_output"), "ip_output"),
        (("cngrab", "vt_upgrade", "vpanic", "panic", "tcp_input"), "tcp_input"),
        (("vpanic", "panic", "witness_warn", "userret", "amd64_syscall"), "userret"),
        (("vpanic", "panic", "??", "0", "fork_exit", "fork_trampoline"), ""),
        ((), ""),
        (("panic", "mtx_pool_lock", "pspat_arbiter"), "pspat_arbiter"),
        (("panic", "if_ref", "pspat_exit"), "pspat_exit"),
        (("kassert_panic", "wait_checks", "malloc", "m_tag_alloc", "pspat_dn_io"), "pspat_dn_io"),
        (("panic", "m_tag_delete", "m_tag_delete_chain", "pspat_drop"), "pspat_drop"),
    ],
)
def test_culprit(names: tuple[str, ...], culprit: str) -> None:
    assert naming.culprit(frames(*names)) == culprit


def test_a_traps_handler_is_never_the_culprit() -> None:
    handler = frames("vpanic", "panic", "trap_fatal", "trap", "kern_trap")
    struck = [Frame("m_tag_locate", trap="trap 0x9, rip = 0x55"), Frame("pspat_arbiter")]
    assert naming.culprit([*handler, *struck]) == "m_tag_locate"


def test_cycle_is_the_same_wherever_the_trace_was_cut() -> None:
    turn = ["ipfw_check_packet", "pfil_run_hooks", "ip_output"]
    stack = ["witness_checkorder", "ipfw_chk", *turn * 20, "udp_send", "sosend_dgram"]
    expected = ("ip_output", "pfil_run_hooks", "ipfw_check_packet")
    for head in range(6):
        for tail in range(6):
            assert naming.cycle(frames(*stack[head : len(stack) - tail])) == expected


def test_no_cycle_in_an_ordinary_stack() -> None:
    assert naming.cycle(frames("a", "b", "c", "d", "a", "b", "e")) == ()
    assert naming.cycle(frames("zvol_create_minors", "zvol_create_minors", "spa_import")) == ()
    assert naming.cycle([]) == ()


@pytest.mark.parametrize(
    ("names", "points"),
    [
        (("dn_enqueue", "dummynet_io", "ipfw_check_packet", "pfil_run_hooks", "ip_output"), ("dummynet",)),
        (
            (
                "dummynet_io",
                "ipfw_check_frame",
                "pfil_mbuf_out",
                "ether_output_frame",
                "ether_output",
                "ip_output",
            ),
            ("dummynet_l2", "if_output"),
        ),
        (("ip_output", "ipfw_check_packet", "pfil_run_hooks", "ip_output"), ("dummynet",)),
        (("ether_output_frame", "ipfw_check_frame_mbuf", "pfil_mbuf_out"), ("dummynet_l2",)),
        (("dummynet_io", "ipfw_check_frame_mbuf", "pfil_mbuf_out"), ("dummynet_l2",)),
        (("ipfw_chk", "ipfw_check_packet", "ip_output"), ()),
        (("dummynet_io", "pf_test", "pf_check_out", "ip_output"), ("dummynet",)),
        (("ip_output", "dummynet_send", "dummynet_task"), ()),
        (("mbuf_free", "ether_output", "arp_send"), ("if_output",)),
    ],
)
def test_points(names: tuple[str, ...], points: tuple[str, ...]) -> None:
    assert naming.points(frames(*names)) == points


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (0, "NULL"),
        (0x18, "small offset from NULL (member at 0x18)"),
        (0xDEADC0DEDEADC0F6, "freed memory (0xdeadc0de)"),
        (0xDEADC0DE, "freed memory (0xdeadc0de)"),
        (0x8000000000000010, "non-canonical address"),
        (0x4142434445464748, "non-canonical address (text 'HGFEDCBA')"),
        (2**64 - 2, "small negative number (-2) used as a pointer"),
        (0x20202020, "user-space address"),
        (0xFFFFF80001234567, "direct map"),
        (0xFFFFFFFF80123456, ""),
        (0xFF01000002946C00, "direct map (five-level paging)"),
        (0xFF20000002946C00, ""),
        (0x5A5A5A5A5A5A5A5A, "fill pattern of an allocator"),
    ],
)
def test_suggests(address: int, words: str) -> None:
    assert naming.suggests(address, "amd64") == words


def test_arm64_has_no_hole_in_the_same_place() -> None:
    assert naming.suggests(0xFFFF000012345678, "arm64") == ""
