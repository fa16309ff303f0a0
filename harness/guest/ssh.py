"""A way to a machine over ssh: who it is, how it is reached, and a command's input and output as a console.

What the user has set up for ssh counts here too: ~/.ssh/config (HostName, Port, User, IdentityFile,
ProxyJump, ProxyCommand, UserKnownHostsFile), the agent, and known_hosts above all: a host that is not known
is never talked to.
"""

from __future__ import annotations

import difflib
import getpass
import logging
import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import paramiko
import pexpect
import yaml
from pexpect.fdpexpect import fdspawn

from harness.errors import MachineryError, UsageError

if TYPE_CHECKING:
    _Base = fdspawn[bytes]
else:
    _Base = fdspawn  # generic in its stubs alone

CONNECT_LIMIT = 20.0  # seconds
logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)  # its errors reach the user as ours


@dataclass(frozen=True)
class Machine:
    """A machine to be reached.  What is None is as ~/.ssh/config says.

    ``jump`` is user@host:port of the machine to go through (several, separated by commas); ``console`` is a
    command of this host that shows the machine's kernel console, ``break_keys`` what is to be typed there to
    enter the debugger; ``as_root`` is put before commands when ``user`` isn't root ("doas", "sudo").
    """

    host: str
    port: int | None = None
    user: str | None = None
    key: str | None = None
    jump: str | None = None
    known_hosts: str | None = None
    console: str | None = None
    break_keys: str | None = None
    as_root: str = ""

    def __str__(self) -> str:
        return f"{self.user}@{self.host}" if self.user else self.host


def parse_address(word: str) -> Machine:
    """A machine from ``[user@]host[:port]`` or ``[user@][v6]:port``.  Raises UsageError."""
    found = re.fullmatch(
        r"(?:(?P<user>[^@\s/]+)@)?"
        r"(?:\[(?P<v6>[\w:.%]+)\]|(?P<host>[^@:\s/\[\]-][^@:\s/\[\]]*))"
        r"(?::(?P<port>\d{1,5}))?",
        word,
    )
    if not found:
        raise UsageError(f"'{word}' is no machine: USER@HOST[:PORT], or a YAML file that says more")
    port = int(found["port"]) if found["port"] else None
    return Machine(host=found["v6"] or found["host"], port=port, user=found["user"])


def parse(word: str) -> Machine:
    """A machine from what follows ``remote:``, an address or a file.  Raises UsageError."""
    if word.endswith((".yaml", ".yml")) or Path(word).is_file():
        return load(Path(word))
    return parse_address(word)


def load(path: Path) -> Machine:
    """A machine from a YAML file with the members of Machine.  Raises UsageError."""
    try:
        data: Any = yaml.safe_load(path.read_text())
    except OSError as e:
        raise UsageError(f"{path}: {e.strerror}") from e
    except (yaml.YAMLError, UnicodeDecodeError) as e:
        raise UsageError(f"{path}: {' '.join(str(e).split())}") from e
    if not isinstance(data, dict):
        raise UsageError(f"{path}: a machine is a map: 'host: ...', 'user: ...'")
    names = [f.name for f in fields(Machine)]
    for name, value in data.items():
        if name not in names:
            near = difflib.get_close_matches(str(name), names, 1)
            hint = f" (did you mean '{near[0]}'?)" if near else f": one of {', '.join(names)}"
            raise UsageError(f"{path}: unknown word '{name}'{hint}")
        kind = int if name == "port" else str
        if not isinstance(value, kind) or isinstance(value, bool):
            wanted = "a number" if kind is int else "text"
            raise UsageError(f"{path}: {name}: {wanted} is wanted, not {value!r}")
    if not data.get("host"):
        raise UsageError(f"{path}: 'host' is missing")
    at = parse_address(data["host"])
    data = {"port": at.port, "user": at.user, **data, "host": at.host}
    return Machine(**data)


class _Refuse(paramiko.MissingHostKeyPolicy):
    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        raise UsageError(
            f"{hostname} is not in known_hosts; its key has the fingerprint {key.fingerprint}. "
            "If that is right, add this line to ~/.ssh/known_hosts: "
            f"{hostname} {key.get_name()} {key.get_base64()}"
        )


def _user_config() -> paramiko.SSHConfig:
    path = Path.home() / ".ssh" / "config"
    try:
        return paramiko.SSHConfig.from_path(str(path)) if path.is_file() else paramiko.SSHConfig()
    except (OSError, paramiko.ConfigParseError, UnicodeDecodeError) as e:
        raise UsageError(f"{path}: {e}") from e


@contextmanager
def _told(machine: Machine) -> Iterator[None]:
    """ssh's many errors as ours."""
    try:
        yield
    except paramiko.BadHostKeyException as e:
        raise UsageError(
            f"{machine.host} has another key than known_hosts says ({e.key.get_name()} {e.key.get_base64()}):"
            " somebody may be in between; if not, correct known_hosts"
        ) from e
    except paramiko.PasswordRequiredException as e:
        raise UsageError(f"the key for {machine} has a passphrase: add it to the agent with ssh-add") from e
    except paramiko.AuthenticationException as e:
        raise UsageError(f"{machine} takes none of the keys (and passwords are not asked for): {e}") from e
    except (paramiko.SSHException, EOFError, OSError, socket.gaierror) as e:
        raise MachineryError(f"{machine} cannot be reached over ssh: {e or type(e).__name__}") from e


class Connection:
    """An ssh connection, through its jump hosts if it has any."""

    def __init__(self, machine: Machine) -> None:
        """Connect.

        Raises UsageError for an unknown or changed host key or refused keys, MachineryError when the machine
        cannot be reached.
        """
        self.machine = machine
        self._clients: list[paramiko.SSHClient] = []
        try:
            self._hop(machine, _user_config(), depth=0)
        except BaseException:
            self.close()
            raise

    def _hop(self, machine: Machine, config: paramiko.SSHConfig, depth: int) -> None:
        """Connect to one machine after having connected to those before it."""
        if depth > 8:
            raise UsageError(f"the jump hosts to {self.machine} go in a circle")
        said = config.lookup(machine.host)
        host = str(said["hostname"])
        port = machine.port or int(said.get("port", 22))
        jumps = machine.jump or str(said.get("proxyjump", "none"))
        sock: Any = None
        if jumps != "none" and not self._clients:
            for word in jumps.split(","):
                through = replace(parse_address(word.strip()), known_hosts=machine.known_hosts)
                self._hop(through, config, depth + 1)
        if self._clients:
            with _told(machine):
                sock = self._transport().open_channel(
                    "direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=CONNECT_LIMIT
                )
        elif said.get("proxycommand", "none") != "none":
            sock = paramiko.ProxyCommand(str(said["proxycommand"]))
        client = paramiko.SSHClient()
        files = [Path.home() / ".ssh" / "known_hosts", Path("/etc/ssh/ssh_known_hosts")]
        files += [Path(f).expanduser() for f in str(said.get("userknownhostsfile", "")).split()]
        if machine.known_hosts:
            files.append(Path(machine.known_hosts).expanduser())
        for file in files:
            if file.is_file():
                client.load_system_host_keys(str(file))
        client.set_missing_host_key_policy(_Refuse())
        keys = [machine.key] if machine.key else list(said.get("identityfile", []))
        keys = [str(Path(k).expanduser()) for k in keys]
        if machine.key and not os.access(keys[0], os.R_OK):
            raise UsageError(f"the key {keys[0]} cannot be read")
        files_there: Any = [k for k in keys if Path(k).is_file()] or None  # the stubs want one
        self._clients.append(client)
        with _told(machine):
            client.connect(
                host, port, machine.user or str(said.get("user", getpass.getuser())), sock=sock,
                key_filename=files_there, look_for_keys=not machine.key,
                timeout=CONNECT_LIMIT, banner_timeout=CONNECT_LIMIT, auth_timeout=CONNECT_LIMIT,
            )  # fmt: skip
            self._transport().set_keepalive(10)

    def _transport(self) -> paramiko.Transport:
        transport = self._clients[-1].get_transport() if self._clients else None
        if transport is None:
            raise EOFError("the connection is closed")
        return transport

    def active(self) -> bool:
        """Is the connection still there, as far as is known?"""
        transport = self._clients[-1].get_transport() if self._clients else None
        return transport is not None and transport.is_active()

    def start(self, command: str) -> paramiko.Channel:
        """Start a command; its output and errors come as one.  Raises MachineryError."""
        with _told(self.machine):
            channel = self._transport().open_session(timeout=CONNECT_LIMIT)
            channel.set_combine_stderr(True)
            channel.exec_command(command)
            return channel

    def run(self, command: str, timeout: float) -> int | None:
        """Run a command for its status alone; None if it isn't done in ``timeout`` seconds."""
        channel = self.start(command)
        with channel:
            return channel.recv_exit_status() if channel.status_event.wait(timeout) else None

    def put(self, files: dict[str, Path]) -> None:
        """Copy files there, by their path there.  Raises MachineryError."""
        with _told(self.machine), self._clients[-1].open_sftp() as sftp:
            for there, here in files.items():
                sftp.put(str(here), there)

    def close(self) -> None:
        """Close it and the connections that it went through; never raises."""
        while self._clients:
            with suppress(Exception):
                self._clients.pop().close()


class ChannelSpawn(_Base):
    """A paramiko channel as pexpect wants it."""

    def __init__(self, channel: paramiko.Channel) -> None:
        super().__init__(channel.fileno(), timeout=None, maxread=65536)
        self._channel = channel
        self.delaybeforesend = None

    def read_nonblocking(self, size: int = 1, timeout: float | None = -1) -> bytes:
        """See fdspawn.  The channel's descriptor only tells that there is something."""
        self._channel.settimeout(None if timeout == -1 else max(timeout or 0.0, 0.0))
        try:
            data = self._channel.recv(size)
        except TimeoutError:
            raise pexpect.TIMEOUT("Timeout exceeded.") from None
        if not data:
            self.flag_eof = True
            raise pexpect.EOF("the channel closed")
        self._log(data, "read")  # type: ignore[attr-defined]  # as SpawnBase.read_nonblocking does
        return data

    def send(self, s: str | bytes) -> int:
        """Send all of it.  Raises OSError when the channel is closed, or takes nothing for a while."""
        data = s.encode() if isinstance(s, str) else s
        self._channel.settimeout(CONNECT_LIMIT)
        self._channel.sendall(data)
        return len(data)


def connect(machine: Machine, patience: float = 0.0) -> Connection:
    """Connect; a machine that is booting is tried again for ``patience`` seconds.  Raises as Connection."""
    end = time.monotonic() + patience
    while True:
        try:
            return Connection(machine)
        except MachineryError:
            if time.monotonic() > end:
                raise
            time.sleep(min(2.0, max(patience / 20, 0.1)))
