"""The report as one self-contained page: no network, no scripts; what came from the job is always escaped."""

from dataclasses import dataclass

from narrows.report.faces import capacity, crash, forecast, summary
from narrows.report.faces.waterfall import Bar, bars
from narrows.report.format import rate, seconds, share, size
from narrows.report.gauges import gauges
from narrows.report.language import Words
from narrows.report.model import Report, encode

WIDTH = 1000
"""Of the drawing, in its own units: each bar is stretched to its cell."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A bar with its places in the drawing."""

    bar: Bar
    x: float
    floor: float
    removable: float
    link: float | None
    """Where the next bar ends, which is where this one begins: a thin line leads there."""


def render(report: Report, say: Words) -> str:
    """The page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("narrows.report.faces", "html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(say=say, seconds=seconds, share=share, size=size, rate=rate)
    environment.globals.update(summary=summary, crash=crash, capacity=capacity, forecast=forecast)
    return environment.get_template("page.html").render(
        r=report,
        rows=[_drawn(bar) for bar in bars(report, say)],
        gauges=gauges(report, say) if report.step is not None else [],
        phases=list((report.phases or {}).items()),
        walls=[(part.name, part.seconds) for part in report.wall],
        width=WIDTH,
        data=embedded(report),
    )


def embedded(report: Report) -> str:
    """JSON that cannot end the element it stands in: without these characters there is no markup in it."""
    data = encode(report).decode()
    for mark in "<>&\u2028\u2029":
        data = data.replace(mark, f"\\u{ord(mark):04x}")
    return data


def _drawn(bar: Bar) -> Drawn:
    x, floor, end = (min(WIDTH, round(part * WIDTH, 1)) for part in (bar.start, bar.floor_end, bar.end))
    x = min(x, WIDTH - 3)
    cause = bar.kind not in ("step", "limit")
    return Drawn(
        bar=bar,
        x=x,
        floor=max(0.0, round(floor - x, 1)),
        # The least that can be seen: a row that is in the table is in the drawing too.
        removable=max(0.0 if floor > x else 3.0, round(end - max(x, floor), 1)),
        link=x if cause else None,
    )
