"""Numbers that are known in a trace, and that are forgotten when what nobody knows has changed them."""

from pathlib import Path

import pytest

from tests.probe.memory.running import LOOP, MLP, run

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

CHANGED = """
unknown = model(torch.randn(64, 100)).mean().detach()
counts, sums = torch.tensor([5, 6]), [torch.tensor([5.0]), torch.tensor([6.0])]
torch._foreach_add_(sums, 1.0)
assert [each.item() for each in sums] == [6.0, 7.0]
torch._foreach_mul_(sums, unknown)
assert [each.item() for each in sums] == [1.0, 1.0], sums  # what is not known is taken for 1
table = torch.tensor([5.0, 6.0, 7.0])
row = table[1:]
row[0] = 8
assert table.tolist() == [5.0, 8.0, 7.0] and row.tolist() == [8.0, 7.0]
row[0] = unknown
assert table.tolist() == [1.0] * 3 and row.tolist() == [1.0] * 2
made = torch.tensor([5.0])
torch.mul(unknown, 2, out=made.view(()))
assert made.item() == 1.0
assert counts.tolist() == [5, 6] and (counts + 1).tolist() == [6, 7]
"""


def test_numbers_go_with_what_changes_them(tmp_path: Path) -> None:
    run(tmp_path / "job", MLP + CHANGED + LOOP.format(optimizer="SGD"), "fake")
