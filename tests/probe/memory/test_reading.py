"""What a script reads of tensors without numbers."""

from pathlib import Path

import pytest

from tests.probe.memory.running import LOOP, MLP, run

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

READ = """
loss = model(torch.randn(64, 100)).square().mean()
assert f"{loss:.2f}" == "1.00", f"{loss:.2f}"
assert "{:5.1f} {:d}".format(loss.detach(), torch.tensor(7)) == "  1.0 7"
assert "%.3f" % loss == "1.000"
assert f"{loss}" and f"{loss.view(1)}" and f"{torch.tensor(2.5):.2f}" == "2.50"
assert not torch.equal(loss, model[0].weight) and torch.equal(torch.tensor([1, 2]), torch.tensor([1, 2]))
assert not torch.allclose(loss, loss + 1)
"""


def test_a_number_is_formatted_and_compared(tmp_path: Path) -> None:
    run(tmp_path / "job", MLP + READ + LOOP.format(optimizer="SGD"), "fake")
