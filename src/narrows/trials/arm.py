"""One way to run the job in a trial, and what a trial measured."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from narrows.job.command import Command

Value = bool | int | str


@dataclass(frozen=True, kw_only=True)
class Arm:
    """The job as it is, without one of its causes, or with remedies."""

    name: str
    without: str = ""
    """What the probe leaves out."""
    files: Mapping[str, str] = field(default_factory=dict)
    """New text of files, laid over the job's own."""
    remedies: tuple[tuple[str, Value], ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    command: Command | None = None
    """What is run instead of the job's own command."""
    told: Mapping[str, str] = field(default_factory=dict)
    """Settings of the probe."""
    seed: int = 0
    per_sample: bool = False
    """Its steps may be of another size: what counts is the time for a sample."""


AS_IT_IS = Arm(name="")


@dataclass(frozen=True, kw_only=True)
class Measured:
    seconds: float
    """Of a steady step."""
    samples: float = 0.0
    """Of a step; 0 if unknown."""
    losses: tuple[float, ...] = ()
    """Of each backward, from the first."""
    every: int = 1
    """Steps from one of these losses to the next."""
    answers: tuple[tuple[float, ...], ...] = ()
    """Some numbers of the first answers of an inference job."""
    peak_bytes: int = 0
    """Of the job's processes, on the machine."""
    device_bytes: int = 0
    """The peak on the device; 0 if it has none."""
    applied: frozenset[str] = frozenset()
    """Remedies that found something to change."""
    whole: bool = False
    """The job was over before it had had its turns: all of its steps were measured."""
    not_applied: Mapping[str, str] = field(default_factory=dict)
    """Remedies that could not make their change, and why."""

    @property
    def memory(self) -> int:
        """Bytes at the peak, where the job computes."""
        return self.device_bytes or self.peak_bytes


class Unproven(Exception):
    """Why a trial says nothing: a word for the report, and a detail."""

    def __init__(self, word: str, detail: str = "") -> None:
        super().__init__(word, detail)
        self.word, self.detail = word, detail
