"""How long each line stands in a collective: sums, a quick call, and all but each step's longest."""

import pytest

from narrows.probe import exchanges, job, places


class Spool:
    def __init__(self) -> None:
        self.told: list[tuple[str, object]] = []

    def event(self, kind: str, **values: object) -> None:
        self.told.append((kind, values["seen"]))


@pytest.fixture
def spool(monkeypatch: pytest.MonkeyPatch) -> Spool:
    made = Spool()
    monkeypatch.setattr(job, "spool", made)
    monkeypatch.setattr(job, "at_end", [])
    monkeypatch.setattr(exchanges, "_seen", {})
    monkeypatch.setattr(places, "learning", False)
    monkeypatch.setattr(places, "here", lambda: ["train.py", 7, "main"])
    return made


def test_start_up_and_disturbed_steps_are_left_out(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "learning", True)
    exchanges.note("all_reduce", 100)
    monkeypatch.setattr(places, "learning", False)
    monkeypatch.setattr(job, "disturbed", True)
    exchanges.note("all_reduce", 100)
    assert not job.at_end


def test_the_longest_call_of_each_step_is_told_apart(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    for step in range(10):
        monkeypatch.setattr(job, "updates", step)
        for ns in (900, 10, 20, 30):
            exchanges.note("all_reduce", ns)
    (tell,) = job.at_end
    tell()
    assert spool.told == [("exchanges", [["all_reduce", "train.py", 7, 40, 9600, 20, 600]])]


def test_memory_does_not_grow_with_the_job(spool: Spool) -> None:
    for _ in range(10_000):
        exchanges.note("barrier", 5)
    (place,) = exchanges._seen.values()
    assert (place.calls, len(place.first)) == (10_000, exchanges.SAMPLES)
