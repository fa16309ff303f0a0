"""Official images against a local server: whole, cut off, continued, tampered with, missing."""

from __future__ import annotations

import hashlib
import lzma
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harness.errors import MachineryError, UsageError
from harness.kernel import fetch, store

DISK = bytes(510) + b"\x55\xaa" + b"FreeBSD" * 200_000 + bytes(3 << 20)
PACKED = lzma.compress(DISK)
FOLDER = "/CI-IMAGES/15.0-RELEASE/amd64/Latest"
FILE = "FreeBSD-15.0-RELEASE-amd64-BASIC-CI.raw.xz"


class Server:
    """A download server whose faults are set by the test."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cut: list[int] = []  # bytes after which a connection is closed, one for each request to come
        self.ranges = True
        self.requests: list[tuple[str, str | None]] = []
        self.http: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        assert self.http is not None
        return f"http://127.0.0.1:{self.http.server_port}"

    def put(self, data: bytes, listed: bytes | None = None) -> None:
        digest = hashlib.sha512(listed if listed is not None else data).hexdigest()
        self.files = {
            f"{FOLDER}/{FILE}": data,
            f"{FOLDER}/CHECKSUM.SHA512": (
                f"SHA512 (other.iso) = {'0' * 128}\nSHA512 ({FILE}) = {digest}\n".encode()
            ),
        }


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    monkeypatch.setenv("DNH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(fetch.time, "sleep", lambda _s: None)
    s = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            s.requests.append((self.path, wanted))
            data = s.files.get(self.path)
            if data is None:
                self.send_error(404)
                return
            begin = 0
            if wanted and s.ranges:
                begin = int(wanted.removeprefix("bytes=").rstrip("-"))
                if begin >= len(data):
                    self.send_error(416)
                    return
            self.send_response(206 if begin else 200)
            self.send_header("Content-Length", str(len(data) - begin))
            self.end_headers()
            body = data[begin:]
            if s.cut and self.path.endswith(".xz"):
                body = body[: s.cut.pop(0)]
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            return None

    s.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=s.http.serve_forever, daemon=True)
    thread.start()
    yield s
    s.http.shutdown()
    s.http.server_close()
    thread.join()


def catalogue(server: Server, pinned: str = "") -> fetch.Catalogue:
    files = (
        "FreeBSD-{release}-RELEASE-amd64-BASIC-CI-ufs.raw.xz",
        "FreeBSD-{release}-RELEASE-amd64-BASIC-CI.raw.xz",
    )
    sums = {FILE: pinned} if pinned else {}
    kinds = {"ci": ("CI-IMAGES/{release}-RELEASE/amd64/Latest", files)}
    return fetch.Catalogue(server.url, kinds, "CHECKSUM.SHA512", {"15.0": sums})


def test_whole(server: Server) -> None:
    server.put(PACKED)
    image, origin = fetch.fetch("15.0", catalogue=catalogue(server))
    assert image.disk.read_bytes() == DISK
    assert image.disk.stat().st_blocks * 512 < len(DISK)  # zeros take no room
    assert (image.name, image.disk_format, image.shell) == ("15.0-official", "raw", False)
    assert "none is pinned" in origin
    server.requests.clear()
    fetch.fetch("15.0", catalogue=catalogue(server))
    assert [p for p, _ in server.requests] == [f"{FOLDER}/CHECKSUM.SHA512"]  # not downloaded again


def test_cut_off_and_continued_at_once(server: Server) -> None:
    server.put(PACKED)
    server.cut = [100, 50]
    fetch.fetch("15.0", catalogue=catalogue(server))
    asked = [r for p, r in server.requests if p.endswith(".xz")]
    assert asked == [None, "bytes=100-", "bytes=150-"]


def test_cut_off_for_good_then_continued_by_the_next_command(server: Server) -> None:
    server.put(PACKED)
    server.cut = [100, 0, 0, 0]
    with pytest.raises(MachineryError, match="100 bytes are kept") as e:
        fetch.fetch("15.0", catalogue=catalogue(server))
    assert e.value.exit_code == 3
    assert store.list_images() == []
    server.requests.clear()
    image, _ = fetch.fetch("15.0", catalogue=catalogue(server))
    assert server.requests[-1][1] == "bytes=100-"
    assert image.disk.read_bytes() == DISK


def test_a_server_that_cannot_resume(server: Server) -> None:
    server.put(PACKED)
    server.cut = [100]
    server.ranges = False
    image, _ = fetch.fetch("15.0", catalogue=catalogue(server))
    assert image.disk.read_bytes() == DISK


def test_tampered(server: Server) -> None:
    bad = bytearray(PACKED)
    bad[len(bad) // 2] ^= 1
    server.put(bytes(bad), listed=PACKED)
    with pytest.raises(MachineryError, match="checksum is wrong"):
        fetch.fetch("15.0", catalogue=catalogue(server))
    assert store.list_images() == []
    assert not list((store.guests_dir().parent / "downloads").glob("*"))


def test_tampered_list_against_a_pinned_checksum(server: Server) -> None:
    evil = lzma.compress(DISK + b"evil")
    server.put(evil)
    with pytest.raises(MachineryError, match="checksum is wrong"):
        fetch.fetch("15.0", catalogue=catalogue(server, hashlib.sha512(PACKED).hexdigest()))


def test_pinned_and_right(server: Server) -> None:
    server.put(PACKED)
    _, origin = fetch.fetch("15.0", catalogue=catalogue(server, hashlib.sha512(PACKED).hexdigest()))
    assert origin == "checksum: from the catalogue"
    assert not any(p.endswith("SHA512") for p, _ in server.requests)


def test_damaged_archive(server: Server) -> None:
    for data in (PACKED[: len(PACKED) // 2], b"\xfd7zXZ\0" + b"x" * 500):
        server.put(data)
        with pytest.raises(MachineryError):
            fetch.fetch("15.0", catalogue=catalogue(server))
        assert store.list_images() == []


def test_missing(server: Server) -> None:
    with pytest.raises(MachineryError, match="404"):
        fetch.fetch("15.0", catalogue=catalogue(server))
    server.files[f"{FOLDER}/CHECKSUM.SHA512"] = b"nothing here\n"
    with pytest.raises(MachineryError, match="names none of"):
        fetch.fetch("15.0", catalogue=catalogue(server))
    with pytest.raises(UsageError, match=r"15\.0"):
        fetch.fetch("9.9", catalogue=catalogue(server))


def test_nobody_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DNH_CACHE", str(tmp_path))
    cat = fetch.Catalogue("http://127.0.0.1:9", {"ci": ("x", ("y",))}, "CHECKSUM.SHA512", {"15.0": {}})
    with pytest.raises(MachineryError, match=r"127\.0\.0\.1:9"):
        fetch.fetch("15.0", catalogue=cat)


def test_the_catalogue_that_comes_with_the_program() -> None:
    cat = fetch.read_catalogue()
    assert {"13.2", "15.1"} <= set(cat.releases)
    assert set(cat.kinds) == {"ci", "vm"}


def test_a_broken_catalogue(tmp_path: Path) -> None:
    for text in ("", "a: [", "server: x\nkinds: 3\n"):
        (tmp_path / "c.yaml").write_text(text)
        with pytest.raises(MachineryError, match="catalogue"):
            fetch.read_catalogue(tmp_path / "c.yaml")


def test_add(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DNH_CACHE", str(tmp_path / "cache"))
    disk = tmp_path / "my disk.img"
    disk.write_bytes(DISK)
    image = fetch.add(disk)
    assert image.name == "my-disk"
    assert image.disk.read_bytes() == DISK
    disk.write_bytes(b"QFI\xfb" + bytes(2000))
    assert fetch.add(disk, "mine").disk_format == "qcow2"
    for junk, words in ((PACKED, "compressed"), (b"hello", "neither"), (b"", "neither")):
        disk.write_bytes(junk)
        with pytest.raises(UsageError, match=words):
            fetch.add(disk)
    with pytest.raises(UsageError, match="no image"):
        fetch.add(tmp_path / "none")
    assert [i.name for i in store.list_images()] == ["mine", "my-disk"]
    store.remove("mine")
    with pytest.raises(UsageError, match="my-disk"):
        store.load("mine")
