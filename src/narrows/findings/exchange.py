"""What ranks exchange in a step, and how long the loop stands in it: what findings about communication start from."""

from collections.abc import Iterable
from dataclasses import dataclass

from narrows.findings.view import View
from narrows.ledger.collectives import Collective, collectives

SMALL_BYTES = 1 << 16
"""Below this a collective's time is its latency: between two processes of one machine an all-reduce of 4 bytes took 100
microseconds and one of 64 KiB less than twice that (gloo); a network has more of both."""

SLOWEST = 2e-9
"""Seconds for a byte: a link of 4 Gbit/s. Two processes of one machine need about half of that (gloo). What costs more is
latency."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A line that calls collectives in each step, outside of models and backwards."""

    where: tuple[str, int]
    names: tuple[str, ...]
    collectives: tuple[Collective, ...]
    seconds: float
    """Of a step, measured in undisturbed steps."""
    quick: float
    """Seconds of a call that waits for nobody: their lower quartile."""
    rest: float
    """Seconds of a step in all calls but its longest, in which ranks wait for one that is late."""

    @property
    def calls(self) -> float:
        return sum(c.calls for c in self.collectives)

    @property
    def bytes(self) -> float:
        return sum(c.calls * c.bytes for c in self.collectives)

    @property
    def largest(self) -> int:
        return max(c.bytes for c in self.collectives)


def places(view: View) -> list[Place]:
    """The lines of the loop that exchange something, each with its part of the `communication` state."""
    seen = view.process.last("exchanges").get("seen", ())
    whole = sum(row[4] for row in seen)
    scale = view.steady.seconds["communication"] / whole if whole else 0.0
    every = [c for c in collectives(view.process, view.steps.per_step) if c.state == "communication"]
    found = []
    for where in dict.fromkeys((row[1], row[2]) for row in seen):
        rows = [row for row in seen if (row[1], row[2]) == where]
        mine = [c for c in every if c.where == where]
        if mine and scale:
            found.append(
                Place(
                    where=where,
                    names=tuple(row[0] for row in rows),
                    collectives=tuple(mine),
                    seconds=scale * sum(row[4] for row in rows),
                    quick=min(row[5] for row in rows) / 1e9,
                    rest=scale * sum(row[6] for row in rows),
                )
            )
    return found


def gradients(view: View) -> list[Collective]:
    """The all-reduces that backwards start: DistributedDataParallel's buckets."""
    every = collectives(view.process, view.steps.per_step)
    return [c for c in every if c.state == "backward" and c.kind == "all-reduce" and c.dtype.startswith(("float", "bfloat"))]  # fmt: skip


def gradient_bytes(view: View) -> int:
    """Of all modules that DistributedDataParallel keeps alike; 0 if there is none."""
    return sum(event["bytes"] for event in view.process.events.get("parallel", ()))


def syncs(view: View) -> float:
    """How often all gradients are exchanged in a step."""
    whole = gradient_bytes(view)
    return total(gradients(view)) / whole if whole else 0.0


def total(found: Iterable[Collective]) -> float:
    """Bytes of a step."""
    return sum(c.calls * c.bytes for c in found)


def synced(view: View) -> float:
    """Seconds of a step that gradient sync takes: starting it, and waiting at a backward's end.

    The cores that its threads take are left out: where others want these, too, they are not given back (seen: with a
    third of a step charged for them, leaving out 3 of 4 exchanges saved what was waited for in those, and no more).
    """
    states = ("wait", "backward")
    return sum(e.seconds for e in view.entries if e.cause == "communication" and e.state in states)


def latency(view: View) -> float | None:
    """Seconds of an all-reduce of next to nothing between this job's processes; None if it was not measured."""
    told = (view.ceilings.collective or {}).get("all-reduce")
    return told.latency_seconds if told is not None else None
