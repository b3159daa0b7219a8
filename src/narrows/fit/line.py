"""What a job takes, beside what is modelled: a line through the runs so far. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

NEAR = 0.03
"""Of a size: runs that are this much farther from it count a quarter of one at it."""
STEEP = (0.5, 2.0)
"""Bytes for each of a step's tensors. What lies outside comes of noise between runs that are near each other."""
Point = tuple[float, float]
"""(Bytes as modelled, bytes as taken.)"""


@dataclass(frozen=True, kw_only=True)
class Line:
    middle: Point
    slope: float

    def at(self, modelled: float) -> float:
        """Bytes that are taken where so many are modelled."""
        return self.middle[1] + self.slope * (modelled - self.middle[0])


def line(points: Sequence[Point], near: float) -> Line:
    """By least squares, in which the points count most whose modelled bytes are near to `near` (a local regression: Cleveland
    1979). At least one point; one alone says by how many bytes the model is off."""
    weights = [1 / (NEAR + abs(x / near - 1)) ** 2 for x, _ in points]
    total = sum(weights)
    x_middle = sum(w * x for w, (x, _) in zip(weights, points, strict=True)) / total
    y_middle = sum(w * y for w, (_, y) in zip(weights, points, strict=True)) / total
    spread = sum(w * (x - x_middle) ** 2 for w, (x, _) in zip(weights, points, strict=True))
    both = sum(w * (x - x_middle) * (y - y_middle) for w, (x, y) in zip(weights, points, strict=True))
    slope = min(max(both / spread, STEEP[0]), STEEP[1]) if spread else 1.0
    return Line(middle=(x_middle, y_middle), slope=slope)
