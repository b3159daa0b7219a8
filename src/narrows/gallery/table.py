"""Tables of the workloads: what each is, and, of a run of all, how well each does."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from narrows.gallery.catalogue import Workload
from narrows.gallery.play import Run


@dataclass(frozen=True, kw_only=True)
class Row:
    workload: Workload
    run: Run | None
    missing: str = ""
    """Why it was not run."""

    @property
    def good(self) -> bool:
        return (
            self.run is not None
            and self.run.code == 0
            and self.run.score is not None
            and self.run.score.beats(self.workload)
        )

    @property
    def verdict(self) -> str:
        if self.run is None:
            return self.missing
        if self.run.code or self.run.score is None:
            return f"failed: {self.run.said or f'exit code {self.run.code}'}"
        return "better than the baseline" if self.good else "NOT better than the baseline"


HEADS = ("workload", "score", "baseline", "seconds", "verdict")
LISTED = ("workload", "field", "model", "data", "size", "licence", "shows")


def cells(row: Row) -> tuple[str, ...]:
    run, score = row.run, row.run.score if row.run is not None else None
    return (
        f"@{row.workload.name}",
        f"{score.name} {score.score:g}" if score is not None else "-",
        f"{score.baseline:g} ({score.how})" if score is not None else "-",
        f"{run.seconds:.0f}" if run is not None else "-",
        row.verdict,
    )


def facts(workload: Workload) -> tuple[str, ...]:
    return (
        f"@{workload.name}", workload.field, workload.model, workload.data, workload.size, workload.licence,
        workload.bottleneck,
    )  # fmt: skip


def listed(workloads: Sequence[Workload]) -> Table:
    """For a terminal: what each is, in a few lines that any width can hold."""
    table = Table.grid(padding=(0, 2, 1, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    for each in workloads:
        about = (
            f"{each.field}: {each.model}\n{each.data}; {each.size}; licence: {each.licence}\nshows: {each.bottleneck}"
        )
        table.add_row(f"@{each.name}", about)
    return table


def drawn(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """For a terminal."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for head in heads:
        table.add_column(head, justify="right" if head == "seconds" else "left", no_wrap=head == "workload")
    for row in rows:
        table.add_row(*row)
    return table


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)
