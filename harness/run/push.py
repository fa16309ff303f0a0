"""What a scenario pushes into its guest, and the proof that it arrived: sysctls, rules, pipes.

A value that reads back otherwise than it was set is an error of the run (the verdict ``error``), never
of the kernel under test: a verdict over rules that are not there is worth nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.errors import MachineryError, UsageError
from harness.guest.console import Console, quote
from harness.ipfw import (
    IpfwCommand,
    commands,
    differences,
    parse_add,
    parse_config,
    parse_list,
    parse_show,
    same_rule,
)
from harness.run.result import EventRecord
from harness.scenario import Scenario
from harness.scenario.expect import Expectation, MetricPath, metrics
from harness.scenario.model import Action


def in_host(host: str | None, command: str) -> str:
    """A command as run in a host's jail; None or ``guest`` is the base system."""
    if host in (None, "guest"):
        return command
    if any(c in command for c in ";|&<>`$(){}*?\n"):
        return f"jexec {host} sh -c {quote(command)}"
    return f"jexec {host} {command}"


def same_value(asked: str, shown: str) -> bool:
    """Is a sysctl's value as shown the one that was set?  Numbers compare as numbers."""
    asked, shown = asked.strip().strip("\"'"), shown.strip()
    if asked == shown:
        return True
    try:
        return int(asked, 0) == int(shown, 0)
    except ValueError:
        return False


def sysctls(console: Console, host: str | None, values: Iterable[tuple[str, str]]) -> None:
    """Set sysctls in a host and read each back.

    Raises UsageError for a name or value that the guest refuses, MachineryError for a difference.
    """
    for name, value in values:
        done = console.run(in_host(host, f"sysctl {name}={value}"))
        if done.status != 0:
            raise UsageError(f"sysctl {name}={value} on {host or 'guest'}: {_last(done.output)}")
        shown = console.check(in_host(host, f"sysctl -n {name}"))
        if not same_value(value, shown):
            raise MachineryError(
                f"sysctl {name} on {host or 'guest'} was set to {value} and reads {shown.strip()}"
            )


def _last(output: str) -> str:
    lines = [line for line in output.strip().splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


def ipfw(console: Console, host: str | None, block: str) -> None:
    """Push a block of ipfw commands into a host and read rules and pipes back.

    Raises UsageError with ipfw's own message for a command that it refuses, MachineryError for a rule or
    a pipe that is not there or is another one.
    """
    pushed = commands(block)
    for command in pushed:
        quiet = "-q " if command.is_rule or command.words[:1] in (["flush"], ["delete"], ["zero"]) else ""
        done = console.run(in_host(host, f"ipfw {quiet}{command.text}"))
        if done.status != 0:
            raise UsageError(f"ipfw {command.text} on {host or 'guest'}: {_last(done.output)}")
    verify(console, host, pushed)


def verify(console: Console, host: str | None, pushed: list[IpfwCommand]) -> None:
    """Compare what the guest shows with what was pushed; see ipfw()."""
    words = {w for c in pushed for w in c.words[:1]}
    if not pushed or words & {"flush", "delete", "-f"}:
        return  # what remains of such a block is its author's business
    rules = [parse_add(c.text) for c in pushed if c.is_rule]
    if rules:
        shown = parse_list(console.check(in_host(host, "ipfw -S list")))
        left = list(shown)
        for rule in rules:
            match = next((s for s in left if same_rule(rule, s)), None)
            if match is None:
                near = [s.text for s in shown if s.number == rule.number]
                raise MachineryError(
                    f"rule 'ipfw {rule.text}' on {host or 'guest'} is not what the guest shows: "
                    + (near[0] if near else "no rule of that number")
                )
            left.remove(match)
    last = {c.configures: c for c in pushed if c.configures}  # a later config of the same pipe counts
    for kind in ("pipe", "queue", "sched"):
        asked = [c for key, c in last.items() if key and key[0] == kind]
        if not asked or kind == "sched":
            continue
        found = parse_show(console.check(in_host(host, f"ipfw {kind} show")), kind)
        for command in asked:
            config = parse_config(command.text)
            wrong = differences(config, found.get(config.number))
            if wrong:
                raise MachineryError(
                    f"'ipfw {command.text}' on {host or 'guest'} is not what the guest shows: {'; '.join(wrong)}"
                )


def all_of(console: Console, scenario: Scenario) -> None:
    """Everything that a scenario pushes, in its order: sysctls, set-up commands, ipfw, dnctl, pf."""
    for host in ("guest", *scenario.hosts):
        values = scenario.sysctls_of(host)
        if values:
            sysctls(console, host, values.items())
    for host, block in scenario.setup.items():
        for line in (stripped for raw in block.splitlines() if (stripped := raw.strip()) and stripped[0] != "#"):
            done = console.run(in_host(host, line), scenario.hang)
            if done.status != 0:
                raise UsageError(f"setup on {host}: '{line}' ended with status {done.status}: {_last(done.output)}")
    for host, block in scenario.ipfw.items():
        ipfw(console, host, block)
    for host, block in scenario.dnctl.items():
        for command in commands(block):
            done = console.run(in_host(host, f"dnctl {command.text.removeprefix('dnctl ')}"))
            if done.status != 0:
                raise UsageError(f"dnctl {command.text} on {host}: {_last(done.output)}")
    for host, block in scenario.pf.items():
        console.put(f"/tmp/pf.{host}.conf", block)
        for words in ("-e", f"-f /tmp/pf.{host}.conf"):
            done = console.run(in_host(host, f"pfctl -q {words}"))
            if done.status != 0 and words != "-e":
                raise UsageError(f"pf on {host}: {_last(done.output)}")


def carry_out(console: Console, event: Action, t: float, timeout: float) -> list[EventRecord]:
    """Do what an event says; its commands with their status and output.

    Raises MachineryError for a command that failed, unless the event says that it may.
    """
    records = []
    for host, command in event.commands():
        done = console.run(in_host(host, command), timeout)
        records.append(
            EventRecord(t=round(t, 6), on=host or "guest", command=command, status=done.status, output=done.output[-2000:])
        )
        if done.status != 0 and not event.may_fail:
            raise MachineryError(
                f"event at {t:.3g} s on {host or 'guest'}: '{command}' ended with status {done.status}: {_last(done.output)}"
            )
    return records


_INTERFACE = {
    "ipackets": "Ipkts", "opackets": "Opkts", "ierrors": "Ierrs", "oerrors": "Oerrs", "ibytes": "Ibytes", "obytes": "Obytes",
}  # fmt: skip


def _paths(expectation: Expectation) -> Iterator[MetricPath]:
    for side in (expectation.left, expectation.right.a, expectation.right.b):
        if side is not None:
            yield from (metric.path for metric in metrics(side))


def asked_values(console: Console, scenario: Scenario) -> dict[str, float]:
    """Sysctls and interface counters that expectations name, read at the end; by the metric's text."""
    out: dict[str, float] = {}
    for expectation in scenario.expectations:
        for path in _paths(expectation):
            if path.kind == "sysctl":
                done = console.run(in_host(path.owner, f"sysctl -n {path.name}"))
                try:
                    out[path.text] = float(done.output.strip().split()[0])
                except (ValueError, IndexError):
                    continue
            elif path.kind == "if":
                done = console.run(in_host(path.owner, f"netstat -I {path.name} -bn"))
                lines = [line.split() for line in done.output.splitlines()]
                head = next((line for line in lines if line[:1] == ["Name"]), None)
                row = next((line for line in lines if line[:1] == [path.name] and "<Link#" in " ".join(line)), None)
                column = _INTERFACE.get(path.field, path.field)
                if head and row and column in head:
                    # A missing address leaves the row shorter: count from the right.
                    value = row[len(row) - len(head) + head.index(column)]
                    if value.isdigit():
                        out[path.text] = float(value)
    return out
