"""What was asked of `narrows optimize`."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Wish:
    words: tuple[str, ...]
    out: Path
    recipe: Path
    budget: float
    """Seconds for the trials."""
    classes: frozenset[str]
    only: frozenset[str] = frozenset()
    skip: frozenset[str] = frozenset()
    memory: int = 0
    """Bytes that the job is to fit in; 0: no limit was given."""
    allow_writes: bool = False
    steps: int = 0
    """Steady steps of a trial; 0: as many as one second takes."""
    ray: str = ""
    """Address of the Ray cluster whose machines run the trials; empty: this machine does."""
    quiet: bool = False
