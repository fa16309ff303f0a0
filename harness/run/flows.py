"""The flows of a scenario in a guest: started all at once, ended together, read back."""

from __future__ import annotations

import json

from harness.errors import MachineryError
from harness.guest.console import Console
from harness.run.push import in_host
from harness.scenario import Scenario
from harness.traffic import FlowMetrics, FlowSpec, read_flow, receiver_command, sender_command

FOLDER = "/tmp"


class Traffic:
    """dngen's senders and receivers, one pair a flow, in the background of the guest's shell."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        length = scenario.length()
        self._specs: dict[str, FlowSpec] = {}
        for name, flow in scenario.flows.items():
            end = flow.end if flow.end is not None else length
            self._specs[name] = FlowSpec(
                id=name, kind=flow.kind, to=scenario.target(flow), port=flow.port,
                rate=flow.udp.rate if flow.udp else None, pps=flow.udp.pps if flow.udp else None,
                sizes=flow.weights, on=flow.on, off=flow.off, start=flow.start, duration=max(end - flow.start, 1e-6),
                senders=flow.senders,
                # A long flow is told in fewer parts: all of them have to come through the console.
                interval=flow.ping if flow.ping is not None else max(0.1, (end - flow.start) / 1200),
            )  # fmt: skip

    def start(self, console: Console, settle: float = 0.0) -> None:
        """Start all receivers and, ``settle`` seconds of the guest later, all senders.

        The flows' clock begins when this returns.  A guest whose programs take a while to start needs the pause:
        what is sent to a receiver that does not listen yet is lost.
        """
        for name, spec in self._specs.items():
            receiver = receiver_command(spec, settle)
            if receiver:
                host = self._scenario.receiver(self._scenario.flows[name])
                console.check(f"{in_host(host, receiver)} > {FOLDER}/{name}.rx 2>&1 &")
        if settle and any(spec.kind != "ping" for spec in self._specs.values()):
            console.check(f"sleep {settle:g}")
        for name, spec in self._specs.items():
            source = self._scenario.flows[name].source
            console.check(f"{in_host(source, sender_command(spec))} > {FOLDER}/{name}.tx 2>&1 &")

    def finish(self, console: Console, timeout: float) -> dict[str, FlowMetrics]:
        """Wait for the ends of all and read what they wrote.

        Raises GuestHung when they do not end within ``timeout``, MachineryError when one could not start.
        """
        if not self._specs:
            return {}
        console.run("wait", timeout)
        texts: dict[str, tuple[str, str]] = {}
        for name, spec in self._specs.items():
            sent = _read(console, f"{FOLDER}/{name}.tx", timeout)
            received = _read(console, f"{FOLDER}/{name}.rx", timeout) if spec.kind != "ping" else sent
            texts[name] = (sent, received)
            for text in (sent, received):
                bad = [line for line in text.splitlines() if line.startswith("dngen:") or "not found" in line]
                if bad and '"dngen":1' not in text:
                    raise MachineryError(f"flow {name}: {bad[0]}")
        # A file left behind would be one more allocation when the guest counts what leaked.
        console.run(f"rm -f {' '.join(f'{FOLDER}/{name}.{end}' for name in self._specs for end in ('rx', 'tx'))}")
        zero = self._zero(texts)
        return {name: read_flow(self._specs[name].kind, *texts[name], zero=zero) for name in self._specs}

    def _zero(self, texts: dict[str, tuple[str, str]]) -> int | None:
        """The guest's clock at t = 0: where the first sender's schedule begins, less its start."""
        from harness.traffic.metrics import start_of

        starts = []
        for name, (sent, _received) in texts.items():
            began = start_of(sent)
            if began is not None:
                starts.append(began - round(self._specs[name].start * 1e9))
        return min(starts, default=None)


def _read(console: Console, file: str, timeout: float) -> str:
    """What dngen wrote; its last line, which sums up the rest, once more when something came between its parts."""
    text = console.run(f"cat {file}", timeout).output
    last = text.rstrip().rpartition("\n")[2]
    try:
        json.loads(last)
    except ValueError:
        if '"dngen":1' in text:
            text += "\n" + console.run(f"tail -n 1 {file}", timeout).output
    return text
