"""The ledger: the steady step, split by cause."""

from collections.abc import Sequence
from dataclasses import dataclass

from narrows.ledger.collectives import LIBRARIES
from narrows.ledger.gaps import Gap
from narrows.ledger.kernels import Kernel
from narrows.ledger.steady import Steady
from narrows.report.model import CAUSES, Cause

FRAMEWORK_STATES = ("forward", "backward", "optimizer", "evaluate", "graph")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Some seconds of the step, and why: the ledger's rows are sums of these, and findings point at them."""

    cause: Cause
    seconds: float
    state: str
    where: tuple[str, int] | None = None


def entries(steady: Steady, kernels: Sequence[Kernel], gaps: Sequence[Gap]) -> tuple[Entry, ...]:
    """Every part of the step with its cause. They sum to the step."""
    found: list[Entry] = []
    s = steady.seconds
    for state in ("next", "iter"):
        found.append(Entry(cause="input", seconds=s[state], state=state))
    found.append(Entry(cause="transfer", seconds=s["transfer"], state="transfer"))
    for state in ("communication", "wait"):
        found.append(Entry(cause="communication", seconds=s[state], state=state))
    for state in ("save", "callback"):
        found.append(Entry(cause="host", seconds=s[state], state=state))
    found.append(Entry(cause="overhead", seconds=s["trainer"], state="trainer"))
    for state in FRAMEWORK_STATES:
        found.extend(_framework(s[state], [k for k in kernels if k.state == state], state, None, bool(kernels)))
    by_line: dict[tuple[str, tuple[str, int] | None], list[Kernel]] = {}
    for kernel in kernels:
        by_line.setdefault((kernel.state, kernel.where), []).append(kernel)
    for gap in gaps:
        found.extend(_gap(gap, by_line.get((gap.state, (gap.file, gap.line)), ())))
    return tuple(entry for entry in found if entry.seconds > 0)


def _framework(
    seconds: float, kernels: Sequence[Kernel], state: str, where: tuple[str, int] | None, looked: bool
) -> list[Entry]:
    """Time in the framework: what kernels took, and the rest, which is the cost of getting them to run."""
    if not looked:
        return [Entry(cause="unexplained", seconds=seconds, state=state, where=where)]
    # Ops that start a collective (with gloo they also copy what is to be sent), and functional ones that wait for it.
    synced = sum(k.seconds + k.fixed for k in kernels if k.name.startswith(LIBRARIES))
    kernels = [k for k in kernels if not k.name.startswith(LIBRARIES)]
    compute = sum(k.seconds for k in kernels if k.bound == "compute")
    bandwidth = sum(k.seconds for k in kernels if k.bound == "bandwidth")
    # The deep window may be slower than the steady step, never the other way round.
    known = synced + compute + bandwidth
    scale = min(1.0, seconds / known) if known else 0.0
    rest = seconds - scale * known
    return [
        Entry(cause="communication", seconds=scale * synced, state=state, where=where),
        Entry(cause="compute", seconds=scale * compute, state=state, where=where),
        Entry(cause="bandwidth", seconds=scale * bandwidth, state=state, where=where),
        Entry(cause="overhead", seconds=max(0.0, rest), state=state, where=where),
    ]


def _gap(gap: Gap, kernels: Sequence[Kernel]) -> list[Entry]:
    where = (gap.file, gap.line)
    if gap.role in ("input", "host"):
        cause: Cause = "input" if gap.role == "input" else "host"
        return [Entry(cause=cause, seconds=gap.seconds, state=gap.state, where=where)]
    if gap.role == "framework":
        return _framework(gap.seconds, kernels, gap.state, where, True)
    if gap.role == "feedback":
        # Ops are the framework's, the Python around them the user's own.
        fixed = sum(k.fixed for k in kernels)
        parts = _framework(gap.seconds, kernels, gap.state, where, True)
        rest = parts[-1].seconds
        overhead = min(rest, fixed)
        return [
            *parts[:-1],
            Entry(cause="overhead", seconds=overhead, state=gap.state, where=where),
            Entry(cause="host", seconds=rest - overhead, state=gap.state, where=where),
        ]
    return [Entry(cause="unexplained", seconds=gap.seconds, state=gap.state, where=where)]


def totals(parts: Sequence[Entry]) -> dict[Cause, float]:
    """Seconds by cause, every cause present."""
    sums: dict[Cause, float] = dict.fromkeys(CAUSES, 0.0)
    for part in parts:
        sums[part.cause] += part.seconds
    return sums
