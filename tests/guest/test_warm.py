"""A warm start's memory: copied out of QEMU's memfd, with holes where there are only zeros."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.guest import qemu

MB = 1 << 20


@pytest.mark.skipif(not qemu.SEES_MEMORY, reason="Linux only")
def test_a_machines_memory_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qemu, "MEMORY_MB", 8)
    fd = os.memfd_create("ram")
    try:
        os.ftruncate(fd, 8 * MB)
        for at, what in ((4096, b"first"), (3 * MB, bytes(MB)), (5 * MB - 3, b"across"), (8 * MB - 4, b"last")):
            os.pwrite(fd, what, at)
        qemu._copy_memory(os.getpid(), tmp_path / "memory")
        assert (tmp_path / "memory").read_bytes() == os.pread(fd, 8 * MB, 0)
        assert (tmp_path / "memory").stat().st_blocks * 512 < MB
    finally:
        os.close(fd)
