"""The rows of `docs/gains.md`: written, and read back, so that some can be measured again and the others stay."""

import datetime
import math
import re
import statistics
from collections.abc import Container, Sequence
from pathlib import Path

from narrows.trials.arm import Measured
from narrows.trials.gain import gain

OTHERS = ("by hand", "rewritten", "compiled", "automatic", "narrows")
SHARE = 0.9
"""Of the gain by hand; with less the row is a miss."""
WORTH = 1.05
"""A gain by hand below this has no share."""


def speedup(before: Sequence[float], after: Sequence[float]) -> tuple[float, float, float]:
    """(the centre, low, high) of the ratios of the rounds: what the signed-rank interval is around."""
    seen = gain([(Measured(seconds=a), Measured(seconds=b)) for a, b in zip(before, after, strict=True)])
    assert seen is not None
    return seen.ratio, seen.low, seen.high


def cell(ratio: tuple[float, float, float]) -> str:
    centre, low, high = ratio
    return f"{centre:.2f} ({low:.2f} to {high:.2f})" if math.isfinite(high) else f"{centre:.2f} (too few rounds)"


def line(name: str, found: dict[str, list[float]], asked: Container[str], took: float, recipe: list[str]) -> str:
    """The row of a job: seconds of a step by variant, and what was asked for, which may have failed."""
    ratios = {kind: speedup(found["original"], found[kind]) for kind in OTHERS if kind in found}
    cells = {kind: cell(ratios[kind]) if kind in ratios else "failed" if kind in asked else "–" for kind in OTHERS}
    mine = ratios.get("narrows", (1.0, 1.0, 1.0))
    if "narrows" not in asked:
        cells["narrows"] = "1.00 (no recipe)"
    # Behind by more than the noise of either.
    behind = any(ratios[kind][1] > mine[2] for kind in ("compiled", "automatic") if kind in ratios)
    if behind or mine[2] < 1 or cells["narrows"] == "failed":
        cells["narrows"] += " **miss**"
    hand = ratios["by hand"][0] if "by hand" in ratios else 1.0
    share = (mine[0] - 1) / (hand - 1) if hand >= WORTH else None
    part = "–" if share is None else f"{share:.0%}{' **miss**' if share < SHARE else ''}"
    step = statistics.median(found["original"])
    bound = 20 * 200 * step + 60
    late = " **miss**" if took > bound else ""
    return (
        f"| `{name}` | {1e3 * step:.2f} | {' | '.join(cells[kind] for kind in OTHERS)} | {part} | "
        f"{', '.join(recipe) or 'none'} | {took:.0f} s / {bound:.0f} s{late} | {datetime.date.today()} |"
    )


def kept(path: Path) -> dict[str, str]:
    """The rows of the page that is there, by job."""
    found = path.read_text().splitlines() if path.exists() else []
    return {text.split("`")[1]: text for text in found if text.startswith("| `")}


def column(lines: Sequence[str], number: int) -> list[float]:
    """The numbers that the cells of a column begin with."""
    cells = (text.split(" | ")[number] for text in lines)
    return [float(seen[0].rstrip("%")) for text in cells if (seen := re.findall(r"^-?[\d.]+%?", text))]


def summary(lines: Sequence[str]) -> str:
    """Medians of the columns, and where narrows falls short."""
    names = {2: "by hand", 3: "rewritten", 4: "`torch.compile` alone", 5: "automatic", 6: "narrows"}
    said = [f"{name} {statistics.median(seen):.2f}" for n, name in names.items() if (seen := column(lines, n))]
    shares = column(lines, 7)
    said += [f"share of the gain by hand {statistics.median(shares):.0f}%"] if shares else []
    missed = []
    for number, what in (
        (6, "slower than `torch.compile` alone, the automatic settings or the original"),
        (7, f"less than {SHARE:.0%} of the gain by hand"),
        (8 + 1, "longer than the bound"),
    ):
        where = [f"`{text.split('`')[1]}`" for text in lines if "**miss**" in text.split(" | ")[number]]
        missed += [f"{what}: {', '.join(where)}"] if where else []
    return f"**Medians: {', '.join(said)}.** Misses: {'; '.join(missed) or 'none'}."
