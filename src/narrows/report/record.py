"""What the parts of a report are made of: the causes, and a row of a ledger."""

from typing import Literal

import msgspec

Cause = Literal["input", "transfer", "communication", "host", "overhead", "bandwidth", "compute", "unexplained"]
CAUSES: tuple[Cause, ...] = (
    "input", "transfer", "communication", "host", "overhead", "bandwidth", "compute", "unexplained",
)  # fmt: skip
Basis = Literal["measured", "modelled"]


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What every part of a report is: immutable, its fields named where it is made."""


class Row(Record, frozen=True, kw_only=True):
    cause: Cause
    seconds: float
    share: float
    floor_seconds: float
    basis: Basis
