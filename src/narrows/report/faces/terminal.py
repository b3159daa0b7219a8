"""The report in a terminal."""

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from narrows.report.format import seconds, share, size
from narrows.report.gauges import gauges
from narrows.report.language import Words
from narrows.report.model import Finding, Report

COLOURS = {
    "input": "yellow", "transfer": "magenta", "communication": "blue", "host": "red", "overhead": "bright_red",
    "bandwidth": "cyan", "compute": "green", "unexplained": "bright_black",
}  # fmt: skip


def render(report: Report, console: Console, say: Words) -> None:
    """Print the whole report."""
    console.print()
    for part in _parts(report, console.width, say):
        console.print(part)
        console.print()


def _parts(report: Report, width: int, say: Words) -> list[RenderableType]:
    found: list[RenderableType] = []
    notes = [Text.assemble((f"{say('warning')}: ", "yellow"), text) for text in report.measurement.warnings]
    if notes:
        found.append(Group(*notes))
    if report.job.error:
        found.append(Text(say("ended", error=report.job.error), "red"))
    if report.verdict is not None:
        found.append(Text(report.verdict.sentence, "bold"))
    if report.ledger is not None:
        found.append(waterfall(report, width, say))
    elif report.phases is not None and report.step is not None:
        found.append(_phases(report, say))
    if report.ledger is not None:
        found.append(Group(_pairs(gauges(report, say)), Text(), _phases(report, say)))
    if report.findings:
        found.append(Group(Text(say("findings"), "bold"), *[_finding(f, report, say) for f in report.findings]))
    elif report.ledger is not None:
        found.append(Text(say("findings.none"), "dim"))
    if report.ranks:
        lines = [
            (
                f"{say('rank')} {r.rank}",
                f"{seconds(r.step_seconds)}, {say('waits')} {seconds(r.waits_for_others_seconds)}",
            )
            for r in report.ranks
        ]
        found.append(_titled(say("ranks"), lines))
    found.append(_titled(say("wall"), [(say(f"wall.{p.name}"), seconds(p.seconds)) for p in report.wall]))
    found.append(_notes(report, say))
    return found


def waterfall(report: Report, width: int, say: Words) -> RenderableType:
    """From the measured step down to the limit: each bar begins where the one before it ended."""
    assert report.ledger is not None
    assert report.step is not None
    whole = report.step.median_seconds
    room = max(8, min(40, width - 52))
    table = Table.grid(padding=(0, 1))
    for justify in ("left", "left", "right", "right", "right"):
        table.add_column(justify=justify, no_wrap=True)
    head = [Text(t, "dim") for t in ("", say("time"), say("share"), say("floor"))]
    table.add_row(Text(say("ledger"), "bold"), *head)
    low, high = report.step.ci95_seconds
    full = Text("█" * room, "white")
    table.add_row(say("measured step"), full, seconds(whole), "", Text("±" + seconds((high - low) / 2), "dim"))
    left = 0.0
    for row in report.ledger:
        if row.share < 0.0005:
            continue
        bar = _bar(left / whole, (left + row.seconds) / whole, room, COLOURS[row.cause])
        floor = seconds(row.floor_seconds) if row.floor_seconds else "0"
        table.add_row(f"  {say('cause.' + row.cause)}", bar, seconds(row.seconds), share(row.share), Text(floor, "dim"))
        left += row.seconds
    if report.limit is not None:
        for key, value in (("limit.same", report.limit.same_ops_seconds), ("limit.ideal", report.limit.ideal_seconds)):
            bar = _bar(0.0, value / whole, room, "bright_black")
            table.add_row(say(key), bar, seconds(value), share(value / whole), "")
    return table


def _bar(start: float, end: float, room: int, colour: str) -> Text:
    first = min(room - 1, round(start * room))
    last = max(first, min(room, round(end * room)))
    body = "█" * (last - first) if last > first else "▏"
    return Text.assemble(" " * first, (body, colour))


def _phases(report: Report, say: Words) -> RenderableType:
    assert report.phases is not None
    assert report.step is not None
    shown = [
        (say(f"phase.{name}"), f"{seconds(spent)}  {share(spent / report.step.median_seconds)}")
        for name, spent in report.phases.items()
        if spent > 0
    ]
    return _titled(say("phases"), shown)


def _finding(finding: Finding, report: Report, say: Words) -> RenderableType:
    head = Text.assemble(("● ", COLOURS.get(finding.cause or "", "yellow")), (finding.title, "bold"))
    if finding.seconds and report.step is not None:
        part = share(finding.seconds / report.step.median_seconds)
        head.append(f"  {seconds(finding.seconds)} ({part}) {say('of each step')}", "dim")
    body = [head]
    if finding.where:
        body.append(Text(f"  {say('where')} {finding.where}", "cyan"))
    body.append(Text(f"  {finding.evidence}"))
    body.append(Text(f"  → {finding.advice}", "green"))
    return Padding(Group(*body), (0, 0, 0, 2))


def _titled(title: str, lines: list[tuple[str, str]]) -> RenderableType:
    return Group(Text(title, "bold"), _pairs(lines))


def _pairs(lines: list[tuple[str, str]]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column()
    for name, value in lines:
        table.add_row(f"  {name}", value)
    return table


def _notes(report: Report, say: Words) -> RenderableType:
    lines = []
    if report.step is not None:
        measured = report.measurement
        lines.append(
            say("notes", count=report.step.steady_count, seen=report.step.count, deep=measured.deep_steps,
                classed=measured.classed_by_shape or 0.0, probe=measured.probe_share)
        )  # fmt: skip
        if report.step.block > 1:
            lines.append(say("notes.block", block=report.step.block))
    if report.memory is not None and report.memory.peak_bytes:
        lines.append(
            f"{say('memory')}: {say('peak')} {size(report.memory.peak_bytes)} / {size(report.memory.available_bytes)}"
        )
    return Text("\n".join(lines), "dim")
