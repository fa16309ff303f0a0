"""The remote guest against a real sshd on loopback; a few scripts in its PATH play FreeBSD."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness import panic as panics
from harness.errors import MachineryError, UsageError
from harness.guest import remote as remote_module
from harness.guest import ssh
from harness.guest.base import GuestConfig
from harness.guest.console import GuestGone, GuestHung, KernelStopped
from harness.guest.remote import RemoteGuest

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin:" + os.environ.get("PATH", ""))
pytestmark = pytest.mark.skipif(
    SSHD is None or shutil.which("ssh-keygen") is None,
    reason="no sshd here (Debian: apt-get install openssh-server)",
)

# What FreeBSD has and this system lacks, or has otherwise.  $STATE is a folder: a file for each jail.
SCRIPTS = {
    "uname": 'case $1 in -s) cat $STATE/system;; -r) echo 15.1-RELEASE;; *) echo FreeBSD 15.1 PLAYED;; esac',
    "id": "cat $STATE/uid",
    "sysctl": 'case "$*" in *invariants) echo 1;; *hw.ncpu) echo 4;; *bootfile) echo /dev/null;; '
    '*kdb.enter=1) echo enter > $STATE/kdb;; *) exit 1;; esac',
    "kenv": 'case "$2" in kern.hz) echo 1000;; *) exit 1;; esac',
    "kldload": 'echo "$2" >> $STATE/modules',
    "ifconfig": 'echo "ifconfig $*" >> $STATE/log; case "$*" in "epair create") echo epair0a;; '
    '"bridge create") echo bridge0;; -l) echo lo0 lan;; esac',
    "jexec": 'shift; exec "$@"',
    "jail": 'echo "jail $*" >> $STATE/log; case $1 in -r) rm $STATE/jail.$2;; '
    '-c) n=${2#name=}; test ! -e $STATE/jail.$n && : > $STATE/jail.$n;; esac',
    "cc": "cp /bin/true $4 && echo built >> $STATE/log",
}


class Sshd:
    """An sshd of this user's own on a free port of loopback, and what it takes to log in there."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.state, home = folder, folder / "state", folder / "home"
        tools = folder / "bin"
        for each in (self.state, home, tools):
            each.mkdir()
        (self.state / "system").write_text("FreeBSD\n")
        (self.state / "uid").write_text("0\n")
        for name, body in SCRIPTS.items():
            (tools / name).write_text(f"#!/bin/sh\n{body}\n")
            (tools / name).chmod(0o755)
        for name in ("host", "user", "other"):
            made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(folder / name)]
            subprocess.run(made, check=True)
        shutil.copy(folder / "user.pub", folder / "authorized")
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        (folder / "config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\nUsePAM no\n"
            f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nPermitRootLogin yes\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nSubsystem sftp internal-sftp\n"
            f"SetEnv PATH={tools}:/usr/bin:/bin STATE={self.state} HOME={home}\n"
        )
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        assert SSHD is not None
        self.log = open(folder / "sshd.log", "wb")  # noqa: SIM115
        self.process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "config")], stderr=self.log)
        for _ in range(200):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
            if self.process.poll() is not None:
                pytest.skip(f"sshd does not start here: {(folder / 'sshd.log').read_text()[-200:]}")
            time.sleep(0.02)
        self.known = folder / "known_hosts"
        self.known.write_text(f"[127.0.0.1]:{self.port} {(folder / 'host.pub').read_text()}")
        self.machine = ssh.Machine(
            host="127.0.0.1", port=self.port, user=getpass.getuser(), key=str(folder / "user"),
            known_hosts=str(self.known),
        )  # fmt: skip

    def said(self) -> str:
        log = self.state / "log"
        return log.read_text() if log.exists() else ""

    def jails(self) -> list[str]:
        return sorted(p.name.removeprefix("jail.") for p in self.state.glob("jail.*"))

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        self.log.close()


@pytest.fixture
def sshd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    empty = tmp_path / "nobody"
    (empty / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(empty))  # neither the user's keys nor the user's known_hosts
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("DNH_CACHE", str(tmp_path / "cache"))
    it = Sshd(tmp_path)
    yield it
    it.close()


def guest_of(sshd: Sshd, machine: ssh.Machine | None = None, **config: object) -> RemoteGuest:
    folder = sshd.folder / "run"
    folder.mkdir(exist_ok=True)
    return RemoteGuest(GuestConfig(folder=folder, clock="wall", **config), machine or sshd.machine)  # type: ignore[arg-type]


def boot_alone(guest: RemoteGuest) -> None:
    try:
        guest.boot()
    finally:
        guest.kill()


@pytest.fixture
def guest(sshd: Sshd) -> Iterator[RemoteGuest]:
    it = guest_of(sshd, modules=("dummynet",), tunables={"kern.hz": "1000"})
    it.boot()
    yield it
    it.kill()


# -- the shell -------------------------------------------------------------------------------------


def test_commands(guest: RemoteGuest, sshd: Sshd) -> None:
    assert guest.console.check("echo 'it works'; echo twice").splitlines() == ["it works", "twice"]
    assert guest.console.run("sh -c 'echo no >&2; exit 3'").status == 3
    assert guest.console.run("printf 'no newline'").output == "no newline"
    guest.console.run(")")  # a syntax error must not end the shell
    lines = guest.console.run("seq 20000").output.splitlines()
    assert lines[0] == "1" and lines[-1] == "20000" and len(lines) == 20000
    text = "x" * 5000  # no tty: no limit to a line
    assert guest.console.check(f"echo {text}") == text
    guest.console.put(f"{sshd.state}/text", "a 'b' $c\nd\n")
    assert (sshd.state / "text").read_text() == "a 'b' $c\nd\n"
    assert (sshd.state / "modules").read_text() == "dummynet\n"
    assert "it works" in (sshd.folder / "run" / "console.log").read_text()


def test_identity(guest: RemoteGuest) -> None:
    i = guest.identity()
    assert (i.kind, i.clock, i.release, i.flavour, i.ncpu) == ("remote", "wall", "15.1-RELEASE", "debug", 4)
    assert i.ident == "FreeBSD 15.1 PLAYED"


def test_dngen_is_built_there_once(guest: RemoteGuest, sshd: Sshd) -> None:
    if not (Path(remote_module.data_dir("vm")) / "dngen" / "os_posix.c").is_file():
        pytest.skip("dngen is not here")
    assert guest.console.check("command -v dngen").endswith("/dngen")
    guest.kill()
    again = guest_of(sshd)
    again.boot()
    again.kill()
    assert sshd.said().count("built") == 1


def test_clean_up(guest: RemoteGuest, sshd: Sshd) -> None:
    (sshd.state / "jail.somebodys").touch()
    guest.console.check("jail -c name=client vnet persist path=/")
    guest.console.check("jail -c name=router vnet persist path=/")
    assert guest.console.run("jail -c name=somebodys vnet persist path=/").status != 0
    guest.console.check("ifconfig epair create")
    guest.console.check("sleep 987 & echo started")
    assert sshd.jails() == ["client", "router", "somebodys"]
    guest.kill()
    guest.kill()
    assert sshd.jails() == ["somebodys"]
    said = sshd.said()
    assert "ifconfig lan destroy" in said and "ifconfig lo0 destroy" not in said
    assert "ifconfig epair0a destroy" in said
    time.sleep(0.2)
    ps = subprocess.run(["ps", "-eo", "stat,args"], capture_output=True, text=True, check=True).stdout
    assert not [line for line in ps.splitlines() if "sleep 987" in line and not line.startswith("Z")]


def test_hang_and_lost_connection(guest: RemoteGuest, sshd: Sshd) -> None:
    with pytest.raises(GuestHung):
        guest.console.run("sleep 5", timeout=0.5)
    assert not guest.break_to_debugger()  # nobody would see its prompt
    began = time.monotonic()
    with pytest.raises(GuestGone, match="the ssh connection closed"):
        guest.console.run("kill -9 $PPID")
    assert time.monotonic() - began < 7


# -- the kernel's console --------------------------------------------------------------------------

KERNEL = """
import os, sys, time
import player
def say(text): os.write(1, text)
say(b"\\r\\nFreeBSD/amd64 (played) (ttyu0)\\r\\n\\r\\nlogin: ")
while True:
    for sign, text in (("panic", player.PANIC + player.DEBUGGER), ("kdb", player.DEBUGGER)):
        if os.path.exists(f"{sys.argv[1]}/{sign}"):
            say(text)
            for line in sys.stdin.buffer:
                with open(f"{sys.argv[1]}/typed", "ab") as f: f.write(line)
                say(b"answer to " + line.strip() + b"\\r\\ndb> ")
    time.sleep(0.05)
"""


@pytest.fixture
def watched(sshd: Sshd) -> Iterator[RemoteGuest]:
    script = sshd.folder / "kernel.py"
    script.write_text(KERNEL)
    command = f"env PYTHONPATH={Path(__file__).parent} {sys.executable} -u {script} {sshd.state}"
    it = guest_of(sshd, replace(sshd.machine, console=command))
    it.boot()
    yield it
    it.kill()


@pytest.mark.parametrize("way", ["run", "sleep"])
def test_panic_on_the_kernel_console(watched: RemoteGuest, sshd: Sshd, way: str) -> None:
    watched.console.check("echo before")
    (sshd.state / "panic").touch()
    began = time.monotonic()
    with pytest.raises(KernelStopped, match="destroyed mutex") as stopped:
        watched.console.run("sleep 20", timeout=30) if way == "run" else watched.sleep(20)
    assert time.monotonic() - began < 2
    assert stopped.value.at_debugger
    watched.console.debug(("bt", "ps"))
    watched.kill()
    assert (sshd.state / "typed").read_text().splitlines() == ["bt", "ps", "reset"]
    log = (sshd.folder / "run" / "console.log").read_text()
    assert "answer to ps" in log and "before" in log
    found = [p.message for p in panics.read(log)]
    assert len(found) == 1 and found[0].startswith("mtx_lock() of destroyed mutex")
    remote_module._rebooting.clear()


def test_break_into_a_hung_machine(watched: RemoteGuest, sshd: Sshd) -> None:
    (sshd.state / "kdb").unlink(missing_ok=True)
    assert watched.break_to_debugger()
    remote_module._rebooting.clear()


def test_console_command_that_fails(sshd: Sshd) -> None:
    it = guest_of(sshd, replace(sshd.machine, console="sh -c 'echo no such port; exit 3'"))
    with pytest.raises(MachineryError, match="no such port"):
        it.boot()
    it.kill()


# -- who is there, and who may come in -------------------------------------------------------------


def test_unknown_host_is_refused_with_the_line_to_add(sshd: Sshd) -> None:
    line = sshd.known.read_text().strip()
    sshd.known.write_text("")
    it = guest_of(sshd)
    with pytest.raises(UsageError, match="not in known_hosts") as refused:
        it.boot()
    it.kill()
    assert line in str(refused.value)
    sshd.known.write_text(str(refused.value).split("known_hosts: ")[-1] + "\n")
    again = guest_of(sshd)
    again.boot()
    again.kill()


def test_changed_host_key_is_refused(sshd: Sshd) -> None:
    sshd.known.write_text(f"[127.0.0.1]:{sshd.port} {(sshd.folder / 'other.pub').read_text()}")
    with pytest.raises(UsageError, match="another key than known_hosts"):
        guest_of(sshd).boot()


def test_refused_key(sshd: Sshd) -> None:
    with pytest.raises(UsageError, match="takes none of the keys"):
        boot_alone(guest_of(sshd, replace(sshd.machine, key=str(sshd.folder / "other"))))
    with pytest.raises(UsageError, match="cannot be read"):
        boot_alone(guest_of(sshd, replace(sshd.machine, key=str(sshd.folder / "none"))))


def test_nobody_there(sshd: Sshd) -> None:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        with pytest.raises(MachineryError, match="cannot be reached"):
            guest_of(sshd, replace(sshd.machine, port=s.getsockname()[1])).boot()


def test_jump_host_and_user_config(sshd: Sshd) -> None:
    config = Path(os.environ["HOME"]) / ".ssh" / "config"
    config.write_text(
        f"Host target hop\n HostName 127.0.0.1\n Port {sshd.port}\n User {getpass.getuser()}\n"
        f" IdentityFile {sshd.folder}/user\n UserKnownHostsFile {sshd.known}\nHost target\n ProxyJump hop\n"
    )
    config.chmod(stat.S_IRUSR | stat.S_IWUSR)
    for machine in (ssh.Machine("target"), replace(sshd.machine, jump="hop,hop")):
        it = guest_of(sshd, machine)
        it.boot()
        assert it.console.check("echo through") == "through"
        it.kill()
    assert (sshd.folder / "sshd.log").read_text().count("Accepted publickey") == 5


def test_one_run_at_a_time(sshd: Sshd) -> None:
    first, second = guest_of(sshd), guest_of(sshd)
    first.boot()
    waiting = threading.Thread(target=second.boot)
    waiting.start()
    waiting.join(1.0)
    assert waiting.is_alive()
    first.kill()
    waiting.join(20)
    assert second.console.check("echo mine") == "mine"
    second.kill()


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [("system", "Linux", "runs Linux, not FreeBSD"), ("uid", "1001", "one is not root")],
)
def test_unfit_machine(sshd: Sshd, file: str, text: str, message: str) -> None:
    (sshd.state / file).write_text(text + "\n")
    it = guest_of(sshd)
    with pytest.raises(UsageError, match=message):
        it.boot()
    it.kill()


def test_tunable_that_is_not_set_there(sshd: Sshd) -> None:
    it = guest_of(sshd, tunables={"net.isr.maxthreads": "-1"})
    with pytest.raises(UsageError, match=r"loader\.conf"):
        it.boot()
    it.kill()


# -- words -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "user", "host", "port"),
    [
        ("root@box", "root", "box", None),
        ("box.example.org:2222", None, "box.example.org", 2222),
        ("me@[fe80::1%em0]:22", "me", "fe80::1%em0", 22),
    ],
)
def test_addresses(word: str, user: str | None, host: str, port: int | None) -> None:
    machine = ssh.parse(word)
    assert (machine.user, machine.host, machine.port) == (user, host, port)


@pytest.mark.parametrize("word", ["", "root@", "a b", "-oProxyCommand=x", "box:ssh", "a@b@c"])
def test_addresses_that_are_none(word: str) -> None:
    with pytest.raises(UsageError, match="is no machine"):
        ssh.parse_address(word)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hots: box", "did you mean 'host'"),
        ("user: root", "'host' is missing"),
        ("host: box\nport: ssh", "a number is wanted"),
        ("- box", "is a map"),
        ("{", "while parsing"),
    ],
)
def test_files_with_errors(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "box.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=message):
        ssh.parse(str(file))
    with pytest.raises(UsageError):
        ssh.parse(str(tmp_path / "absent.yaml"))


def test_file(tmp_path: Path) -> None:
    file = tmp_path / "box.yaml"
    file.write_text("host: root@box:2200\njump: me@door\nconsole: console -f box\n")
    assert ssh.parse(str(file)) == ssh.Machine("box", 2200, "root", jump="me@door", console="console -f box")
