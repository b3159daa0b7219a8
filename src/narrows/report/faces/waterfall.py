"""The ledger as a waterfall, from the measured step down to the limit: the same bars in every face."""

from dataclasses import dataclass

from narrows.report.language import Words
from narrows.report.model import Report
from narrows.report.record import Basis

SHOWN = 0.0005
"""A row below this share would read `0.0%`: it says nothing, and is left out of the drawing."""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One row. `start` and `end` are shares of the step; what lies below `floor_end` could not be removed."""

    kind: str
    label: str
    start: float
    floor_end: float
    end: float
    seconds: float
    floor_seconds: float | None
    basis: Basis | None

    @property
    def share(self) -> float:
        return self.end - self.start


def bars(report: Report, say: Words) -> list[Bar]:
    """Each cause takes its time off what the causes before it left; what then remains is to be held to the limit."""
    if report.ledger is None or report.step is None:
        return []
    whole = report.step.median_seconds
    made = [_line("step", say("measured step"), whole, whole)]
    left = sum(row.seconds for row in report.ledger)
    whole = max(whole, left)
    for row in report.ledger:
        start = max(0.0, left - row.seconds)
        if row.share >= SHOWN:
            made.append(
                Bar(
                    kind=row.cause,
                    label=say(f"cause.{row.cause}"),
                    start=start / whole,
                    floor_end=(start + row.floor_seconds) / whole,
                    end=left / whole,
                    seconds=row.seconds,
                    floor_seconds=row.floor_seconds,
                    basis=row.basis,
                )
            )
        left = start
    if report.limit is not None:
        made.append(_line("limit", say("limit.same"), report.limit.same_ops_seconds, whole))
        made.append(_line("limit", say("limit.ideal"), report.limit.ideal_seconds, whole))
    return made


def _line(kind: str, label: str, seconds: float, whole: float) -> Bar:
    basis: Basis = "measured" if kind == "step" else "modelled"
    return Bar(
        kind=kind, label=label, start=0.0, floor_end=0.0, end=seconds / whole, seconds=seconds,
        floor_seconds=None, basis=basis,
    )  # fmt: skip
