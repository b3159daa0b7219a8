"""Who wins, with a clock that the calls move."""

from collections.abc import Callable

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.torch, pytest.mark.alone]

from narrows.machine.bench import contest  # noqa: E402
from narrows.machine.bench.contest import Candidate, race  # noqa: E402


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(contest.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(contest.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(contest, "waiting", lambda: 0.0)
    return now


def runner(clock: list[float], *seconds: float) -> Callable[[], Callable[[], object]]:
    """A call that takes these times in turn, and the last of them from then on."""
    left = list(seconds)

    def call() -> None:
        clock[0] += left.pop(0) if len(left) > 1 else left[0]

    return lambda: call


def test_the_fastest_call_of_the_fastest_candidate_counts(clock: list[float]) -> None:
    slow = Candidate(figure="a", work=10.0, make=runner(clock, 0.02))
    fast = Candidate(figure="a", work=10.0, make=runner(clock, 0.05, 0.05, 0.05, 0.05, 0.01))
    assert race([slow, fast], 2.0)[0] == {"a": pytest.approx(1000.0)}


def test_what_fails_is_left_out(clock: list[float]) -> None:
    def broken() -> Callable[[], object]:
        raise RuntimeError("not implemented for 'Half'")

    able = Candidate(figure="b", work=1.0, make=runner(clock, 0.01))
    assert set(race([Candidate(figure="a", work=1.0, make=broken), able], 0.1)[0]) == {"b"}


def test_what_has_no_kernel_gets_no_second_call(clock: list[float]) -> None:
    race([Candidate(figure="a", work=1.0, make=runner(clock, 1.0))], 0.5)
    assert clock[0] == 1.0


def test_what_would_take_too_long_is_not_tried(clock: list[float]) -> None:
    small = Candidate(figure="a", work=1.0, make=runner(clock, 0.01))
    large = Candidate(figure="a", work=1000.0, make=runner(clock, 10.0))
    race([small, large], 0.5)
    assert clock[0] < 1.0
    assert large.rate == 0.0


def test_every_figure_gets_a_turn_even_without_time(clock: list[float]) -> None:
    candidates = [Candidate(figure=name, work=1.0, make=runner(clock, 0.02)) for name in "abcdef"]
    assert set(race(candidates, 0.0)[0]) == set("abcdef")


def test_a_busy_machine_gets_more_time(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = Candidate(figure="a", work=1.0, make=runner(clock, 0.01))
    race([quiet], 1.0, 5.0)
    before = clock[0]
    monkeypatch.setattr(contest, "waiting", lambda: clock[0] / 2)
    _, busy = race([Candidate(figure="a", work=1.0, make=runner(clock, 0.01))], 1.0, 5.0)
    assert busy == pytest.approx(0.5)
    assert before < 2.0
    assert clock[0] - before > 5.0
