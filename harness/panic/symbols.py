"""Files and lines for frames, from a kernel's symbols, by llvm-symbolizer or addr2line."""

from __future__ import annotations

import bisect
import re
import shutil
import subprocess
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from harness.errors import MachineryError, UsageError
from harness.panic import naming
from harness.panic.judge import STRUCK, unseen_struck
from harness.panic.model import Frame, Panic, is_interrupt

# Names under which a kernel with its symbols is found in a folder, the fullest first.
_KERNELS = ("kernel.full", "kernel.debug", "kernel", "dnh-usermode")
_PREFIX = "fbsd_"  # what the user-mode guest puts before names that its host's libc has too
_CHECKOUT = re.compile(r"^.*?/(?=(?:vm|kernel-patches)/)")
_TIMEOUT = 120.0


def _tool(*names: str) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


@dataclass(frozen=True, slots=True)
class _Symbol:
    address: int
    size: int


@dataclass(frozen=True)
class _Object:
    """One file with symbols: a kernel or a module's .ko.debug."""

    path: Path
    module: str

    @cached_property
    def functions(self) -> dict[str, list[_Symbol]]:
        """Functions by name; a static function's name may be there more than once.  Sizes in bytes."""
        nm = _tool("nm", "llvm-nm")
        if nm is None:
            raise MachineryError(
                "reading symbols needs nm or llvm-nm (binutils or llvm): neither is in the PATH"
            )
        got = subprocess.run(
            [nm, "-n", "--defined-only", str(self.path)],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
        found = re.findall(r"^([0-9a-f]{8,16}) [tTwWiu] (\S+)$", got.stdout, re.M)
        starts = sorted({int(address, 16) for address, _ in found})
        table: dict[str, list[_Symbol]] = defaultdict(list)
        for text, name in found:
            address = int(text, 16)
            after = bisect.bisect_right(starts, address)
            table[name].append(_Symbol(address, starts[after] - address if after < len(starts) else 1 << 20))
        return table

    def function_at(self, address: int) -> tuple[str, int] | None:
        """The function that an address lies in, and the offset into it."""
        inside = [
            (name, address - s.address)
            for name, symbols in self.functions.items()
            for s in symbols
            if s.address <= address < s.address + s.size
        ]
        return min(inside, key=lambda found: (found[1], found[0]), default=None)

    def address(self, function: str, offset: int) -> int | None:
        """Where ``function+offset`` lies; None where the name is unknown or fits more than once."""
        for name in (function, _PREFIX + function):
            fitting = [s for s in self.functions.get(name, ()) if offset <= s.size]
            if len(fitting) == 1:
                return fitting[0].address + offset
        return None


@dataclass(frozen=True, slots=True)
class _Place:
    function: str
    file: str
    line: int | None


class Symbols:
    """The symbols of a kernel folder (or of one file): kernel.full, kernel.debug, kernel, *.ko.debug."""

    def __init__(self, kernel: Path) -> None:
        if not kernel.exists():
            raise UsageError(f"{kernel}: no such kernel folder")
        folders = [kernel] if kernel.is_dir() else []
        if kernel.is_dir() and (kernel / "boot" / "kernel").is_dir():
            folders += [kernel / "usr/lib/debug/boot/kernel", kernel / "boot/kernel"]
        if kernel.is_dir() and (kernel / "modules").is_dir():
            folders.append(kernel / "modules")
        files = (
            [kernel] if kernel.is_file() else [p for f in folders for n in _KERNELS if (p := f / n).is_file()]
        )
        if not files:
            raise UsageError(f"{kernel}: no kernel in it (looked for {', '.join(_KERNELS)})")
        modules = sorted(
            {p for f in folders for p in f.glob("*.ko.debug")}
            | {p for f in folders for p in f.glob("*.ko.full")}
        )
        self._objects = [_Object(files[0], "")]
        self._objects += [_Object(path, path.name.rpartition(".ko")[0]) for path in modules]
        self._usermode = files[0].name.startswith("dnh-usermode")
        self._symbolizer = _tool("llvm-symbolizer")
        self._addr2line = _tool("addr2line", "llvm-addr2line")
        if self._symbolizer is None and self._addr2line is None:
            raise MachineryError("files and lines need llvm-symbolizer or addr2line: neither is in the PATH")

    def place(self, panic: Panic) -> Panic:
        """The panic with modules, files, lines and inlined functions in its frames.

        Its signature stays as it is, unless the backtrace lacked the function that was struck: where the
        symbols tell which it was, the panic gets the name that a fuller log would have given it.
        """
        stranger = self._stranger(panic)
        if stranger:
            note = f"no files and lines: {self._objects[0].path} is another build ({stranger} lies elsewhere in it)"
            return replace(panic, notes=(*panic.notes, note))
        panic = self._with_struck(panic)
        wanted: dict[Path, list[tuple[int, int]]] = defaultdict(list)
        owner: dict[int, _Object] = {}
        for i, frame in enumerate(panic.frames):
            if frame.file or frame.offset is None or frame.inlined:
                continue
            # A return address belongs to the call before it; a trap's address is the instruction itself.
            back = 0 if frame.trap and not is_interrupt(frame.trap) else 1
            for thing in self._objects:
                if (address := thing.address(frame.function, frame.offset)) is not None:
                    wanted[thing.path].append((i, max(address - back, 0)))
                    owner[i] = thing
                    break
        places: dict[int, list[_Place]] = {}
        for path, asked in wanted.items():
            for (i, _), found in zip(
                asked, self._lines(path, [address for _, address in asked]), strict=False
            ):
                places[i] = found
        frames: list[Frame] = []
        for i, frame in enumerate(panic.frames):
            found = places.get(i, [])
            if not found:
                frames.append(frame)
                continue
            module = frame.module or owner[i].module
            frames += [
                Frame(
                    p.function, None, module, p.file, p.line, inlined=True, trap=frame.trap if not k else ""
                )
                for k, p in enumerate(found[:-1])
            ]
            outer = found[-1]
            trap = frame.trap if len(found) == 1 else ""
            frames.append(replace(frame, module=module, file=outer.file, line=outer.line, trap=trap))
        return replace(panic, frames=tuple(frames))

    def _stranger(self, panic: Panic) -> str:
        """A function that the log saw at an address where these symbols have something else; empty where all fit.

        FreeBSD's kernel is not moved when it is loaded: an address in the log is that of the symbols.  Modules
        are, and the user-mode guest is where the host put it: told by their distance from the symbols.
        """
        kernel = self._objects[0]
        if self._usermode or not kernel.functions:
            return ""
        end = max(symbol.address for symbols in kernel.functions.values() for symbol in symbols)
        for frame in panic.frames:
            at = int(frame.address, 16) if re.fullmatch(r"0x[0-9a-f]{5,16}", frame.address) else 0
            known = kernel.functions.get(frame.function)
            if not at or not known or frame.offset is None or min(s.address for s in known) >> 32 != at >> 32 or at > end:
                continue
            if at not in {symbol.address + frame.offset for symbol in known}:
                return f"{frame.function}+{frame.offset:#x}"
        return ""

    def _with_struck(self, panic: Panic) -> Panic:
        at = unseen_struck(panic.frames)
        if STRUCK not in panic.missing or not at or not panic.instruction:
            return panic
        found = self._objects[0].function_at(int(panic.instruction, 16))
        if found is None:
            return panic
        name, offset = found[0].removeprefix(_PREFIX), found[1]
        struck = Frame(name, offset, address=panic.instruction, trap=f"trap, rip = {panic.instruction}")
        frames = (*panic.frames[:at], struck, *panic.frames[at:])
        where = naming.culprit(frames)
        return replace(
            panic,
            frames=frames,
            culprit=where,
            signature=naming.signature(panic.kind, panic.normalized, where, panic.cycle, ()),
            points=naming.points(frames),
            missing=tuple(word for word in panic.missing if word != STRUCK),
        )

    def _lines(self, path: Path, addresses: list[int]) -> list[list[_Place]]:
        """For each address its functions, the innermost inlined one first; empty where nothing is known."""
        asked = "".join(f"{address:#x}\n" for address in addresses)
        if self._symbolizer is not None:
            command = [
                self._symbolizer,
                "--inlines",
                "--functions=linkage",
                "--output-style=LLVM",
                f"--obj={path}",
            ]
        else:
            assert self._addr2line is not None
            command = [self._addr2line, "-a", "-i", "-f", "-e", str(path)]
        try:
            got = subprocess.run(
                command, input=asked, capture_output=True, text=True, timeout=_TIMEOUT, check=False
            )
        except subprocess.TimeoutExpired as exc:
            raise MachineryError(f"{command[0]} gave no answer for {path} within {_TIMEOUT:.0f} s") from exc
        if self._symbolizer is not None:
            groups = [block.splitlines() for block in got.stdout.split("\n\n")]
        else:
            groups = [
                block.splitlines()[1:]
                for block in re.split(r"^(?=0x[0-9a-f]{8,}$)", got.stdout, flags=re.M)[1:]
            ]
        found = [_places(group) for group in groups[: len(addresses)]]
        if self._usermode:  # a file is named as in the repository, not as in the folder it was built in
            found = [[replace(p, file=_CHECKOUT.sub("", p.file)) for p in places] for places in found]
        return found


def _places(lines: list[str]) -> list[_Place]:
    found: list[_Place] = []
    for function, position in zip(lines[::2], lines[1::2], strict=False):
        known = re.match(r"(?P<file>.+?):(?P<line>\d+|\?)(?::\d+)?(?: \(discriminator \d+\))?$", position)
        if known is None or known["file"] in ("??", "") or function == "??":
            continue
        number = int(known["line"]) if known["line"].isdigit() else None
        found.append(_Place(function.removeprefix(_PREFIX), known["file"], number or None))
    return found


def placed(panic: Panic, kernel: Path | None) -> Panic:
    """The panic with files and lines where there are symbols and tools to read them; as it is where not."""
    if kernel is None:
        return panic
    try:
        return Symbols(kernel).place(panic)
    except (MachineryError, UsageError, OSError):
        return panic
