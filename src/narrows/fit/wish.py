"""What was asked of `narrows fit`."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Wish:
    words: tuple[str, ...]
    out: Path
    memory: int = 0
    """Bytes that the job is to fit in; 0: what this machine offers."""
    batch: int = 0
    """A batch to predict; 0: none."""
    batch_from: str = ""
    """The option, or the name in the script, that is the batch; empty: looked for."""
    sequence: int = 0
    """A length of the sequences to predict; 0: none."""
    sequence_from: str = ""
    """As `batch_from`."""
    time: bool = False
    """Also time a step at other sizes, in fresh processes: up to two minutes more for each of batch and length."""
    ranks: tuple[int, ...] = (2, 4, 8)
    steps: int = 8
    """Updates of the real run."""
    allow_writes: bool = False
    quiet: bool = False
