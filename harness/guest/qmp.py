"""QMP to one QEMU, by the official library, for code that is not asynchronous."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from qemu.qmp import QMPClient, QMPError

from harness.errors import MachineryError

T = TypeVar("T")


class Monitor:
    """A connection to QEMU's monitor; the library runs in a thread of its own."""

    def __init__(self, path: Path, timeout: float = 20.0) -> None:
        """Connect to the socket at ``path``.  Raises MachineryError when QEMU does not answer."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="qmp", daemon=True)
        self._thread.start()
        self._client = QMPClient("dnh")
        try:
            self._run(self._client.connect(str(path)), timeout)
        except (QMPError, OSError, TimeoutError) as e:
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

    def close(self) -> None:
        """Disconnect; never raises."""
        try:
            self._run(self._client.disconnect(), 2)
        except Exception:
            pass
        self._stop()
