"""The report as Markdown, to be put under a pull request or in a log book."""

import re
from collections.abc import Iterable, Sequence

from narrows.report.faces import capacity, crash, forecast, summary
from narrows.report.faces.waterfall import bars
from narrows.report.format import seconds, share, size
from narrows.report.gauges import gauges
from narrows.report.language import Words
from narrows.report.model import Finding, Report


def render(report: Report, say: Words) -> str:
    """The whole report; text from the job is escaped, so that it cannot become markup."""
    return "\n\n".join(_parts(report, say)) + "\n"


def _parts(report: Report, say: Words) -> Iterable[str]:
    yield f"# narrows: {_code(' '.join(report.job.command))}"
    yield _plain(summary.job(report, say))
    if crashed := crash.sentences(report, say):
        yield "\n".join([f"> **{_plain(crashed[0])}**", *[f">\n> {_plain(text)}" for text in crashed[1:]]])
    for text in report.measurement.warnings:
        yield f"> **{say('label', label=say('warning')).strip()}** {_plain(text)}"
    if (failed := summary.failure(report, say)) is not None:
        yield f"> {_plain(failed)}"
    for text in capacity.sentences(report, say):
        yield f"**{_plain(text)}**"
    if report.capacity is not None:
        yield f"## {say('fit.peak')}"
        held = [(label, size(kept), share(part)) for label, kept, part in capacity.parts(report, say)]
        yield table(("", say("memory"), say("share")), held)
        for section in capacity.sections(report, say):
            yield f"## {section.title}"
            yield table(("", ""), section.rows)
        yield _plain(say("sentences").join(capacity.notes(report, say)))
        return
    if report.verdict is not None:
        yield f"**{_plain(report.verdict.sentence)}**"
    if report.ledger is not None:
        yield f"## {say('ledger')}"
        yield _ledger(report, say)
    if report.step is not None:
        yield f"## {say('gauges')}"
        yield table(("", ""), gauges(report, say))
    if report.phases is not None and report.step is not None:
        whole = report.step.median_seconds
        yield f"## {say('phases')}"
        yield table(
            (say("phase"), say("time"), say("share")),
            [(say(f"phase.{n}"), seconds(s), share(s / whole)) for n, s in report.phases.items() if s > 0],
        )
    yield f"## {say('findings')}"
    if report.findings:
        yield "\n".join(_finding(number, found, report, say) for number, found in enumerate(report.findings, 1))
    else:
        yield say("findings.none" if report.ledger is not None else "no ledger")
    if (told := summary.outcome(report, say)) is not None:
        yield f"## {say('trials')}"
        if report.trials:
            yield table((say("remedy"), ""), summary.trials(report, say))
        yield f"**{_plain(told)}**"
        if after := summary.after(report, say):
            yield table((say("trials.after"), ""), after)
    if report.proofs:
        yield f"## {say('proofs')}"
        yield table((say("cause"), ""), summary.proofs(report, say))
    if report.ranks:
        yield f"## {say('ranks')}"
        yield table((say("rank"), say("step"), "", say("cause")), summary.ranks(report, say))
    if exchanged := summary.communication(report, say):
        yield f"## {say('exchanges')}"
        yield table(("", ""), exchanged)
        yield table((say("rank"), say("step"), "", say("cause")), summary.ranks(report, say))
    if report.forecast:
        yield f"## {say('forecast')}"
        yield table((say("ranks"), ""), forecast.rows(report, say))
        yield _plain(say("sentences").join(forecast.assumptions(report, say)))
    if report.fates:
        yield f"## {say('fates')}"
        yield table((say("rank"), ""), summary.fates(report, say))
    small = summary.about(report, say)
    yield "---"
    yield "\n".join(f"- {say('label', label=label).rstrip()} {_plain(text)}" for label, text in small)


def _ledger(report: Report, say: Words) -> str:
    rows = [
        (
            bar.label,
            seconds(bar.seconds),
            share(bar.share),
            "" if bar.floor_seconds is None else seconds(bar.floor_seconds),
            say(bar.basis) if bar.basis else "",
        )
        for bar in bars(report, say)
    ]
    return table([say(name) for name in ("cause", "time", "share", "floor", "basis")], rows)


def _finding(number: int, found: Finding, report: Report, say: Words) -> str:
    cost = ""
    if found.seconds and report.step is not None:
        part = share(found.seconds / report.step.median_seconds)
        cost = say("aside", text=f"{say('at most')} {seconds(found.seconds)}", aside=f"{part}, {say(found.basis)}")
    lines = [f"{number}. **{_plain(found.title)}**" + (f" — {cost}" if cost else "")]
    if found.where:
        lines.append(f"   {_code(found.where)}")
    lines.append(f"   {_plain(found.evidence)}")
    if found.advice:
        lines.append(f"   → {_plain(found.advice)}")
    return "  \n".join(lines)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are only text: what came from the job cannot become markup."""
    numbers = {1, 2, 3} if len(head) == 5 else {1, 2} if len(head) == 3 else set()
    rule = ["---:" if i in numbers else "---" for i in range(len(head))]
    cells = [list(head), rule, *[[_plain(text) for text in row] for row in rows]]
    return "\n".join("| " + " | ".join(row) + " |" for row in cells)


def _plain(text: str) -> str:
    """Text that is only text: no markup, no HTML, one line."""
    text = re.sub(r"\s+", " ", text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~#!])", r"\\\1", text)


def _code(text: str) -> str:
    """A code span. Its fence is longer than any run of backticks inside, so nothing in it can end it."""
    text = re.sub(r"\s+", " ", text)
    fence = "`" * (max([len(run) for run in re.findall("`+", text)], default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"
