"""A sweep as a table: in a terminal, and as Markdown."""

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

from narrows.report.faces.lines import clean
from narrows.report.faces.markdown import table
from narrows.report.format import seconds, share, size
from narrows.report.language import Words
from narrows.sweep.model import Entry, Sweep
from narrows.sweep.sweep import named

HEADS = ("setting", "step", "samples", "gain", "verdict", "memory", "ended")


def heads(say: Words) -> list[str]:
    return [say(f"sweep.{name}") for name in HEADS]


def cells(each: Entry, say: Words) -> tuple[str, ...]:
    ended = say(f"sweep.end.{each.ended or 'missing'}")
    return (
        clean(named(each.setting)),
        _within(each.step_seconds, each.ci95_seconds, seconds),
        _within(each.samples_per_second, each.samples_ci95, lambda value: f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"),
        _within(each.speedup, each.speedup_ci95, lambda value: f"{value:.2f}×"),
        f"{say(f'cause.{each.cause}')} {share(each.share)}" if each.cause and each.share is not None else "-",
        size(each.peak_bytes) if each.peak_bytes else "-",
        say("aside", text=ended, aside=clean(each.error)) if each.error else ended,
    )  # fmt: skip


def _within(value: float | None, interval: tuple[float, float] | None, shown: Callable[[float], str]) -> str:
    if value is None:
        return "-"
    return f"{shown(value)} ({shown(interval[0])} – {shown(interval[1])})" if interval else shown(value)


def terminal(sweep: Sweep, console: Console, say: Words) -> None:
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in heads(say):
        made.add_column(name, overflow="fold")
    for each in sweep.entries:
        made.add_row(*cells(each, say))
    console.print()
    console.print(made, markup=False)
    console.print(say("sweep.rests"), style="dim", markup=False, highlight=False)


def markdown(sweep: Sweep, say: Words) -> str:
    rows: Sequence[Sequence[str]] = [cells(each, say) for each in sweep.entries]
    return f"{table(heads(say), rows)}\n\n{say('sweep.rests')}\n"
