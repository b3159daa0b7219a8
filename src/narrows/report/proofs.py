"""What the counterfactuals have shown: the measured saving beside the ledger's row."""

import statistics
from collections.abc import Sequence

from narrows.job.facts import Counterfactual
from narrows.report.language import Words
from narrows.report.model import Proof, Row
from narrows.spool.place import near

FEWEST = 6
"""Pairs. The median of what they were drawn from lies between the least and the greatest of six with a probability
of 1 - 2 / 2**6 = 97%, whatever its distribution (the sign test's interval)."""
APART = 0.10
"""A row and its proof that differ by more than this share of the step do not say the same."""


def savings(found: Counterfactual) -> list[float]:
    """Shares of the step, one for each pair."""
    return [1 - without / as_is for as_is, without in found.pairs]


def proofs(every: Sequence[Counterfactual], step: float, cwd: str, say: Words) -> list[Proof]:
    """One for each counterfactual with enough pairs. `step` is the seconds of the job's own median step."""
    made = []
    for found in every:
        if len(found.pairs) < FEWEST:
            continue
        saved = sorted(savings(found))
        made.append(
            Proof(
                cause=found.cause,
                what=what(found, cwd, say),
                saved_seconds=statistics.median(saved) * step,
                ci95_seconds=(saved[0] * step, saved[-1] * step),
                pairs=len(saved),
            )
        )
    return made


def warnings(
    every: Sequence[Counterfactual] | None, shown: Sequence[Proof], ledger: Sequence[Row], step: float, say: Words
) -> list[str]:
    """What could not be proven, and why; and where a proof contradicts its row. `every` is None if none was asked."""
    told = [say("prove.none")] if every is not None and not every else []
    for found in every or ():
        cause = say(f"cause.{found.cause}")
        if found.failed is not None:
            why = say(f"prove.failed.{found.failed}", detail=found.detail)
            told.append(say("prove.failed", cause=cause, why=why))
    for proof in shown:
        row = next(row for row in ledger if row.cause == proof.cause)
        low, high = (seconds / step for seconds in proof.ci95_seconds)
        if row.share < low - APART or row.share > high + APART:
            told.append(
                say("prove.apart", cause=say(f"cause.{proof.cause}"), row=row.share, saved=proof.saved_seconds / step)
            )
    return told


def what(found: Counterfactual, cwd: str, say: Words) -> str:
    """In words, what was left out."""
    lines = [near(item, cwd) for item in found.left_out if ":" in item]
    told = [say(f"prove.{item}") for item in found.left_out if ":" not in item]
    if lines:
        shown = say("list").join(lines[:6]) + (" …" if len(lines) > 6 else "")
        told.append(say("prove.lines", lines=shown))
    return say("list").join(told)
