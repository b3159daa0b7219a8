"""The ledger's rows, with their floors."""

from collections.abc import Mapping, Sequence

from narrows.ledger.kernels import Kernel, bandwidth_at
from narrows.report.model import CAUSES, Cause, Ceilings, Row
from narrows.report.record import Basis

MODELLED: frozenset[Cause] = frozenset(("compute", "bandwidth"))
"""Their times are measured; which of the two an op belongs to comes from its shapes."""


def rows(
    totals: Mapping[Cause, float],
    kernels: Sequence[Kernel],
    compulsory: float,
    step: float,
    ceilings: Ceilings,
    exchange: float = 0.0,
) -> list[Row]:
    """One row for each cause, in the contract's order; they sum to the step. `exchange`: the floor of `communication`,
    in seconds."""
    floors = {
        "compute": sum(min(k.limit, k.seconds) for k in kernels if k.bound == "compute"),
        "bandwidth": compulsory / bandwidth_at(max(1.0, compulsory), ceilings),
        "communication": exchange,
    }
    made = []
    for cause in CAUSES:
        seconds = totals[cause]
        basis: Basis = "modelled" if cause in MODELLED else "measured"
        made.append(
            Row(
                cause=cause,
                seconds=seconds,
                share=seconds / step,
                floor_seconds=min(seconds, floors.get(cause, 0.0)),
                basis=basis,
            )
        )
    check(made, step)
    return made


def check(made: Sequence[Row], step: float) -> None:
    """The contract's invariants; a ledger that breaks them is a bug, and is not shown."""
    total = sum(row.seconds for row in made)
    assert abs(total - step) <= 0.02 * step, f"the rows sum to {total}, the step is {step}"
    assert all(row.seconds >= row.floor_seconds >= 0 for row in made), "a row is below its floor"
