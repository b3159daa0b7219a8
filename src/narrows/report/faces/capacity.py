"""What every face says of a job's memory: one sentence first, then who holds it, then what would make room."""

from collections.abc import Sequence
from dataclasses import dataclass

from narrows.report.capacity import Cache, Capacity, Held, Predicted, Scaling, Timed, Together, Way
from narrows.report.format import seconds, share, size
from narrows.report.language import Words
from narrows.report.model import Report

SHOWN, CRUMBS = 6, 0.001
"""Lines of what modules hold; and the share of the largest of them below which one says nothing (a loss of 4 bytes)."""


@dataclass(frozen=True, kw_only=True)
class Section:
    title: str
    rows: Sequence[tuple[str, str]]


def sentences(report: Report, say: Words) -> list[str]:
    """Empty for a report that is not about it."""
    found = report.capacity
    if found is None:
        return []
    kind, spare = say(f"fit.limit.{found.limit_kind}"), abs(found.limit_bytes - found.needed_bytes)
    limit = size(found.limit_bytes)
    if found.limit_ranks > 1:
        limit = say("fit.limit.each", limit=limit, ranks=found.limit_ranks)
    values = {"needed": size(found.needed_bytes), "limit": limit, "kind": kind, "spare": size(spare)}
    made = [say("fit.yes" if found.fits else "fit.no", **values)]
    if found.start_bytes:
        made.append(say("fit.start"))
    for what, scaling in (("batch", found.batch), ("sequence", found.sequence)):
        if scaling is None or not scaling.predicted:
            continue
        made.extend(
            say(
                "fit.asked" if each.fits else "fit.asked.not",
                name=scaling.name,
                size=each.size,
                needed=size(each.needed_bytes),
            )
            for each in scaling.predicted
            if each.size == scaling.asked
        )
        made.extend(
            say("fit.asked.time", name=scaling.name, size=each.size, seconds=_time(each, say), basis=say(each.basis))
            for each in scaling.times
            if each.size == scaling.asked
        )
        if scaling.largest is None:
            made.append(say(f"fit.{what}.none", name=scaling.name, now=scaling.now))
        elif scaling.dataset is not None and scaling.largest > scaling.dataset:
            made.append(say("fit.batch.all", name=scaling.name, now=scaling.now, dataset=scaling.dataset))
        else:
            made.append(say(f"fit.{what}", name=scaling.name, now=scaling.now, largest=scaling.largest))
    if found.together is not None:
        made.append(_together(found.together, say))
    return [say("sentences").join(made)]


def _together(found: Together, say: Words) -> str:
    values = {"ways": say("list").join(found.ways), "needed": size(found.needed_bytes)}
    if not found.fits:
        return say("fit.together.not", **values)
    return say("fit.together", **values) if found.time is None else say("fit.together.timed", time=found.time, **values)


def parts(report: Report, say: Words) -> list[tuple[str, int, float]]:
    """(name, bytes, share of the peak), in the order in which they are kept."""
    found = report.capacity
    if found is None:
        return []
    return [(say(f"fit.part.{each.name}"), each.bytes, each.bytes / found.peak_bytes) for each in found.parts]


def sections(report: Report, say: Words) -> list[Section]:
    found = report.capacity
    if found is None:
        return []
    made = [
        Section(title=say("fit.models"), rows=_held(found.models, say) if len(found.models) > 1 else []),
        Section(title=say("fit.activations"), rows=_held(found.activations, say)),
        Section(title=say("fit.temporaries"), rows=_held(found.temporaries, say)),
        Section(title=say("fit.cache"), rows=_cache(found.cache, say) if found.cache is not None else []),
        Section(title=say("fit.sizes"), rows=[*_sizes(found.batch, say), *_sizes(found.sequence, say)]),
        Section(title=_ways_title(found, say), rows=_ways(found, say)),
        Section(title=say("fit.optimizers"), rows=_optimizers(found, say)),
        Section(title=say("fit.shards"), rows=_shards(found, say)),
        Section(title=say("fit.leaks"), rows=_leaks(found, say)),
    ]
    return [section for section in made if section.rows]


def notes(report: Report, say: Words) -> list[str]:
    """What the numbers rest on."""
    found = report.capacity
    if found is None:
        return []
    made = [say("fit.measured" if found.basis == "measured" else "fit.modelled")]
    if found.traced and found.traced_off is not None:
        made.append(say("fit.traced", off=abs(found.traced_off)))
    elif not found.traced:
        made.append(say("fit.untraced.off", off=found.traced_off) if found.traced_off else say("fit.untraced"))
    if found.leaks:
        made.append(say("fit.leaks.note"))
    if found.batch_missing:
        made.append(found.batch_missing[0].upper() + found.batch_missing[1:] + ".")
    return made


def _held(every: Sequence[Held], say: Words) -> list[tuple[str, str]]:
    """`every`: the largest first."""
    return [
        (
            each.name or each.op or "-",
            say("list").join(text for text in (size(each.bytes), each.op, each.where) if text),
        )
        for each in every[:SHOWN]
        if each.bytes >= CRUMBS * every[0].bytes
    ]


def _cache(found: Cache, say: Words) -> list[tuple[str, str]]:
    grows = say("fit.cache.each", bytes=size(found.bytes_per_call)) if found.bytes_per_call else say("fit.cache.room")
    made = [(say("fit.cache.now"), say("list").join((size(found.bytes), say("fit.cache.calls", calls=found.calls)))),
            (say("fit.cache.grows"), grows)]  # fmt: skip
    if found.largest is not None:
        most = say("fit.cache.calls", calls=found.largest)
        made.append((say("fit.cache.largest"), say("list").join((most, say("modelled")))))
    return made


def _fits(found: Predicted, largest: int | None) -> str:
    if not found.fits:
        return "fit.not"
    return "fit.fits" if found.size <= (largest or 0) else "fit.once"


def _sizes(found: Scaling | None, say: Words) -> list[tuple[str, str]]:
    if found is None:
        return []
    made = [
        (
            f"{found.name} = {p.size}",
            say("list").join((size(p.needed_bytes), say(_fits(p, found.largest)), say(p.basis))),
        )
        for p in found.predicted
    ]
    if found.exponent is not None:
        told = [
            say("fit.exponent", exponent=found.exponent),
            *([say(found.exponent_basis)] if found.exponent_basis else []),
        ]
        if found.exponent_interval is not None:
            low, high = found.exponent_interval
            told.append(say("fit.exponent.runs", low=low, high=high))
        made.append((found.name, say("list").join(told)))
    made.extend((f"{found.name} = {t.size}", say("list").join((_time(t, say), say(t.basis)))) for t in found.times)
    if found.time_exponent is not None:
        made.append((found.name, _time_exponent(found, say)))
    return made


def _time(found: Timed, say: Words) -> str:
    if found.interval is None:
        return say("fit.step", seconds=seconds(found.seconds))
    low, high = map(seconds, found.interval)
    return say("fit.step.interval", seconds=seconds(found.seconds), low=low, high=high)


def _time_exponent(found: Scaling, say: Words) -> str:
    ran = [each.size for each in found.times if each.basis == "measured"]
    values = {"exponent": found.time_exponent, "least": min(ran), "most": max(ran)}
    if found.time_exponent_interval is None:
        return say("fit.time.exponent", **values)
    low, high = found.time_exponent_interval
    told = say("fit.time.exponent.interval", low=low, high=high, **values)
    return say("list").join((told, say("fit.time.none"))) if low <= 0 <= high else told


def _asked(found: Capacity) -> Predicted | None:
    """The batch that the user asked about: then that is what is to fit."""
    if found.batch is None:
        return None
    return next((each for each in found.batch.predicted if each.size == found.batch.asked), None)


def _ways_title(found: Capacity, say: Words) -> str:
    asked = _asked(found)
    if asked is None or found.batch is None:
        return say("fit.ways")
    return say("fit.ways.at", name=found.batch.name, size=asked.size)


def _ways(found: Capacity, say: Words) -> list[tuple[str, str]]:
    asked = _asked(found)
    needed = asked.needed_bytes if asked is not None else found.needed_bytes
    return [
        (
            way.remedy if way.value is True else f"{way.remedy} = {way.value}",
            say("list").join((
                size(way.needed_bytes), say("fit.saves", share=share(1 - way.needed_bytes / needed)),
                say("fit.fits" if way.fits else "fit.not"), *_price(way, say),
            )),
        )
        for way in found.ways
    ]  # fmt: skip


def _price(way: Way, say: Words) -> list[str]:
    """That remedies of this class take more time need not be said where it was measured."""
    what = say(f"fit.class.{way.kind}")
    if way.time is None:
        return [what]
    time = say("fit.time", time=way.time)
    return [time] if way.kind == "memory" else [what, time]


def _optimizers(found: Capacity, say: Words) -> list[tuple[str, str]]:
    return [
        (each.name, say("list").join((size(each.needed_bytes), say("fit.fits" if each.fits else "fit.not"))))
        for each in found.optimizers
    ]


def _shards(found: Capacity, say: Words) -> list[tuple[str, str]]:
    by: dict[str, list[str]] = {}
    for each in found.shards:
        mark = "" if each.fits else f" ({say('fit.not')})"
        by.setdefault(each.strategy, []).append(
            say("fit.ranks", ranks=each.ranks, needed=size(each.needed_bytes)) + mark
        )
    return [(strategy, say("list").join(told)) for strategy, told in by.items()]


def _leaks(found: Capacity, say: Words) -> list[tuple[str, str]]:
    made = []
    for leak in found.leaks:
        text = say("fit.grows", bytes=size(leak.bytes_per_step), count=f"{leak.count_per_step:g}")
        if leak.held_by:
            text += say("fit.held_by", name=leak.held_by)
        if leak.graph:
            text += say("fit.graph")
        made.append((leak.held_at or leak.made_at or leak.held_by or "-", text))
    return made
