"""What every face says in words beside the ledger: label and text, in the order in which they are read."""

import re

from narrows.report import faults
from narrows.report.capacity import MemoryParts
from narrows.report.format import number, seconds, share, size
from narrows.report.language import Words
from narrows.report.model import Report, Room

NOTED = 0.03
"""Share of the peak. A difference below it is what heaps of the same job differ by."""
SLOWER = 0.03
"""Share of the step by which a rank is slower in something, from which on it is said."""
SHOWN = 6
"""Kinds of collectives."""
CLOCK = 0.005
"""Seconds that two clocks lie apart, from which on it is said."""


def job(report: Report, say: Words) -> str:
    """What was run and how it ended, in one line."""
    done = report.job
    named = [say(f"type.{done.type}")]
    if done.framework is not None:
        named.append(f"{done.framework.name} {done.framework.version}")
    if done.ranks > 1:
        named.append(say("count.ranks", count=done.ranks))
    named.append(say(f"end.{done.ended}", seconds=seconds(done.wall_seconds)))
    return " · ".join(named)


def failure(report: Report, say: Words) -> str | None:
    """How the job went wrong, if it did."""
    if report.job.error:
        return say("ended", error=report.job.error)
    if report.job.exit_code and report.job.ended not in ("stopped", "ok"):
        return say("ended.code", code=report.job.exit_code)
    return None


def about(report: Report, say: Words) -> list[tuple[str, str]]:
    """Memory, training, wall time, the machine, and what the numbers rest on: what stands in small print."""
    made = [(say("memory"), memory(report, say)), (say("health"), health(report, say)),
            (say("wall.short"), wall(report, say)), (say("machine"), machine(report, say)),
            (say("rests"), say("sentences").join(notes(report, say)))]  # fmt: skip
    return [(label, text) for label, text in made if text]


def memory(report: Report, say: Words) -> str:
    held = report.memory
    if held is None or not held.peak_bytes:
        return ""
    text = say("memory.peak", peak=size(held.peak_bytes), available=size(held.available_bytes))
    by = say("list").join(f"{label} {value}" for label, value in parts(report, say))
    return say("aside", text=text, aside=by) if by else text


def parts(report: Report, say: Words) -> list[tuple[str, str]]:
    """Who holds the memory."""
    if report.memory is None or report.memory.parts is None:
        return []
    return named_parts(report.memory.parts, say)


def named_parts(held: MemoryParts, say: Words) -> list[tuple[str, str]]:
    """(its name, how much), of those that hold any."""
    named = [("parameters", held.parameters), ("gradients", held.gradients), ("optimizer", held.optimizer),
             ("activations", held.activations), ("input", held.input), ("other", held.other)]  # fmt: skip
    return [(say(f"part.{name}"), size(value)) for name, value in named if value]


def health(report: Report, say: Words) -> str:
    seen = report.health
    if seen is None:
        return ""
    pairs = [("loss", seen.loss_first, seen.loss_last)]
    if seen.gradient_norm is not None:
        pairs.append(("gradient norm", seen.gradient_norm.first, seen.gradient_norm.last))
    told = [f"{say(name)} {number(a)} → {number(b)}" for name, a, b in pairs if a is not None or b is not None]
    return say("list").join(told)


def wall(report: Report, say: Words) -> str:
    return say("list").join(f"{say('wall.' + part.name)} {seconds(part.seconds)}" for part in report.wall)


def machine(report: Report, say: Words) -> str:
    here = report.machine
    if not here.cores:
        return ""
    named = [*here.devices, here.cpu, say("count.cores", count=here.cores), size(here.memory_bytes)]
    return say("list").join(name for name in named if name)


def notes(report: Report, say: Words) -> list[str]:
    """What the numbers rest on."""
    step, measured = report.step, report.measurement
    if step is None:
        return []
    low, high = step.ci95_seconds
    told = [say("notes", count=step.steady_count, seen=step.count, unit=unit(step.unit, say),
                low=seconds(low), high=seconds(high))]  # fmt: skip
    if step.block > 1:
        told.append(say("notes.block", block=step.block))
    if measured.deep_steps:
        told.append(say("notes.deep", deep=measured.deep_steps))
    if measured.classed_by_shape is not None:
        told.append(say("notes.classed", classed=share(measured.classed_by_shape)))
    told.append(say("notes.probe", probe=share(measured.probe_share)))
    return told


def unit(name: str, say: Words) -> str:
    """What one step is, in the report's language."""
    turn = re.fullmatch(r"turn of (\d+) (optimizers|models)", name)
    if turn is not None:
        return say(f"unit.turn.{turn[2]}", count=turn[1])
    return say(f"unit.{name}") if name in ("optimizer step", "model call") else name


def proofs(report: Report, say: Words) -> list[tuple[str, str]]:
    """What each counterfactual that was run has shown."""
    return [
        (
            say(f"cause.{proof.cause}"),
            say("label", label=proof.what) + say("proof", saved=seconds(proof.saved_seconds), pairs=proof.pairs,
                low=seconds(proof.ci95_seconds[0]), high=seconds(proof.ci95_seconds[1])),
        )
        for proof in report.proofs
    ]  # fmt: skip


def outcome(report: Report, say: Words) -> str | None:
    """What all that was kept does together."""
    if report.trials is None:
        return None
    found = report.recipe
    if not report.trials:
        return say("trials.none")
    room = _room(found.room, say) if found is not None and found.room is not None else ""
    if found is None or not found.remedies or found.speedup is None or found.ci95 is None:
        late = any(trial.why == "budget" for trial in report.trials)
        return say("trials.budget" if late else "trials.no gain") + room
    said = say("trials.together", speedup=found.speedup, low=found.ci95[0], high=found.ci95[1], pairs=found.pairs,
               parity=say(f"parity.{found.parity}"))  # fmt: skip
    said += room
    if found.path:
        said += say("sentences") + say("trials.recipe", path=found.path)
    if found.patch:
        said += say("sentences") + say("trials.patch", path=found.patch)
    return said


def _room(found: Room, say: Words) -> str:
    """With the space before it; empty if no limit was given."""
    if found.limit_bytes is None:
        return ""
    values = {"before": size(found.before_bytes), "after": size(found.after_bytes), "limit": size(found.limit_bytes)}
    if not found.fits:
        least = size(found.least_bytes if found.least_bytes is not None else found.after_bytes)
        return say("sentences") + say("room.no", least=least, **values)
    return say("sentences") + say("room.already" if found.after_bytes == found.before_bytes else "room.fits", **values)


def trials(report: Report, say: Words) -> list[tuple[str, str]]:
    """(the remedy and its setting, what was measured and what became of it)."""
    made = []
    for trial in report.trials or ():
        name = trial.remedy if trial.value is True else f"{trial.remedy} = {trial.value}"
        told = []
        if trial.speedup is not None:
            measured = say("trials.speedup", speedup=trial.speedup)
            if trial.ci95 is not None:
                measured += say("trials.interval", low=trial.ci95[0], high=trial.ci95[1], pairs=trial.pairs)
            told.append(measured)
        if report.step is not None and report.step.median_seconds > trial.predicted_seconds:
            whole = report.step.median_seconds
            told.append(say("trials.predicted", speedup=whole / (whole - trial.predicted_seconds)))
        if trial.memory_ratio is not None and abs(1 - trial.memory_ratio) >= NOTED:
            less, much = trial.memory_ratio < 1, abs(1 - trial.memory_ratio)
            told.append(say("trials.less memory" if less else "trials.more memory", share=share(much)))
        if trial.parity is not None:
            told.append(say(f"parity.{trial.parity}"))
        why = say(f"trials.why.{trial.why}")
        told.append(say("aside", text=why, aside=trial.detail) if trial.detail and trial.why != "parity" else why)
        made.append((name, say("list").join(told)))
    return made


def after(report: Report, say: Words) -> list[tuple[str, str]]:
    """The ledger with the recipe, beside the one without."""
    found = report.recipe
    if found is None or found.ledger is None or report.ledger is None:
        return []
    before = {row.cause: row.seconds for row in report.ledger}
    return [
        (say(f"cause.{row.cause}"), f"{seconds(before[row.cause])} → {seconds(row.seconds)}")
        for row in found.ledger
        if row.seconds > 0 or before[row.cause] > 0
    ]


def ranks(report: Report, say: Words) -> list[tuple[str, str, str, str]]:
    """(rank, its step, what it waits for the others, its largest cause and what it is slower in)."""
    made = []
    for rank in report.ranks or ():
        largest = max(rank.ledger, key=lambda row: row.seconds, default=None)
        told = [f"{say('cause.' + largest.cause)} {share(largest.share)}"] if largest is not None else []
        if rank.slower_in is not None and (rank.slower_seconds or 0.0) > SLOWER * rank.step_seconds:
            more = say("rank.slower", seconds=seconds(rank.slower_seconds or 0.0), phase=say(f"phase.{rank.slower_in}"))
            told.append(say("aside", text=more, aside=rank.where) if rank.where else more)
        waited = f"{say('waits')} {seconds(rank.waits_for_others_seconds)}"
        made.append((f"{say('rank')} {rank.rank}", seconds(rank.step_seconds), waited, say("list").join(told)))
    return made


def communication(report: Report, say: Words) -> list[tuple[str, str]]:
    """What the ranks exchange in a step, what of it nothing hides, and what they wait for each other."""
    found = report.communication
    if found is None or report.step is None:
        return []
    step = report.step.median_seconds
    made = [
        (say("exchange"), _part(found.exchange_seconds, step, say)),
        (say("waiting"), _part(found.waiting_seconds, step, say)),
        (say("waiting.all"), _part(found.all_waiting_seconds, step, say)),
    ]
    if found.collectives:
        calls = sum(each.calls for each in found.collectives)
        whole = say("exchanged.bytes", bytes=size(found.bytes_per_step), calls=number(calls))
        if found.ceiling_seconds is not None and found.link_share is not None:
            ceiling = say("exchanged.ceiling", seconds=seconds(found.ceiling_seconds), share=share(found.link_share))
            whole = say("list").join([whole, ceiling])
        made.append((say("exchanged"), whole))
    for each in found.collectives[:SHOWN]:
        told = [say("exchanged.call", calls=number(each.calls), bytes=size(each.bytes), dtype=each.dtype)]
        if each.ceiling_seconds is not None:
            told.append(say("exchanged.at ceiling", seconds=seconds(each.ceiling_seconds)))
        told += [each.where] if each.where else []
        made.append((each.kind, say("list").join(told)))
    if found.clock_offset_seconds > CLOCK:
        made.append((say("clocks"), seconds(found.clock_offset_seconds)))
    return made


def _part(spent: float, step: float, say: Words) -> str:
    return say("aside", text=seconds(spent), aside=share(spent / step))


def fates(report: Report, say: Words) -> list[tuple[str, str]]:
    """(rank, how it ended)."""
    made = []
    for fate in report.fates or ():
        name = f"{say('rank')} {fate.rank}"
        again = say("fate.attempt", number=fate.attempt + 1)
        several = any(other.attempt for other in report.fates or ())
        made.append((say("aside", text=name, aside=again) if several else name, faults.sentence(fate, say)))
    return made
