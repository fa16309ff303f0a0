"""Runs on other machines: the workers of a Dask cluster, by way of concurrent.futures' Executor.

A worker needs this version of dnh, and nothing else: the user-mode program, or a guest's image, is sent to it
once, by its content.  A run that was under way on a worker that is lost is made again on another; what has come
back is kept here at once, in the store, as if it had run here.
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import harness
from harness.errors import MachineryError, UsageError
from harness.guest import kernels
from harness.guest.build import Built
from harness.guest.kernels import KernelWord
from harness.guest.usermode import build_for
from harness.paths import cache_dir
from harness.run import guests
from harness.run.result import Result
from harness.run.runner import Plan, run
from harness.run.store import Store

CHUNK = 8 << 20
LOST = 3  # workers that may be lost under one run before it is given up
_KEPT = 64 << 20  # of a run's files; larger ones (crash dumps) stay where they were made


@dataclass(frozen=True)
class Cargo:
    """Files that a run needs, each by its content: name -> (where it is here, sha256)."""

    files: tuple[tuple[str, Path, str], ...]

    @property
    def digest(self) -> str:
        """Of all of it."""
        return hashlib.sha256(repr([(n, d) for n, _, d in self.files]).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Work:
    """A run as it is sent: the plan, the kernel as it was named, what it needs; ``built`` of the user-mode guest."""

    plan: Plan
    kernel: KernelWord
    cargo: Cargo
    built: Built | None


@dataclass(frozen=True)
class Packed:
    """A run as it comes back; ``missing`` says that the worker had not been sent what it needs."""

    result: str
    files: dict[str, bytes]
    worker: str
    missing: bool = False


# --- on the worker ---------------------------------------------------------------------------------


def _hold(digest: str) -> Path:
    return cache_dir("shipped") / digest


def _place(digest: str) -> tuple[str, str, str, bool]:
    """(version, machine, cache, is it there): two workers of one cache are sent a thing once."""
    return harness.__version__, socket.gethostname(), str(cache_dir()), _hold(digest).is_dir()


def _put(digest: str, name: str, offset: int, data: bytes) -> None:
    folder = cache_dir("shipped") / f".{digest}.new"
    folder.mkdir(exist_ok=True)
    with open(folder / name, "r+b" if offset else "wb") as f:
        f.seek(offset)
        f.write(data)


def _whole(cargo: Cargo) -> None:
    folder = cache_dir("shipped") / f".{cargo.digest}.new"
    for name, _, digest in cargo.files:
        if _sha256(folder / name) != digest:
            shutil.rmtree(folder, ignore_errors=True)
            raise MachineryError(f"{name} did not arrive whole")
        os.chmod(folder / name, 0o555)
    if not _hold(cargo.digest).is_dir():
        os.rename(folder, _hold(cargo.digest))


def _sha256(path: Path) -> str:
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def carry_out(work: Work) -> Packed:
    """One run, on the machine that this is called on."""
    where = f"{socket.gethostname()}:{os.getpid()}"
    here = _hold(work.cargo.digest)
    if not here.is_dir():
        return Packed("", {}, where, missing=True)
    kernel, built = work.kernel, work.built
    if built is not None:
        built = replace(built, program=here / built.program.name)
    else:
        kernel = replace(kernel, tree=None, name=_installed(here, kernel.name, work.cargo.digest))
    with tempfile.TemporaryDirectory(prefix="dnh-") as folder:
        make = guests.maker(kernel, built=built)
        result, made = run(work.plan, make, Store(Path(folder)))
        files = {
            str(p.relative_to(made)): p.read_bytes()
            for p in sorted(made.rglob("*"))
            if p.is_file() and p.name != "result.json" and p.stat().st_size <= _KEPT
        }
        return Packed(result.to_json(), files, where)


def _installed(here: Path, name: str, digest: str) -> str:
    """The image that was sent, as a guest of this machine's store."""
    from harness.kernel import store

    own = f"{name[:40]}-{digest[:8]}"
    if not (store.guests_dir() / own / "guest.json").is_file():
        with store.fresh_folder(own) as folder:
            for p in here.iterdir():
                store.link_or_copy(p, folder / p.name)
    return own


# --- here ------------------------------------------------------------------------------------------


class Cluster:
    """The workers behind ``dask://HOST:PORT``.  Raises UsageError (no Dask, no such address), MachineryError."""

    def __init__(self, address: str, store: Store) -> None:
        scheme, _, place = address.partition("://")
        if scheme != "dask" or not place:
            raise UsageError(f"--executor {address}: dask://HOST:PORT is wanted")
        try:
            import distributed
        except ImportError:
            raise UsageError("--executor dask://... needs Dask distributed: pip install 'dnh[dask]'") from None
        try:
            self._client: Any = cast(Any, distributed.Client)(f"tcp://{place}", timeout="20s", set_as_default=False)
        except (OSError, TimeoutError) as e:
            raise MachineryError(f"no Dask scheduler at {place}: {e}") from e
        self._store = store
        self._kernels: dict[str, KernelWord] = {}
        self._programs: dict[tuple[object, ...], Built] = {}
        self._cargo: dict[object, Cargo] = {}

    def close(self) -> None:
        """Leave the cluster; it goes on without us."""
        self._client.close()

    def run(
        self, plans: Sequence[Plan], done: Callable[[Plan, Result, Path], None] = lambda _p, _r, _f: None
    ) -> list[tuple[Result, Path]]:
        """As ``run_many``: results and folders in the order of the plans, each kept here as it comes."""
        works = [self._work(plan) for plan in plans]
        for cargo in {w.cargo.digest: w.cargo for w in works}.values():
            self._deliver(cargo)
        executor: concurrent.futures.Executor = self._client.get_executor(pure=False, retries=LOST)
        out: dict[int, tuple[Result, Path]] = {}
        under_way = {executor.submit(carry_out, work): i for i, work in enumerate(works)}
        again = dict.fromkeys(range(len(works)), 0)
        try:
            while under_way:
                ready, _ = concurrent.futures.wait(under_way, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in ready:
                    i = under_way.pop(future)
                    packed = self._come(future, again, i)
                    if packed is None or packed.missing:  # a worker that came later, or was lost too often
                        self._deliver(works[i].cargo)
                        again[i] += 1
                        if again[i] > LOST:
                            raise MachineryError(f"{plans[i].scenario.name}: {LOST} workers were lost under this run")
                        under_way[executor.submit(carry_out, works[i])] = i
                        continue
                    out[i] = self._keep(packed, plans[i])
                    done(plans[i], *out[i])
        except BaseException:
            for future in under_way:
                future.cancel()
            raise
        return [out[i] for i in range(len(works))]

    def _come(self, future: concurrent.futures.Future[Packed], again: dict[int, int], i: int) -> Packed | None:
        try:
            return future.result()
        except concurrent.futures.CancelledError as e:
            raise MachineryError("the Dask scheduler went away") from e
        except Exception as e:
            if type(e).__name__ == "KilledWorker" and again[i] < LOST:
                return None
            raise MachineryError(f"a worker could not carry out a run: {type(e).__name__}: {e}") from e

    def _keep(self, packed: Packed, plan: Plan) -> tuple[Result, Path]:
        result = Result.model_validate_json(packed.result)
        folder = self._store.new_folder(plan.scenario.name)
        for name, data in packed.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        self._store.add(folder, result)
        return result, folder

    def _work(self, plan: Plan) -> Work:
        if plan.guest not in self._kernels:
            self._kernels[plan.guest] = kernels.prepared(kernels.parse(plan.guest))
        kernel = self._kernels[plan.guest]
        if kernel.kind == "usermode":
            config = guests.config_of(kernel, plan.scenario, plan.seed, Path())
            key = (plan.guest, config.flavour, config.sanitize, config.patches, config.options)
            if key not in self._programs:
                self._programs[key] = build_for(config)
            built = self._programs[key]
            return Work(plan, kernel, self._packed(built.program, (built.program,)), built)
        if kernel.kind != "qemu":
            raise UsageError(f"{plan.guest}: only usermode and qemu guests go to a cluster")
        from harness.guest.qemu import find_image

        image = find_image(kernel.name or None, plan.scenario.kernel.flavour)
        files = (image.disk, image.folder / "guest.json", *((image.symbols,) if image.symbols else ()))
        return Work(plan, replace(kernel, name=image.name), self._packed(image.folder, files), None)

    def _packed(self, key: object, files: Sequence[Path]) -> Cargo:
        if key not in self._cargo:
            self._cargo[key] = Cargo(tuple((p.name, p, _sha256(p)) for p in files))
        return self._cargo[key]

    def _deliver(self, cargo: Cargo) -> None:
        """See that every cache of the cluster has it; sent once to each."""
        places: dict[str, tuple[str, str, str, bool]] = self._client.run(_place, cargo.digest)
        if not places:
            self._client.wait_for_workers(1, timeout=60)
            places = self._client.run(_place, cargo.digest)
        other = {v for v, _, _, _ in places.values()} - {harness.__version__}
        if other:
            raise UsageError(f"workers of another dnh ({', '.join(sorted(other))}), this one is {harness.__version__}")
        lacking = {(machine, cache): worker for worker, (_, machine, cache, has) in places.items() if not has}
        for worker in lacking.values():
            for name, path, _ in cargo.files:
                with open(path, "rb") as f:
                    offset = 0
                    while data := f.read(CHUNK):
                        self._client.run(_put, cargo.digest, name, offset, data, workers=[worker])
                        offset += len(data)
            self._client.run(_whole, cargo, workers=[worker])
