"""What is known of a run besides its spool: `run.json`, enough to make its report again, anywhere."""

from pathlib import Path

import msgspec

from narrows.report.capacity import Capacity
from narrows.report.model import Cause, Ended, Machine, Outcome, Trial
from narrows.report.record import Record


class Counterfactual(Record, frozen=True, kw_only=True):
    """Steps without one cause, beside steps as they are."""

    cause: Cause
    left_out: list[str]
    """What was: `loader`, `save`, `sync`, or a line, as `/home/me/train.py:41`."""
    pairs: list[tuple[float, float]]
    """Seconds of a step (as it is, without), of fresh processes that ran one after the other."""
    failed: str | None = None
    """A word of `report/language` (`prove.failed.WORD`) for why there are no more."""
    detail: str = ""


class Facts(Record, frozen=True, kw_only=True):
    id: str
    created: str
    narrows: str
    command: list[str]
    """As typed, secrets masked."""
    cwd: str
    ended: Ended | None = None
    """None while the job runs, and for ever if narrows itself was killed."""
    exit_code: int = 0
    signal: int | None = None
    wall_seconds: float = 0.0
    peak_bytes: int = 0
    memory_kills: int = 0
    """By the kernel, while the job ran."""
    machine: Machine | None = None
    fixed: dict[str, float | None] = msgspec.field(default_factory=dict)
    """Fixed costs of the ops of this run, by `machine.fixed.signature`, in seconds."""
    apart: dict[str, float] = msgspec.field(default_factory=dict)
    """Seconds of its ops with no more threads than cores, by `machine.apart.name`; empty if it had no more."""
    counterfactuals: list[Counterfactual] | None = None
    """Of `--prove`; None if it was not asked for."""
    trials: list[Trial] | None = None
    """Of `narrows optimize`."""
    recipe: Outcome | None = None
    capacity: Capacity | None = None
    """Of `narrows fit`."""
    notes: list[str] = msgspec.field(default_factory=list)
    asked_steps: int = 0


def write(folder: Path, facts: Facts) -> None:
    """A folder that can no longer be written loses the record, never the run."""
    try:
        (folder / "run.json").write_bytes(msgspec.json.format(msgspec.json.encode(facts), indent=1))
    except OSError:
        pass


def read(folder: Path) -> Facts:
    """Raises `ValueError` in one sentence if the folder is not that of a run."""
    try:
        return msgspec.json.decode((folder / "run.json").read_bytes(), type=Facts)
    except FileNotFoundError:
        raise ValueError(f"{folder} is not the folder of a run: it has no run.json") from None
    except (OSError, msgspec.DecodeError) as error:
        raise ValueError(f"{folder / 'run.json'} cannot be read: {error}") from None
