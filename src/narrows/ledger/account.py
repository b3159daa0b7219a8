"""One process's whole account: from its spool to the parts of its step."""

from collections.abc import Callable
from dataclasses import dataclass

from narrows.ledger.build import Entry, entries
from narrows.ledger.gaps import Gap, gaps
from narrows.ledger.kernels import Kernel, kernels
from narrows.ledger.steady import Steady, steady
from narrows.ledger.steps import Steps, steps
from narrows.report.model import Ceilings
from narrows.spool.record import Op, Process


@dataclass(frozen=True, kw_only=True)
class Account:
    steps: Steps
    steady: Steady | None
    kernels: tuple[Kernel, ...]
    gaps: tuple[Gap, ...]
    entries: tuple[Entry, ...]


def account(process: Process, fixed: Callable[[Op], float | None], ceilings: Ceilings | None) -> Account:
    """The account of one process. Without ceilings the steps are there, and what they went to is unexplained."""
    found = steps(process.boundaries)
    typical = steady(found.steps)
    if typical is None or ceilings is None:
        return Account(steps=found, steady=typical, kernels=(), gaps=(), entries=())
    ops = kernels(process.windows, found.per_step, fixed, ceilings)
    sites = [tuple(site) for event in process.events.get("sites", ()) for site in event["sites"]]
    places = gaps(process.windows, found.per_step, typical, sites, infers=found.type == "inference")
    return Account(
        steps=found, steady=typical, kernels=ops, gaps=places, entries=entries(typical, ops, places)
    )
