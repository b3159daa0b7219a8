"""What `--json` of a sweep writes (`narrows.sweep/1`). Times are seconds; a field that does not apply is None."""

import math
from pathlib import Path

import msgspec

from narrows.report.model import Cause, Ended, Report
from narrows.report.record import Record

SCHEMA = "narrows.sweep/1"


class Entry(Record, frozen=True, kw_only=True):
    """The job with one setting."""

    setting: dict[str, str]
    """Variables and arguments by name, and `machine` where it was run on those of a cluster."""
    ended: Ended | None
    """None: it was lost with its machine, or not run."""
    exit_code: int | None
    error: str | None
    ranks: int | None
    step_seconds: float | None
    ci95_seconds: tuple[float, float] | None
    """Of the median, among the steps of this run."""
    samples_per_second: float | None
    """Of all ranks together."""
    samples_ci95: tuple[float, float] | None
    speedup: float | None
    """Samples (where they are not known: steps) per second, over those of the first setting."""
    speedup_ci95: tuple[float, float] | None
    cause: Cause | None
    """The verdict's."""
    share: float | None
    peak_bytes: int | None
    run: str | None
    """The folder, for `narrows report`."""


class Sweep(Record, frozen=True, kw_only=True):
    schema: str = SCHEMA
    created: str
    command: list[str]
    """As typed, with values that look like secrets masked."""
    entries: list[Entry]


def entry(setting: dict[str, str], report: Report, folder: Path) -> Entry:
    """Of a run. What it gains over the first one is not known yet."""
    step, verdict = report.step, report.verdict
    rate = step.samples_per_second * report.job.ranks if step is not None and step.samples_per_second else None
    interval = None
    if step is not None and rate is not None and step.ci95_seconds[0] > 0:
        samples = rate * step.median_seconds
        interval = samples / step.ci95_seconds[1], samples / step.ci95_seconds[0]
    return Entry(
        setting=setting, ended=report.job.ended, exit_code=report.job.exit_code, error=report.job.error, ranks=report.job.ranks,
        step_seconds=step.median_seconds if step else None, ci95_seconds=step.ci95_seconds if step else None,
        samples_per_second=rate, samples_ci95=interval, speedup=None, speedup_ci95=None,
        cause=verdict.cause if verdict else None, share=verdict.share if verdict else None,
        peak_bytes=report.memory.peak_bytes if report.memory else None, run=str(folder),
    )  # fmt: skip


def missing(setting: dict[str, str], why: str) -> Entry:
    return Entry(
        setting=setting, ended=None, exit_code=None, error=why, ranks=None, step_seconds=None, ci95_seconds=None,
        samples_per_second=None, samples_ci95=None, speedup=None, speedup_ci95=None, cause=None, share=None, peak_bytes=None,
        run=None,
    )  # fmt: skip


def compared(entries: list[Entry]) -> list[Entry]:
    """With what each gains over the first that has steps. Both intervals are of medians, so on a logarithm's scale their half
    widths add as squares: for settings that were measured one after the other, a drift of the machine comes on top."""
    first = next((e for e in entries if e.step_seconds), None)
    if first is None:
        return entries
    by_sample = all(e.samples_per_second for e in entries if e.step_seconds)
    base, half = _rate(first, by_sample=by_sample)
    made = []
    for each in entries:
        if each.step_seconds:
            rate, own = _rate(each, by_sample=by_sample)
            ratio, width = rate / base, math.hypot(half, own)
            interval = None if each is first else (ratio * math.exp(-width), ratio * math.exp(width))
            each = msgspec.structs.replace(each, speedup=ratio, speedup_ci95=interval)
        made.append(each)
    return made


def _rate(each: Entry, *, by_sample: bool) -> tuple[float, float]:
    """(samples or steps per second, half the width of its interval's logarithm)."""
    assert each.step_seconds is not None
    low, high = each.ci95_seconds or (each.step_seconds, each.step_seconds)
    half = math.log(high / low) / 2 if low > 0 else math.inf
    return (each.samples_per_second or 0.0) if by_sample else 1 / each.step_seconds, half
