"""Steps that are one call of a graph: what its ops say of when in the step the time went, and of the wait for input.

The clock sees such a call from outside only. What was recorded of it in the deep windows divides the undisturbed call: the
wait for the pipeline is `next`, each op belongs to the forward, the backward or the update by the scope it stands in, and
what no op accounts for stays `graph`: the cost of getting them to run.
"""

from collections.abc import Sequence
from dataclasses import replace

from narrows.ledger.build import Entry
from narrows.ledger.steady import Steady
from narrows.spool.record import Process, Window

PARTS = ("forward", "backward", "optimizer")


def divide(typical: Steady, process: Process, windows: Sequence[Window], per_step: float, drift: float) -> Steady:
    """The steady step with its graph calls divided; as it was if there are none, or none was looked at."""
    typical = _waited_for(typical, process, per_step, drift)
    whole = typical.seconds["graph"]
    looks = process.events.get("graphs", ())
    turns = sum(e["boundaries"] for e in looks) / per_step
    if not whole or turns < 0.5:
        return typical
    waited = min(whole, drift * sum(e["input_ns"] for e in looks) / 1e9 / turns)
    deep = [w for w in windows if w.kind == "ops"]
    seen = max(1.0, sum(w.steps for w in deep) / per_step)
    ran = {
        part: drift * sum(op.ns for w in deep for op in w.ops if op.state == part) / 1e9 / seen
        - typical.seconds[part]  # what such a step does outside of its graph
        for part in PARTS
    }
    ran = {part: max(0.0, spent) for part, spent in ran.items()}
    scale = min(1.0, (whole - waited) / sum(ran.values())) if sum(ran.values()) else 0.0
    seconds = dict(typical.seconds)
    seconds["next"] += waited
    for part, spent in ran.items():
        seconds[part] += scale * spent
    seconds["graph"] = whole - waited - scale * sum(ran.values())
    return replace(typical, seconds=seconds)


def _waited_for(typical: Steady, process: Process, per_step: float, drift: float) -> Steady:
    """A program of JAX goes on after the call of it has returned; who then waits for it is Keras, in its own Python."""
    looks = process.events.get("program", ())
    turns = sum(e["boundaries"] for e in looks) / per_step
    if turns < 0.5:
        return typical
    longer = drift * sum(e["ns"] for e in looks) / 1e9 / turns - typical.seconds["graph"]
    moved = min(max(0.0, longer), typical.seconds["trainer"])
    seconds = {**typical.seconds, "graph": typical.seconds["graph"] + moved}
    seconds["trainer"] -= moved
    return replace(typical, seconds=seconds)


def name_callbacks(parts: Sequence[Entry], process: Process) -> tuple[Entry, ...]:
    """The time in callbacks, divided by where each is defined, as it went over the whole job."""
    spent: dict[tuple[str, int], int] = {}
    for event in process.events.get("callbacks", ()):
        for _, _, ns, _, where in event["seen"]:
            place = (where[0], where[1]) if where else ("", 0)
            spent[place] = spent.get(place, 0) + ns
    total = sum(spent.values())
    made: list[Entry] = []
    for part in parts:
        if part.state == "callback" and total:
            made.extend(replace(part, seconds=part.seconds * ns / total, where=where) for where, ns in spent.items())
        else:
            made.append(part)
    return tuple(made)
