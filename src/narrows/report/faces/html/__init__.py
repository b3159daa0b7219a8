"""The report as one self-contained page: no network, no scripts; what came from the job is always escaped."""

from narrows.report.faces.terminal import COLOURS
from narrows.report.format import rate, seconds, share, size
from narrows.report.gauges import gauges
from narrows.report.language import Words
from narrows.report.model import Report, encode

WIDTH = 560
"""Of the bars, in the drawing's own units."""


def render(report: Report, say: Words) -> str:
    """The page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("narrows.report.faces", "html"), autoescape=True, undefined=StrictUndefined
    )
    environment.globals.update(say=say, seconds=seconds, share=share, size=size, rate=rate)
    return environment.get_template("page.html").render(
        r=report,
        bars=_bars(report, say),
        gauges=gauges(report, say) if report.ledger is not None else [],
        width=WIDTH,
        # `<` cannot stand in the data, so it cannot end the element that it is in.
        data=encode(report).decode().replace("<", "\\u003c"),
    )


def _bars(report: Report, say: Words) -> list[dict[str, object]]:
    """The waterfall: where each bar begins and how long it is."""
    if report.ledger is None or report.step is None or report.limit is None:
        return []
    whole = report.step.median_seconds
    made: list[dict[str, object]] = [_bar(say("measured step"), 0.0, 1.0, whole, "step", None)]
    left = 0.0
    for row in report.ledger:
        if row.share >= 0.0005:
            made.append(_bar(say(f"cause.{row.cause}"), left, row.share, row.seconds, row.cause, row.floor_seconds))
        left += row.share
    for key, value in (("limit.same", report.limit.same_ops_seconds), ("limit.ideal", report.limit.ideal_seconds)):
        made.append(_bar(say(key), 0.0, value / whole, value, "limit", None))
    return made


def _bar(label: str, start: float, part: float, spent: float, kind: str, floor: float | None) -> dict[str, object]:
    assert kind in COLOURS or kind in ("step", "limit")
    return {
        "label": label, "x": round(start * WIDTH, 1), "w": max(1.0, round(part * WIDTH, 1)), "seconds": spent,
        "share": part, "kind": kind, "floor": floor,
    }  # fmt: skip
