"""Where measurements of this machine are kept. A cache that cannot be read or written is only slower."""

import hashlib
import os
import re
from functools import cache
from pathlib import Path

from narrows.machine import hardware

BENCH = Path(__file__).parent / "bench"


def default_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "narrows"


def place(kind: str, version: str, threads: int, folder: Path | None = None) -> Path:
    """The file for measurements of this kind: one for each machine, torch, number of threads, and way to measure."""
    torch = re.sub(r"[^A-Za-z0-9.+]+", "-", version)
    measures = torch if torch.startswith("tensorflow") else f"torch{torch}"
    name = f"{kind}-{hardware.identity()}-{measures}-{threads}t-{method()}.json"
    return (folder or default_folder()) / name


@cache
def method() -> str:
    """Changes with the programs that measure, so that what an older narrows measured is not taken for theirs."""
    digest = hashlib.sha256()
    for path in sorted(BENCH.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def load(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def save(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        part.replace(path)
    except OSError:
        pass
