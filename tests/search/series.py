"""A series of up to 16 patches for the user-mode guest, one of which panics in 30 % of the runs, by the seed.

Each patch changes a file of its own; they are made from the sources as they are.  ``python tests/search/series.py
FOLDER CULPRIT`` writes one.
"""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

FILES = (
    "netpfil/ipfw/dn_sched_fifo.c", "netinet/in_cksum.c", "netpfil/ipfw/dn_sched_prio.c", "netinet/raw_ip.c",
    "netpfil/ipfw/ip_fw_log.c", "net/if_loop.c", "netinet/in_proto.c", "netpfil/ipfw/dn_sched_rr.c", "net/vnet.c",
    "netpfil/ipfw/ip_fw_pfil.c", "net/if_clone.c", "netpfil/ipfw/dn_sched_wf2q.c", "netinet/ip_reass.c", "net/netisr.c",
    "netinet/udp_usrreq.c", "netinet/ip_icmp.c",
)  # fmt: skip

HARMLESS = """
/* Step {n}: counts nothing that anybody asks for. */
extern volatile u_int step_{n};
volatile u_int step_{n};
"""

CULPRIT = """
/* Step {n}: by the dice, in {share} runs of ten, a panic half a second after the boot. */
#include <sys/param.h>
#include <sys/kernel.h>
#include <sys/callout.h>
#include <sys/libkern.h>
#include <sys/systm.h>

static struct callout step_{n};

static void
step_{n}_late(void *arg)
{{

	panic("step {n}: gone wrong");
}}

static void
step_{n}_init(const void *arg)
{{

	callout_init(&step_{n}, 1);
	if (arc4random_uniform(10) < {share})
		callout_reset(&step_{n}, hz / 2, step_{n}_late, NULL);
}}
SYSINIT(step_{n}, SI_SUB_PROTO_FIREWALL, SI_ORDER_ANY, step_{n}_init, NULL);
"""

SCENARIO = """
name: a ping
hosts:
  a: {lan: 10.0.1.1/24}
  b: {lan: 10.0.1.2/24}
flows:
  there: {ping: 100ms, from: a, to: b, for: 800ms}
for: 1s
sample: off
expect: {there.lost: 0}
"""


def diff(sources: Path, file: str, text: str) -> str:
    """A patch that puts ``text`` at the end of a file, with FreeBSD's name for it."""
    old = (sources / file).read_text().splitlines(keepends=True)
    return "".join(difflib.unified_diff(old, [*old, *text.splitlines(keepends=True)], f"a/sys/{file}", f"b/sys/{file}"))


def write(
    folder: Path, culprit: int, sources: Path, share: int = 3, broken: tuple[int, ...] = (), count: int = 16
) -> Path:
    """The series in ``folder``: patches 1 to ``count``, the culprit among them (0: none), those in ``broken`` do not compile."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for n, file in enumerate(FILES[:count], 1):
        text = (CULPRIT if n == culprit else HARMLESS).format(n=n, share=share)
        if n in broken:
            text += f"int step_{n}_is_not_finished(\n"
        names.append(f"{n:04d}-step.patch")
        (folder / names[-1]).write_text(f"Step {n}.\n\n{diff(sources, file, text)}")
    (folder / "series.usermode").write_text("\n".join(names) + "\n")
    return folder


if __name__ == "__main__":
    root = Path(__file__).parents[2]
    target = Path(sys.argv[1])
    write(target, int(sys.argv[2]), root / "vm" / "usermode")
    (target / "ping.yaml").write_text(SCENARIO)
