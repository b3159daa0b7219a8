"""What collectives would take at the link's ceiling, and what of that nothing can hide."""

import pytest

from narrows.ledger import links
from narrows.ledger.collectives import Collective
from narrows.report.model import Link

GIGA = 1e9
LINK = Link(ranks=2, backend="gloo", latency_seconds=1e-4, bandwidth=GIGA, by_size=[])
LINKS = {"all-reduce": LINK, "point-to-point": LINK}
SPENT = {"forward": 0.002, "backward": 0.004}


def call(kind: str = "all-reduce", *, size: int = 1_000_000, calls: float = 2, state: str = "backward") -> Collective:
    return Collective(kind=kind, bytes=size, dtype="float32", calls=calls, seconds=0.0, state=state, where=None)


def test_each_call_pays_the_latency_and_each_byte_the_bandwidth() -> None:
    assert links.seconds(call(), LINKS) == pytest.approx(2 * (1e-4 + 1e-3))


def test_what_was_not_measured_itself_is_taken_for_its_like_and_nothing_for_nothing() -> None:
    assert links.seconds(call("broadcast"), LINKS) == links.seconds(call(), LINKS)
    assert links.seconds(call("all-gather"), LINKS) is None
    assert links.seconds(call(), None) is None
    assert links.total([call(), call("all-gather")], LINKS) is None
    assert links.total([], LINKS) is None
    assert links.total([call(), call()], LINKS) == pytest.approx(4.4e-3)


def test_the_floor_is_what_the_backward_cannot_hide() -> None:
    assert links.floor([call(calls=3)], LINKS, SPENT) == 0
    assert links.floor([call(calls=10)], LINKS, SPENT) == pytest.approx(0.006)
    assert links.floor([call(calls=10)], None, SPENT) == 0


def test_parameters_that_are_gathered_can_hide_behind_the_forward_too() -> None:
    gathered = {**LINKS, "all-gather": LINK}
    assert links.floor([call("all-gather", calls=10, state="wait")], gathered, SPENT) == pytest.approx(0.004)
