"""From two reports to what a forecast starts from, and what is said where they do not go together."""

from dataclasses import replace as other

import pytest
from msgspec.structs import replace

from narrows.job import watch
from narrows.ledger.forecast import calibrated, step
from narrows.report.forecast import _seen, busy, exchanged, known, spread
from narrows.spool.record import Boundary, Process
from tests import fakes
from tests.report import sample


def test_what_grows_with_the_samples_is_told_from_what_does_not() -> None:
    alone, several = sample.training(), sample.two_ranks()
    assert alone.phases is not None
    found = known(alone, several, size=1000, buckets=1, busy=0.0, spread=0.001)
    grows = sum(sample.SECONDS[cause] for cause in ("input", "bandwidth", "compute")) - alone.phases["optimizer"]
    assert found.alone - found.fixed == pytest.approx(grows)
    assert (found.ranks, found.part, found.exposed) == (2, 1.0, 0.0)


def test_a_rank_that_has_half_of_the_samples_is_seen_to() -> None:
    alone, several = sample.training(), sample.two_ranks()
    assert several.step is not None
    assert several.step.samples_per_second is not None
    half = replace(several, step=replace(several.step, samples_per_second=several.step.samples_per_second / 2))
    assert known(alone, half, size=1, buckets=1, busy=0.0, spread=0.001).part == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("alone", "several", "why"),
    [
        (sample.training(), sample.training(), "one of several ranks: these have 1 and 1"),
        (sample.two_ranks(), sample.two_ranks(), "these have 2 and 2"),
        (sample.no_step(), sample.two_ranks(), "the run of one process has no ledger"),
        (sample.training(), sample.no_ledger(), "the run of several ranks has no ledger"),
        (replace(sample.training(), machine=replace(sample.training().machine, cores=8)), sample.two_ranks(), "different machines"),
    ],
)  # fmt: skip
def test_runs_that_do_not_go_together_are_refused(alone: sample.Report, several: sample.Report, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        known(alone, several, size=1, buckets=1, busy=0.0, spread=0.001)


def test_what_is_exchanged_is_what_the_deep_windows_saw() -> None:
    gradients = fakes.op("c10d::allreduce_", (fakes.tensor(1000),), state="backward", count=4)
    rank = other(
        fakes.process(fakes.boundaries(10, forward=1.0), fakes.window("ops", ops=(gradients,), steps=2)), ranks=2
    )
    assert exchanged([rank]) == (8000, 2)


def test_else_it_is_the_gradients_of_what_was_wrapped() -> None:
    wrapped = {"bytes": 60 << 20, "bucket_bytes": 25 << 20}
    rank = other(fakes.process(fakes.boundaries(10, forward=1.0), parallel=wrapped), ranks=2)
    assert exchanged([rank]) == (60 << 20, 3)
    with pytest.raises(ValueError, match="nothing was seen"):
        exchanged([fakes.process(fakes.boundaries(10, forward=1.0))])


def test_without_a_ceiling_all_that_was_seen_is_the_link() -> None:
    found = other(
        known(sample.training(), sample.two_ranks(), size=10**6, buckets=1, busy=0.0, spread=0.001),
        exposed=0.01,
        spread=0.002,
    )
    link = _seen(found)
    seen = calibrated(found, link)
    assert seen.hidden == pytest.approx(0.0, abs=1e-12)
    assert step(found, seen, link, "ring", 2, 2, 1.0)[0] == pytest.approx(found.work + found.exposed)


def ranks(*slower: tuple[float, float]) -> list[Process]:
    """Two whose steps take as much longer, in ms; the first waits for the second."""
    marks: list[list[Boundary]] = [[], []]
    for own, others in slower:
        marks[0].append(fakes.boundary(forward=10.0 + own, wait=5.0 + others - own))
        marks[1].append(fakes.boundary(forward=10.0 + others, wait=5.0))
    return [other(fakes.process(tuple(each)), rank=number, ranks=2) for number, each in enumerate(marks)]


def test_what_ranks_have_in_common_nobody_waits_for() -> None:
    assert spread(ranks(*[(float(i), float(i)) for i in range(20)])) == pytest.approx(0.0, abs=1e-9)
    assert spread(ranks(*[(0.0, 3.0)] * 20)) == pytest.approx(0.0, abs=1e-9), "always the same rank is no spread"


def test_what_each_has_by_itself_is_its_spread() -> None:
    assert spread(ranks(*[(0.0, 2.0), (2.0, 0.0)] * 10)) == pytest.approx(2e-3 * 1.4826 / 2**0.5)
    assert spread(ranks((0.0, 2.0), (2.0, 0.0))) == 0.0, "of too few steps nothing is said"


def test_how_long_a_step_keeps_cores_busy_is_counted_from_outside() -> None:
    rank = other(fakes.process(fakes.boundaries(40, forward=10.0)), pid=7)
    looks = [watch.Sample(at_ns=at * 10**6, pid=7, ran_ns=at * 15 * 10**5, threads=2) for at in range(5, 400, 50)]
    elsewhere = [watch.Sample(at_ns=at * 10**6, pid=8, ran_ns=0, threads=2) for at in range(5, 400, 50)]
    assert busy([rank], [*looks, *elsewhere]) == pytest.approx(0.015)
    assert busy([rank], elsewhere) == 0.0
