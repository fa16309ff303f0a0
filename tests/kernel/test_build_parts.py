"""Tree, configuration, checks, logs, image manifest, store: the parts of a build that need no FreeBSD."""

from __future__ import annotations

import json
import os
import re
import struct
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import MachineryError, UsageError
from harness.kernel import checks, config, image, store
from harness.kernel.__main__ import main
from harness.kernel.assemble import _dngen_key, _tweak_bootstrap, _tweak_makefile, outdated
from harness.kernel.elf import needed
from harness.kernel.runner import BuildFailed, Counts, first_error, run_phase
from harness.kernel.tree import NEEDED, Tree, known_words, read_tree

TREE = Tree(Path("/nowhere"), "15.1-RELEASE-p1", 1501000, 19)


def make_tree(root: Path, version: int = 1501000, revision: str = "15.1") -> Path:
    for name in NEEDED:
        p = root / name
        if "." in p.name or p.name == "Makefile.inc1":
            p.parent.mkdir(parents=True, exist_ok=True)
            p.touch()
        else:
            p.mkdir(parents=True, exist_ok=True)
    (root / "sys/conf/newvers.sh").write_text(f'TYPE="FreeBSD"\nREVISION="{revision}"\nBRANCH="RELEASE"\n')
    (root / "sys/sys/param.h").write_text(f"#define __FreeBSD_version {version}\n")
    clang = root / "lib/clang/include/clang/Basic/Version.inc"
    clang.parent.mkdir(parents=True)
    clang.write_text("#define\tCLANG_VERSION_MAJOR\t\t19\n")
    (root / "sys/conf/options").write_text("INVARIANTS\topt_global.h\nPSPAT opt_pspat.h # new\nHZ\n")
    (root / "sys/conf/files").write_text(
        "net/if_epair.c\toptional epair\na/b.c optional inet \\\n  dummynet | foo\n"
    )
    return root


def test_reads_a_tree(tmp_path: Path) -> None:
    tree = read_tree(make_tree(tmp_path))
    assert (tree.release, tree.osversion, tree.clang) == ("15.1-RELEASE", 1501000, 19)
    assert (tree.revision, tree.major) == ("15.1", 15)
    options, devices = known_words(tmp_path)
    assert options == {"INVARIANTS", "PSPAT", "HZ"}
    assert {"epair", "inet", "dummynet", "foo"} <= devices


def test_refuses_what_is_no_tree(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        read_tree(tmp_path / "none")
    with pytest.raises(UsageError, match=r"Makefile\.inc1 is missing"):
        read_tree(tmp_path)
    with pytest.raises(UsageError, match="oldest"):
        read_tree(make_tree(tmp_path / "old", 1203000, "12.3"))
    (tmp_path / "old/tools/build/make.py").unlink()  # which 12.x has not
    with pytest.raises(UsageError, match=r"FreeBSD 12\.3; 13\.0 is the oldest"):
        read_tree(tmp_path / "old")


def test_a_branch_that_the_environment_may_override(tmp_path: Path) -> None:
    tree = make_tree(tmp_path, 1402000, "14.2")
    newvers = tree / "sys/conf/newvers.sh"
    newvers.write_text(re.sub("(?m)^BRANCH=.*", "BRANCH=${BRANCH_OVERRIDE:-STABLE}", newvers.read_text()))
    assert read_tree(tree).release == "14.2-STABLE"


def test_configuration_of_both_flavours() -> None:
    known = (frozenset({"PSPAT", "HZ", "INET6", "NETLINK"}), frozenset[str]())
    debug = config.compose("debug", ["PSPAT", "HZ=100"], [], known)
    release = config.compose("release", [], [], known)
    for word in ("INVARIANTS", "WITNESS"):
        assert f"options\t{word}\n" in debug
        assert f"options\t{word}\n" not in release
    for text in (debug, release):
        for word in ("VIMAGE", "IPFIREWALL", "DUMMYNET", "TEXTDUMP_PREFERRED", "NETLINK"):
            assert f"options\t{word}\n" in text
        for word in ("epair", "if_bridge", "netmap", "pf", "virtio_blk"):
            assert f"device\t{word}\n" in text
        assert "FIB_ALGO" not in text  # "if known", and this tree does not
    assert debug.endswith("ident\tDNH-DEBUG\n")
    assert "options\tPSPAT\noptions\tHZ=100\n" in debug


def test_options_less_and_modules() -> None:
    known = (frozenset({"INET6", "DUMMYNET"}), frozenset[str]())
    assert "INET6" not in config.compose("debug", ["-INET6"], [], known)
    assert "DUMMYNET" not in config.compose("debug", [], ["dummynet"], known)
    assert "IPFIREWALL" in config.compose("debug", [], ["dummynet"], known)
    with pytest.raises(UsageError, match="did you mean INET6"):
        config.compose("debug", ["INET7"], [], known)
    with pytest.raises(UsageError, match="no kernel option"):
        config.compose("debug", ["rm -rf"], [], known)
    with pytest.raises(UsageError, match="flavour"):
        config.compose("spicy", [], [], known)


def fake_clang(folder: Path, name: str, version: str) -> None:
    end = name.removeprefix("clang")
    for n in (name, f"clang++{end}", f"clang-cpp{end}", f"ld.lld{end}"):
        p = folder / n
        p.write_text(f"#!/bin/sh\necho 'Debian clang version {version}'\n")
        p.chmod(0o755)


def test_compiler_of_the_trees_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("DNH_KERNEL_CC", raising=False)
    monkeypatch.setattr(checks, "ON_FREEBSD", False)
    fake_clang(tmp_path, "clang", "16.0.6")
    found, seen = checks.find_toolchain(Tree(Path("/x"), "99", 1, 97))
    assert found is None
    assert seen == ["clang is 16"]
    fake_clang(tmp_path, "clang-97", "97.1.7")
    found, _ = checks.find_toolchain(Tree(Path("/x"), "99", 1, 97))
    assert found is not None
    assert (found.major, Path(found.ld).name) == (97, "ld.lld-97")
    found, _ = checks.find_toolchain(Tree(Path("/x"), "99", 1, 97), "clang")
    assert found is not None
    assert found.major == 16


def test_all_that_is_missing_in_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("DNH_KERNEL_CC", raising=False)
    monkeypatch.setattr(checks, "ON_FREEBSD", False)
    monkeypatch.setattr(checks, "FIRST_BUILD_GB", 1e9)
    with pytest.raises(MachineryError) as e:
        checks.check(Tree(Path("/x"), "15.1-RELEASE", 1501000, 97), tmp_path, first=True)
    text = str(e.value)
    assert e.value.exit_code == 3
    for words in ("clang 97", "command patch is missing", "GB free"):
        assert words in text
    assert "apt-get install clang-97 lld-97 bash patch" in text
    assert text.endswith("pkg install llvm97")


LOG = """\
--- ip_dummynet.o ---
clang -c x.c
--- ip_fw2.o ---
In file included from a.c:1:
/usr/src/sys/netpfil/ipfw/ip_dummynet.c:10:3: error: use of undeclared identifier 'foo'
   10 |   foo();
      |   ^
1 error generated.
*** [ip_dummynet.o] Error code 1
--- ip_fw2.o ---
/usr/src/b.c:1:1: error: another
bmake[2]: stopped
"""


@pytest.mark.parametrize(
    ("log", "first"),
    [
        (LOG, "ip_dummynet.c:10:3: error: use of undeclared identifier 'foo'\n   10 |   foo();"),
        ("ld.lld-19: error: undefined symbol: x\n>>> by pf.c\n\nmore", "undefined symbol: x\n>>> by"),
        ("--- a ---\nsh: 1: lex: not found\n*** [lex.c] Error code 127\n", "lex: not found\n*** [lex.c]"),
        ("bmake[3]: don't know how to make a.cpp. Stop\n", "don't know how to make a.cpp"),
        ("config: /c/DNH-DEBUG:3: unknown option \"FOO\"\n", "unknown option"),
        ("nothing at all", "nothing at all"),
    ],
)  # fmt: skip
def test_first_error(log: str, first: str) -> None:
    got = first_error(log)
    assert first in got
    assert "another" not in got


def phase(tmp_path: Path, script: str, seen: list[float]) -> int:
    return run_phase(
        [sys.executable, "-c", script], env=os.environ, cwd=tmp_path, log=tmp_path / "log", what="testing",
        steps=4, span=(0.5, 1.0), progress=lambda _w, f: seen.append(f),
    )  # fmt: skip


def test_a_phase_is_counted_logged_and_its_failure_named(tmp_path: Path) -> None:
    seen: list[float] = []
    assert phase(tmp_path, "for i in range(4): print(f'--- {i}.o ---')", seen) == 4
    assert seen[0] == 0.5
    assert seen[-1] == 1.0
    with pytest.raises(BuildFailed, match=r"testing failed:\na.c:1:2: error: no") as e:
        phase(tmp_path, "print('a.c:1:2: error: no'); raise SystemExit(2)", seen)
    assert str(tmp_path / "log") in str(e.value)
    with pytest.raises(MachineryError):
        run_phase(["/nonexistent"], env=os.environ, cwd=tmp_path, log=tmp_path / "log", what="x", steps=1,
                  span=(0, 1), progress=lambda _w, _f: None)  # fmt: skip


def test_an_interrupted_phase_leaves_no_process(tmp_path: Path) -> None:
    script = (
        "import os,subprocess,sys,time\n"
        "p=subprocess.Popen([sys.executable,'-c','import time;time.sleep(60)'], process_group=0)\n"  # as bmake does
        "open('pids','w').write(f'{os.getpid()} {p.pid}'); print('--- go ---',flush=True); time.sleep(60)\n"
    )

    def stop(_what: str, fraction: float) -> None:
        if fraction > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_phase([sys.executable, "-c", script], env=os.environ, cwd=tmp_path, log=tmp_path / "log",
                  what="x", steps=1, span=(0.5, 1.0), progress=stop)  # fmt: skip
    for pid in (tmp_path / "pids").read_text().split():
        for _ in range(50):
            try:
                state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
            except OSError:
                break
            if state == "Z":
                break
            time.sleep(0.1)
        else:
            pytest.fail(f"process {pid} still runs")


def test_counts_remember_full_runs_only(tmp_path: Path) -> None:
    c = Counts(tmp_path / "c.json")
    assert c.get("a", 7) == 7
    c.put("a", 100)
    c.put("a", 3)
    assert Counts(tmp_path / "c.json").get("a", 7) == 100
    (tmp_path / "c.json").write_text("[")
    assert Counts(tmp_path / "c.json").get("a", 7) == 7


def test_tweaks_keep_the_makefile_otherwise(tmp_path: Path) -> None:
    text = "_kbdcontrol= x\n_generic_libs= lib\n.for _lib in ${_startup_libs} ${_prebuild_libs}\nrest:\n"
    made = _tweak_makefile(text, lambda d: d != "lib/libpfctl")
    assert "usr.sbin/kbdcontrol: ${_bt_lex_depend}" in made
    assert made.index("_prebuild_libs=\tlib/libcrypt") < made.index(".for _lib")
    assert "lib/libpfctl" not in made
    assert "lib/libmemstat" in made
    assert _tweak_makefile("usr.sbin/makefs\n", lambda _d: True) == "usr.sbin/makefs\n"
    assert _tweak_bootstrap('a\n\tBmake test "$@" || exit 1\n') == "a\n\t:\n"


def test_manifest_has_every_folder_and_owner(tmp_path: Path) -> None:
    c = image.Contents()
    (tmp_path / "a").write_text("x")
    (tmp_path / "a").chmod(0o755)
    c.files["usr/sbin/a"] = tmp_path / "a"
    c.links["usr/sbin/b"] = "a"
    text = image.manifest(c)
    for line in (
        ". type=dir uid=0 gid=0 mode=0755",
        "./usr/sbin type=dir uid=0 gid=0 mode=0755",
        "./tmp type=dir uid=0 gid=0 mode=1777",
        f"./usr/sbin/a type=file uid=0 gid=0 mode=0555 contents={tmp_path}/a",
        "./usr/sbin/b type=link uid=0 gid=0 mode=0755 link=a",
    ):
        assert line + "\n" in text


def test_tunables() -> None:
    text = image.tunables_text({"kern.hz": "100"})
    assert len(text) == image.TUNABLES_SIZE
    assert b"\n@set kern.hz=100\n" in text
    for bad in ({"a": "b c"}, {"a\nb": "c"}, {"": "x"}, {"x": "y" * 5000}):
        with pytest.raises(MachineryError):
            image.tunables_text(bad)


def test_tunables_are_found_once(tmp_path: Path) -> None:
    disk = tmp_path / "d"
    disk.write_bytes(bytes(8192) + image.tunables_text({}) + bytes(10))
    assert image.tunables_offset(disk) == 8192
    disk.write_bytes(bytes(10))
    with pytest.raises(MachineryError):
        image.tunables_offset(disk)


def test_needed_libraries(tmp_path: Path) -> None:
    strings = b"\0libc.so.7\0libm.so.5\0"
    dynamic = struct.pack("<qQqQqQqQ", 1, 1, 1, 11, 5, 0x1000 + 300, 0, 0)
    header = bytearray(64)
    header[:6] = b"\x7fELF\x02\x01"
    struct.pack_into("<Q", header, 32, 64)
    struct.pack_into("<HH", header, 54, 56, 2)
    load = struct.pack("<IIQQQQQQ", 1, 0, 0, 0x1000, 0, 400, 400, 0)
    dyn = struct.pack("<IIQQQQQQ", 2, 0, 200, 0x1000 + 200, 0, len(dynamic), 0, 0)
    data = (bytes(header) + load + dyn).ljust(200, b"\0") + dynamic
    (tmp_path / "x").write_bytes(data.ljust(300, b"\0") + strings.ljust(100, b"\0"))
    assert needed(tmp_path / "x") == ["libc.so.7", "libm.so.5"]
    (tmp_path / "x").write_text("#!/bin/sh\n")
    assert needed(tmp_path / "x") == []


def note(name: str, digest: str) -> store.Image:
    identity = store.Identity("15.1-RELEASE", 1501000, "debug", "DNH-DEBUG", digest, "built")
    return store.Image(name, store.guests_dir() / name, Path("disk.img"), "raw", None, identity)


def test_store_is_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DNH_CACHE", str(tmp_path))
    with store.fresh_folder("one") as f:
        (f / "disk.img").write_text("1")
        store.write_note(f, note("one", "aa"))
    with pytest.raises(RuntimeError), store.fresh_folder("one") as f:
        (f / "disk.img").write_text("2")
        raise RuntimeError
    assert store.load("one").disk.read_text() == "1"
    assert [i.name for i in store.list_images()] == ["one"]
    assert sorted(os.listdir(store.guests_dir())) == ["one"]
    (store.guests_dir() / "one/guest.json").write_text(json.dumps({"format": 1}))
    with pytest.raises(UsageError, match="damaged"):
        store.load("one")
    store.remove("one")
    with pytest.raises(UsageError, match="none"):
        store.load("one")
    for bad in ("../x", "", ".hidden", "a/b", "x" * 80):
        with pytest.raises(UsageError, match="cannot be"):
            store.load(bad)


def test_a_guest_with_an_older_dngen_says_how_it_is_made_anew() -> None:
    image = note("old", "aa")
    assert outdated(image) == ""  # nothing is known of it
    mine = replace(image.identity, tree="/usr/src", world="w", patches=({"name": "pspat", "digest": "d"},), options=("PSPAT",))
    old = replace(image, identity=replace(mine, dngen="of-then"))
    assert outdated(old) == (
        "dnh guest build --src /usr/src --flavour debug --patches pspat --option PSPAT --name old"
    )
    assert outdated(replace(image, identity=replace(mine, dngen=_dngen_key("w")))) == ""


def test_exit_codes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DNH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["build", "--src", str(tmp_path / "none")]) == 2
    assert "there is no such folder" in capsys.readouterr().err
    assert main(["build", "--src", str(make_tree(tmp_path / "src"))]) == 3
    assert "cannot build FreeBSD 15.1-RELEASE on this machine" in capsys.readouterr().err
    assert main(["build", "--src", str(tmp_path / "src"), "--patches", "nowhere"]) == 2
    assert main(["remove", "nothing"]) == 2
    assert main(["list"]) == 0
    assert "no guests" in capsys.readouterr().out


def test_room_is_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DNH_CACHE", str(tmp_path))
    for n in range(5):
        for kind, file in (("images", "disk.img"), ("kernels", "kernel.debug"), ("worlds", "pmbr")):
            folder = tmp_path / "kernel" / kind / f"k{n}"
            folder.mkdir(parents=True)
            (folder / file).touch()
            os.utime(folder, (n, n))
    with store.fresh_folder("one") as f:
        store.link_or_copy(tmp_path / "kernel/images/k0/disk.img", f / "disk.img")
        store.write_note(f, note("one", "k0"))
    store.prune(keep=2)
    assert sorted(os.listdir(tmp_path / "kernel/images")) == ["k0", "k3", "k4"]
    assert sorted(os.listdir(tmp_path / "kernel/kernels")) == ["k3", "k4"]
    assert sorted(os.listdir(tmp_path / "kernel/worlds")) == ["k3", "k4"]
