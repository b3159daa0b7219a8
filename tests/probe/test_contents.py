"""Which datasets are known to hold the same samples, and which are not known at all."""

from typing import Any

import pytest

torch = pytest.importorskip("torch")
np = pytest.importorskip("numpy")

from torch.utils.data import ConcatDataset, Dataset, Subset, TensorDataset  # noqa: E402

from narrows.probe import contents, job  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.fixture(autouse=True)
def _torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "torch", torch)


class Holds(Dataset[Any]):
    def __init__(self, length: int, **held: Any) -> None:
        self.length = length
        vars(self).update(held)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> int:
        raise AssertionError("no sample is asked for")


def drawn(seed: int) -> TensorDataset:
    torch.manual_seed(seed)
    return TensorDataset(torch.randn(100, 8), torch.randn(100))


def test_the_same_tensors_are_known_and_others_are_others() -> None:
    assert contents.fingerprint(drawn(0)) == contents.fingerprint(drawn(0)) is not None
    assert contents.fingerprint(drawn(0)) != contents.fingerprint(drawn(1))


def test_a_rank_that_has_its_own_part_has_another_content() -> None:
    every = drawn(0)
    parts = [contents.fingerprint(Subset(every, range(rank, 100, 2))) for rank in (0, 1)]
    assert None not in parts
    assert parts[0] != parts[1]
    files = [f"{i}.png" for i in range(100)]
    parts = [contents.fingerprint(Holds(50, files=files[rank::2])) for rank in (0, 1)]
    assert None not in parts
    assert parts[0] != parts[1]


def test_lists_arrays_and_chains_are_known() -> None:
    for held in (
        {"files": [("a.png", 1), ("b.png", 0)]}, {"x": np.zeros((2, 3), dtype="float32")}, {"x": torch.zeros(2, 3).t()[:2]},
    ):  # fmt: skip
        one, other = (contents.fingerprint(Holds(2, **held)) for _ in range(2))
        assert one == other is not None
    chain = ConcatDataset([drawn(0), drawn(1)])
    assert contents.fingerprint(chain) == contents.fingerprint(ConcatDataset([drawn(0), drawn(1)])) is not None


def test_what_makes_its_samples_or_holds_something_else_is_not_known() -> None:
    assert contents.fingerprint(Holds(10)) is None
    assert contents.fingerprint(Holds(2, files=["a", "b", "c"])) is None, "of another length: no list of samples"
    assert contents.fingerprint(Holds(2, held=[object(), object()])) is None
    assert contents.fingerprint(Subset(Holds(10), [0, 1])) is None


def test_a_dataset_that_does_not_say_how_long_it_is_is_not_known() -> None:
    assert contents.fingerprint(object()) is None
