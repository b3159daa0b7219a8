"""The ceilings of this machine: measured by a child with the job's interpreter, and cached."""

import json
import os
import subprocess
from pathlib import Path

import msgspec

from narrows.machine import hardware
from narrows.report.model import Ceilings

BENCH = Path(__file__).parent / "bench"


def cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "narrows"


def ceilings(python: str, threads: int, version: str, *, refresh: bool = False) -> Ceilings | None:
    """Measured with `threads` threads; from the cache if they were, on this machine with this torch.

    None if that interpreter cannot measure them (it has no torch). Takes up to 20 s the first time.
    """
    path = cache_folder() / f"ceilings-{hardware.identity()}-torch{version}-{threads}.json"
    if not refresh:
        try:
            return msgspec.json.decode(path.read_bytes(), type=Ceilings)
        except (OSError, msgspec.DecodeError):
            pass
    text = run(python, "ceilings.py", ["--threads", str(threads)], "", 90)
    if text is None:
        return None
    try:
        found = msgspec.json.decode(text, type=Ceilings)
    except msgspec.DecodeError:
        return None
    save(path, msgspec.json.encode(found))
    return found


def run(python: str, script: str, arguments: list[str], given: str, seconds: float) -> str | None:
    """The output of a bench script, or None if it failed. The probe stays out of it."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NARROWS_")}
    try:
        done = subprocess.run(
            [python, str(BENCH / script), *arguments],
            input=given,
            capture_output=True,
            text=True,
            timeout=seconds,
            env=environment,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None


def save(path: Path, data: bytes) -> None:
    """Into the cache, whole or not at all; a cache that cannot be written is only slower."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(data)
        part.replace(path)
    except OSError:
        pass


def torch_version(python: str) -> str | None:
    """The version of torch that an interpreter has, without importing it."""
    code = "import importlib.metadata as m; print(m.version('torch'))"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NARROWS_")}
    try:
        done = subprocess.run(
            [python, "-c", code], capture_output=True, text=True, timeout=60, env=environment, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def read_json(path: Path) -> dict[str, float | None]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
