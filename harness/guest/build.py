"""Build the user-mode guest from vm/usermode, vm/dngen and kernel patch series with the host's cc.

The program is cached by the content of everything that goes into it: sources, headers, patch
series, compiler version and flags.  Same inputs, nothing is compiled.  One object is cached by what
the compiler read to make it (the compiler's own dependency list), so that one changed line costs
one compilation and a link.

Can be run by itself: ``python -m harness.guest.build --flavour debug -o /tmp/dnh-usermode``.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

try:
    from harness.errors import DnhError, MachineryError, UsageError
    from harness.paths import cache_dir, data_dir
except ModuleNotFoundError:  # run as a plain file, from anywhere
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from harness.errors import DnhError, MachineryError, UsageError
    from harness.paths import cache_dir, data_dir

COMMON_FLAGS = [
    "-std=gnu11", "-O2", "-g", "-fno-omit-frame-pointer", "-fno-optimize-sibling-calls", "-fno-strict-aliasing",
    "-fno-common", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter",
]  # fmt: skip
# FreeBSD's compiler flags for the kernel silence these as well: a KASSERT that is compiled out leaves
# variables that are set for it alone.
KERNEL_FLAGS = ["-D_KERNEL", "-ffreestanding", "-nostdinc", "-Wno-unused-but-set-variable", "-Wno-unused-variable"]
FLAVOURS = {
    "debug": ["-DINVARIANTS", "-DWITNESS", "-DDDB", "-DVIMAGE", "-DINET"],
    "release": ["-DVIMAGE", "-DINET"],
}
SANITIZERS = ("address", "undefined", "thread")


def sanitizers(words: str | None = None) -> tuple[str, ...]:
    """('address', 'undefined') from ``address,undefined``; without words, from the environment's DNH_SANITIZE.

    Raises UsageError for a word that is none, and for two that do not go together.
    """
    where = "DNH_SANITIZE" if words is None else "--sanitize"
    chosen = tuple(w for w in (os.environ.get("DNH_SANITIZE", "") if words is None else words).split(",") if w)
    for w in chosen:
        if w not in SANITIZERS:
            raise UsageError(f"{where}: unknown sanitizer '{w}' (one of {', '.join(SANITIZERS)})")
    if "thread" in chosen and "address" in chosen:
        raise UsageError(f"{where}: address and thread do not go together")
    return chosen


@dataclass(frozen=True)
class BuildSpec:
    """What to build.  ``patches`` are folders with a ``sys/`` tree of C files, in order.

    ``vm`` stands in for the program's own folder vm/; ``overlay`` is a folder whose files under ``sys/``
    take the place of those of vm/usermode (see harness.guest.patched).
    """

    flavour: str = "debug"
    sanitize: tuple[str, ...] = field(default_factory=sanitizers)
    patches: tuple[Path, ...] = ()
    options: tuple[str, ...] = ()  # kernel options, as -D words: PSPAT, PSPAT_ATTEMPTS
    only: tuple[str, ...] = ()  # fnmatch patterns of files, for work on a part of the tree
    vm: Path | None = None
    overlay: Path | None = None


@dataclass(frozen=True)
class Built:
    """A program on disk, its content hash, and how it came to be."""

    program: Path
    digest: str
    cached: bool
    seconds: float
    compiler: str
    sources: tuple[str, ...] = field(default=())


Progress = Callable[[str, float], None]


def _no_progress(_phase: str, _fraction: float) -> None:
    return None


def find_compiler() -> str:
    """The host's C compiler: $CC, else cc, gcc or clang.

    Raises MachineryError with the install line when there is none.
    """
    for name in (os.environ.get("CC"), "cc", "gcc", "clang"):
        if name and shutil.which(shlex.split(name)[0]):
            return name
    raise MachineryError(
        "no C compiler found (tried $CC, cc, gcc, clang): on Debian 'apt-get install gcc libc6-dev', "
        "on FreeBSD it is in the base system"
    )


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def _compiler_identity(cc: str) -> str:
    out = _run([*shlex.split(cc), "--version"])
    return out.stdout.splitlines()[0] if out.stdout else cc


def _compiler_includes(cc: str) -> list[str]:
    """The compiler's own header folder (stdarg.h, stdatomic.h): all that -nostdinc code may see of it."""
    out = _run([*shlex.split(cc), "-print-file-name=include"])
    return ["-isystem", out.stdout.strip()]


@dataclass(frozen=True)
class _Unit:
    path: Path
    label: str
    flags: tuple[str, ...]


def _patched(made: Path, rel: str, label: str, flags: tuple[str, ...]) -> _Unit:
    """A file that patches made, from where its content is kept: there it has one name, whatever else is patched."""
    file = (made / rel).resolve()
    return _Unit(file, label, (*flags, f"-fmacro-prefix-map={str(file)[: -len(rel)]}=/usr/src/sys/"))


def _units(spec: BuildSpec, cc: str) -> list[_Unit]:
    vm = spec.vm or data_dir("vm")
    usermode, dngen = vm / "usermode", vm / "dngen"
    # What patches made of the program's own files.  The others are compiled as if there were no patches.
    made = spec.overlay / "sys" if spec.overlay else None
    common = [*COMMON_FLAGS, *FLAVOURS[spec.flavour], *(f"-D{o}" for o in spec.options)]
    if spec.sanitize:
        # The optimizer works long on what a sanitizer adds, and wins little.
        common += ["-O1", f"-fsanitize={','.join(spec.sanitize)}", "-fno-sanitize-recover=all", "-DDNH_SANITIZE"]
        if "undefined" in spec.sanitize:
            # A wild pointer and a division by zero are the guest's to trap on: its words are FreeBSD's.
            common.append("-fno-sanitize=null,alignment,integer-divide-by-zero")
    host = [*common, "-D_GNU_SOURCE", f"-I{usermode}/host"]
    # A panic names the file as FreeBSD's own would, wherever this checkout lies.
    kernel = [*common, *KERNEL_FLAGS, f"-fmacro-prefix-map={usermode}/=/usr/src/sys/", *_compiler_includes(cc)]
    kernel += [f"-fmacro-prefix-map={p}/sys/=/usr/src/sys/" for p in spec.patches]
    kernel += [f"-I{p}/sys" for p in spec.patches if (p / "sys").is_dir()]
    if made and any(made.rglob("*.h")):
        kernel.append(f"-I{made}")
    kernel += [f"-I{usermode}/include", f"-I{usermode}", f"-I{dngen}"]
    kernel += ["-include", f"{usermode}/include/kern_prefix.h"]
    units = [_Unit(p, f"host/{p.name}", tuple(host)) for p in sorted((usermode / "host").glob("*.c"))]
    for room in ("kern", "net", "netinet", "netpfil", "userland"):
        for p in sorted((usermode / room).rglob("*.c")):
            label = str(p.relative_to(usermode))
            if made and (made / label).is_file():
                units.append(_patched(made, label, label, (*kernel, "-iquote", str(p.parent))))
            else:
                units.append(_Unit(p, label, tuple(kernel)))
    if made:
        for p in sorted(made.rglob("*.c")):
            if not (usermode / p.relative_to(made)).is_file():  # new, not in place of one of ours
                units.append(_patched(made, str(p.relative_to(made)), f"patched/{p.relative_to(made)}", tuple(kernel)))
    for p in sorted(dngen.glob("*.c")):
        if p.name != "os_posix.c":
            units.append(_Unit(p, f"dngen/{p.name}", tuple(kernel)))
    for series in spec.patches:
        for p in sorted((series / "sys").rglob("*.c")):
            units.append(_Unit(p, f"{series.name}/{p.relative_to(series)}", tuple(kernel)))
    if spec.only:
        units = [u for u in units if any(Path(u.label).match(pattern) for pattern in spec.only)]
    return units


def _digest(*parts: bytes | str) -> str:
    h = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode()
        h.update(len(data).to_bytes(8, "little"))
        h.update(data)
    return h.hexdigest()[:24]


class _FileHashes:
    """Content hashes, each file read once."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def __call__(self, path: str) -> str:
        if path not in self._known:
            try:
                self._known[path] = hashlib.sha256(Path(path).read_bytes()).hexdigest()
            except OSError:
                self._known[path] = "gone"
        return self._known[path]


def _read_deps(depfile: Path) -> list[str]:
    text = depfile.read_text().replace("\\\n", " ")
    return sorted({w for w in text.split(":", 1)[-1].split() if w})


def _known(identity: str, unit: _Unit, store: Path, hashes: _FileHashes) -> tuple[Path, str] | None:
    """The object of a unit and its digest, when the store has it and nothing it was made of has changed."""
    try:
        known = json.loads((store / f"{_unit_key(identity, unit)}.json").read_text())
        if all(hashes(p) == h for p, h in known["deps"].items()) and (store / known["object"]).exists():
            return store / known["object"], known["digest"]
    except (OSError, ValueError, KeyError):
        pass
    return None


def _unit_key(identity: str, unit: _Unit) -> str:
    return _digest(identity, str(unit.path), *unit.flags)


def _compile(cc: str, identity: str, unit: _Unit, store: Path, hashes: _FileHashes) -> tuple[Path, str]:
    """One object, from the store when it is there.  Returns (path, digest)."""
    known = _known(identity, unit, store, hashes)
    if known is not None:
        return known
    key = _unit_key(identity, unit)
    note = store / f"{key}.json"
    with tempfile.TemporaryDirectory(dir=store) as tmp:
        obj, dep = Path(tmp) / "unit.o", Path(tmp) / "unit.d"
        command = [*shlex.split(cc), *unit.flags, "-MD", "-MF", str(dep), "-c", str(unit.path), "-o", str(obj)]
        out = _run(command)
        if out.returncode != 0:
            raise MachineryError(f"user-mode guest: {unit.label} does not compile\n{first_error(out.stderr)}")
        deps = {p: hashes(p) for p in _read_deps(dep)}
        digest = _digest(identity, *unit.flags, *(f"{Path(p).name}={h}" for p, h in deps.items()))
        target = store / f"{key}-{digest}.o"
        os.replace(obj, target)
        fresh = Path(tmp) / "note.json"
        fresh.write_text(json.dumps({"object": target.name, "digest": digest, "deps": deps}))
        os.replace(fresh, note)
    return target, digest


def first_error(stderr: str) -> str:
    """The first error of a compiler's output with the lines that belong to it: what to read first."""
    lines = stderr.splitlines()
    for i, line in enumerate(lines):
        if re.search(r"\b(fatal )?error:", line):
            return "\n".join(lines[i : i + 6])
    return "\n".join(lines[:12])


@contextmanager
def _lock(path: Path, progress: Progress) -> Iterator[None]:
    """Held by one process at a time.  ``progress`` is called while it is waited for, and may raise to end the waiting."""
    with open(path, "w") as f:
        while True:
            try:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                progress("wait for another build", 0.0)
                time.sleep(0.05)
        yield


def build(spec: BuildSpec, progress: Progress = _no_progress, jobs: int | None = None) -> Built:
    """Build (or find) the user-mode guest for ``spec``; returns where it is.

    Safe to call from several processes at once: one builds, the others wait and find it.  What
    ``progress`` raises ends the build.
    Raises MachineryError with the first compiler error.
    """
    started = time.monotonic()
    cc = find_compiler()
    identity = _compiler_identity(cc)
    store = cache_dir("usermode")
    objects = store / "objects"
    objects.mkdir(parents=True, exist_ok=True)
    units = _units(spec, cc)
    if not units:
        raise MachineryError(f"no sources of the user-mode guest under {data_dir('vm')}")
    labels = tuple(u.label for u in units)

    def built(digests: Iterable[str]) -> tuple[Path, str]:
        digest = _digest(identity, *digests)
        return store / f"dnh-usermode-{digest}", digest

    # What is there is found without the lock: nobody waits for what another builds meanwhile.
    hashes = _FileHashes()
    known = [_known(identity, u, objects, hashes) for u in units]
    program, digest = built(k[1] for k in known if k is not None)
    if None not in known and program.exists():
        progress("done", 1.0)
        return Built(program, digest, True, time.monotonic() - started, identity, labels)
    with _lock(store / "lock", progress):
        hashes = _FileHashes()
        made: dict[str, tuple[Path, str]] = {}
        with concurrent.futures.ThreadPoolExecutor(jobs or os.cpu_count() or 2) as pool:
            futures = {pool.submit(_compile, cc, identity, u, objects, hashes): u for u in units}
            try:
                for n, done in enumerate(concurrent.futures.as_completed(futures), 1):
                    unit = futures[done]
                    made[unit.label] = done.result()
                    progress(f"compile {unit.label}", n / (len(futures) + 1))
            except BaseException:
                for f in futures:
                    f.cancel()
                raise
        program, digest = built(made[u.label][1] for u in units)
        cached = program.exists()
        if not cached:
            progress("link", 0.98)
            with tempfile.TemporaryDirectory(dir=store) as tmp:
                fresh = Path(tmp) / "program"
                link = [*shlex.split(cc), "-g", "-rdynamic"]
                if spec.sanitize:
                    link.append(f"-fsanitize={','.join(spec.sanitize)}")
                link += [*(str(made[u.label][0]) for u in units), "-o", str(fresh), "-lpthread", "-lm"]
                out = _run(link)
                if out.returncode != 0:
                    raise MachineryError(f"user-mode guest does not link\n{link_error(out.stderr)}")
                os.replace(fresh, program)
        progress("done", 1.0)
    return Built(program, digest, cached, time.monotonic() - started, identity, labels)


def link_error(stderr: str) -> str:
    """A linker's complaint without its repetitions: each undefined symbol once, at most forty of them."""
    undefined = sorted(set(re.findall(r"undefined reference to [`'\"]([^`'\"]+)", stderr)))
    if undefined:
        return "undefined: " + " ".join(undefined[:40]) + (" ..." if len(undefined) > 40 else "")
    return "\n".join(stderr.splitlines()[:12])


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="harness.guest.build", description="build the user-mode guest")
    parser.add_argument("--flavour", choices=sorted(FLAVOURS), default="debug")
    parser.add_argument("--sanitize", metavar="LIST", help="address,undefined or thread ($DNH_SANITIZE)")
    parser.add_argument("--patches", action="append", default=[], type=Path, metavar="FOLDER")
    parser.add_argument("--option", action="append", default=[], metavar="NAME")
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN")
    parser.add_argument("-o", "--output", type=Path)
    args = parser.parse_args(argv)
    try:
        spec = BuildSpec(
            args.flavour, sanitizers(args.sanitize), tuple(p.resolve() for p in args.patches), tuple(args.option),
            tuple(args.only),
        )
        built = build(spec)
    except DnhError as e:
        print(e, file=sys.stderr)
        return e.exit_code
    if args.output:
        shutil.copy2(built.program, args.output)
    print(f"{args.output or built.program}: {'cached' if built.cached else 'built'} in {built.seconds:.1f} s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
