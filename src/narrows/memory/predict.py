"""The same step at another size, from a few sizes that were seen. Pure.

Each storage of a step has a size that is a polynomial in the batch (or the length) of a low degree: what does not depend
on it, rows, and matrices of all against all. The steps seen are laid over each other, storage by storage; so the peak is
found even where it moves to another moment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from operator import mul

from narrows.memory.stream import Stream


class Unlike(Exception):
    """The steps do not do the same: a loop is longer, or a branch is taken."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """Sizes of each storage at the sizes seen."""

    sizes: tuple[int, ...]
    """Seen: batches, or lengths; ascending."""
    base: Stream
    """The step that the others were laid over."""
    storages: Mapping[int, tuple[int, ...]]
    """Bytes at each of `sizes`."""
    inside: Mapping[int, tuple[int, ...]]
    """The same of what ops take for themselves, by where in the step."""

    def at(self, size: float) -> Stream:
        """The step at that size."""
        parts = weights(self.sizes, size)

        def value(seen: Sequence[int]) -> int:
            return seen[0] if len(set(seen)) == 1 else max(0, round(sum(map(mul, parts, seen))))

        storages = {n: replace(self.base.storages[n], bytes=value(seen)) for n, seen in self.storages.items()}
        return replace(self.base, storages=storages, inside={at: value(seen) for at, seen in self.inside.items()})


def model(seen: Mapping[int, Stream]) -> Model:
    """Of steps by their size, at least two. Raises `Unlike`."""
    sizes = tuple(sorted(seen))
    base = seen[sizes[-1]]
    columns = [_column(base, seen[size]) for size in sizes]
    places = sorted({at for stream in seen.values() for at in stream.inside})
    return Model(
        sizes=sizes,
        base=base,
        storages={n: tuple(column[n] for column in columns) for n in base.storages},
        inside={at: tuple(seen[size].inside.get(at, 0) for size in sizes) for at in places},
    )


def _column(base: Stream, other: Stream) -> dict[int, int]:
    """Bytes in `other` of each storage of `base`."""
    if len(base.begin) != len(other.begin) or len(base.events) != len(other.events):
        raise Unlike
    same = dict(zip(base.begin, other.begin, strict=True))
    for mine, its in zip(base.events, other.events, strict=True):
        if (mine < 0) != (its < 0):
            raise Unlike
        if mine >= 0:
            same[mine] = its
            if base.storages[mine].site.op != other.storages[its].site.op:
                raise Unlike
    # What goes may go in another order: two tensors that a statement frees at once.
    return {n: other.storages[same[n]].bytes for n in base.storages}


def weights(sizes: Sequence[int], at: float) -> list[float]:
    """Lagrange's: of the value at each of the sizes, for the value at another."""
    found = []
    for i, size in enumerate(sizes):
        weight = 1.0
        for j, other in enumerate(sizes):
            if i != j:
                weight *= (at - other) / (size - other)
        found.append(weight)
    return found
