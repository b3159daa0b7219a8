"""What every part of a report is made of."""

from typing import Literal

import msgspec

Basis = Literal["measured", "modelled"]


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What every part of a report is: immutable, its fields named where it is made."""
