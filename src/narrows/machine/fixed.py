"""The fixed cost of the ops that a job ran: measured once for each kind, and cached with the ceilings."""

import json
from collections.abc import Callable, Iterable

from narrows.machine.ceilings import cache_folder, read_json, run, save
from narrows.machine.hardware import identity
from narrows.spool.record import Op


def fixed_costs(python: str, threads: int, version: str, ops: Iterable[Op]) -> Callable[[Op], float | None]:
    """A function from an op to its fixed cost in seconds, None where it could not be measured.

    Takes up to 6 s for a job with ops that were not met before, and next to nothing after that.
    """
    path = cache_folder() / f"fixed-{identity()}-torch{version}-{threads}.json"
    known = read_json(path)
    missing: dict[str, tuple[str, object, object]] = {}
    for op in ops:
        name = signature(op)
        if name not in known and name not in missing and op.raw is not None:
            missing[name] = tuple(op.raw[:3])
    if missing:
        text = run(python, "fixed.py", [str(threads)], json.dumps(list(missing.values())), 60)
        try:
            measured = json.loads(text or "")
        except ValueError:
            measured = [None] * len(missing)
        known.update(zip(missing, measured, strict=True))
        save(path, json.dumps(known).encode())

    def fixed(op: Op) -> float | None:
        return known.get(signature(op))

    return fixed


def signature(op: Op) -> str:
    """Calls with the same signature have the same fixed cost: same op, ranks, dtypes and lengths of lists."""
    if op.raw is None:
        return op.name
    name, arguments, keywords = op.raw[:3]
    return f"{name}({','.join(_shape(a) for a in arguments)};{','.join(k for k, _ in keywords)})"


def _shape(value: object) -> str:
    if not isinstance(value, (list, tuple)):
        return "x"
    kind, *rest = value
    if kind == "T":
        return f"{rest[1]}/{len(rest[0])}{rest[2]}"
    if kind == "L":
        tensors = sum(isinstance(item, (list, tuple)) for item in rest)
        return f"[{tensors}]" if tensors else "[]"
    return "x"
