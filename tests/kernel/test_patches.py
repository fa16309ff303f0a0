"""Patch series: what applies, where it applies, and what is said when it does not."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.kernel.patches import (
    PatchError,
    Series,
    apply_file,
    apply_series,
    parse_diff,
    read_series,
    with_needs,
)
from harness.kernel.tree import Tree

TREE = Tree(Path("/nowhere"), "15.1-RELEASE-p1", 1501000, 19)


def diff(old: str, new: str, path: str = "sys/a.c", context: int = 3) -> bytes:
    lines = difflib.unified_diff(
        old.splitlines(True), new.splitlines(True), f"a/{path}", f"b/{path}", n=context
    )
    return "".join(lines).encode()


def one(old: str, new: str, onto: str | None = None) -> str:
    [patch] = parse_diff(diff(old, new), "x.patch")
    made = apply_file(patch, (onto if onto is not None else old).encode(), "x.patch")
    assert made is not None
    return made.decode()


LINES = [f"line {n}\n" for n in range(40)]


def test_in_place_and_moved() -> None:
    old = "".join(LINES)
    new = old.replace("line 20\n", "line twenty\nand more\n")
    assert one(old, new) == new
    moved = "head\n" * 7 + old
    assert one(old, new, moved) == "head\n" * 7 + new


def test_second_hunk_follows_the_first_ones_shift() -> None:
    old = "".join(LINES)
    new = old.replace("line 2\n", "a\nb\nc\nd\n").replace("line 35\n", "")
    assert one(old, new, "x\n" + old) == "x\n" + new


def test_says_which_hunk_which_file_and_what_is_there() -> None:
    old = "".join(LINES)
    new = old.replace("line 20\n", "line twenty\n").replace("line 5\n", "line five\n")
    onto = old.replace("line 20\n", "somebody else's line\n")
    with pytest.raises(PatchError) as e:
        one(old, new, onto)
    text = str(e.value)
    assert e.value.exit_code == 2
    assert "hunk 2" in text
    assert "sys/a.c" in text
    assert "> | somebody else's line" in text
    assert "  | line 20" in text


def test_applied_twice_is_told_so() -> None:
    old = "".join(LINES)
    new = old.replace("line 20\n", "line twenty\n")
    with pytest.raises(PatchError, match="already"):
        one(old, new, new)


def test_new_file_gone_file_and_their_refusals() -> None:
    [patch] = parse_diff(b"--- /dev/null\n+++ b/sys/new.c\n@@ -0,0 +1,2 @@\n+a\n+b\n", "n.patch")
    assert apply_file(patch, None, "n.patch") == b"a\nb\n"
    with pytest.raises(PatchError, match="tree has one"):
        apply_file(patch, b"", "n.patch")
    [patch] = parse_diff(b"--- a/sys/old.c\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-b\n", "g.patch")
    assert apply_file(patch, b"a\nb\n", "g.patch") is None
    with pytest.raises(PatchError, match="more lines"):
        apply_file(patch, b"a\nb\nc\n", "g.patch")
    with pytest.raises(PatchError, match="does not have"):
        apply_file(patch, None, "g.patch")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"hello\n", "no unified diff"),
        (b"--- a/x\n+++ b/x\n", "no hunk"),
        (b"--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n", "shorter"),
        (b"--- a/../../etc/x\n+++ b/../../etc/x\n@@ -1 +1 @@\n-a\n+b\n", "out of the tree"),
        (b"GIT binary patch\n", "binary"),
        (b"rename from a\nrename to b\n", "renames"),
    ],
)
def test_nonsense_is_refused_with_a_line(text: bytes, words: str) -> None:
    with pytest.raises(PatchError, match=words):
        parse_diff(text, "bad.patch")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from("abc"), max_size=25), st.lists(st.sampled_from("abcd"), max_size=25))
def test_what_diff_makes_applies(a: list[str], b: list[str]) -> None:
    old, new = "".join(x + "\n" for x in a), "".join(x + "\n" for x in b)
    text = diff(old, new)
    if text:
        [patch] = parse_diff(text, "h.patch")
        assert apply_file(patch, old.encode(), "h.patch") == new.encode()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_bytes_never_give_another_error(data: bytes) -> None:
    for text in (data, b"--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n" + data):
        try:
            for patch in parse_diff(text, "f.patch"):
                apply_file(patch, b"a\nb\n", "f.patch")
        except PatchError:
            pass


def series(folder: Path) -> Series:
    return read_series(str(folder), TREE)


def test_series_order_release_and_new_files(tmp_path: Path) -> None:
    s = tmp_path / "mine"
    (s / "sys/netpfil/mine").mkdir(parents=True)
    (s / "sys/netpfil/mine/mine.c").write_text("int mine;\n")
    (s / "sys/conf").mkdir()
    (s / "sys/conf/options.append").write_text("MINE\topt_mine.h\n")
    (s / "series").write_text("never.patch\n")
    (s / "series.15").write_text("# two\none.patch -p1\ntwo.patch\n")
    (s / "one.patch").write_bytes(diff("x\n", "y\n"))
    (s / "two.patch").write_bytes(diff("y\n", "z\n"))
    tree = {"sys/a.c": b"x\n", "sys/conf/options": b"OLD\topt_old.h"}
    made = apply_series([series(s)], tree.get)
    assert made == {
        "sys/a.c": b"z\n",
        "sys/netpfil/mine/mine.c": b"int mine;\n",
        "sys/conf/options": b"OLD\topt_old.h\nMINE\topt_mine.h\n",
    }
    before = series(s).digest
    (s / "sys/netpfil/mine/mine.c").write_text("int yours;\n")
    assert series(s).digest != before


def test_series_refusals(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither a file nor a folder"):
        read_series(str(tmp_path / "none"), TREE)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="not a patch series"):
        series(tmp_path / "empty")
    (tmp_path / "empty/series").write_text("gone.patch\n")
    with pytest.raises(UsageError, match="series:1"):
        series(tmp_path / "empty")
    own = tmp_path / "own"
    (own / "sys").mkdir(parents=True)
    (own / "sys/a.c").write_text("mine\n")
    with pytest.raises(PatchError, match="another file of that name"):
        apply_series([series(own)], {"sys/a.c": b"theirs\n"}.get)


def test_a_series_brings_what_it_needs(tmp_path: Path) -> None:
    for name, note in {"a": "", "b": "needs: [a]", "c": "needs: [b, a]"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "series.yaml").write_text(note)
    a, b, c = (str(tmp_path / n) for n in "abc")
    assert with_needs([c]) == (a, b, c)
    assert with_needs([a, c, b]) == (a, b, c)
    assert with_needs(["pspat-attempts"]) == ("pspat", "pspat-attempts")
    (tmp_path / "a" / "series.yaml").write_text("needs: [c]")
    with pytest.raises(UsageError, match="needs itself"):
        with_needs([c])
    (tmp_path / "a" / "series.yaml").write_text("needs: 3")
    with pytest.raises(UsageError, match=r"series\.yaml: needs"):
        with_needs([c])
