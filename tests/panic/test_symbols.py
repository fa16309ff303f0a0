"""Files and lines: the symbols of a program made here."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.panic import read

SOURCE = """\
volatile int sink;
static inline __attribute__((always_inline)) void inner(int x) { sink = x / (x - x); }
__attribute__((noinline)) void dummynet_io(int x)
{
	inner(x);
	sink++;
}
__attribute__((noinline)) void ipfw_check_packet(int x)
{
	dummynet_io(x + 1);
	sink++;
}
int main(int argc, char **argv) { (void)argv; ipfw_check_packet(argc); return (sink); }
"""

pytestmark = pytest.mark.skipif(
    not (
        shutil.which("cc")
        and shutil.which("nm")
        and (shutil.which("addr2line") or shutil.which("llvm-symbolizer"))
    ),
    reason="needs cc, nm and addr2line or llvm-symbolizer",
)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kernel")
    (folder / "k.c").write_text(SOURCE)
    subprocess.run(
        ["cc", "-g", "-O1", "-no-pie", "-fno-optimize-sibling-calls", "-o", "kernel.debug", "k.c"],
        cwd=folder,
        check=True,
    )
    return folder


def offset_of_line(kernel: Path, function: str, line: int) -> tuple[int, int]:
    """Address of the function and the offset of the first instruction after a call on the line."""
    nm = subprocess.run(["nm", kernel / "kernel.debug"], capture_output=True, text=True, check=True).stdout
    start = next(int(row.split()[0], 16) for row in nm.splitlines() if row.endswith(f" T {function}"))
    tool = shutil.which("addr2line") or "llvm-addr2line"
    for offset in range(1, 64):
        got = subprocess.run(
            [tool, "-e", kernel / "kernel.debug", hex(start + offset)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        if f"k.c:{line}" in got:
            return start, offset
    raise AssertionError(f"no code for line {line}")


def log(*frames: str, trap: str = "") -> str:
    body = "panic: integer divide fault\ncpuid = 0\ntime = 1700000000\n"
    body += "KDB: stack backtrace:\nvpanic() at vpanic+0x10/frame 0xfffffe0000810000\n"
    body += "calltrap() at calltrap+0x8/frame 0xfffffe0000810000\n"
    return body + trap + "".join(f"{f}/frame 0xfffffe0000810000\n" for f in frames)


def test_frames_get_files_and_lines_and_keep_their_name(kernel: Path) -> None:
    start, struck = offset_of_line(kernel, "dummynet_io", 2)
    _, call = offset_of_line(kernel, "ipfw_check_packet", 10)
    text = log(
        f"dummynet_io() at dummynet_io+{struck:#x}",
        f"ipfw_check_packet() at ipfw_check_packet+{call + 1:#x}",
        trap=f"--- trap 0x12, rip = {start + struck:#x}, rsp = 0xfffffe00, rbp = 0xfffffe01 ---\n",
    )
    bare, placed = read(text)[0], read(text, kernel)[0]
    assert placed.signature == bare.signature
    told = [(f.function, Path(f.file).name, f.line, f.inlined) for f in placed.frames if f.file]
    assert told == [
        ("inner", "k.c", 2, True),
        ("dummynet_io", "k.c", 5, False),
        ("ipfw_check_packet", "k.c", 10, False),
    ]
    assert placed.struck_frames[0].function == "inner"
    assert placed.culprit == "dummynet_io"


def test_the_struck_function_is_found_by_its_address(kernel: Path) -> None:
    start, struck = offset_of_line(kernel, "dummynet_io", 2)
    text = (
        "Fatal trap 18: integer divide fault while in kernel mode\ncpuid = 0; apic id = 00\n"
        f"instruction pointer\t= 0x20:{start + struck:#x}\n"
        "panic: integer divide fault\ncpuid = 0\ntime = 1700000000\n"
        "KDB: stack backtrace:\n#0 0xffffffff80b7fefd at kdb_backtrace+0x5d\n"
        "#1 0xffffffff80b32bd1 at vpanic+0x131\n"
        "#2 0xffffffff80fd6d48 at calltrap+0x8\n#3 0xffffffff821683d4 at ipfw_check_packet+0x5\n"
    )
    bare, placed = read(text)[0], read(text, kernel)[0]
    assert bare.culprit == "ipfw_check_packet"
    assert "function that was struck" in bare.missing
    assert placed.culprit == "dummynet_io"
    assert "function that was struck" not in placed.missing
    assert placed.signature.startswith("integer-divide-fault@dummynet_io-")


def test_unknown_functions_stay_as_they_are(kernel: Path) -> None:
    panic = read(log("nowhere() at nowhere+0x10", "dummynet_io() at dummynet_io+0x4000"), kernel)[0]
    assert [f.file for f in panic.frames] == [""] * len(panic.frames)


def test_no_kernel_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no kernel in it"):
        read(log("a() at a+0x1"), tmp_path)
    with pytest.raises(UsageError, match="no such"):
        read(log("a() at a+0x1"), tmp_path / "gone")


def test_a_modules_frames_come_from_its_own_symbols(kernel: Path, tmp_path: Path) -> None:
    """A module is relocatable (ld -r), and lies wherever there was room: only function and offset count."""
    folder = tmp_path / "kernel"
    shutil.copytree(kernel, folder)
    source = "volatile int n;\nvoid first(void) { n++; }\nvoid pspat_enqueue(void)\n{\n\tn = 1 / n;\n\tfirst();\n}\n"
    (folder / "m.c").write_text(source)
    subprocess.run(["cc", "-g", "-O1", "-c", "-o", "m.o", "m.c"], cwd=folder, check=True)
    subprocess.run(["ld", "-r", "-o", "pspat.ko.debug", "m.o"], cwd=folder, check=True)
    text = log(
        "pspat_enqueue() at pspat_enqueue+0x5",
        "ipfw_check_packet() at ipfw_check_packet+0x9",
        trap="--- trap 0x12, rip = 0xffffffff82a01234, rsp = 0xfffffe00, rbp = 0xfffffe01 ---\n",
    )
    placed = read(text, folder)[0]
    frame = placed.struck_frames[0]
    assert (frame.function, frame.module, Path(frame.file).name, frame.line) == ("pspat_enqueue", "pspat", "m.c", 5)
    assert not placed.struck_frames[1].module


def test_symbols_of_another_build_are_told(kernel: Path) -> None:
    start, struck = offset_of_line(kernel, "dummynet_io", 2)
    trap = f"--- trap 0x12, rip = {start + struck - 2:#x}, rsp = 0xfffffe00, rbp = 0xfffffe01 ---\n"
    text = log(f"dummynet_io() at dummynet_io+{struck:#x}", trap=trap)
    placed = read(text, kernel)[0]
    assert any("another build" in note for note in placed.notes)
    assert not any(frame.file for frame in placed.frames)
