"""The report in a terminal: lines that fit it, which read the same without colour."""

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from narrows.report.faces import capacity, crash, forecast, summary
from narrows.report.faces.lines import padded, short, wrapped
from narrows.report.faces.waterfall import Bar, bars
from narrows.report.format import seconds, share, size
from narrows.report.gauges import gauges
from narrows.report.language import Words
from narrows.report.model import Finding, Report

COLOURS = {
    "input": "yellow", "transfer": "magenta", "communication": "blue", "host": "red", "overhead": "orange3",
    "bandwidth": "cyan", "compute": "green", "unexplained": "bright_black", "step": "default", "limit": "bright_black",
}  # fmt: skip
WIDEST = 100
"""Longer lines are hard to read, however wide the terminal is."""
NARROWEST = 50
TIME, SHARE = 9, 6
"""Columns at the right edge that the ledger, the phases and the findings have in common."""
PLAIN = str.maketrans("█▌▐░→●µ·×…", "###->*u-x.")
"""For a terminal that has only ASCII: one character for one, so that styles stay where they are."""


def render(report: Report, console: Console, say: Words) -> None:
    """Print the whole report."""
    width = max(NARROWEST, min(WIDEST, console.width))
    for part in _parts(report, width, say):
        if part:
            console.print()
        for line in part:
            if console.options.ascii_only:
                line.plain = line.plain.translate(PLAIN)
            console.print(line, soft_wrap=True, highlight=False)


def _parts(report: Report, width: int, say: Words) -> Iterable[list[Text]]:
    yield _head(report, width, say)
    if crashed := crash.sentences(report, say):
        yield [
            *_prose(crashed[0], width, "bold red"),
            *[line for text in crashed[1:] for line in _prose(text, width, "")],
        ]
    for warning in report.measurement.warnings:
        yield _labelled(say("label", label=say("warning")), warning, 0, width, ("yellow", ""))
    if (failed := summary.failure(report, say)) is not None:
        yield _prose(failed, width, "red")
    for text in capacity.sentences(report, say):
        yield _prose(text, width, "bold")
    if report.capacity is not None:
        yield _held(report, width, say)
        for section in capacity.sections(report, say):
            yield _pairs(section.title, section.rows, width)
        yield _prose(say("sentences").join(capacity.notes(report, say)), width, "dim")
    if report.verdict is not None:
        yield _prose(report.verdict.sentence, width, "bold")
    if report.ledger is not None:
        yield waterfall(bars(report, say), width, say)
    if report.step is not None:
        yield _pairs(say("gauges"), gauges(report, say), width)
    if report.phases is not None and report.step is not None:
        whole = report.step.median_seconds
        shown = [(say(f"phase.{name}"), spent) for name, spent in report.phases.items() if spent > 0]
        yield _split(say("phases"), shown, whole, width)
    if report.findings:
        yield _findings(report, width, say)
    elif report.ledger is not None:
        yield _prose(say("findings.none"), width, "dim")
    if (told := summary.outcome(report, say)) is not None:
        if report.trials:
            yield _pairs(say("trials"), summary.trials(report, say), width)
        yield _prose(told, width, "bold")
        if after := summary.after(report, say):
            yield _pairs(say("trials.after"), after, width)
    if report.proofs:
        yield _pairs(say("proofs"), summary.proofs(report, say), width)
    if report.ranks:
        rows = [(name, say("list").join(told)) for name, *told in summary.ranks(report, say)]
        yield _pairs(say("ranks"), rows, width)
    if exchanged := summary.communication(report, say):
        yield _pairs(say("exchanges"), exchanged, width)
    if report.forecast:
        yield _pairs(say("forecast"), forecast.rows(report, say), width)
        yield _prose(say("sentences").join(forecast.assumptions(report, say)), width, "dim")
    if report.fates:
        yield _pairs(say("fates"), summary.fates(report, say), width)
    if report.step is None and report.wall:
        yield _split(say("wall"), [(say(f"wall.{p.name}"), p.seconds) for p in report.wall],
                     report.job.wall_seconds, width)  # fmt: skip
    yield _small(report, width, say)


def _head(report: Report, width: int, say: Words) -> list[Text]:
    return [
        Text(short(" ".join(report.job.command), width), "bold cyan"),
        *_prose(summary.job(report, say), width, "dim"),
    ]


def _small(report: Report, width: int, say: Words) -> list[Text]:
    told = [(say("label", label=label), text) for label, text in summary.about(report, say)]
    edge = max([cell_len(label) for label, _ in told], default=0)
    return [line for label, text in told for line in _labelled(label, text, edge, width, ("dim", "dim"))]


def waterfall(rows: Sequence[Bar], width: int, say: Words) -> list[Text]:
    """From the measured step down to the limit: each bar ends where the one before it began."""
    labels = max(cell_len(row.label) for row in rows) + 2
    room = max(8, width - labels - 2 - 2 * TIME - SHARE)
    head = [padded(say(name), cells, right=True) for name, cells in (("time", TIME), ("share", SHARE), ("floor", TIME))]
    made = [Text.assemble((padded(say("ledger"), labels + room + 2), "bold"), ("".join(head), "dim"))]
    for row in rows:
        inside = row.kind not in ("step", "limit")
        mark = "~" if row.basis == "modelled" else ""
        floor = seconds(row.floor_seconds) if row.floor_seconds is not None else ""
        drawn = draw(row, room)
        made.append(
            Text.assemble(
                padded(("  " if inside else "") + row.label, labels),
                " ",
                (drawn, COLOURS[row.kind]),
                " " * (room - len(drawn) + 1),
                padded(mark + seconds(row.seconds), TIME, right=True),
                padded(share(row.share), SHARE, right=True),
                (padded(floor, TIME, right=True), "dim"),
            )
        )
        made[-1].rstrip()
    marks = [say("floor.mark")] if any(row.floor_seconds for row in rows) else []
    marks += [say("modelled.mark")] if any(row.basis == "modelled" for row in rows) else []
    return [*made, *_prose("   ".join(marks), width, "dim")] if marks else made


def draw(row: Bar, room: int) -> str:
    """A bar in half cells, which without colour are still told apart: what is the floor is light."""
    first, floor, last = (round(part * room * 2) for part in (row.start, row.floor_end, min(1.0, row.end)))
    first = min(first, room * 2 - 1)
    last = max(first + 1, last)
    cells = []
    for cell in range((last + 1) // 2):
        left, right = (first <= half < last for half in (2 * cell, 2 * cell + 1))
        solid = "█" if left and right else "▌" if left else "▐" if right else " "
        light = first < floor and floor >= min(2 * cell + 2, last)
        cells.append("░" if light and (left or right) else solid)
    return "".join(cells)


def _split(title: str, rows: Sequence[tuple[str, float]], whole: float, width: int) -> list[Text]:
    """Parts of a whole, each with its own bar from the left."""
    labels = max([cell_len(label) for label, _ in rows], default=0) + 2
    room = max(8, width - labels - 2 - 2 * TIME - SHARE)
    made = [Text(title, "bold")]
    for label, spent in rows:
        part = spent / whole if whole else 0.0
        bar = Bar(kind="step", label=label, start=0.0, floor_end=0.0, end=part, seconds=spent,
                  floor_seconds=None, basis=None)  # fmt: skip
        drawn = draw(bar, room)
        numbers = padded(seconds(spent), TIME, right=True) + padded(share(part), SHARE, right=True)
        gap = " " * (room - len(drawn) + 1)
        made.append(Text.assemble(padded(f"  {label}", labels), " ", (drawn, "bright_black"), gap, numbers))
    return made


def _held(report: Report, width: int, say: Words) -> list[Text]:
    """Who holds the memory: each part from where the one before it ends."""
    rows = capacity.parts(report, say)
    labels = max(cell_len(label) for label, _, _ in rows) + 4
    room = max(8, width - labels - 2 - TIME - SHARE)
    made, start = [Text(say("fit.peak"), "bold")], 0.0
    for label, held, part in rows:
        bar = Bar(kind="step", label=label, start=start, floor_end=0.0, end=start + part, seconds=0.0,
                  floor_seconds=None, basis=None)  # fmt: skip
        drawn, start = draw(bar, room), start + part
        numbers = padded(size(held), TIME, right=True) + padded(share(part), SHARE, right=True)
        made.append(Text.assemble(padded(f"  {label}", labels), (drawn, "cyan"), " " * (room - len(drawn)), numbers))
    return made


def _findings(report: Report, width: int, say: Words) -> list[Text]:
    """Numbered, the dearest first, with what each costs in the columns of the ledger."""
    edge = width - TIME
    costly = any(found.seconds for found in report.findings)
    gap = edge - cell_len(say("findings"))
    made = [
        Text.assemble((say("findings"), "bold"), (padded(say("at most"), gap, right=True) if costly else "", "dim"))
    ]
    for number, found in enumerate(report.findings, 1):
        made += _finding(number, found, report, edge, width, say)
    return made


def _finding(number: int, found: Finding, report: Report, edge: int, width: int, say: Words) -> list[Text]:
    numbers = ""
    if found.seconds and report.step is not None:
        part = share(found.seconds / report.step.median_seconds)
        mark = "~" if found.basis == "modelled" else ""
        numbers = padded(mark + seconds(found.seconds), TIME, right=True) + padded(part, SHARE, right=True)
    sign = f"{number:>2} "
    title = wrapped(found.title, edge - len(sign) - len(numbers) - 1)
    first = padded(title[0], edge - len(sign) - len(numbers))
    made = [Text.assemble((sign, COLOURS.get(found.cause or "", "default")), (first, "bold"), numbers)]
    made[0].rstrip()
    made += [Text("   " + rest, "bold") for rest in title[1:]]
    if found.where:
        made += [Text("   " + line, "cyan") for line in wrapped(found.where, width - 3)]
    made += [Text("   " + line) for line in wrapped(found.evidence, width - 3)]
    if found.advice:
        advice = wrapped(found.advice, width - 5)
        made += [Text(f"   {'→ ' if i == 0 else '  '}{line}", "green") for i, line in enumerate(advice)]
    return made


def _prose(text: str, width: int, style: str) -> list[Text]:
    return [Text(line, style) for line in wrapped(text, width)]


def _labelled(label: str, text: str, edge: int, width: int, styles: tuple[str, str]) -> list[Text]:
    """The label, then the text beside it, its later lines under its first."""
    edge = max(edge, cell_len(label))
    first, *later = wrapped(text, width - edge)
    lead = Text.assemble((padded(label, edge), styles[0]), (first, styles[1]))
    return [lead, *[Text(" " * edge + line, styles[1]) for line in later]]


def _pairs(title: str, rows: Sequence[tuple[str, str]], width: int) -> list[Text]:
    labels = min(width // 2, max(cell_len(label) for label, _ in rows) + 4)
    made = [Text(line, "bold") for line in wrapped(title, width)]
    for label, value in rows:
        first, *later = wrapped(value, width - labels)
        made.append(Text(padded(f"  {short(label, labels - 4)}", labels) + first))
        made += [Text(" " * labels + line) for line in later]
    return made
