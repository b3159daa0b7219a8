"""What a remedy says of a job."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One setting of a remedy that is worth trying."""

    value: bool | int | str
    """What the recipe holds, and what `apply` and `environment` are given."""
    seconds: float
    """Of a step: what it should save, as modelled from the ledger."""
