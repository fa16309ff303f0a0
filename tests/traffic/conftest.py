"""dngen built for this machine: plain, and with each sanitizer."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import pytest

from harness.guest.build import find_compiler
from harness.paths import data_dir

DNGEN = data_dir("vm") / "dngen"
SANITIZERS = {"plain": [], "asan": ["-fsanitize=address,undefined"], "tsan": ["-fsanitize=thread"]}


def compile_c(output: Path, sources: list[Path], *flags: str) -> Path:
    command = [find_compiler(), "-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", f"-I{DNGEN}"]
    subprocess.run([*command, *flags, "-o", str(output), *map(str, sources), "-lpthread"], check=True)
    return output


@pytest.fixture(scope="session")
def builds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("dngen")
    sources = sorted(DNGEN.glob("*.c"))
    found = {}
    for name, flags in SANITIZERS.items():
        extra = ["-fno-sanitize-recover=all", "-fno-omit-frame-pointer"] if flags else []
        try:
            found[name] = compile_c(folder / name, sources, *flags, *extra)
        except subprocess.CalledProcessError:
            if not flags:
                raise
            # A compiler without that sanitizer's library; the plain build has shown that the code compiles.
    return found


@pytest.fixture(params=list(SANITIZERS))
def dngen(request: pytest.FixtureRequest, builds: dict[str, Path]) -> Path:
    if request.param not in builds:
        pytest.skip(f"this compiler has no {request.param}")
    return builds[request.param]


@pytest.fixture
def plain(builds: dict[str, Path]) -> Path:
    return builds["plain"]


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    sources = [*sorted(DNGEN.glob("*.c")), Path(__file__).with_name("parts.c")]
    library = compile_c(tmp_path_factory.mktemp("parts") / "parts.so", sources, "-shared", "-fPIC")
    loaded = ctypes.CDLL(str(library))
    loaded.parts_upper.restype = ctypes.c_int64
    return loaded
