"""Crash dumps found at the end of a disk, as FreeBSD writes them there.

With DNH_TEST_DUMP=NAME a guest of that name is made to panic and both kinds of dump are taken of it (a minute).
"""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from harness import panic
from harness.errors import MachineryError
from harness.guest import dump


def header(magic: bytes, length: int, extent: int | None = None) -> bytes:
    """A header as dump_init_header() makes it, with its parity."""
    raw = dump._HEADER.pack(
        magic, b"amd64", 4, 2, length, 1_700_000_000, 0, 512, b"dnh", b"FreeBSD 15.1", b"page fault", 0,
        length if extent is None else extent, b"", 0,
    )  # fmt: skip
    return raw[:-4] + struct.pack(">I", dump.sum_of(raw))


def disk(magic: bytes, body: bytes, extent: int | None = None) -> bytes:
    """A disk of 4 MB with a dump at its end: a textdump's blocks run backwards."""
    head = header(magic, len(body), extent)
    if b"Text" in magic:
        laid = b"".join(body[at : at + 512] for at in range(len(body) - 512, -1, -512))
    else:
        laid = body + bytes((extent or len(body)) - len(body))
    end = head + laid + head
    return bytes((4 << 20) - len(end)) + end


def tar(**files: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as t:
        for name, text in files.items():
            info = tarfile.TarInfo(name.replace("_", "."))
            info.size = len(text)
            t.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


def test_textdump(tmp_path: Path) -> None:
    message = "panic: mtx_lock() of destroyed mutex @ /usr/src/sys/netpfil/ipfw/ip_dummynet.c:771\ncpuid = 1\n"
    body = tar(version_txt="FreeBSD 15.1", msgbuf_txt=message, ddb_txt="db> bt\n" * 2000)
    raw = tmp_path / "disk.raw"
    raw.write_bytes(disk(b"FreeBSD Text Dump", body))
    made = dump.save_from(raw, tmp_path)
    assert made.name == "textdump.tar"
    assert made.read_bytes() == body
    assert panic.read(made)[0].message.startswith("mtx_lock() of destroyed mutex")


@pytest.mark.parametrize("room", [0, 4096])
def test_kernel_dump(tmp_path: Path, room: int) -> None:
    body = os.urandom(3 << 19)
    raw = tmp_path / "disk.raw"
    raw.write_bytes(disk(b"FreeBSD Kernel Dump", body, len(body) + room))
    made = dump.save_from(raw, tmp_path)
    assert made.name == "vmcore"
    assert made.read_bytes() == body


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (bytes(512), "wrote no crash dump"),
        (header(b"FreeBSD Text Dump", 1024)[:-1] + b"\x01", "wrote no crash dump"),  # parity
        (header(b"Cleared Kernel Dump", 1024), "wrote no crash dump"),
        (header(b"FreeBSD Kernel Dump", 1 << 40), "header is wrong"),
        (header(b"FreeBSD Text Dump", 1000), "header is wrong"),
    ],
)
def test_no_dump(tmp_path: Path, end: bytes, said: str) -> None:
    raw = tmp_path / "disk.raw"
    raw.write_bytes(bytes(1 << 16) + end)
    with pytest.raises(MachineryError, match=said):
        dump.save_from(raw, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["disk.raw"]


@pytest.mark.skipif(not os.environ.get("DNH_TEST_DUMP"), reason="DNH_TEST_DUMP names no guest")
@pytest.mark.parametrize("kind", ["text", "full"])
def test_real(tmp_path: Path, kind: dump.Kind) -> None:
    (tmp_path / "s.yaml").write_text(
        "name: s\nhosts: {a: {lan: 10.0.0.1/24}, b: {lan: 10.0.0.2/24}}\n"
        "events: [{at: 1s, on: guest, run: sysctl debug.kdb.panic=1}]\nexpect: {verdict: panic}\n"
    )
    command = [sys.executable, "-m", "harness", "run", str(tmp_path / "s.yaml"), "--out", str(tmp_path / "out"), "--dump", kind]
    command += ["--repeat", "2", "--jobs", "1"]  # one boots, one begins from the warm start
    subprocess.run([*command, "--guest", f"qemu:{os.environ['DNH_TEST_DUMP']}"], check=True)
    made = list((tmp_path / "out").glob(f"*/{dump.FILES[kind]}"))
    assert len(made) == 2
    for file in made:
        if kind == "text":
            assert panic.read(file)[0].culprit == "kdb_sysctl_panic"
        else:
            assert file.stat().st_size > 1 << 20
