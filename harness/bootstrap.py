"""First start from a checkout: an environment with what pyproject.toml asks for, then the command.

Uses nothing but the standard library, for it runs before anything is installed.  The environment is
keyed by the Python version and the dependencies: a change of either makes a new one, nothing else does.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE))

from harness.paths import cache_dir  # noqa: E402 - nothing of ours can be found before the line above


def _say(text: str) -> None:
    print(f"dnh: {text}", file=sys.stderr, flush=True)


def _wanted(with_tests: bool) -> list[str]:
    project = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
    words = list(project["dependencies"])
    if with_tests:
        words += project["optional-dependencies"]["test"]
    return words


def _install(env: Path, wanted: list[str]) -> None:
    """Make the environment aside and move it into place whole: an interrupted start leaves nothing half-made."""
    fresh = env.with_name(env.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    # On FreeBSD the heavy packages have no wheels on the registry but are in pkg(8): let them be seen.
    site = ["--system-site-packages"] if sys.platform.startswith("freebsd") else []
    made = subprocess.run(
        [sys.executable, "-m", "venv", *site, str(fresh)], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        _say(
            "python3's venv module does not work here (on Debian: apt-get install python3-venv):\n"
            + (made.stdout + made.stderr).strip()[-600:]
        )
        raise SystemExit(3)
    pip = [str(fresh / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    got = subprocess.run([*pip, *wanted], capture_output=True, text=True, check=False)
    if got.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        _say("the Python packages could not be installed:\n" + (got.stdout + got.stderr).strip()[-1500:])
        raise SystemExit(3)
    # Scripts inside name the folder they were made in; only 'python -m' is used, which does not mind the move.
    os.replace(fresh, env)


def environment(with_tests: bool) -> Path:
    """The environment's python, set up when it is not there yet."""
    wanted = _wanted(with_tests)
    key = hashlib.sha256(repr((sys.version_info[:2], sys.executable, wanted)).encode()).hexdigest()[:12]
    env = cache_dir() / "env" / f"{'test' if with_tests else 'run'}-{key}"
    python = env / "bin" / "python"
    if not python.exists():
        env.parent.mkdir(parents=True, exist_ok=True)
        with open(env.parent / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not python.exists():
                _say(f"first start: installing {len(wanted)} Python packages into {env}")
                _install(env, wanted)
    return python


def main() -> None:
    """Replace this process by the command in its environment."""
    if sys.prefix != sys.base_prefix and os.environ.get("DNH_ENV") == "this":
        python = Path(sys.executable)
    else:
        try:
            python = environment(with_tests=sys.argv[1:2] == ["test"])
        except OSError as e:
            _say(f"cannot set up the environment: {e}")
            raise SystemExit(3) from e
        except KeyboardInterrupt:
            _say("interrupted")
            raise SystemExit(130) from None
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
    )
    os.environ["DNH_COMMAND"] = "./dnh"
    os.execv(python, [str(python), "-m", "harness", *sys.argv[1:]])


if __name__ == "__main__":
    main()
