"""What the gaps between the framework's calls are: each traced line's time, and what the line is for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from narrows.ledger import source
from narrows.ledger.steady import Steady
from narrows.spool.record import GAPS, Line, Window

Site = tuple[str, str, int, int, int]
"""(file, function, first line, line, bits)"""


@dataclass(frozen=True, kw_only=True)
class Gap:
    """One line's part of a step, in seconds, while the main thread was in that state."""

    file: str
    function: str
    line: int
    state: str
    seconds: float
    role: str
    """`input`, `framework`, `feedback`, `host` or `unknown`."""


Ops = Mapping[tuple[str, tuple[str, int] | None], float]
"""Seconds of a step in ops, by state and line."""


def gaps(
    windows: Sequence[Window],
    per_step: float,
    steady: Steady,
    sites: Iterable[Site],
    *,
    infers: bool,
    ops: Ops | None = None,
) -> tuple[Gap, ...]:
    """The gaps of the steady step by line. They sum to the steady time of the gap states, which is what the
    undisturbed steps say; the line windows only say how it divides.

    Tracing slows Python down and ops hardly at all, so a line keeps the time that the op windows say its ops took,
    and only what is beyond that is scaled to the undisturbed step.
    """
    deep = [w for w in windows if w.kind == "lines"]
    turns = sum(w.steps for w in deep) / per_step
    lines = merge([line for w in deep for line in w.lines]) if turns >= 0.5 else []
    roles = Roles(sites, infers=infers)
    found: list[Gap] = []
    for state in GAPS:
        seconds = steady.seconds[state]
        here = [line for line in lines if line.state == state]
        total = sum(line.ns for line in here)
        if not total:
            if seconds > 0:
                found.append(Gap(file="", function="", line=0, state=state, seconds=seconds, role="unknown"))
            continue
        for line, part in zip(here, _divide(seconds, here, turns, ops or {}), strict=True):
            found.append(
                Gap(
                    file=line.file,
                    function=line.function,
                    line=line.line,
                    state=state,
                    seconds=part,
                    role=roles.of(line),
                )
            )
    return tuple(found)


def _divide(seconds: float, lines: Sequence[Line], turns: float, ops: Ops) -> list[float]:
    """The state's steady seconds over its lines."""
    spent = [line.ns / 1e9 / turns for line in lines]
    in_ops = [min(t, ops.get((line.state, (line.file, line.line)), 0.0)) for t, line in zip(spent, lines, strict=True)]
    kept = sum(in_ops)
    python = sum(spent) - kept
    if kept >= seconds or python <= 0:  # the deep steps were slower throughout: one scale for all
        return [seconds * t / sum(spent) for t in spent]
    scale = (seconds - kept) / python
    return [o + (t - o) * scale for o, t in zip(in_ops, spent, strict=True)]


def merge(lines: Iterable[Line]) -> list[Line]:
    """The same line in several windows, added up."""
    found: dict[tuple[str, int, int, str, str], Line] = {}
    for line in lines:
        key = (line.file, line.first_line, line.line, line.state, line.role)
        old = found.get(key)
        found[key] = line if old is None else _plus(old, line)
    return list(found.values())


def _plus(a: Line, b: Line) -> Line:
    return Line(
        file=a.file, function=a.function, first_line=a.first_line, line=a.line, state=a.state,
        hits=a.hits + b.hits, ns=a.ns + b.ns, role=a.role,
    )  # fmt: skip


class Roles:
    """Says what a line is for; reads each function's source once."""

    def __init__(self, sites: Iterable[Site], *, infers: bool) -> None:
        self.infers = infers
        self.sites: dict[tuple[str, int], list[tuple[int, int]]] = {}
        for file, _, first, line, bits in sites:
            self.sites.setdefault((file, first), []).append((line, bits))
        self.known: dict[tuple[str, int], Mapping[int, str]] = {}

    def of(self, line: Line) -> str:
        if line.role == "fetch":
            return "input"
        if line.role in ("callback", "sample"):
            return "host" if line.role == "callback" else "input"
        if "site-packages" in line.file:
            return "framework"
        key = (line.file, line.first_line)
        if key not in self.known:
            self.known[key] = source.roles(*key, self.sites.get(key, ()))
        role = self.known[key].get(line.line)
        if role is None:
            # No source to read (`python -c`): what stands between a forward and an update is the loss.
            role = "framework" if line.state in ("loss", "post") and not self.infers else "unknown"
        if role == "model":
            # The arguments of the call are made before it, what is done with its value after it.
            role = "input" if line.state in ("tail", "prepare") else "framework"
        return role
