"""The overlay: reads only, writes only what changed, survives being cut off."""

from __future__ import annotations

import os
from pathlib import Path

from harness.kernel.sources import Overlay, digest_of, kernel_paths, world_paths


def no(_n: int, _total: int) -> None:
    return None


def make_tree(root: Path) -> None:
    for name, text in {
        "Makefile": "all:\n",
        "sys/kern/a.c": "int a;\n",
        "sys/net/if.h": "struct ifnet;\n",
        "bin/sh/main.c": "main\n",
        "tests/big.c": "never\n",
        ".git/config": "never\n",
    }.items():
        p = root / name
        p.parent.mkdir(parents=True, exist_ok=True)
        p.write_text(text)
    (root / "sys/link.c").symlink_to("kern/a.c")
    (root / "bin/sh/main.c").chmod(0o755)


def fresh(root: Path, cache: Path) -> Overlay:
    o = Overlay(root, cache)
    o.load()
    return o


def stamps(root: Path) -> dict[str, tuple[int, bytes]]:
    return {str(p): (p.stat().st_mtime_ns, p.read_bytes()) for p in root.rglob("*") if p.is_file()}


def test_mirrors_and_writes_only_what_changed(tmp_path: Path) -> None:
    src, cache = tmp_path / "src", tmp_path / "cache"
    make_tree(src)
    before = stamps(src)
    o = fresh(src, cache)
    files = o.sync({}, no)
    assert sorted(files) == ["Makefile", "bin/sh/main.c", "sys/kern/a.c", "sys/link.c", "sys/net/if.h"]
    assert os.readlink(cache / "src/sys/link.c") == "kern/a.c"
    assert os.access(cache / "src/bin/sh/main.c", os.X_OK)
    assert not (cache / "src/tests").exists()
    placed = stamps(cache / "src")
    o = fresh(src, cache)
    assert o.sync({}, no) == files
    assert o.changed == 0
    assert stamps(cache / "src") == placed
    (src / "sys/kern/a.c").write_text("int b;\n")
    os.utime(src / "sys/kern/a.c", (1, 1))  # older than before: content counts, not time
    o = fresh(src, cache)
    assert o.sync({}, no) != files
    assert o.changed == 1
    assert (cache / "src/sys/kern/a.c").stat().st_mtime > 1000
    (src / "sys/kern/a.c").write_text("int a;\n")
    assert stamps(src).keys() == before.keys()


def test_touched_but_same_is_not_written(tmp_path: Path) -> None:
    src, cache = tmp_path / "src", tmp_path / "cache"
    make_tree(src)
    fresh(src, cache).sync({}, no)
    os.utime(src / "sys/kern/a.c")
    o = fresh(src, cache)
    o.sync({}, no)
    assert o.changed == 0


def test_patches_come_and_go(tmp_path: Path) -> None:
    src, cache = tmp_path / "src", tmp_path / "cache"
    make_tree(src)
    plain = fresh(src, cache).sync({}, no)
    patched = fresh(src, cache).sync(
        {"sys/kern/a.c": b"patched\n", "sys/new/n.c": b"new\n", "Makefile": None}, no
    )
    assert (cache / "src/sys/kern/a.c").read_bytes() == b"patched\n"
    assert (cache / "src/sys/new/n.c").exists()
    assert not (cache / "src/Makefile").exists()
    assert set(patched) == {"sys/kern/a.c", "sys/new/n.c", "bin/sh/main.c", "sys/link.c", "sys/net/if.h"}
    assert (src / "sys/kern/a.c").read_text() == "int a;\n"
    o = fresh(src, cache)
    assert o.sync({}, no) == plain
    assert not (cache / "src/sys/new/n.c").exists()
    assert (cache / "src/Makefile").exists()
    assert (cache / "src/sys/kern/a.c").read_text() == "int a;\n"


def test_a_removed_file_goes(tmp_path: Path) -> None:
    src, cache = tmp_path / "src", tmp_path / "cache"
    make_tree(src)
    fresh(src, cache).sync({}, no)
    (src / "sys/net/if.h").unlink()
    assert "sys/net/if.h" not in fresh(src, cache).sync({}, no)
    assert not (cache / "src/sys/net/if.h").exists()


def test_cut_off_in_the_middle(tmp_path: Path) -> None:
    src, cache = tmp_path / "src", tmp_path / "cache"
    make_tree(src)
    plain = fresh(src, cache).sync({}, no)
    o = fresh(src, cache)
    o.save = lambda: None  # type: ignore[method-assign]  # killed before the notes were written
    o.sync({"sys/kern/a.c": b"patched\n"}, no)
    assert (cache / "src/sys/kern/a.c").read_bytes() == b"patched\n"
    assert fresh(src, cache).sync({}, no) == plain
    assert (cache / "src/sys/kern/a.c").read_text() == "int a;\n"


def test_broken_notes_only_cost_time(tmp_path: Path) -> None:
    src, cache = tmp_path / "src", tmp_path / "cache"
    make_tree(src)
    plain = fresh(src, cache).sync({}, no)
    (cache / "manifest.json").write_text('{"source": 3')
    assert fresh(src, cache).sync({}, no) == plain


def test_what_a_kernel_and_a_world_are_made_of() -> None:
    files = dict.fromkeys(
        (
            "sys/netpfil/ipfw/ip_dummynet.c",
            "sys/netinet/ip_fw.h",
            "sys/netpfil/ipfw/dn_sched.h",
            "bin/sh/x.c",
        ),
        "0",
    )
    assert "bin/sh/x.c" not in kernel_paths(files)
    assert sorted(world_paths(files)) == ["bin/sh/x.c", "sys/netinet/ip_fw.h"]
    assert digest_of(files, files) == digest_of(files, reversed(list(files)))
