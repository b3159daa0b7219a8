from dataclasses import replace

import pytest

from narrows.ledger.forecast import Calibrated, Known, Link, calibrated, forecast, ring, slowest, step, tree
from narrows.report.forecast import parse_link

LINK = Link(latency=1e-5, bandwidth=1e9)
KNOWN = Known(
    ranks=2, alone=0.1, fixed=0.02, part=1.0, work=0.11, exposed=0.02, bytes=40_000_000, buckets=4, spread=0.0,
    busy=0.12, cores=64,
)  # fmt: skip


def at(
    known: Known, ranks: int, *, part: float = 1.0, model: str = "ring", per_machine: int = 2, link: Link = LINK
) -> float:
    return step(known, calibrated(known, LINK), link, model, ranks, per_machine, part)[0]


def test_two_ranks_exchange_alike_in_every_model() -> None:
    assert ring(2, 1e6, LINK) == tree(2, 1e6, LINK) == pytest.approx(2e-5 + 1e-3)


def test_a_ring_waits_for_each_rank_and_a_tree_for_each_level() -> None:
    assert ring(1024, 0, LINK) == pytest.approx(2046 * 1e-5)
    assert tree(1024, 0, LINK) == pytest.approx(20 * 1e-5)
    assert ring(1024, 1e6, LINK) - ring(1024, 0, LINK) == pytest.approx(2e-3, rel=1e-3)


@pytest.mark.parametrize("exposed", [0.0, 0.005, 0.02, 0.2])
@pytest.mark.parametrize("spread", [0.0, 0.01])
def test_the_run_that_was_seen_is_forecast_as_it_was(exposed: float, spread: float) -> None:
    known = replace(KNOWN, exposed=exposed, spread=spread)
    assert at(known, 2) == pytest.approx(known.work + exposed)


def test_one_rank_is_the_process_alone() -> None:
    assert at(KNOWN, 1) == KNOWN.alone
    assert at(KNOWN, 1, part=0.5) == pytest.approx(0.06)


def test_what_was_hidden_stays_hidden_and_no_more() -> None:
    on_cores = pytest.approx(0.01 / ring(2, 4e7, LINK, 4))
    assert calibrated(KNOWN, LINK) == Calibrated(
        waits=0.0, hidden=pytest.approx(0.02008), last=0.25, factor=1.0, working=pytest.approx(0.11), beside=on_cores,
        on_cores=on_cores,
    )  # fmt: skip
    assert at(KNOWN, 64) - at(KNOWN, 2) == pytest.approx(ring(64, 4e7, LINK, 4) - ring(2, 4e7, LINK, 4))


def test_an_exchange_that_took_longer_than_its_model_takes_as_much_longer_on_more_ranks() -> None:
    slow = replace(KNOWN, exposed=0.08)
    assert calibrated(slow, LINK).factor == pytest.approx(0.08 / 0.04008)
    assert at(slow, 4) == pytest.approx(0.11 + 0.08 / 0.04008 * ring(4, 4e7, LINK, 4))


def test_a_machine_gives_no_more_than_its_cores() -> None:
    small = replace(KNOWN, cores=2)
    assert at(small, 2) == pytest.approx(0.13), "two ranks of 0.12 s fit into two cores"
    exposed = ring(4, 4e7, LINK, 4) - calibrated(small, LINK).hidden
    # The work kept both cores busy: what the exchange needs of them, it needs while nothing else is done.
    assert at(small, 4, per_machine=4) == pytest.approx(4 * 0.11 / 2 + exposed * (1 + 0.01 / 0.02))
    assert at(small, 4, per_machine=2) == pytest.approx(at(KNOWN, 4))


def test_an_exchange_beside_the_work_takes_its_part_of_the_cores() -> None:
    roomy = replace(KNOWN, cores=3)
    hidden, more = calibrated(roomy, LINK).hidden, ring(4, 4e7, LINK, 4)
    on_cores = 0.01 / ring(2, 4e7, LINK, 4)
    taken = 4 * (0.11 + on_cores * hidden) / 3 + (more - hidden) * (1 + on_cores / 3)
    assert at(roomy, 4, per_machine=4) == pytest.approx(taken)


def test_ranks_that_sleep_share_cores_for_nothing() -> None:
    idle = replace(KNOWN, busy=0.01, cores=1)
    assert at(idle, 4, per_machine=4) == at(KNOWN, 4)


def test_a_rank_with_a_machine_for_itself_works_as_if_alone() -> None:
    assert at(KNOWN, 2, per_machine=1) == pytest.approx(0.1 + 0.02)


def test_fewer_samples_on_each_rank_hide_less() -> None:
    weak, strong = at(KNOWN, 8), at(KNOWN, 8, part=1 / 8)
    assert strong < weak
    assert strong - 1.1 * (0.02 + 0.08 / 8) > weak - 0.11, "more of the exchange is exposed"


def test_all_wait_for_the_slowest() -> None:
    assert slowest(1) == 0.0
    assert [round(slowest(n), 2) for n in (2, 4, 1024)] == [0.59, 1.05, 3.23]
    noisy = replace(KNOWN, spread=0.01)
    assert at(noisy, 64) - at(KNOWN, 64) == pytest.approx(0.01 * slowest(64), rel=0.35)


def test_both_scalings_are_told_with_their_efficiency() -> None:
    made = forecast(KNOWN, calibrated(KNOWN, LINK), LINK, [4, 1, 4], per_machine=2, source="measured")
    assert [(r.ranks, r.scaling, r.model) for r in made.rows] == [
        (1, "weak", "ring"), (4, "weak", "ring"), (4, "weak", "tree"), (1, "strong", "ring"), (4, "strong", "ring"), (4, "strong", "tree"),
    ]  # fmt: skip
    one, four = made.rows[0], made.rows[1]
    assert (one.efficiency, one.speedup) == (1.0, 1.0)
    assert four.efficiency == pytest.approx(0.1 / four.step_seconds)
    assert four.speedup == pytest.approx(4 * four.efficiency)
    assert made.rows[4].speedup == pytest.approx(0.1 / made.rows[4].step_seconds)


def test_a_link_is_read_as_people_write_it() -> None:
    assert parse_link("20us,12.5GB/s") == Link(latency=pytest.approx(2e-5), bandwidth=12.5e9)
    with pytest.raises(ValueError, match="20us"):
        parse_link("fast")
