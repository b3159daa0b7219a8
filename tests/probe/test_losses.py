"""How the loss went, in a bounded number of means."""

import importlib
from typing import Any

import pytest

from narrows.probe import job, losses


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Any:
    fresh = importlib.reload(losses)
    events: list[dict[str, Any]] = []

    class Spool:
        def event(self, kind: str, **values: Any) -> None:
            events.append({"k": kind, **values})

    monkeypatch.setattr(job, "spool", Spool())
    monkeypatch.setattr(job, "at_end", [])

    def tell() -> list[list[float]]:
        for call in job.at_end:
            call()
        return events[-1]["seen"] if events else []

    yield fresh, tell
    importlib.reload(losses)


def test_a_few_losses_are_kept_as_they_are(told: Any) -> None:
    fresh, tell = told
    for update, loss in enumerate([3.0, 2.0, 1.0]):
        fresh.note(update, loss)
    assert tell() == [[0, 3.0], [1, 2.0], [2, 1.0]]


def test_many_are_means_over_longer_stretches(told: Any) -> None:
    fresh, tell = told
    for update in range(5000):
        fresh.note(update, 1.0 if update < 2500 else 0.5)
    seen = tell()
    assert 128 < len(seen) < fresh.MOST
    assert {loss for update, loss in seen if update < 2400} == {1.0}
    assert {loss for update, loss in seen if update > 2600} == {0.5}
    assert seen[-1][0] > 4900


def test_a_loss_that_is_no_number_is_left_out(told: Any) -> None:
    fresh, tell = told
    fresh.note(0, float("nan"))
    fresh.note(1, 1.0)
    assert tell() == [[1, 1.0]]


def test_a_job_without_a_loss_says_nothing(told: Any) -> None:
    _, tell = told
    assert tell() == []
