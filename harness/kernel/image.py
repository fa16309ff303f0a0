"""A bootable disk from a kernel and a world: UFS2 in a GPT, by the tree's makefs(8) and mkimg(1), no root."""

from __future__ import annotations

import mmap
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import MachineryError

TUNABLES_SIZE = 4096
TUNABLES_MARK = b"\\ dnh-tunables: what the harness wants set before this boot stands below\n"
FREE_MB = 96  # room for what a run writes: logs, textdumps, pushed files
DIRECTORIES = ("dev", "tmp", "var/crash", "var/run", "var/tmp", "root", "mnt", "boot/kernel", "boot/modules")


@dataclass
class Contents:
    """What goes into the file system: path in the guest -> file, and -> target for symbolic links."""

    files: dict[str, Path] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def add_tree(self, root: Path) -> None:
        """Everything below ``root``, at the same place in the guest."""
        for p in sorted(root.rglob("*")):
            rel = p.relative_to(root).as_posix()
            if p.is_symlink():
                self.links[rel] = os.readlink(p)
            elif p.is_file():
                self.files[rel] = p


def _mode(path: Path) -> str:
    return "0555" if os.access(path, os.X_OK) else "0644"


def manifest(contents: Contents) -> str:
    """The mtree(5) text that makefs makes the file system from; every owner is root."""
    dirs = {"."}
    for name in (*contents.files, *contents.links, *(f"{d}/x" for d in DIRECTORIES)):
        parts = name.split("/")[:-1]
        dirs.update("/".join([".", *parts[:n]]) for n in range(1, len(parts) + 1))
    out = ["#mtree"]
    for d in sorted(dirs):
        mode = "1777" if d in ("./tmp", "./var/tmp") else "0755"
        out.append(f"{d} type=dir uid=0 gid=0 mode={mode}")
    for name, path in sorted(contents.files.items()):
        out.append(f"./{name} type=file uid=0 gid=0 mode={_mode(path)} contents={path}")
    for name, target in sorted(contents.links.items()):
        out.append(f"./{name} type=link uid=0 gid=0 mode=0755 link={target}")
    return "\n".join(out) + "\n"


def _run(command: Sequence[str], cwd: Path) -> None:
    out = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    if out.returncode != 0:
        words = (out.stderr or out.stdout).strip()[-800:]
        raise MachineryError(f"{Path(command[0]).name} cannot make the image: {words}")


def tunables_text(tunables: dict[str, str]) -> bytes:
    """/boot/tunables.rc: loader commands, padded to its fixed size.  Raises MachineryError if too long."""
    text = TUNABLES_MARK
    for name, value in tunables.items():
        if not name or any(c in name + value for c in ' \t\n"\\'):
            raise MachineryError(f"a tunable that the loader cannot be told: {name}={value!r}")
        text += f"@set {name}={value}\n".encode()
    if len(text) > TUNABLES_SIZE:
        raise MachineryError(f"too many tunables: {len(text)} bytes, {TUNABLES_SIZE} is the room there is")
    return text.ljust(TUNABLES_SIZE, b"\n")


def tunables_offset(disk: Path) -> int:
    """Where in the raw disk image the content of /boot/tunables.rc stands."""
    with open(disk, "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as m:
        at = m.find(TUNABLES_MARK)
        if at < 0 or m.find(TUNABLES_MARK, at + 1) >= 0:
            raise MachineryError(f"{disk}: no single place for tunables in it")
        return at


def make_disk(
    contents: Contents, boot: dict[str, Path], tools: tuple[str, str], work: Path, disk: Path
) -> int:
    """Write the raw image ``disk``; returns the offset of its tunables.

    ``boot`` has ``pmbr``, ``gptboot`` and ``loader.efi``: it boots on machines with a BIOS and with UEFI.
    ``tools`` are the paths of makefs and mkimg,
    ``work`` is a folder for what comes between.
    """
    makefs, mkimg = tools
    tunables = work / "tunables.rc"
    tunables.write_bytes(tunables_text({}))
    contents.files["boot/tunables.rc"] = tunables
    spec, fs = work / "world.mtree", work / "root.ufs"
    spec.write_text(manifest(contents))
    size = sum(-(-p.stat().st_size // 32768) * 32768 for p in contents.files.values())
    megabytes = size // (1 << 20) + FREE_MB
    _run(
        [makefs, "-t", "ffs", "-B", "little", "-o", "version=2,softupdates=0,label=dnh",
         "-s", f"{megabytes}m", "-f", "4096", str(fs), str(spec)], work,
    )  # fmt: skip
    esp, efi = work / "esp.fat", work / "esp"
    (efi / "EFI/BOOT").mkdir(parents=True)
    shutil.copyfile(boot["loader.efi"], efi / "EFI/BOOT/BOOTX64.EFI")
    _run(
        [makefs, "-t", "msdos", "-o", "fat_type=16,sectors_per_cluster=1", "-s", "4m", str(esp), str(efi)],
        work,
    )
    fresh = work / "disk.img"
    _run(
        [mkimg, "-s", "gpt", "-f", "raw", "-b", str(boot["pmbr"]),
         "-p", f"freebsd-boot/boot:={boot['gptboot']}", "-p", f"efi/efi:={esp}",
         "-p", f"freebsd-ufs/root:={fs}", "-o", str(fresh)], work,
    )  # fmt: skip
    fs.unlink()
    offset = tunables_offset(fresh)
    os.replace(fresh, disk)
    return offset
