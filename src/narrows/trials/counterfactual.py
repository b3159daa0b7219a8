"""What can be left out of a job to prove a row of its ledger, and how. Pure: from the account to a plan."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from narrows.ledger import source
from narrows.ledger.account import Account
from narrows.ledger.build import totals
from narrows.ledger.gaps import Gap
from narrows.report.model import Cause
from narrows.spool.record import Process
from narrows.trials.leave_out import Cut, leave_out

WORTH_PROVING = 0.05
"""Share of the step below which a row is not proven."""
WORTH_LEAVING_OUT = 0.003
"""Share of the step that a statement must be worth: a counter that costs nothing may be what ends the loop."""
ROLES: dict[Cause, frozenset[str]] = {
    "input": frozenset(("input",)),
    "host": frozenset(("host", "feedback")),
}
"""What lines of a row are for (`ledger/gaps.py`)."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One counterfactual: what the probe leaves out, and the files that are laid over the job's own."""

    cause: Cause
    left_out: tuple[str, ...]
    files: dict[str, str] = field(default_factory=dict)


def plans(process: Process, mine: Account) -> tuple[Plan, ...]:
    """Those of the rows that are worth it, the largest first."""
    if mine.steady is None:
        return ()
    spent = totals(mine.entries)
    causes: list[Cause] = sorted(("input", "host", "communication"), key=lambda cause: -spent[cause])
    found = []
    for cause in causes:
        if spent[cause] >= WORTH_PROVING * mine.steady.median:
            files, lines = _files(cause, process, mine)
            left_out = (*_by_the_probe(cause, process, mine), *lines)
            found.append(Plan(cause=cause, left_out=left_out, files=files))
    return tuple(found)


def _by_the_probe(cause: Cause, process: Process, mine: Account) -> tuple[str, ...]:
    assert mine.steady is not None
    if cause == "communication":
        return ("sync",)
    if cause == "input" and process.first("loader"):
        return ("loader",)
    return ("save",) if cause == "host" and mine.steady.seconds["save"] > 0 else ()


def _files(cause: Cause, process: Process, mine: Account) -> tuple[dict[str, str], list[str]]:
    """(each changed file's new text, the places of the statements that are gone)."""
    assert mine.steady is not None
    roles = ROLES.get(cause, frozenset())
    files: dict[str, str] = {}
    places: list[str] = []
    for number, file in enumerate(
        sorted({g.file for g in mine.gaps if g.role in roles and "site-packages" not in g.file})
    ):
        here = [g for g in mine.gaps if g.file == file]
        costs: dict[int, float] = {}
        for gap in here:
            if gap.role in roles:
                costs[gap.line] = costs.get(gap.line, 0.0) + gap.seconds
        cut = Cut(
            costs=costs,
            stays=_stays(file, roles, here, process),
            least=WORTH_LEAVING_OUT * mine.steady.median,
            number=number * 10_000,
        )
        try:
            text, lines = leave_out(Path(file).read_text(), cut)
        except (OSError, ValueError, SyntaxError):
            continue
        if lines:
            files[file] = text
            places.extend(f"{file}:{line}" for line in lines)
    return files, places


def _stays(file: str, roles: frozenset[str], gaps: Sequence[Gap], process: Process) -> set[int]:
    """Lines that are for something else, and those from which the loop's calls are made."""
    by_function: dict[int, list[tuple[int, int]]] = {}
    for where, _, first, line, bits in process.sites():
        if where == file:
            by_function.setdefault(first, []).append((line, bits))
    found = {line for sites in by_function.values() for line, _ in sites}
    for first, sites in by_function.items():
        named = source.roles(file, first, sites)
        found.update(line for line, role in named.items() if role not in roles)
    found.update(g.line for g in gaps if g.role not in roles and g.role != "unknown")
    return found
