"""The grammar of KERNEL, the user-mode guest from patched sources, revisions of a repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.guest.kernels import parse
from harness.guest.patched import sources
from harness.kernel.patches import PatchError, read_series
from harness.kernel.revisions import checked_out, resolve
from harness.paths import data_dir

SLOW = str(Path(__file__).parents[1] / "regress" / "slow")
FILE = "netpfil/ipfw/ip_dn_io.c"


def test_words(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    tree = str(tmp_path / "tree")
    assert parse("usermode").kind == "usermode"
    assert parse("usermode@HEAD~2").revision == "HEAD~2"
    word = parse("usermode+pspat@1,option=PSPAT,flavour=release,sanitize=address")
    assert (word.patches, word.options, word.flavour) == (("pspat@1",), ("PSPAT",), "release")
    assert word.sanitize == ("address",)
    assert word.series(("pspat", "other")) == ("other", "pspat@1")
    assert parse("qemu:15.1-debug").name == "15.1-debug"
    assert parse("remote:me@there").name == "me@there"
    word = parse(f"{tree}@stable/15+{SLOW}@2")
    assert (word.kind, word.tree, word.revision, word.patches) == ("qemu", Path(tree), "stable/15", (f"{SLOW}@2",))
    assert word.at("main").text == f"{tree}@main+{SLOW}@2"
    assert word.at("main").revision == "main"
    assert parse(word.with_steps(SLOW, 1).text) == word.with_steps(SLOW, 1)
    assert parse(f"usermode+{SLOW},flavour=debug").with_steps(SLOW, 1).text == f"usermode+{SLOW}@1,flavour=debug"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("usermod", "did you mean 'usermode'"),
        ("usermode:x", "no names"),
        ("usermode@", "revision is wanted"),
        ("usermode+", "series is wanted"),
        ("usermode+none", "neither a file nor a folder"),
        ("qemu:x+pspat", "an image is what it was built from"),
        ("qemu:x,flavour=debug", "an image is what it was built from"),
        ("usermode,flavour=fast", "flavour is one of"),
        ("usermode,colour=red", "wanted flavour"),
        ("/no/such/tree", "no such folder"),
        ("remote", "which machine"),
    ],
)
def test_wrong_words(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse(text)


def test_first_patches_of_a_series(tmp_path: Path) -> None:
    s = read_series(SLOW, None)
    assert s.steps == 2
    assert [n for n, _, _ in read_series(f"{SLOW}@1", None).diffs] == ["0001-order.patch"]
    assert read_series(f"{SLOW}@0", None).steps == 0
    with pytest.raises(UsageError, match="has 2 patches"):
        read_series(f"{SLOW}@3", None)
    (tmp_path / "real").mkdir()
    (tmp_path / "real/series").write_text("a.patch\n")
    (tmp_path / "real/a.patch").write_text("")
    with pytest.raises(UsageError, match="nothing for the user-mode guest"):
        read_series(str(tmp_path / "real"), None)


def test_patched_sources_hold_what_changed_alone(tmp_path: Path) -> None:
    assert sources([f"{SLOW}@0"]).overlay is None
    one, two = sources([f"{SLOW}@1"]).overlay, sources([SLOW]).overlay
    assert one and two and one != two and sources([SLOW]).overlay == two
    assert [p.name for p in two.rglob("*.*")] == ["ip_dn_io.c"]
    own = (data_dir("vm") / "usermode" / FILE).read_text()
    assert own != (one / "sys" / FILE).read_text() != (two / "sys" / FILE).read_text()
    assert sources(["pspat"]).patches == (data_dir("kernel-patches") / "pspat",)
    header = data_dir("vm") / "usermode/include/sys/dnh.h"
    line = header.read_text().splitlines()[0]
    (tmp_path / "h.patch").write_text(f"--- a/sys/sys/dnh.h\n+++ b/sys/sys/dnh.h\n@@ -1,1 +1,2 @@\n+/* new */\n {line}\n")
    whole = sources([str(tmp_path / "h.patch")])
    assert whole.vm and (whole.vm / "usermode/include/sys/dnh.h").read_text() == "/* new */\n" + header.read_text()
    assert (whole.vm / "usermode" / FILE).read_text() == own
    (tmp_path / "bad.patch").write_text("--- a/sys/net/if.c\n+++ b/sys/net/if.c\n@@ -1,1 +1,1 @@\n-none\n+nothing\n")
    with pytest.raises(PatchError, match="does not apply"):
        sources([str(tmp_path / "bad.patch")])


def test_revisions(tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    repo.mkdir()

    def git(*words: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        return subprocess.run(["git", *who, *words], cwd=repo, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    for n in (1, 2):
        (repo / "f").write_text(f"{n}\n")
        git("add", "f")
        git("commit", "-qm", f"{n}")
    first = git("rev-parse", "HEAD~1")
    assert resolve(repo, "HEAD~1") == first
    (repo / "f").write_text("work under way\n")
    for commit, text in ((first, "1\n"), (resolve(repo, "HEAD"), "2\n")):
        with checked_out(repo, commit) as copy:
            assert (copy / "f").read_text() == text
    assert (repo / "f").read_text() == "work under way\n"
    with pytest.raises(UsageError, match="has no revision 'nope'"):
        resolve(repo, "nope")
    with pytest.raises(UsageError, match="no git repository"):
        resolve(tmp_path, "HEAD")
