"""What makes room, what it costs in time, and the cheapest of it with which the job fits. Pure but for what it is given
to measure with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from narrows import remedies
from narrows.fit.cheapest import Way, cheapest
from narrows.fit.limit import Limit
from narrows.memory.capacity import Frame
from narrows.memory.stream import Stream
from narrows.report import capacity

SMALL = 0.01
"""Of what a job needs that fits as it is: what saves less is not worth its runs. Where it does not fit, every bit counts."""
Taken = Stream | int
"""The step with a remedy, or the bytes that the process took: of one that is in its environment, and no tensor's."""


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What can be measured, when it is asked for."""

    step: Callable[[Sequence[Way]], Taken | None]
    """The job with several remedies; None if it did not come to a step, or not all of them found something to change."""
    times: Callable[[Sequence[Sequence[Way]]], Sequence[float | None]]
    """Seconds of a step with such sets of remedies, over those without; None where it cannot be run."""


def ways(
    alone: Mapping[Way, Taken], around: Frame, limit: Limit, now: int, tools: Tools
) -> tuple[list[capacity.Way], capacity.Together | None]:
    """`now`: bytes that the job needs without any. Those that save nothing to speak of are left out; the least comes first."""
    most = (1 - SMALL) * now if now <= limit.bytes else now

    def need(taken: Taken) -> int:
        return around.counted(taken) if isinstance(taken, int) else around.needed(taken)

    saving = {way: bytes_ for way, taken in alone.items() if (bytes_ := need(taken)) < most}
    each = [[way] for way in saving]
    times = {way: time for (way,), time in zip(each, tools.times(each) if each else (), strict=True)}
    known = {way: time for way, time in times.items() if time is not None}

    def beside(several: Sequence[Way]) -> int | None:
        taken = tools.step(several)
        return need(taken) if taken is not None else None

    found = [_way(way, bytes_, limit, times[way]) for way, bytes_ in saving.items()]
    chosen = cheapest(saving, known, now, limit.bytes, beside)
    together = None
    if chosen is not None:
        one = len(chosen.ways) == 1
        together = capacity.Together(
            ways=[label(way) for way in chosen.ways],
            needed_bytes=chosen.needed,
            fits=chosen.needed <= limit.bytes,
            time=times[chosen.ways[0]] if one else tools.times([chosen.ways])[0],
        )
    return sorted(found, key=lambda way: way.needed_bytes), together


def label(way: Way) -> str:
    """As a recipe and the command line have it."""
    name, value = way
    return name if value is True else f"{name}={value}"


def _way(way: Way, needed: int, limit: Limit, time: float | None) -> capacity.Way:
    name, value = way
    module = remedies.load(name)
    return capacity.Way(
        remedy=name, value=value, kind=module.CLASS, title=module.TEXT["en"][0], needed_bytes=needed,
        fits=needed <= limit.bytes, time=time, by_hand=module.by_hand(value),
    )  # fmt: skip
