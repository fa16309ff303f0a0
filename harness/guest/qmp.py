"""QMP to one QEMU, by the official library, for code that is not asynchronous."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import shutil
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from qemu.qmp import EventListener, QMPClient, QMPError

from harness.errors import MachineryError

T = TypeVar("T")


class Monitor:
    """A connection to QEMU's monitor; the library runs in a thread of its own."""

    def __init__(self, path: Path, timeout: float = 20.0, alive: Callable[[], bool] = lambda: True) -> None:
        """Connect to the socket at ``path``.

        Raises MachineryError when QEMU does not answer within ``timeout`` seconds, or is not ``alive``.
        """
        self._loop = asyncio.new_event_loop()
        # A QEMU that is killed ends the library's own tasks with EOFError; what matters is raised by _run.
        self._loop.set_exception_handler(lambda _loop, _context: None)
        self._thread = threading.Thread(target=self._loop.run_forever, name="qmp", daemon=True)
        self._thread.start()
        self._events: dict[str, dict[str, Any]] = {}
        deadline = time.monotonic() + timeout
        while True:
            self._client = QMPClient("dnh")
            self._listener = EventListener(("SHUTDOWN", "BLOCK_IO_ERROR"))
            self._client.register_listener(self._listener)
            try:
                self._run(self._client.connect(str(path)), timeout)
                return
            except (QMPError, OSError, TimeoutError) as e:
                # On a busy machine QEMU may have bound its socket and not listen yet.
                refused = isinstance(getattr(e, "exc", e), ConnectionRefusedError)
                if refused and alive() and time.monotonic() < deadline:
                    with contextlib.suppress(Exception):
                        self._run(self._client.disconnect(), 2)
                    time.sleep(0.02)
                    continue
                self._stop()
                raise MachineryError(f"QEMU's monitor does not answer: {e}") from e

    def _run(self, what: Coroutine[Any, Any, T], timeout: float) -> T:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(timeout)

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(2)

    def execute(self, command: str, timeout: float = 60.0, **arguments: object) -> Any:
        """Run a QMP command; returns what QEMU returns.  Raises MachineryError with QEMU's words."""
        try:
            return self._run(self._client.execute(command, arguments or None), timeout)
        except (QMPError, OSError, TimeoutError) as e:
            raise MachineryError(f"QEMU refuses {command}: {e or type(e).__name__}") from e

    def human(self, line: str, timeout: float = 60.0) -> str:
        """Run a line of the human monitor; an answer is an error message there."""
        return str(self.execute("human-monitor-command", timeout, **{"command-line": line})).strip()

    def save(self, state: Path, memory: bool = True) -> None:
        """Stop the machine and write it to a file, which QEMU's ``-incoming`` takes; its disk is as of that moment.

        It is not to be used afterwards.  Without ``memory`` what is shared with others is left out.

        Raises MachineryError with QEMU's words, or the disk's.
        """
        self.execute("stop")
        self._leave_out(memory)
        self.execute("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
        self.execute("migrate", uri=f"exec:cat > {shlex.quote(str(state))}")
        while (told := self.execute("query-migrate")).get("status") not in ("completed", "failed", "cancelled"):
            time.sleep(0.01)
        if told["status"] != "completed":
            full = shutil.disk_usage(state.parent).free < 1 << 16
            why = "No space left on device" if full else told.get("error-desc") or "it does not say why"
            raise MachineryError(f"QEMU cannot save the machine in {state.parent}: {why}")

    def _leave_out(self, memory: bool) -> None:
        if not memory:
            self.execute("migrate-set-capabilities", capabilities=[{"capability": "x-ignore-shared", "state": True}])

    def take(self, state: Path, timeout: float, memory: bool = True) -> None:
        """Take in a machine that was saved, with or without its memory, and let it run.  Raises MachineryError."""
        self._leave_out(memory)
        self.execute("migrate-incoming", uri=f"exec:cat {shlex.quote(str(state))}")
        end = time.monotonic() + timeout
        while (status := self.execute("query-status")["status"]) != "paused":
            if status != "inmigrate" or time.monotonic() > end:
                raise MachineryError(f"QEMU has not taken the machine in within {timeout:g} s ({status})")
            time.sleep(0.002)
        self.execute("cont")

    def event(self, name: str, timeout: float = 0.0) -> dict[str, Any] | None:
        """The data of the last event of that name (SHUTDOWN, BLOCK_IO_ERROR), waited for ``timeout`` seconds."""
        end = time.monotonic() + timeout
        while name not in self._events:
            left = max(end - time.monotonic(), 0.0)
            if self._listener.empty() and left == 0:
                return None
            try:
                event = self._run(asyncio.wait_for(self._listener.get(), left + 0.05), left + 1)
            except (TimeoutError, asyncio.CancelledError, QMPError, OSError, RuntimeError):
                return None
            data = event.get("data")
            self._events[str(event["event"])] = data if isinstance(data, dict) else {}
        return self._events[name]

    def close(self) -> None:
        """Disconnect; never raises."""
        try:
            self._run(self._client.disconnect(), 2)
        except Exception:
            pass
        self._stop()
