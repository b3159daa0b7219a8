from pathlib import Path

import pytest

from narrows.remedies import prefetch
from tests import fakes
from tests.fakes import boundaries, process
from tests.remedies.harness import run

LOADER = {"workers": 2, "epoch": 0, "persistent": False, "prefetch": 2}
STEP = boundaries(next=2.0, forward=8.0)
WORKER = process((), fetches={"batches": 10, "fetch_ns": 10 * 12_000_000})
SCRIPT = """
import torch
from torch.utils.data import DataLoader
loader = DataLoader(list(range(40)), batch_size=2, num_workers=1)
print(loader.prefetch_factor, DataLoader([1]).prefetch_factor, [batch.tolist() for batch in loader])
"""


@pytest.mark.parametrize("changes", [{"workers": 0, "prefetch": None}, {"prefetch": 8}])
def test_it_is_not_tried_where_nothing_is_to_be_gained(changes: dict[str, object]) -> None:
    assert prefetch.candidates(fakes.view(process(STEP, loader={**LOADER, **changes}))) == []


def test_it_is_not_tried_where_the_workers_cannot_keep_up() -> None:
    view = fakes.view(process(STEP, loader={**LOADER, "workers": 1}), workers=(WORKER,))
    assert prefetch.candidates(view) == []


def test_it_is_tried_where_the_step_waits_for_workers_that_keep_up() -> None:
    found = prefetch.candidates(fakes.view(process(STEP, loader=LOADER), workers=(WORKER,)))
    assert [c.value for c in found] == [4, 8]
    assert all(0 < c.seconds < 0.002 for c in found)


@pytest.mark.torch
def test_the_batches_are_the_same(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    plain = run(tmp_path / "plain", SCRIPT)
    more = run(tmp_path / "more", SCRIPT, ("prefetch", 4))
    assert plain.output.startswith("2 None [[0, 1]")
    assert more.output == plain.output.replace("2 None", "4 None", 1)
    assert more.applied[0]["ahead"] == 4
