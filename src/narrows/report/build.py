"""From a run's folder to its report: reads the spool and the facts, makes the accounts, and puts them together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from narrows.findings import findings
from narrows.findings.view import View
from narrows.job import facts as facts_
from narrows.job import watch
from narrows.job.facts import Facts
from narrows.ledger import contention, links
from narrows.ledger import limit as limits
from narrows.ledger.account import Account, account
from narrows.ledger.alignment import undisturbed
from narrows.ledger.build import totals
from narrows.ledger.collectives import collectives
from narrows.ledger.ranks import Together, together
from narrows.ledger.rows import rows
from narrows.machine import apart
from narrows.machine.fixed import signature
from narrows.memory.crash import out_of_memory
from narrows.report import faults, parts, proofs
from narrows.report import ranks as of_ranks
from narrows.report.capacity import OutOfMemory
from narrows.report.language import Words, words
from narrows.report.model import Job, Machine, Report, Row, Verdict
from narrows.spool.read import read
from narrows.spool.record import Op, Process

NEAR = 1.5
"""A distance below this is near the limit: nothing cheap is left to gain with the same ops."""

BUSY = 0.1
"""A job that waits longer than this for cores that others have is not measured on the machine that its limit is of."""

FAR = 100
"""Above this the figure itself says nothing more: next to none of the step is arithmetic or memory traffic."""


def build(folder: Path, lang: str) -> Report:
    """The report of the run in `folder`. Raises `ValueError` if it is not one."""
    facts = facts_.read(folder)
    return assemble(facts, read(folder / "spool"), words(lang), watch.read(folder / watch.WATCHED))


def trainers(processes: Sequence[Process]) -> list[Process]:
    """The processes that step, one for each rank (the one that stepped most: an elastic restart leaves two)."""
    best: dict[int, Process] = {}
    for process in processes:
        old = best.get(process.rank)
        if process.boundaries and (old is None or len(process.boundaries) > len(old.boundaries)):
            best[process.rank] = process
    ranks = [best[rank] for rank in sorted(best)]
    if all(p.ranks == 1 for p in ranks) and len(ranks) > 1:
        ranks = [max(ranks, key=lambda p: len(p.boundaries))]
    return ranks


@dataclass(frozen=True, kw_only=True)
class Accounts:
    """Those of all ranks; the report's ledger is the critical rank's."""

    ranks: Sequence[Process]
    accounts: Sequence[Account]
    process: Process | None
    mine: Account | None
    samples: Sequence[watch.Sample] = ()
    together: Together | None = None


def accounts_of(facts: Facts, processes: Sequence[Process], samples: Sequence[watch.Sample] = ()) -> Accounts:
    ceilings = facts.machine.ceilings if facts.machine else None
    ranks = undisturbed(trainers(processes))

    def fixed(op: Op) -> float | None:
        return facts.fixed.get(signature(op))

    accounts = [slowed(account(p, fixed, ceilings), p, processes, ranks, samples) for p in ranks]
    found = together(ranks)
    chosen = of_ranks.critical(accounts, found)
    return Accounts(
        ranks=ranks,
        accounts=accounts,
        process=ranks[chosen] if ranks else None,
        mine=accounts[chosen] if accounts else None,
        samples=samples,
        together=found,
    )


def assemble(facts: Facts, processes: Sequence[Process], say: Words, samples: Sequence[watch.Sample] = ()) -> Report:
    ceilings = facts.machine.ceilings if facts.machine else None
    every = accounts_of(facts, processes, samples)
    ranks, accounts, process, mine = every.ranks, every.accounts, every.process, every.mine
    warnings = list(facts.notes)
    warnings.extend(parts.warnings(facts, processes, process, mine, say))
    steady = mine.steady if mine else None
    ledger: list[Row] | None = None
    limit = None
    verdict = None
    found = []
    if process is not None and mine is not None and steady is not None and ceilings is not None and mine.kernels:
        trains = mine.steps.type == "training"
        compulsory = limits.compulsory_bytes(process, trains=trains)
        floor = links.floor(collectives(process, mine.steps.per_step), ceilings.collective, steady.seconds)
        ledger = rows(totals(mine.entries), mine.kernels, compulsory, steady.median, ceilings, floor)
        limit = limits.limit(process, mine.kernels, steady.median, ceilings, trains=trains)
        verdict = _verdict(ledger, limit.distance, say)
        warnings.extend(parts.ledger_warnings(ledger, mine, steady.median, say))
        warnings.extend(_busy_machine(samples, process, mine, facts, say))
        found = findings(view_of(facts, processes, every, say.lang))
    shown = proofs.proofs(facts.counterfactuals or (), steady.median, facts.cwd, say) if steady else []
    if ledger is not None and steady is not None:
        warnings.extend(proofs.warnings(facts.counterfactuals, shown, ledger, steady.median, say))
    crashed = out_of_memory(facts, processes)
    each = of_ranks.ranks(ranks, accounts, every.together, facts.cwd) if len(ranks) > 1 else None
    exchanged = None
    if each is not None and process is not None and mine is not None:
        exchanged = of_ranks.communication(process, mine, each, every.together, ceilings, facts.cwd)
    fates, fault = faults.told(facts, processes, say)
    warnings.extend(faults.warnings(facts, processes, fates, fault, say))
    made = Report(
        id=facts.id,
        created=facts.created,
        kind="fit" if facts.capacity is not None else "diagnose" if facts.trials is None else "optimize",
        job=_job(facts, processes, process, mine, len(ranks), crashed, fault, say),
        machine=facts.machine or Machine(cpu="", cores=0, memory_bytes=0, devices=[], ceilings=None),
        step=parts.step(process, mine),
        phases=parts.phases(steady) if steady else None,
        ledger=ledger,
        limit=limit,
        verdict=verdict,
        findings=found,
        memory=parts.memory(facts, process),
        health=parts.health(process),
        measurement=parts.measurement(process, mine, warnings),
        wall=parts.wall(facts, processes, process, mine),
        ranks=each,
        communication=exchanged,
        fates=fates or None,
        proofs=shown,
        ops=parts.ops(mine) if mine else [],
        trials=facts.trials,
        recipe=facts.recipe,
        capacity=facts.capacity,
        out_of_memory=crashed,
    )
    return made if facts.capacity is None else _of_memory(made, facts)


def _of_memory(report: Report, facts: Facts) -> Report:
    """What a memory run says of time is of no use: each of its ops was followed."""
    return msgspec.structs.replace(
        report, step=None, phases=None, findings=[], memory=None, wall=[], ops=[], proofs=[], ranks=None, communication=None,
        measurement=msgspec.structs.replace(report.measurement, warnings=list(facts.notes)),
    )  # fmt: skip


def view_of(facts: Facts, processes: Sequence[Process], every: Accounts, lang: str) -> View:
    """What findings and remedies look at. Only for a job with a ledger."""
    process, mine = every.process, every.mine
    assert process is not None
    assert mine is not None
    assert mine.steady is not None
    assert facts.machine is not None
    assert facts.machine.ceilings is not None

    def alone(op: Op) -> float | None:
        return facts.apart.get(apart.name(op)) if facts.apart and op.raw is not None else None

    return View(
        process=process,
        workers=tuple(p for p in processes if p.first("worker").get("parent") == process.pid),
        others=tuple(p for p in every.ranks if p is not process),
        together=every.together,
        steps=mine.steps,
        steady=mine.steady,
        kernels=mine.kernels,
        gaps=mine.gaps,
        entries=mine.entries,
        ceilings=facts.machine.ceilings,
        cores=facts.machine.cores,
        cwd=facts.cwd,
        lang=lang,
        apart=alone,
        held_back={p.pid: contention.main_held_back(every.samples, p.pid) for p in processes},
    )


def slowed(
    mine: Account,
    process: Process,
    processes: Sequence[Process],
    ranks: Sequence[Process],
    samples: Sequence[watch.Sample],
) -> Account:
    """The account with what works in the background charged for the cores that it takes from the step.

    Nobody waits longer for a helper than it ran: what is more was somebody else's doing.
    """
    if mine.steady is None or not mine.entries:
        return mine
    entries = mine.entries
    seen = _steady_time(mine)
    workers = [p.pid for p in processes if p.first("worker").get("parent") == process.pid]
    alone = contention.slowdown(process, mine.steady, mine.steps.per_step)
    if alone is not None:
        entries = contention.charge(entries, alone, "input")
    elif workers:
        waited = contention.waited_share(samples, process.pid, *seen)
        entries = contention.charge(entries, min(waited, contention.busy(samples, workers, *seen)), "input")
    # With more threads for the ops, those cannot be told from the ones that carry gradients.
    elif len(ranks) > 1 and all(p.last("torch").get("threads") == 1 for p in ranks):
        waited = contention.main_waited_share(samples, process.pid, *seen)
        helped = contention.helpers_busy(samples, [p.pid for p in ranks], *seen)
        entries = contention.charge(entries, min(waited, helped), "communication", contention.EXCHANGING)
    return replace(mine, entries=entries)


def _busy_machine(
    samples: Sequence[watch.Sample], process: Process, mine: Account, facts: Facts, say: Words
) -> list[str]:
    cores = facts.machine.cores if facts.machine else 1
    taken = contention.taken_by_others(samples, process, cores, *_steady_time(mine))
    return [say("busy", share=taken)] if taken > BUSY else []


def _steady_time(mine: Account) -> tuple[int, int]:
    """(begin, end) of the steady state, in ns."""
    late = mine.steps.steps[mine.steady.first if mine.steady else 0 :]
    return late[0].end_ns, late[-1].end_ns


def _verdict(ledger: Sequence[Row], distance: float, say: Words) -> Verdict:
    largest = max(ledger, key=lambda row: row.seconds)
    key = "verdict" if distance >= NEAR else "verdict.near"
    if distance > FAR:
        key = "verdict.far"
    if largest.cause == "unexplained":
        key = "verdict.part"
    sentence = say(key, share=largest.share, why=say(f"why.{largest.cause}"), distance=distance)
    return Verdict(cause=largest.cause, share=largest.share, sentence=sentence)


def _job(
    facts: Facts, processes: Sequence[Process], process: Process | None, mine: Account | None, ranks: int,
    wanted: OutOfMemory | None, fault: str, say: Words,
) -> Job:  # fmt: skip
    ended = facts.ended or "signal"
    error = None
    for each in processes:
        last = each.last("end")
        if last.get("error"):
            error = last["error"]
            if last.get("memory") and facts.exit_code:
                ended = "out_of_memory"
    if wanted is not None:
        ended = "out_of_memory"
    elif fault:
        error = fault
    if error is None and facts.signal is not None:
        error = say("ended.signal", signal=facts.signal)
    return Job(
        command=facts.command,
        type=mine.steps.type if mine else "none",
        framework=parts.framework(process, processes),
        ended=ended,
        exit_code=facts.exit_code,
        error=error if ended not in ("ok", "stopped") else None,
        ranks=max(1, ranks, *(p.ranks for p in processes)) if processes else 1,
        wall_seconds=facts.wall_seconds,
    )
