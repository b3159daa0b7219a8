"""What a rank is told to be given: a fingerprint of the first calls, and how many numbers came with each."""

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from narrows.probe import inputs, job  # noqa: E402

pytestmark = pytest.mark.torch


class Spool:
    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []

    def event(self, kind: str, **values: Any) -> None:
        self.told.append((kind, *values.values()))


@pytest.fixture
def spool(monkeypatch: pytest.MonkeyPatch) -> Spool:
    made = Spool()
    monkeypatch.setattr(job, "spool", made)
    monkeypatch.setattr(job, "torch", torch)
    monkeypatch.setattr(inputs, "wanted", 0)
    monkeypatch.setattr(inputs, "several", False)
    inputs.start()
    return made


def test_pictures_with_the_same_border_are_told_apart(spool: Spool) -> None:
    one, other = torch.ones(2, 3, 64, 64), torch.ones(2, 3, 64, 64)
    one[:, :, 20:40, 20:40] = 0
    other[:, :, 20:40, 20:40] = 0.5
    assert inputs.fingerprint(one) != inputs.fingerprint(other)
    assert inputs.fingerprint(one) == inputs.fingerprint(one.clone())


def test_a_few_calls_are_looked_at_and_some_dozens_counted(spool: Spool) -> None:
    for length in range(inputs.COUNTED):
        inputs.note((torch.zeros(2, length + 1),), {"mask": torch.ones(2, length + 1)})
    assert [kind for kind, _ in spool.told].count("inputs") == inputs.LOOKS
    counts = [n for kind, numbers in spool.told if kind == "given" for n in numbers]
    assert counts == [4 * (length + 1) for length in range(inputs.COUNTED)]
    assert inputs.wanted == 0


def test_what_cannot_be_looked_at_is_counted_as_seen(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[BaseException | None] = []
    monkeypatch.setattr(job, "quiet", told.append)
    inputs.note((torch.zeros(3).to_sparse(),), {})
    assert (len(told), inputs.wanted) == (1, inputs.COUNTED - 1)
