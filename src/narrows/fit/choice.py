"""Which of the sizes that a job has is its batch, and which the length of its sequences. Pure but for the script's text."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from narrows.fit.sizes import Size, What, assigned, is_named, named
from narrows.job.command import Command

NEAR = 1
"""Tokens by which what the model is given may be shorter or longer: a target is its input moved on by one."""
FIRST_AXES = 2
"""The batch is one of them: recurrent models have the time before it."""


def batches(command: Command, loaders: Sequence[Mapping[str, Any]], seen: int, name: str) -> list[Size]:
    """Those that may be the batch, the likeliest first: which of them it is, the model's input tells at another size.
    `loaders`: what the job's loaders said of themselves, in the order in which they were asked. `seen`: the leading
    dimension of the model's input. `name`: the one that the user gave."""
    if name:
        return _given(command, "batch", name, lambda each: each.now == seen)[:1]
    every = list(named(command, "batch", ""))
    options = _one_each(each for each in every if each.kind == "option")
    names = _one_each(each for each in every if each.kind == "name" and each.now == seen)
    found = [*_loaders(loaders), *options]
    right = [*(each for each in found if each.now == seen), *names]
    # Of a model that is given tokens of all sentences, no number is the leading dimension. A name says less than these.
    wrong = [each for each in found if each.now != seen]
    # Else the only number of the script that is the leading dimension, whatever it is called.
    numbers = [each for each in assigned(command, "batch") if each.now == seen and not is_named(each.name, "sequence")]
    guess = None if right else _clear(numbers)
    return [*right, *wrong, *([replace(guess, guessed=True)] if guess is not None else [])]


def lengths(command: Command, shapes: Collection[Sequence[int]], name: str) -> list[Size]:
    """The length of the sequences; empty if it is not there, or not clear. `shapes`: of what the model is given. Where no
    name is given, one that looks like it counts only if its number is one of their dimensions: the second, else the first,
    else any."""
    if name:
        return _given(command, "sequence", name, lambda each: _order(each.now, shapes) is not None)[:1]
    found: dict[int, list[Size]] = {}
    for each in named(command, "sequence", ""):
        if (order := _order(each.now, shapes)) is not None:
            found.setdefault(order, []).append(each)
    one = _clear(found[min(found)]) if found else None
    return [one] if one is not None else []


def went(
    before: Collection[Sequence[int]], after: Collection[Sequence[int]], now: int, asked: int, axes: int | None = None
) -> bool:
    """Whether a dimension that was `now` went with what was asked for, and the others stayed. `axes`: only the first so
    many may be it."""
    late = {tuple(shape) for shape in after}
    return any(
        (*shape[:at], size + asked - now, *shape[at + 1 :]) in late
        for shape in map(tuple, before)
        for at, size in enumerate(shape[:axes])
        if abs(size - now) <= NEAR
    )


def _loaders(events: Iterable[Mapping[str, Any]]) -> Iterator[Size]:
    """One of each size, the last first: a pass for means, or a check before the training, comes before that."""
    by: dict[int, list[int | None]] = {}
    for event in reversed(list(events)):
        # Who brings a sampler of batches gives the loader no size.
        size = event.get("batch_size") or event.get("sampled")
        if size:
            length = event.get("batches")
            # The last batch of an epoch may be a smaller one, or may have been dropped.
            by.setdefault(size, []).append((event.get("picked") or length * size) if length else None)
    for size, held in by.items():
        known = [samples for samples in held if samples is not None]
        yield Size(what="batch", now=size, name="DataLoader", kind="loader",
                   dataset=max(known) if len(known) == len(held) else None)  # fmt: skip


def _given(command: Command, what: What, name: str, right: Callable[[Size], bool]) -> list[Size]:
    """Those with the user's name; of several numbers, the one that the model is given."""
    every = list(named(command, what, name))
    return _one_each([each for each in every if right(each)] or every)


def _order(now: int, shapes: Collection[Sequence[int]]) -> int | None:
    """How likely the number is the length, 0 the most; None if it is no dimension."""
    found = [
        ((1, 0).index(at) if at < 2 else 2) + (0 if size == now else 3)
        for shape in shapes
        for at, size in enumerate(shape)
        if abs(size - now) <= NEAR
    ]
    return min(found, default=None)


def _clear(found: Iterable[Size]) -> Size | None:
    """The one there is."""
    every = _one_each(found)
    return every[0] if len(every) == 1 else None


def _one_each(found: Iterable[Size]) -> list[Size]:
    """One of each name, the first. Of a script's, with all places in its file that give the name the same number: a model
    has its length as a default, too."""
    by: dict[tuple[str, str], Size] = {}
    for each in found:
        key = (each.kind, each.name)
        first = by.get(key)
        if first is None:
            by[key] = each
        elif each.kind == "name" and (each.file, each.now) == (first.file, first.now):
            by[key] = replace(first, spans=(*first.spans, *each.spans))
    return list(by.values())
