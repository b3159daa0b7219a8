from pathlib import Path

import pytest

from narrows.remedies import int8_dynamic
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.answering import answering
from tests.remedies.harness import run

SCRIPT = """
import torch
torch.manual_seed(0)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = torch.nn.Linear(64, 64), torch.nn.Linear(64, 4)

    def forward(self, x):
        return self.second({call})


net = Net().eval()
with torch.no_grad():
    for _ in range(4):
        output = net(torch.ones(2, 64))
print(*(round(x, 4) for x in output.flatten().tolist()))
"""
LATER = """
for later in {later}:
    torch.manual_seed(1)
    net = Net().eval()
    with torch.no_grad():
        net(torch.ones(2, 64))
    exec(later)
    with torch.no_grad():
        print(*(round(x, 4) for x in net(torch.ones(2, 64)).flatten().tolist()))
    print(*net.state_dict(), type(net.first).__module__, len(list(net.parameters())))
"""
CHANGES = (
    "net.load_state_dict({name: value + 1 for name, value in net.state_dict().items()})",
    "for p in net.parameters(): p.data.mul_(-1)",
    "net.first = torch.nn.Linear(64, 64); net.second = torch.nn.Linear(64, 4); net.first.weight.data.zero_()",
    "net.train(); net(torch.ones(2, 64)).sum().backward(); torch.optim.SGD(net.parameters(), 0.1).step()",
)
MODEL = {"class": "Net", "dtypes": {"float32": 100}}
A = tensor(1024, 1024)


def test_it_is_not_tried_on_a_job_that_trains() -> None:
    work = window("ops", ops=(op("mm", A, A, out=A, ms=12.0),))
    assert int8_dynamic.candidates(fakes.view(process(boundaries(forward=12.0, backward=2.0), work, model=MODEL))) == []


def test_it_is_not_tried_where_there_are_no_products() -> None:
    work = window("ops", ops=(op("relu", A, out=A, ms=12.0),))
    assert int8_dynamic.candidates(answering(work, forward=12.0, model=MODEL)) == []


def test_it_is_tried_on_products_of_a_model_that_answers() -> None:
    work = window("ops", ops=(op("mm", A, A, out=A, ms=12.0),))
    (found,) = int8_dynamic.candidates(answering(work, forward=12.0, model=MODEL))
    assert 0.005 < found.seconds < 0.007


def numbers(text: str) -> list[float]:
    return [float(x) for x in text.split()]


@pytest.mark.torch
def test_layers_answer_in_int8_and_the_model_stays_what_it_is(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    text = SCRIPT.replace("{call}", "self.first(x).relu()")
    script = text + LATER.replace("{later}", repr(("import copy; net = copy.deepcopy(net)", *CHANGES)))
    plain, found = run(tmp_path / "plain", script), run(tmp_path / "job", script, ("int8-dynamic", True))
    before, after = plain.output.splitlines(), found.output.splitlines()
    assert after[0] != before[0]
    for one, other in zip(before[:2], after[:2], strict=True):
        assert numbers(other) == pytest.approx(numbers(one), abs=0.05)
    assert after[2:] == before[2:]  # with other weights than before, it answers as it is
    assert [each["layers"] for each in found.applied] == [2] * 7
    assert len(found.not_applied) == 3


@pytest.mark.torch
def test_a_forward_that_takes_the_weights_out_of_its_layers_finds_them(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    script = SCRIPT.replace("{call}", "(x @ self.first.weight.T)")
    plain, found = run(tmp_path / "plain", script), run(tmp_path / "job", script, ("int8-dynamic", True))
    assert numbers(found.output) == pytest.approx(numbers(plain.output), abs=0.05)


@pytest.mark.torch
@pytest.mark.parametrize("inside", [0, 1])
def test_it_is_used_where_another_remedy_turns_gradients_off(tmp_path: Path, inside: int) -> None:
    pytest.importorskip("torch")
    script = SCRIPT.replace("{call}", "self.first(x).relu()").replace("torch.no_grad()", "torch.enable_grad()")
    remedies: list[tuple[str, object]] = [("inference-mode", "no_grad"), ("int8-dynamic", True)]
    plain = run(tmp_path / "plain", script)
    found = run(tmp_path / "job", script, remedies[inside], remedies[1 - inside])
    assert found.output != plain.output
    assert numbers(found.output) == pytest.approx(numbers(plain.output), abs=0.05)
