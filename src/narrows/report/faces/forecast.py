"""A forecast in words: what a step would take on more ranks, and what that rests on."""

from collections.abc import Sequence

from narrows.report.format import rate, seconds, share, size
from narrows.report.language import Words
from narrows.report.model import Report
from narrows.report.parallel import Ahead


def rows(report: Report, say: Words) -> list[tuple[str, str]]:
    """(how many ranks, what their step takes): from one model of the exchange to the other where they differ."""
    made: dict[tuple[str, int], list[Ahead]] = {}
    for each in report.forecast.rows if report.forecast else ():
        made.setdefault((each.scaling, each.ranks), []).append(each)
    return [(say(f"forecast.{scaling}", ranks=ranks), _told(found, say)) for (scaling, ranks), found in made.items()]


def _told(found: Sequence[Ahead], say: Words) -> str:
    found = sorted(found, key=lambda each: each.step_seconds)
    low, high = found[0], found[-1]
    if high.step_seconds < 1.01 * low.step_seconds:
        return say(
            "forecast.row", step=seconds(low.step_seconds), efficiency=share(low.efficiency), speedup=low.speedup,
            share=share(low.communication_seconds / low.step_seconds), model=say("list").join(say(f"forecast.{f.model}") for f in found),
        )  # fmt: skip
    return say(
        "forecast.range", low=seconds(low.step_seconds), high=seconds(high.step_seconds),
        efficiency=f"{share(high.efficiency)} – {share(low.efficiency)}", speedup=f"{high.speedup:.3g} – {low.speedup:.3g}×",
        share=f"{share(low.communication_seconds / low.step_seconds)} – {share(high.communication_seconds / high.step_seconds)}",
        models=" – ".join(say(f"forecast.{each.model}") for each in found),
    )  # fmt: skip


def assumptions(report: Report, say: Words) -> list[str]:
    made = report.forecast
    if made is None:
        return []
    return [
        say("forecast.rests", ranks=made.ranks_seen, bytes=size(made.bytes), buckets=made.buckets, latency=seconds(made.latency_seconds),
            bandwidth=rate(made.bandwidth, "B/s"), link=say(f"forecast.{made.link}"), hidden=seconds(made.hidden_seconds),
            factor=made.link_factor),
        say("forecast.machine", cores=made.cores, per_machine=made.ranks_per_machine, busy=seconds(made.busy_seconds), crowding=made.crowding),
        say("forecast.spread", spread=seconds(made.spread_seconds)),
    ]  # fmt: skip
