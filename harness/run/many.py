"""Many runs: several at once, interrupted cleanly, in the order in which they were asked for."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from harness.guest.base import Guest
from harness.run.result import Result
from harness.run.runner import GuestMaker, Plan, Progress, run
from harness.run.store import Store


class Guests:
    """The guests that live at this moment, so that whatever ends the program can end them all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._alive: list[Guest] = []
        self._closed = False

    def wrap(self, make: GuestMaker) -> GuestMaker:
        """A maker of guests that are known here."""

        def made(*args: object) -> Guest:
            if self._closed:
                raise KeyboardInterrupt
            guest = make(*args)  # type: ignore[arg-type]
            with self._lock:
                self._alive.append(guest)
                closed = self._closed
            if closed:
                guest.kill()
                raise KeyboardInterrupt
            return guest

        return made

    @property
    def closed(self) -> bool:
        """Whether all guests have been ended."""
        return self._closed

    def kill_all(self) -> None:
        """End every guest and let no new one begin."""
        with self._lock:
            self._closed = True
            alive = list(self._alive)
        for guest in alive:
            guest.kill()


def run_many(
    plans: Iterable[Plan],
    make_guest: GuestMaker,
    store: Store,
    jobs: int = 1,
    progress: Callable[[Plan], Progress] = lambda _plan: lambda _phase, _fraction: None,
    done: Callable[[Plan, Result, Path], None] = lambda _plan, _result, _folder: None,
) -> list[tuple[Result, Path]]:
    """Carry out ``plans``, ``jobs`` at a time; returns results and folders in their order.

    A plan is asked for when there is a hand free for it, so how many there are may depend on how long they take.
    ``done`` is called as each ends, from one thread at a time.  An error or an interruption ends the
    guests of all runs under way; what is finished stays in the store.
    """
    return run_each(plans, lambda _plan: make_guest, store, jobs, progress, done)


def run_each(
    plans: Iterable[Plan],
    maker_of: Callable[[Plan], GuestMaker],
    store: Store,
    jobs: int = 1,
    progress: Callable[[Plan], Progress] = lambda _plan: lambda _phase, _fraction: None,
    done: Callable[[Plan, Result, Path], None] = lambda _plan, _result, _folder: None,
) -> list[tuple[Result, Path]]:
    """As ``run_many``, each plan on a guest of its own maker."""
    guests = Guests()
    told = threading.Lock()

    def one(plan: Plan) -> tuple[Result, Path]:
        tell = progress(plan)

        def step(phase: str, fraction: float | None) -> None:
            """On the way as well: a build has no guest yet that could be ended, a boot none that is known."""
            if guests.closed:
                raise KeyboardInterrupt
            tell(phase, fraction)

        result, folder = run(plan, guests.wrap(maker_of(plan)), store, step, lambda: guests.closed)
        with told:
            done(plan, result, folder)
        return result, folder

    if isinstance(plans, Sequence):
        jobs = min(jobs, len(plans))
    coming = enumerate(plans)
    asking = threading.Lock()
    finished: dict[int, tuple[Result, Path]] = {}

    def work() -> None:
        while not guests.closed:
            with asking:
                n, plan = next(coming, (0, None))
            if plan is None:
                return
            finished[n] = one(plan)

    try:
        if jobs <= 1:
            work()
        else:
            with concurrent.futures.ThreadPoolExecutor(jobs, thread_name_prefix="run") as pool:
                try:
                    for future in concurrent.futures.as_completed([pool.submit(work) for _ in range(jobs)]):
                        future.result()
                except BaseException:
                    guests.kill_all()
                    raise
    except BaseException:
        guests.kill_all()
        raise
    return [finished[n] for n in sorted(finished)]
