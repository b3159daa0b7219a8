"""What a report says of a job of several ranks: each one's row, and what they exchange."""

from collections.abc import Sequence

from narrows.ledger import links
from narrows.ledger.account import Account
from narrows.ledger.build import totals
from narrows.ledger.collectives import collectives
from narrows.ledger.ranks import Together
from narrows.report.model import Ceilings, Rank, Row
from narrows.report.parallel import Communication, Exchanged
from narrows.spool.place import place
from narrows.spool.record import WAITS, Process


def critical(accounts: Sequence[Account], found: Together | None) -> int:
    """The rank that the others wait for: its ledger is the job's, since the job is over when that rank is. The one that
    itself waits least."""
    if found is not None:
        return found.critical
    waits = [_waits(each) for each in accounts]
    return waits.index(min(waits)) if waits else 0


def _waits(mine: Account) -> float:
    return sum(mine.steady.seconds[name] for name in WAITS) if mine.steady is not None else float("inf")


def ranks(every: Sequence[Process], accounts: Sequence[Account], found: Together | None, cwd: str) -> list[Rank]:
    least = min((_waits(each) for each in accounts), default=0.0)
    made = []
    for number, (process, mine) in enumerate(zip(every, accounts, strict=True)):
        if mine.steady is None:
            continue
        step, spent = mine.steady.median, totals(mine.entries)
        ledger = [
            Row(cause=cause, seconds=seconds, share=seconds / step, floor_seconds=0.0, basis="measured")
            for cause, seconds in spent.items()
        ]
        if found is None:
            waiting = _waits(mine) - least
            made.append(Rank(rank=process.rank, step_seconds=step, ledger=ledger, waits_for_others_seconds=waiting))
            continue
        own = found.ranks[number]
        waiting = min(own.waiting, spent["communication"]) if mine.entries else own.waiting
        more = own.excess
        made.append(
            Rank(
                rank=process.rank,
                step_seconds=step,
                ledger=ledger,
                waits_for_others_seconds=waiting,
                exchange_seconds=spent["communication"] - waiting if mine.entries else found.exchange,
                slowest_share=own.slowest,
                costs_seconds=own.cost,
                slower_in=more.state if more is not None else None,
                slower_seconds=more.seconds if more is not None else None,
                where=place(more.where, cwd) if more is not None else None,
                clock_offset_seconds=own.offset,
            )
        )
    return made


def communication(
    process: Process, mine: Account, shown: Sequence[Rank], found: Together | None, ceilings: Ceilings | None, cwd: str
) -> Communication | None:
    """The job's row `communication`, split: that of `process`, whose account the report shows."""
    own = next((rank for rank in shown if rank.rank == process.rank), None)
    if found is None or mine.steady is None or own is None or own.exchange_seconds is None:
        return None
    limits = ceilings.collective if ceilings is not None else None
    seen = collectives(process, mine.steps.per_step)
    whole = links.total(seen, limits)
    offsets = [each.offset for each in found.ranks]
    return Communication(
        exchange_seconds=own.exchange_seconds,
        waiting_seconds=own.waits_for_others_seconds,
        all_waiting_seconds=sum(each.waiting for each in found.ranks) / len(found.ranks),
        critical_rank=process.rank,
        bytes_per_step=round(sum(each.calls * each.bytes for each in seen)),
        ceiling_seconds=whole,
        link_share=whole / mine.steady.median if whole is not None else None,
        clock_offset_seconds=max(offsets) - min(offsets),
        collectives=[
            Exchanged(
                kind=each.kind,
                bytes=each.bytes,
                dtype=each.dtype,
                calls=each.calls,
                ceiling_seconds=links.seconds(each, limits),
                state=each.state,
                where=place(each.where, cwd),
            )
            for each in seen
        ],
    )
