"""How often 'dnh regress' cries wolf, and how often it finds a planted slow-down: figures for its claims.

    python -m tests.regress.rates 100 [self-unpaired|slow-unpaired|self-paired|slow-paired ...]

Each comparison has seeds of its own, the design of the command (8 trials a side, more where the spread asks for them,
16 at most), the scenario noisy.yaml.  "self" compares the kernel with itself, "slow" with a series that makes every pipe
5 % slower.  About 0.3 s a trial: 100 comparisons take some ten minutes on one core.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from harness.regress.compare import Pair, compare
from harness.regress.trials import Design, measure
from harness.run import guests
from harness.run.many import run_each
from harness.run.store import Store
from harness.scenario import load

HERE = Path(__file__).parent
SLOW = f"usermode+{HERE / 'slow'}"


def once(n: int, candidate: str, paired: bool, makers: dict, folder: Path) -> list[str]:
    """One comparison; the regressions it told of."""
    store = Store(folder / str(n))
    pairs = [Pair(s, s.goals, paired) for s in load(HERE / "noisy.yaml", {})]
    design = Design("usermode", candidate, alpha=0.01, trials=8, most=16, seed=1 + 1000 * n, paired=paired)
    measure(pairs, design, lambda plans: run_each(plans, lambda p: makers[p.guest], store, jobs=1))
    _, lines = compare(pairs, design.alpha)
    shutil.rmtree(store.root)
    return lines


def main(times: int, which: list[str]) -> None:
    makers = {word: guests.maker(word) for word in ("usermode", SLOW)}
    for name in which:
        what, how = name.split("-")
        began, told = time.monotonic(), []
        with tempfile.TemporaryDirectory() as folder:
            for n in range(times):
                lines = once(n, SLOW if what == "slow" else "usermode", how == "paired", makers, Path(folder))
                told.append(len(lines))
                if (n + 1) % 10 == 0:
                    print(f"{name}: {sum(map(bool, told))} of {n + 1} told of a regression, {time.monotonic() - began:.0f} s", flush=True)
        print(json.dumps({"what": name, "times": times, "told": sum(map(bool, told))}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:] or ["self-unpaired", "slow-unpaired", "self-paired", "slow-paired"])
