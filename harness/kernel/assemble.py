"""From a source tree to a guest: overlay, tools, kernel, world, traffic generator, disk image.

Every piece is kept by the content of what it was made of:

    ~/.cache/dnh/kernel/trees/NAME-HASH/{src,obj}   overlay and objects of one source tree, for the next build
    ~/.cache/dnh/kernel/kernels/KEY/                kernel, kernel.debug, modules
    ~/.cache/dnh/kernel/worlds/KEY/root/            the files of the world
    ~/.cache/dnh/kernel/images/KEY/disk.img         the disk
    ~/.cache/dnh/guests/NAME/                       names for these (harness.kernel.store)
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import MachineryError, UsageError
from harness.kernel import config, image, store
from harness.kernel.checks import Toolchain, check
from harness.kernel.elf import needed
from harness.kernel.patches import Reader, Series, apply_series, read_series, with_needs
from harness.kernel.runner import BuildFailed, Counts, Progress, run_phase
from harness.kernel.sources import Overlay, digest_of, kernel_paths, world_paths
from harness.kernel.store import Identity, Image
from harness.kernel.tree import Tree, known_words, read_tree
from harness.paths import cache_dir, data_dir

RECIPE = "1"  # counts up when this file makes something else out of the same inputs

# Seconds of a first build, measured on 2 cores: their proportions make the percentage.
WEIGHTS = {
    "copy": 25,
    "tools": 65,
    "kernel": 110,
    "headers": 24,
    "libraries": 150,
    "programs": 32,
    "image": 1,
}
STEPS = {"tools": 1900, "kernel": 1050, "headers": 4400, "libraries": 9000, "programs": 1750}
LOGS_KEPT = 20  # of each source tree

# Programs whose file is not named after their folder.
ODD_NAMES = {"libexec/rtld-elf": "ld-elf.so.1", "stand/efi/loader_simp": "loader_simp.efi"}


@dataclass(frozen=True)
class KernelSpec:
    """What to build: ``patches`` are series by name or path, ``options`` as config.compose takes them."""

    src: Path
    patches: tuple[str, ...] = ()
    flavour: str = "debug"
    options: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    name: str = ""
    compiler: str = ""
    jobs: int = 0

    def guest_name(self, tree: Tree) -> str:
        """The name it gets when none was given: 15.1-debug, 15.1-debug-pspat."""
        if self.name:
            return store.check_name(self.name)
        parts = [tree.revision, self.flavour, *(Path(p).stem for p in self.patches)]
        parts += [o.lower().replace("=", "") for o in self.options]
        return store.check_name(re.sub(r"[^A-Za-z0-9._+-]", "-", "-".join(parts))[:64])


@dataclass
class Result:
    """What a build came to: the guest, whether anything had to be built, seconds of each phase, the log."""

    image: Image
    cached: bool
    seconds: dict[str, float]
    log: Path


def _no_progress(_phase: str, _fraction: float) -> None:
    return None


def _key(*parts: object) -> str:
    return hashlib.sha256(json.dumps([RECIPE, *map(str, parts)]).encode()).hexdigest()[:24]


def _digest_files(root: Path) -> str:
    h = hashlib.sha256()
    for p in sorted(root.rglob("*")):
        if p.is_file() and "__pycache__" not in p.parts:
            h.update(f"{p.relative_to(root)}\0{int(os.access(p, os.X_OK))}\0".encode())
            h.update(hashlib.sha256(p.read_bytes()).digest())
    return h.hexdigest()[:24]


@contextlib.contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as f:
        try:
            fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("waiting for another build of this tree", 0.0)
            fcntl.flock(f, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class Program:
    """A line of world.list: the tree's folder, where the program goes, its other names."""

    folder: str
    dest: str
    links: tuple[str, ...]


def world_list(src: Path) -> list[Program]:
    """The programs of the world as this tree has them.  Raises UsageError for one that it lacks."""
    programs = []
    listing = data_dir("vm") / "kernel" / "world.list"
    for number, line in enumerate(listing.read_text().splitlines(), 1):
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        optional = words[-1] == "?"
        folder = next((f for f in words[0].split("|") if (src / f / "Makefile").is_file()), None)
        if folder is None:
            if optional:
                continue
            raise UsageError(
                f"the tree has no {words[0]}, which the world of a guest needs ({listing}:{number})"
            )
        rest = words[1 : -1 if optional else None]
        programs.append(Program(folder, rest[0], tuple(rest[1:])))
    return programs


@dataclass
class _Build:
    """One build under way."""

    spec: KernelSpec
    tree: Tree
    series: list[Series]
    toolchain: Toolchain
    progress: Progress
    base: Path
    log: Path
    seconds: dict[str, float] = field(default_factory=dict)
    spans: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def src(self) -> Path:
        return self.base / "src"

    @property
    def obj(self) -> Path:
        return self.base / "obj"

    @property
    def objtop(self) -> Path:
        return Path(f"{self.obj}{self.src.resolve()}") / "amd64.amd64"

    @property
    def sysroot(self) -> Path:
        return self.objtop / "tmp"

    def tool(self, name: str) -> str:
        """A host tool that the tree built for itself; on FreeBSD the system's, where the tree uses that."""
        for folder in ("legacy/usr/bin", "legacy/usr/sbin", "legacy/bin", "usr/bin"):
            path = self.sysroot / folder / name
            if path.exists():
                return str(path)
        found = shutil.which(name)
        if found:
            return found
        raise MachineryError(f"the tree's tools have no {name} (see {self.log})")

    def plan(self, phases: Sequence[str]) -> None:
        """Spread the percentage over what is to be done."""
        total, at = sum(WEIGHTS[p] for p in phases), 0.0
        for p in phases:
            part = WEIGHTS[p] / total
            self.spans[p] = (at, at + part)
            at += part

    def knobs(self) -> str:
        """The src.conf for this tree: everything off that a guest does not need."""
        text = (data_dir("vm") / "kernel" / "src.keep").read_text()
        keep = {w for line in text.splitlines() for w in line.split("#", 1)[0].split()}
        known = {p.name for p in (self.src / "tools/build/options").iterdir()}
        off = sorted(k for k in known if k.startswith("WITHOUT_") and k.removeprefix("WITHOUT_") not in keep)
        lines = [*off, "WITHOUT_DEPEND_CLEANUP", "WITHOUT_WERROR"]
        if "WITH_DISK_IMAGE_TOOLS_BOOTSTRAP" in known:
            lines.append("WITH_DISK_IMAGE_TOOLS_BOOTSTRAP")
        return "".join(f"{k}=yes\n" for k in dict.fromkeys(lines))

    def environment(self) -> dict[str, str]:
        """The build's environment: nothing of the user's make configuration gets in."""
        t = self.toolchain
        shims = self.base / "bin"
        shims.mkdir(parents=True, exist_ok=True)
        bash = shutil.which("bash")
        if bash and not (shims / "sh").is_symlink():
            (shims / "sh").symlink_to(bash)  # bmake's self-tests, and not they alone, fail under dash
        env = {
            k: v for k, v in os.environ.items() if k in ("HOME", "PATH", "TMPDIR", "USER", "LOGNAME", "TERM")
        }
        env["PATH"] = f"{shims}:{env.get('PATH', '/usr/bin:/bin')}:/usr/sbin:/sbin"
        env |= {
            "LC_ALL": "C",
            "MAKEOBJDIRPREFIX": str(self.obj),
            "SRCCONF": str(self.base / "src.conf"),
            "SRC_ENV_CONF": "/dev/null",
            "__MAKE_CONF": "/dev/null",
            "CC": t.cc,
            "CXX": t.cxx,
            "CPP": t.cpp,
            "XCC": t.cc,
            "XCXX": t.cxx,
            "XCPP": t.cpp,
            "XLD": t.ld,
        }
        return env

    def in_users_words(self, text: str) -> str:
        """A message about files of the overlay as one about the user's: a series' files, else the tree's."""
        for series in self.series:
            for rel, path in series.files:
                text = text.replace(str(self.src / rel), str(path))
        return text.replace(f"{self.src}/", f"{self.tree.path}/")

    def make(self, phase: str, what: str, *words: str) -> None:
        """One run of the tree's own make."""
        jobs = self.spec.jobs or os.cpu_count() or 1
        counts = Counts(cache_dir("kernel") / "steps.json")
        key = f"{self.tree.major}.{phase}"
        command = [sys.executable, str(self.src / "tools/build/make.py"), "--no-clean"]
        command += ["TARGET=amd64", "TARGET_ARCH=amd64", f"-j{jobs}", *words]
        began = time.monotonic()
        try:
            steps = run_phase(
                command, env=self.environment(), cwd=self.src, log=self.log, what=what,
                steps=counts.get(key, STEPS[phase]), span=self.spans.get(phase, (0.0, 1.0)),
                progress=self.progress,
            )  # fmt: skip
        except BuildFailed as e:
            raise BuildFailed(self.in_users_words(str(e))) from None
        counts.put(key, steps)
        self.seconds[phase] = self.seconds.get(phase, 0.0) + time.monotonic() - began


def _tweak_makefile(makefile: str, has: Callable[[str], bool]) -> str:
    """Corrections of the tree's Makefile.inc1 for a small cross-build; they are made in the overlay only.

    ``has`` tells whether the tree has a folder.
    """
    if "_kbdcontrol" in makefile and "${_bt}-usr.sbin/kbdcontrol:" not in makefile:
        # 15.x builds kbdcontrol for the host, but does not say that it needs lex first.
        makefile += "\n.if !empty(_kbdcontrol)\n${_bt}-usr.sbin/kbdcontrol: ${_bt_lex_depend}\n.endif\n"
    if "usr.sbin/makefs" not in makefile:
        # 13.x has no knob for building makefs for the host.
        makefile = makefile.replace(
            "    ${_mkimg} \\\n", "    lib/libnetbsd usr.sbin/makefs ${_mkimg} \\\n", 1
        )
        makefile += "\n${_bt}-usr.sbin/makefs: ${_bt}-lib/libnetbsd\n"
    # All of the tree's libraries take eight minutes on two cores, those that the world needs take two.
    listing = (data_dir("vm") / "kernel" / "libs.list").read_text()
    words = [w for line in listing.splitlines() for w in line.split("#", 1)[0].split()]
    early, late = words[: words.index(".WAIT")], words[words.index(".WAIT") + 1 :]
    lists = "".join(
        f"{name}=\t{' '.join(w for w in some if has(w))}\n"
        for name, some in (("_prebuild_libs", early), ("_generic_libs", late))
    )
    return re.sub(r"(?m)^(?=\.for _lib in \$\{_startup_libs\})", lambda _m: lists, makefile, count=1)


def _tweak_bootstrap(script: str) -> str:
    """Without the self-tests of make: they try the host's sh, and take longer than building make."""
    return re.sub(r"(?m)^(\s*)Bmake test\b.*$", r"\1:", script)


def _tweak(tree: Tree, patched: dict[str, bytes | None], read: Reader) -> dict[str, bytes | None]:
    """``patched`` with the corrections of the tree's build added."""
    made = dict(patched)
    corrections: dict[str, Callable[[str], str]] = {
        "Makefile.inc1": lambda text: _tweak_makefile(text, lambda d: (tree.path / d).is_dir()),
        "contrib/bmake/boot-strap": _tweak_bootstrap,
    }
    for path, correct in corrections.items():
        text = (made.get(path) or read(path) or b"").decode(errors="surrogateescape")
        if text:
            made[path] = correct(text).encode(errors="surrogateescape")
    return made


def build(spec: KernelSpec, progress: Progress = _no_progress) -> Result:
    """Build (or find) the guest that ``spec`` describes.

    Raises UsageError (tree, patch, option: exit 2) or MachineryError (the machine, the build: exit 3).
    Safe to call from several processes at once.
    """
    began = time.monotonic()
    tree = read_tree(spec.src)
    series = [read_series(p, tree) for p in with_needs(spec.patches)]
    name = spec.guest_name(tree)
    root = cache_dir("kernel")
    base = root / "trees" / f"{tree.path.name}-{hashlib.sha256(str(tree.path).encode()).hexdigest()[:8]}"
    base.mkdir(parents=True, exist_ok=True)
    toolchain = check(
        tree, root, first=not (base / "manifest.json").exists(), wanted_cc=spec.compiler or None
    )
    log = base / "logs" / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{name}.log"
    for old in sorted((base / "logs").glob("*.log"))[:-LOGS_KEPT]:
        old.unlink(missing_ok=True)
    job = _Build(spec, tree, series, toolchain, progress, base, log)
    with _locked(base / "lock", progress):
        made = _build_locked(job, name)
        store.prune()
    made.seconds["total"] = time.monotonic() - began
    progress("done", 1.0)
    return made


def _build_locked(job: _Build, name: str) -> Result:
    spec, tree = job.spec, job.tree
    root = cache_dir("kernel")
    first = not (job.base / "manifest.json").exists()
    job.plan(
        ["copy", "tools", "kernel", "headers", "libraries", "programs", "image"]
        if first
        else ["copy", "kernel"]
    )
    began = time.monotonic()
    overlay = Overlay(tree.path, job.base)
    overlay.load()
    patched = apply_series(job.series, overlay.read)
    patched = _tweak(tree, patched, overlay.read)
    span = job.spans["copy"]
    job.progress("reading the source tree", span[0])
    files = overlay.sync(
        patched,
        lambda n, total: job.progress("copying the source tree", span[0] + (span[1] - span[0]) * n / total),
    )
    job.seconds["copy"] = time.monotonic() - began

    conf_text = config.compose(spec.flavour, spec.options, spec.modules, known_words(job.src))
    for module in spec.modules:
        if not (job.src / "sys/modules" / module / "Makefile").is_file():
            raise UsageError(f"the tree has no module {module} (no sys/modules/{module})")
    srcconf = job.knobs()
    tools_key = _key("tools", digest_of(files, [p for p in world_paths(files) if not p.startswith("sys/")]),
                     job.toolchain.version, srcconf)  # fmt: skip
    kernel_key = _key(
        "kernel", digest_of(files, kernel_paths(files)), conf_text, spec.modules, job.toolchain.version, *_for_modules(job)
    )
    world_key = _key("world", digest_of(files, world_paths(files)), job.toolchain.version, srcconf,
                     (data_dir("vm") / "kernel" / "world.list").read_text())  # fmt: skip
    dngen_key = _dngen_key(world_key)
    image_key = _key(
        "image", kernel_key, world_key, dngen_key, _digest_files(data_dir("vm") / "kernel" / "root")
    )

    kernel_dir, world_dir = root / "kernels" / kernel_key, root / "worlds" / world_key
    image_dir = root / "images" / image_key
    cached = True
    for used in (kernel_dir, world_dir, image_dir):
        with contextlib.suppress(OSError):
            os.utime(used)
    if not (image_dir / "note.json").exists() or not (kernel_dir / "kernel").exists():
        cached = False
        need_kernel = not (kernel_dir / "kernel").exists()
        need_world = not (world_dir / "root").exists() or not (job.sysroot / "usr/lib/libc.so").exists()
        phases = ["tools"] if need_kernel or need_world else []
        phases += ["kernel"] if need_kernel else []
        phases += ["headers", "libraries", "programs"] if need_world else []
        job.plan(["copy", *phases, "image"] if first else [*phases, "image"])
        if phases:
            _tools(job, tools_key, srcconf)
        if need_kernel:
            _kernel(job, conf_text, kernel_dir)
        if need_world:
            _world(job, world_dir)
        _image(job, kernel_dir, world_dir, dngen_key, image_dir)
    made = _register(
        job, name, image_key, kernel_dir=kernel_dir, image_dir=image_dir, cached=cached,
        world=(world_key, dngen_key),
    )  # fmt: skip
    return Result(made, cached, job.seconds, job.log)


def _write_if_new(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def _tools(job: _Build, tools_key: str, srcconf: str) -> None:
    """The tree's tools for this host; objects of another release or compiler are thrown away first."""
    epoch = job.src / ".clean_build_epoch"
    stamp = _key(job.tree.osversion, job.toolchain.version, epoch.read_text() if epoch.exists() else "")
    noted = job.base / "objects.key"
    if not noted.exists() or noted.read_text() != stamp:
        shutil.rmtree(job.obj, ignore_errors=True)
        noted.write_text(stamp)
    job.obj.mkdir(parents=True, exist_ok=True)
    _write_if_new(job.base / "src.conf", srcconf)
    done = job.obj / "tools.key"
    if done.exists() and done.read_text() == tools_key:
        return
    job.make("tools", "building the tree's tools", "kernel-toolchain")
    done.write_text(tools_key)


def _for_modules(job: _Build) -> list[str]:
    """What make has to be told where there are modules.

    An older clang reaches the stack protector's word by way of the GOT; ld makes that good in a kernel, but a
    module comes unlinked, and 13.x's kernel knows no such relocation (R_X86_64_REX_GOTPCRELX).
    """
    return ["WITHOUT_SSP=yes"] if job.spec.modules and job.toolchain.major < 17 else []


def _kernel(job: _Build, conf_text: str, target: Path) -> None:
    ident = config.ident(job.spec.flavour)
    _write_if_new(job.base / "conf" / ident, conf_text)
    words = [f"KERNCONF={ident}", f"KERNCONFDIR={job.base / 'conf'}"]
    # Messages and symbols name files as on FreeBSD, not as in a cache; and same inputs make the same kernel.
    words.append(f"CONF_CFLAGS=-ffile-prefix-map={job.src}=/usr/src")
    mods = job.spec.modules
    words.append(f"MODULES_OVERRIDE={' '.join(mods)}" if mods else "NO_MODULES=yes")
    words += _for_modules(job)
    made = job.objtop / "sys" / ident
    # They are few, and their objects do not notice that a flag has changed.
    shutil.rmtree(made / "modules", ignore_errors=True)
    job.make("kernel", f"building the kernel {ident}", *words, "buildkernel")
    with _fresh(target) as fresh:
        for n in ("kernel", "kernel.debug"):
            shutil.copy2(made / n, fresh / n)
        for m in mods:
            for ko in sorted((made / "modules").rglob(f"{m}.ko*")):
                if ko.name in (f"{m}.ko", f"{m}.ko.debug"):
                    (fresh / "modules").mkdir(exist_ok=True)
                    shutil.copy2(ko, fresh / "modules" / ko.name)
            if not (fresh / "modules" / f"{m}.ko").exists():
                raise MachineryError(f"the build made no {m}.ko (see {job.log})")


@contextlib.contextmanager
def _fresh(target: Path) -> Iterator[Path]:
    """A folder to fill that becomes ``target`` when all went well."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
    fresh.chmod(0o755)
    try:
        yield fresh
        shutil.rmtree(target, ignore_errors=True)
        os.rename(fresh, target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _world(job: _Build, target: Path) -> None:
    programs = world_list(job.src)
    job.make("headers", "installing headers", "-DNO_OBJWALK", "_includes")
    job.make("libraries", "building libraries", "-DNO_OBJWALK", "_libraries")
    folders = dict.fromkeys("stand" if p.folder.startswith("stand/") else p.folder for p in programs)
    job.make("programs", "building programs", f"SUBDIR_OVERRIDE={' '.join(folders)}", "everything")
    with _fresh(target) as fresh:
        root = fresh / "root"
        wanted: list[Path] = []
        for p in programs:
            made = job.objtop / p.folder / Path(p.folder).name
            made = made.parent / ODD_NAMES.get(p.folder, made.name)
            if not made.is_file():
                raise MachineryError(f"the build made no {p.folder} (looked for {made}; see {job.log})")
            if p.dest.startswith("@"):
                shutil.copy2(made, fresh / p.dest[1:])
                continue
            dest = root / p.dest.lstrip("/")
            dest.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(made, dest)
            if not p.folder.startswith("stand/"):
                wanted.append(made)
            for link in p.links:
                at = root / link.lstrip("/")
                at.parent.mkdir(parents=True, exist_ok=True)
                at.symlink_to(p.dest)
        _libraries(job, wanted, root)
        etc = root / "etc"
        etc.mkdir(parents=True, exist_ok=True)
        for name, places in (
            ("protocols", ("lib/libc/net/protocols", "etc/protocols")),
            ("services", ("usr.sbin/services_mkdb/services", "etc/services")),
        ):
            there = next((job.src / p for p in places if (job.src / p).is_file()), None)
            if there is not None:
                shutil.copyfile(there, etc / name)


def _libraries(job: _Build, programs: Sequence[Path], root: Path) -> None:
    """Put in what the programs need, and what that needs."""
    todo, seen = list(programs), set[str]()
    while todo:
        for name in needed(todo.pop()):
            if name in seen:
                continue
            seen.add(name)
            for folder in ("lib", "usr/lib"):
                lib = job.sysroot / folder / name
                if lib.exists():
                    (root / folder).mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(lib.resolve(), root / folder / name)
                    (root / folder / name).chmod(0o555)
                    todo.append(lib)
                    break
            else:
                raise MachineryError(f"the library {name} that the world needs was not built (see {job.log})")


def _dngen_key(world_key: str) -> str:
    folder = data_dir("vm") / "dngen"
    return _key("dngen", world_key, _digest_files(folder)) if (folder / "os_posix.c").is_file() else ""


def outdated(image: Image) -> str:
    """The command that builds this guest anew, where the dngen in it is not the one that is here; else ''."""
    i = image.identity
    if not i.dngen or i.dngen == _dngen_key(i.world):
        return ""
    words = ["dnh", "guest", "build", "--src", i.tree, "--flavour", i.flavour]
    for option, values in (("--patches", [p["name"] for p in i.patches]), ("--option", i.options), ("--module", i.modules)):
        words += [w for value in values for w in (option, value)]
    return shlex.join([*words, "--name", image.name])


def _dngen(job: _Build, key: str, target: Path) -> Path:
    """The traffic generator for this world, compiled against its own headers and libraries."""
    if target.exists():
        return target
    folder = data_dir("vm") / "dngen"
    sources = [str(p) for p in sorted(folder.glob("*.c")) if p.name != "os_usermode.c"]
    t = job.toolchain
    command = [t.cc, f"--target=x86_64-unknown-freebsd{job.tree.revision}", f"--sysroot={job.sysroot}"]
    command += [f"--ld-path={t.ld}", "-std=gnu11", "-O2", "-g", "-Wall", f"-I{folder}", *sources]
    with tempfile.TemporaryDirectory(dir=target.parent) as tmp:
        fresh = Path(tmp) / "dngen"
        run_phase(
            [*command, "-o", str(fresh), "-lpthread", "-lm"], env=os.environ, cwd=folder, log=job.log,
            what="building dngen", steps=1, span=job.spans.get("image", (0.9, 1.0)), progress=_no_progress,
        )  # fmt: skip
        os.replace(fresh, target)
    del key
    return target


def _image(job: _Build, kernel_dir: Path, world_dir: Path, dngen_key: str, target: Path) -> None:
    began = time.monotonic()
    job.progress("making the disk image", job.spans["image"][0])
    contents = image.Contents()
    contents.add_tree(world_dir / "root")
    contents.add_tree(data_dir("vm") / "kernel" / "root")
    contents.files["boot/kernel/kernel"] = kernel_dir / "kernel"
    for ko in sorted((kernel_dir / "modules").glob("*.ko")):
        contents.files[f"boot/kernel/{ko.name}"] = ko
    if dngen_key:
        contents.files["usr/bin/dngen"] = _dngen(job, dngen_key, world_dir / f"dngen-{dngen_key}")
    boot = {n: world_dir / n for n in ("pmbr", "gptboot", "loader.efi")}
    with _fresh(target) as fresh, tempfile.TemporaryDirectory(dir=target.parent) as work:
        offset = image.make_disk(
            contents, boot, (job.tool("makefs"), job.tool("mkimg")), Path(work), fresh / "disk.img"
        )
        (fresh / "disk.img").chmod(0o444)
        (fresh / "note.json").write_text(json.dumps({"tunables_offset": offset}))
    job.seconds["image"] = time.monotonic() - began


def _register(
    job: _Build,
    name: str,
    image_key: str,
    *,
    kernel_dir: Path,
    image_dir: Path,
    cached: bool,
    world: tuple[str, str],
) -> Image:
    """Give the image its name; a name that has it already is left alone."""
    if cached:
        with contextlib.suppress(UsageError):
            known = store.load(name)
            if known.identity.digest == image_key:
                return known
    spec, tree = job.spec, job.tree
    note = json.loads((image_dir / "note.json").read_text())
    with open(kernel_dir / "kernel", "rb") as f:
        kernel_hash = hashlib.file_digest(f, "sha256").hexdigest()
    identity = Identity(
        release=tree.release,
        osversion=tree.osversion,
        flavour=spec.flavour,
        ident=config.ident(spec.flavour),
        digest=image_key,
        source="built",
        patches=tuple({"name": s.name, "digest": s.digest} for s in job.series),
        options=spec.options,
        modules=spec.modules,
        compiler=job.toolchain.version,
        kernel_sha256=kernel_hash,
        world=world[0],
        dngen=world[1],
        tree=str(tree.path),
    )
    made = Image(
        name=name,
        folder=store.guests_dir() / name,
        disk=Path("disk.img"),
        disk_format="raw",
        symbols=Path("kernel.debug"),
        identity=identity,
        tunables_offset=note["tunables_offset"],
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds={k: round(v, 2) for k, v in job.seconds.items()},
    )
    with store.fresh_folder(name) as fresh:
        store.link_or_copy(image_dir / "disk.img", fresh / "disk.img")
        for n in ("kernel", "kernel.debug"):
            store.link_or_copy(kernel_dir / n, fresh / n)
        if (kernel_dir / "modules").is_dir():
            (fresh / "modules").mkdir()
            for ko in (kernel_dir / "modules").iterdir():
                store.link_or_copy(ko, fresh / "modules" / ko.name)
        store.write_note(fresh, made)
    return store.load(name)
