"""The job at other sizes: which to try, whether they came about, and what they tell of all others. Pure."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from math import log2

from msgspec.structs import replace

from narrows.fit import power
from narrows.fit.choice import FIRST_AXES, went
from narrows.fit.limit import Limit
from narrows.fit.running import Measure, by_running
from narrows.fit.sizes import Size, What
from narrows.memory.capacity import Frame
from narrows.memory.ledger import ends
from narrows.memory.pieces import Pieces, pieces
from narrows.memory.predict import Model, Unlike, model
from narrows.memory.stream import Level, Stream
from narrows.report.capacity import Predicted, Scaling, Timed
from narrows.spool.record import UPDATE, Process
from narrows.trials.arm import Measured

LESS = 0.02
"""Of a peak, by which that of a larger size may lie below it: what one run takes more than another."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """The job at several sizes, the present one among them."""

    size: Size
    steps: Mapping[int, Stream]
    traced: bool = True
    """Without numbers; else they were run."""
    rounds: Sequence[Mapping[int, Measured]] = ()
    """What a step took by size, where that was asked for: nothing followed, several sizes beside each other."""

    @cached_property
    def model(self) -> Model | Pieces | None:
        """What the sizes tell of all others; None: nothing."""
        return model_of(self.steps)


def samples(process: Process) -> int:
    """The leading dimension of the model's input in most steps (the last batch of an epoch may be a smaller one); 0 if it
    was not seen. A job may call its model before it trains, with another one."""
    given = [end for end in ends(process) if end["samples"]]
    steps = [end for end in given if end.get("boundary") == UPDATE] or given
    counts = Counter(int(end["samples"]) // max(1, end.get("forwards") or 1) for end in steps)
    return counts.most_common(1)[0][0] if counts else 0


def shapes(process: Process) -> list[tuple[int, ...]]:
    """Of the model's first argument, each once."""
    return list(dict.fromkeys(tuple(end["shape"]) for end in ends(process) if end.get("shape")))


def scaled(before: Process, after: Process, size: Size, asked: int) -> bool:
    """Whether what the model was given went with what was asked for. A batch is mostly its leading dimension (or part of
    it: tokens of all sentences); recurrent models have the time first, and the batch second. What was only guessed from its
    number is not taken for the second: of a square it may be the width."""
    if size.what == "batch":
        rows = samples(before)
        if rows > 0 and abs(samples(after) / rows / (asked / size.now) - 1) < 0.25:
            return True
    axes = None if size.what == "sequence" else 1 if size.guessed else FIRST_AXES
    return went(shapes(before), shapes(after), size.now, asked, axes)


def points(size: Size) -> set[int]:
    """Sizes to run at: three tell what grows with the square from what grows evenly."""
    now, most = size.now, size.dataset or 1 << 30
    found = {now, max(1, now // 2), 2 * now if 2 * now <= most else max(1, now // 4)}
    while len(found) < 3 and max(found) < most:
        found.add(max(found) + 1)
    return found


def missing(what: What, name: str, seen: int = 0) -> str:
    """`seen`: the leading dimension of the model's input."""
    if name:
        return f"there is no {name} with a number: neither as an option of the command nor as a name in the script"
    if what == "sequence":
        return (
            "the length of the sequences was not found: no option and no name in the script, or more than one, looks like "
            "it and is a dimension of the model's input; --sequence-from NAME tells which it is"
        )
    return (
        "the batch was not found: no DataLoader has a batch_size, no option and no name in the script looks like one "
        f"and has the leading dimension of the model's input{f' ({seen})' if seen else ''}; --batch-from NAME tells which it "
        "is, and a number that stands in a call, or comes from a file, needs a name in the script first (batch = 32)"
    )


def unlike(size: Size, asked: int) -> str:
    """Of a size of which nothing can be said."""
    return (
        f"nothing can be said of {asked or 'another'} for {size.name}, which is {size.now}: the job did not come to its "
        "steps there, or the model's input did not go with it, or the steps do not do the same (texts of other lengths, say)"
    )


def scaling(tried: Tried, around: Frame, limit: Limit, wanted: int, run: Measure) -> tuple[Scaling, Frame]:
    """`tried`: with a model. `run`: what the job takes at a size, measured with nothing followed; None where it cannot be.
    And the frame as it is at the size that was asked about, as far as runs at others tell."""
    found, around = _memory(tried, around, limit, wanted, run)
    grows = power.slope(_seconds(tried))
    return replace(
        found, asked=wanted or None, times=times(tried, wanted), time_exponent=grows.value if grows is not None else None,
        time_exponent_interval=grows.interval if grows is not None else None,
    ), around  # fmt: skip


def times(tried: Tried, wanted: int) -> list[Timed]:
    """Seconds of a step at the sizes that ran, and at the one that was asked about, in order. `wanted`: 0: none was."""
    rounds = _seconds(tried)
    shown = []
    for size in sorted({*(rounds[0] if rounds else ()), *([wanted] if wanted else ())}):
        known = power.seen(rounds, size)
        found = known or power.beyond(rounds, size)
        if found is not None:
            shown.append(Timed(size=size, seconds=found.value, interval=found.interval,
                               basis="measured" if known is not None else "modelled"))  # fmt: skip
    return shown


def _seconds(tried: Tried) -> list[dict[int, float]]:
    return [{size: each.seconds for size, each in ran.items()} for ran in tried.rounds]


def _memory(tried: Tried, around: Frame, limit: Limit, wanted: int, run: Measure) -> tuple[Scaling, Frame]:
    size, made = tried.size, tried.model
    assert made is not None
    at: Callable[[int], Level] = made.at
    step = cache(at)
    end = size.dataset + 1 if size.dataset is not None else 1 << 30
    found = by_running(step, around, limit.bytes, size.now, end, run)
    most = found.largest
    shown = []
    for each in sorted({*tried.steps, *found.measured, *([wanted] if wanted else ()), *([most] if most else ())}):
        need = found.expected(each)
        shown.append(
            Predicted(size=each, peak_bytes=need + around.files, needed_bytes=need, fits=need <= limit.bytes,
                      basis="measured" if each in found.measured else "modelled")
        )  # fmt: skip
    grows = power.growth([{n: each.memory for n, each in ran.items()} for ran in tried.rounds])
    return Scaling(
        name=size.name, now=size.now, dataset=size.dataset, largest=most, exponent=exponent(step, size.now),
        exponent_basis="modelled" if tried.traced else "measured", predicted=shown,
        exponent_interval=grows.interval if grows is not None else None,
    ), around.corrected(step(wanted), found.used(wanted)) if wanted else around  # fmt: skip


def exponent(step: Callable[[int], Level], now: int) -> float | None:
    """e, where the peak of a step goes as a + b n^e from `now` to four times that."""
    once, twice, four = (step(times * now).peak[0] for times in (1, 2, 4))
    return log2((four - twice) / (twice - once)) if once < twice < four else None


def model_of(sizes: Mapping[int, Stream]) -> Model | Pieces | None:
    """Of as many sizes as do the same, or else come to the same lines; None if not even two do, or if a larger size takes
    less: then the steps differ in something else, too (a batch of longer texts), and their peaks tell nothing."""
    order = sorted(sizes)
    peaks = [sizes[size].peak[0] for size in order]
    if any(larger < (1 - LESS) * smaller for smaller, larger in pairwise(peaks)):
        return None
    for make in (model, pieces):
        for chosen in (order, order[1:], order[:-1]):
            try:
                if len(chosen) > 1:
                    return make({size: sizes[size] for size in chosen})
            except Unlike:
                continue
    return None
