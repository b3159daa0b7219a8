"""The report as Markdown."""

from narrows.report.format import seconds, share
from narrows.report.gauges import gauges
from narrows.report.language import Words
from narrows.report.model import Report


def render(report: Report, say: Words) -> str:
    """The whole report; text from the job is escaped, so that it cannot become markup."""
    lines = [f"# narrows: `{_code(' '.join(report.job.command))}`", ""]
    if report.verdict is not None:
        lines += [f"**{_plain(report.verdict.sentence)}**", ""]
    lines += [f"> {say('warning')}: {_plain(text)}" for text in report.measurement.warnings]
    if report.job.error:
        lines += ["", _plain(say("ended", error=report.job.error))]
    if report.ledger is not None and report.step is not None:
        lines += [
            "",
            f"## {say('ledger')}",
            "",
            _row("cause time share floor basis".split(), say),
            "|---|---:|---:|---:|---|",
        ]
        lines.append(f"| {say('measured step')} | {seconds(report.step.median_seconds)} | 100% | | |")
        lines += [
            f"| {say('cause.' + r.cause)} | {seconds(r.seconds)} | {share(r.share)} | {seconds(r.floor_seconds)} | {say(r.basis)} |"
            for r in report.ledger
        ]
        if report.limit is not None:
            for key, value in (
                ("limit.same", report.limit.same_ops_seconds),
                ("limit.ideal", report.limit.ideal_seconds),
            ):
                lines.append(f"| {say(key)} | {seconds(value)} | {share(value / report.step.median_seconds)} | | |")
        lines += ["", f"## {say('gauges')}", "", *[f"- {name}: {value}" for name, value in gauges(report, say)]]
    if report.phases is not None:
        lines += ["", f"## {say('phases')}", ""]
        lines += [f"- {say('phase.' + name)}: {seconds(spent)}" for name, spent in report.phases.items() if spent > 0]
    lines += ["", f"## {say('findings')}", ""]
    for found in report.findings:
        where = f" ({say('where')} `{_code(found.where)}`)" if found.where else ""
        lines.append(
            f"- **{_plain(found.title)}**, {seconds(found.seconds)}{where}: {_plain(found.evidence)} *{_plain(found.advice)}*"
        )
    if not report.findings:
        lines.append(say("findings.none"))
    lines += ["", f"## {say('wall')}", "", *[f"- {say('wall.' + p.name)}: {seconds(p.seconds)}" for p in report.wall]]
    return "\n".join(lines) + "\n"


def _row(names: list[str], say: Words) -> str:
    return "| " + " | ".join(say(name) for name in names) + " |"


def _plain(text: str) -> str:
    for mark in "\\`*_[]<>|":
        text = (
            text.replace(mark, f"\\{mark}")
            if mark not in "<>"
            else text.replace(mark, "&lt;" if mark == "<" else "&gt;")
        )
    return text.replace("\n", " ")


def _code(text: str) -> str:
    return text.replace("`", "'").replace("\n", " ")
