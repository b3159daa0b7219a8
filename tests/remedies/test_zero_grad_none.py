from pathlib import Path

import pytest

from narrows.remedies import zero_grad_none
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.harness import run

STEP = boundaries(forward=8.0, tail=2.0)
ZERO = op("zero_", tensor(512, 512), out=tensor(512, 512), state="tail", ms=1.0, where=("/train.py", 9))
SCRIPT = """
import torch
torch.manual_seed(0)
net = torch.nn.ModuleDict({"a": torch.nn.Linear(4, 1), "b": torch.nn.Linear(4, 1)})
optimizer = torch.optim.AdamW(net.parameters(), lr=0.1, weight_decay=0.1)
dropped = []
for step in range(6):
    if step % 2:
        optimizer.zero_grad(set_to_none=False)
    else:
        net.zero_grad(False)
    dropped.append(net["a"].weight.grad is None)
    if step == 3:
        optimizer.zero_grad()
    # b is not used in each step: it has a gradient of zero then, and is decayed and moved
    (net["a"](torch.ones(2, 4)).sum() + (net["b"](torch.ones(2, 4)).sum() if step < 2 else 0)).backward()
    optimizer.step()
print(*(round(x, 6) for p in net.parameters() for x in p.flatten().tolist()))
print("dropped", dropped)
"""


@pytest.mark.parametrize("ops", [(), (op("zero_", tensor(4), out=tensor(4), state="forward", ms=1.0),)])
def test_it_is_not_tried_where_no_gradients_are_zeroed(ops: tuple[fakes.Op, ...]) -> None:
    assert zero_grad_none.candidates(fakes.view(process(STEP, window("ops", ops=ops)))) == []


def test_it_is_tried_where_they_are() -> None:
    (found,) = zero_grad_none.candidates(fakes.view(process(STEP, window("ops", ops=(ZERO,)))))
    assert 0 < found.seconds < 0.003


@pytest.mark.torch
def test_parameters_are_the_same_even_those_that_are_not_used_in_each_step(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    plain = run(tmp_path / "plain", SCRIPT)
    none = run(tmp_path / "none", SCRIPT, ("zero-grad-none", True))
    assert plain.output.splitlines()[1] == "dropped [True, False, False, False, False, False]"
    assert none.output.splitlines()[1] == "dropped [True, True, True, True, True, True]"
    assert none.output.splitlines()[0] == plain.output.splitlines()[0]
    assert len(none.applied) == 1
