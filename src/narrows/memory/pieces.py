"""A step at another size, where how much it does depends on the size: a loop over samples, or over time. Pure.

How often a line runs may differ, but not which line makes or frees something first, and which last. There the steps seen
are cut, and each piece has a peak of its own, which is a polynomial in the size; so the peak is found even where it moves
to another piece.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from narrows.memory.predict import Unlike, weights
from narrows.memory.stream import Site, Stream

STRAY = 0.02
"""Share of the bytes that a step may make at lines that the others do not come to: more is another branch."""
EVEN = 0.002
"""What lies so near to a line is one: a square far beyond the sizes seen would be made of next to nothing."""
Key = tuple[bool, Site]
"""Whether something comes or goes, and where it was made."""
Anchor = tuple[str, Key]


@dataclass(frozen=True, kw_only=True)
class Outline:
    """A `Level`: as much as is known of a step that was not seen."""

    peak: tuple[int, int]
    """(bytes, which piece)."""
    small: int


@dataclass(frozen=True, kw_only=True)
class Pieces:
    sizes: tuple[int, ...]
    """Seen, ascending."""
    peaks: tuple[tuple[int, ...], ...]
    """Of each piece, at each of the sizes."""
    small: tuple[tuple[int, ...], ...]
    """Of that, what is in the C library's heap."""

    def at(self, size: float) -> Outline:
        found = [_value(self.sizes, seen, size) for seen in self.peaks]
        most = max(found)
        where = found.index(most)
        return Outline(peak=(most, where), small=min(most, _value(self.sizes, self.small[where], size)))


def pieces(seen: Mapping[int, Stream]) -> Pieces:
    """Of steps by their size, at least two. Raises `Unlike` if they come to other lines."""
    sizes = tuple(sorted(seen))
    anchors = [_anchors(seen[size]) for size in sizes]
    common = set.intersection(*({key for _, key in each} for each in anchors))
    if not common or any(_stray(stream, common) > STRAY for stream in seen.values()):
        raise Unlike
    order = [anchor for anchor in anchors[0] if anchor[1] in common]
    for each in anchors[1:]:
        order = _both(order, list(each))
    cuts = [sorted(each[anchor] for anchor in order) for each in anchors]
    columns = [_peaks(seen[size], where) for size, where in zip(sizes, cuts, strict=True)]
    return Pieces(
        sizes=sizes,
        peaks=tuple(zip(*([most for most, _ in column] for column in columns), strict=True)),
        small=tuple(zip(*([small for _, small in column] for column in columns), strict=True)),
    )


def _anchors(stream: Stream) -> dict[Anchor, int]:
    """After how many events each key is first and last seen, in order."""
    first: dict[Anchor, int] = {}
    last: dict[Anchor, int] = {}
    for index, event in enumerate(stream.events):
        key = (event >= 0, stream.storages[event if event >= 0 else -event - 1].site)
        first.setdefault(("first", key), index)
        last[("last", key)] = index
    return dict(sorted([*first.items(), *last.items()], key=lambda each: each[1]))


def _stray(stream: Stream, common: set[Key]) -> float:
    made = [(stream.storages[n].bytes, (True, stream.storages[n].site) in common) for n in stream.events if n >= 0]
    return sum(size for size, known in made if not known) / max(1, sum(size for size, _ in made))


def _both(mine: Sequence[Anchor], its: Sequence[Anchor]) -> list[Anchor]:
    """Those that come in the same order in both."""
    found = SequenceMatcher(a=mine, b=its, autojunk=False).get_matching_blocks()
    return [anchor for block in found for anchor in mine[block.a : block.a + block.size]]


def _peaks(stream: Stream, cuts: Sequence[int]) -> list[tuple[int, int]]:
    """Of each piece: (the most bytes at one time, how many of them are in the heap)."""
    held = [level + stream.inside.get(at, 0) for at, level in enumerate(stream.levels)]
    found: list[tuple[int, int]] = []
    for begin, end in pairwise([0, *(cut + 1 for cut in cuts), len(held)]):
        if begin == end:  # a line that runs once is first and last
            found.append(found[-1] if found else (held[begin], stream.small_levels[begin]))
            continue
        at = max(range(begin, end), key=held.__getitem__)
        found.append((held[at], stream.small_levels[at]))
    return found


def _value(sizes: Sequence[int], seen: Sequence[int], size: float) -> int:
    """Through all that was seen, if it bends upwards; else on along the line through the two largest."""
    (low, high), (under, over) = sizes[-2:], seen[-2:]
    line = under + (over - under) * (size - low) / (high - low)
    if len(sizes) > 2:
        early = under + (over - under) * (sizes[0] - low) / (high - low)
        if seen[0] > early + EVEN * max(seen):  # it bends
            line = sum(weight * each for weight, each in zip(weights(sizes, size), seen, strict=True))
    return max(0, round(line))
