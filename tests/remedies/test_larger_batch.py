from pathlib import Path

import pytest

from narrows.remedies import larger_batch
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.answering import answering
from tests.remedies.harness import run

SCRIPT = """
import torch
from torch.utils.data import DataLoader, TensorDataset
data = TensorDataset(torch.ones({length}, 2))
shuffled = DataLoader(data, batch_size=4, shuffle=True)
again = DataLoader(data, batch_size=shuffled.batch_size, shuffle=True)
ordered = DataLoader(data, batch_size=4)
print(shuffled.batch_size, again.batch_size, ordered.batch_size, next(iter(shuffled))[0].shape[0])
"""
LOADER = {"workers": 0, "batch_size": 4, "batches": 100}
SMALL = window("ops", ops=tuple(op("relu", tensor(8, 8 + i), out=tensor(8, 8 + i), ms=0.02) for i in range(50)))
LARGE = window("ops", ops=(op("mm", tensor(1024, 1024), tensor(1024, 1024), out=tensor(1024, 1024), ms=12.0),))


@pytest.mark.parametrize("loader", [{}, {**LOADER, "batch_size": None}, {**LOADER, "batches": 3}])
def test_it_is_not_tried_without_a_loader_that_could_give_more(loader: dict[str, object]) -> None:
    job = process(boundaries(forward=2.0, optimizer=1.0), SMALL, loader=loader)
    assert larger_batch.candidates(fakes.view(job)) == []


def test_it_is_not_tried_where_all_time_is_arithmetic_or_nothing_is_learned() -> None:
    assert larger_batch.candidates(fakes.view(process(boundaries(forward=12.0), LARGE, loader=LOADER))) == []
    assert larger_batch.candidates(answering(SMALL, forward=2.0, loader=LOADER)) == []


def test_it_is_tried_where_steps_have_a_fixed_cost() -> None:
    found = larger_batch.candidates(fakes.view(process(boundaries(forward=2.0, optimizer=1.0), SMALL, loader=LOADER)))
    assert [c.value for c in found] == [2, 4]
    assert found[0].seconds < found[1].seconds < 0.003


@pytest.mark.torch
def test_batches_for_learning_are_larger_once(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    found = run(tmp_path / "job", SCRIPT.replace("{length}", "100"), ("larger-batch", 2))
    assert found.output.split() == ["8", "8", "4", "8"]
    assert [e["batch_size"] for e in found.applied] == [8]


@pytest.mark.torch
def test_a_dataset_of_a_few_batches_is_left_alone(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    found = run(tmp_path / "job", SCRIPT.replace("{length}", "20"), ("larger-batch", 2))
    assert found.output.split() == ["4"] * 4
    assert found.applied == ()
