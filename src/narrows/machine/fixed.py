"""The fixed cost of the ops that a job ran: measured once for each kind, and cached with the ceilings."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from narrows.machine import cache as caches
from narrows.machine.child import bench, torch_version
from narrows.spool.record import Op

BUDGET = 5.0
"""Seconds for all ops that were not met before."""
PATIENCE = 60.0
RESTARTS = 3
"""An op that takes the child down is left out, and the rest go on in a new child: so often."""

Call = Mapping[str, Any]
"""One op call, encoded: `{"id", "name", "overload", "args", "kw"}` (`bench/small.py`)."""


def fixed_costs(python: str, threads: int, version: str, ops: Iterable[Op]) -> Callable[[Op], float | None]:
    """A function from an op to its fixed cost in seconds, None where it could not be measured.

    Takes up to 6 s for a job with ops that were not met before, and next to nothing after that.
    """
    calls = {signature(op): call(op) for op in ops if op.raw is not None}
    found = costs_of_calls(python, [{**c, "id": name} for name, c in calls.items()], threads, version=version)

    def fixed(op: Op) -> float | None:
        return found.get(signature(op))

    return fixed


def costs_of_calls(
    python: str, calls: Sequence[Call], threads: int, cache: Path | None = None, *, version: str | None = None,
    budget: float = BUDGET,
) -> dict[Any, float | None]:  # fmt: skip
    """By the calls' `id`: seconds at the smallest size, or None where that could not be measured.

    Calls with the same signature are measured once, and then found in the cache (a folder; default: the user's).
    """
    version = version or torch_version(python)
    if version is None:
        return {c["id"]: None for c in calls}
    path = caches.place("fixed", version, threads, cache)
    known = _known(path)
    names = {c["id"]: call_signature(c) for c in calls}
    missing = {name: c for c in calls if (name := names[c["id"]]) not in known}
    if missing:
        fresh = measure(python, threads, missing, budget)
        known.update(fresh)
        caches.save(path, json.dumps({**_known(path), **known}).encode())
    return {c["id"]: known.get(names[c["id"]]) for c in calls}


def measure(
    python: str, threads: int, calls: Mapping[str, Call], budget: float = BUDGET, *, whole: bool = False
) -> dict[str, float | None]:
    """By name: what could be measured in so many seconds; None for what cannot be. What there was no time for is
    not in it. `whole`: at the calls' own size."""
    names, found = list(calls), dict[str, float | None]()
    left = {str(number): name for number, name in enumerate(names)}
    for _ in range(1 + RESTARTS):
        given = json.dumps([{**calls[name], "id": number} for number, name in left.items()])
        words = ["--ops", "--threads", str(threads), "--seconds", str(budget), *(["--whole"] if whole else [])]
        done = bench(python, words, given, seconds=PATIENCE)
        for number, seconds in _answers(done.text):
            if number in left:
                found[left.pop(number)] = seconds
        if not left or done.status == 0 or (done.status is not None and done.status > 0 and not found):
            break
        # Killed by a signal, or stuck: it was at the first call that has no answer.
        found[left.pop(next(iter(left)))] = None
    return found


def _answers(text: str) -> Iterable[tuple[str, float | None]]:
    for line in text.splitlines():
        try:
            number, seconds = json.loads(line)
        except (ValueError, TypeError):  # cut off, or somebody else's
            continue
        if isinstance(number, str) and (seconds is None or isinstance(seconds, float)):
            yield number, seconds


def call(op: Op) -> dict[str, Any]:
    """The op as `bench/ops.py` takes it, without an id."""
    name, arguments, keywords = op.raw[:3]
    overload = op.overload or name.rpartition(".")[2]
    return {"name": op.name, "overload": overload, "args": arguments, "kw": dict(keywords)}


def signature(op: Op) -> str:
    """Calls with the same signature have the same fixed cost: same op, ranks, dtypes and lengths of lists."""
    return op.name if op.raw is None else call_signature(call(op))


def call_signature(made: Call) -> str:
    arguments = ",".join(_shape(a) for a in made["args"])
    keywords = ",".join(f"{k}={_shape(v)}" for k, v in sorted((made.get("kw") or {}).items()))
    return f"{made['name']}.{made['overload']}({arguments};{keywords})"


def _shape(value: Any) -> str:
    """Flags and what is absent choose a path through an op; numbers do not."""
    if value is None or isinstance(value, bool):
        return {None: "-", True: "yes", False: "no"}[value]
    if not isinstance(value, (list, tuple)) or not value:
        return "x"
    kind, *rest = value
    if kind == "T":
        return f"{rest[1]}/{len(rest[0])}{rest[2]}"
    if kind == "L":
        tensors = [item for item in rest if isinstance(item, (list, tuple))]
        return f"[{len(tensors)} {_shape(tensors[0])}]" if tensors else "[]"
    return str(rest[0]) if kind == "D" else "x"


def _known(path: Path) -> dict[str, float | None]:
    try:
        found = json.loads(caches.load(path) or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
