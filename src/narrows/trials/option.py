"""What can be tried, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from narrows.remedies import CLASSES
from narrows.trials.arm import Arm, Unproven, Value
from narrows.trials.gain import Gain
from narrows.trials.parity import Parity


@dataclass(frozen=True, kw_only=True)
class Option:
    """One remedy with one setting."""

    remedy: str
    value: Value
    kind: str
    """Its class."""
    seconds: float
    """Predicted saving of a step."""
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.remedy}={self.value}"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of an option."""

    option: Option
    gain: Gain | None = None
    """Against the job with what was kept before it."""
    parity: Parity | None = None
    memory: float | None = None
    """Peak memory / the original's."""
    kept: bool = False
    why: str
    """A word for the report: `kept`, `no gain`, `parity`, `memory`, `not applied`, `beside`, `budget`, or that of a
    failure."""
    detail: str = ""


def arm(options: Sequence[Option]) -> Arm:
    """The job with these remedies, in this order."""
    environment: dict[str, str] = {}
    for option in options:
        environment.update(option.environment)
    return Arm(
        name=" + ".join(option.name for option in options),
        remedies=tuple((option.remedy, option.value) for option in options),
        environment=environment,
        per_sample=any(option.kind == "training" for option in options),
    )


def most_changing(options: Sequence[Option]) -> str:
    """The class, of those of the options, that says how far losses may lie apart."""
    return min((option.kind for option in options), key=CLASSES.index)


def failed(option: Option, why: Unproven) -> Verdict:
    return Verdict(option=option, why=why.word, detail=why.detail)
