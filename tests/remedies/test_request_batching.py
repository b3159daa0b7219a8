from pathlib import Path

import pytest

from narrows.remedies import request_batching
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.answering import answering
from tests.remedies.harness import run

SCRIPT = """
import torch
from torch.utils.data import DataLoader, Dataset
torch.manual_seed(3)


class Set(Dataset):
    def __len__(self):
        return 23

    def __getitem__(self, index):
        if index in broken:
            raise KeyError("seven")
        return torch.full((3 + (index > 15), 4), float(index)), index


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.drop = torch.nn.Linear(4, 2), torch.nn.Dropout(0.5)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x, half=False):
        calls.append(len(x))
        {forward}
        return {"out": self.drop(self.layer(x)).mean(1), "half": half}


calls, broken, kept, answers = [], [], [], []
net = Net().eval()
loader = DataLoader(Set(), batch_size={size})
{before}
with torch.no_grad():
    for turn in range(2):
        for x, number in loader:
            {given}
            answer = net(x, half=turn == 1)["out"]
            answers.append([round(a, 5) for a in answer.flatten().tolist()])
            answer.zero_()
print(answers, net.calls.item(), len(kept))
print(calls)
"""
PLAIN = {"size": "1", "before": "", "given": "x = x.to('cpu')", "forward": ""}
LOADER = {"workers": 0, "batch_size": 1, "batches": 100}
SMALL = window("ops", ops=tuple(op("relu", tensor(1, 8 + i), out=tensor(1, 8 + i), ms=0.02) for i in range(50)))
LARGE = window("ops", ops=(op("mm", tensor(1024, 1024), tensor(1024, 1024), out=tensor(1024, 1024), ms=12.0),))


def script(**changes: str) -> str:
    text = SCRIPT
    for name, value in {**PLAIN, **changes}.items():
        text = text.replace("{" + name + "}", value)
    return text


@pytest.mark.parametrize("loader", [{}, {**LOADER, "batch_size": 64}, {**LOADER, "batches": 9}])
def test_it_is_not_tried_without_a_loader_of_many_single_requests(loader: dict[str, object]) -> None:
    assert request_batching.candidates(answering(SMALL, forward=2.0, loader=loader)) == []


def test_it_is_not_tried_where_something_learns_or_all_is_arithmetic() -> None:
    assert request_batching.candidates(fakes.view(process(boundaries(forward=2.0), SMALL, loader=LOADER))) == []
    assert request_batching.candidates(answering(SMALL, forward=2.0, loader=LOADER, optimizer={"who": 0})) == []
    assert request_batching.candidates(answering(LARGE, forward=12.0, loader=LOADER)) == []


def test_it_is_tried_where_calls_have_a_fixed_cost() -> None:
    found = request_batching.candidates(answering(SMALL, forward=2.0, loader=LOADER))
    assert [c.value for c in found] == [8, 32]
    assert 0 < found[0].seconds < found[1].seconds < 0.002


@pytest.mark.torch
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"forward": "x = x - x.mean(0)"}, "differ"),
        ({"forward": "x = x + len(calls)"}, "differ"),
        ({"forward": "self.calls += 1"}, "leaves something"),
        ({"forward": "self.seen = x"}, "leaves something"),
        ({"before": "net.layer.register_forward_hook(lambda *seen: kept.append(seen))"}, "looks at"),
        ({"before": "net.train()"}, "training mode"),
        ({"before": "torch.optim.SGD(net.parameters(), lr=0.1)"}, "optimizer"),
        ({"given": "x *= 2"}, "was changed"),
        ({"given": "x = x + 1"}, "not given the tensors"),
        ({"before": "loader = [(x, 0) for x in torch.randn(23, 1, 3, 4)]"}, "not given the tensors"),
        ({"size": "8"}, "not given the tensors"),
    ],
)
def test_models_that_would_answer_otherwise_answer_as_they_did(
    tmp_path: Path, changes: dict[str, str], why: str
) -> None:
    pytest.importorskip("torch")
    text = script(**changes)
    if why == "not given the tensors":
        text = text.replace("range(2)", "range(6)")
    found = run(tmp_path / "job", text, ("request-batching", 8))
    assert [why in e["why"] for e in found.not_applied] == [True]
    assert found.applied == ()
    if "len(calls)" not in text:  # there it answers what it would have answered a call later
        plain = run(tmp_path / "plain", text)
        assert found.output.splitlines()[0] == plain.output.splitlines()[0]


@pytest.mark.torch
def test_answers_are_the_same_from_fewer_calls(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    text = script()
    plain, found = run(tmp_path / "plain", text), run(tmp_path / "job", text, ("request-batching", 4))
    assert found.output.splitlines()[0] == plain.output.splitlines()[0]
    calls = [int(n) for n in found.output.splitlines()[1].strip("[]").split(",")]
    # Each kind of call is made one by one at first; then there are groups of 4 of the same shape.
    assert (calls[0], calls[1:5]) == (4, [1, 1, 1, 1])
    assert len(calls) < 46
    assert [e["requests"] for e in found.applied] == [4]
    assert found.not_applied == ()


@pytest.mark.torch
def test_other_weights_and_errors_come_where_they_did(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    text = script(
        given="len(answers) == 9 and net.load_state_dict({k: v + 1 for k, v in net.state_dict().items()})",
    )
    text += """
broken.append(7)
seen, batches = [], iter(loader)
while True:
    try:
        x, number = next(batches)
        seen.append([number.item(), net(x)["out"].sum().item().__round__(5)])
    except KeyError as error:
        seen.append(repr(error))
    except StopIteration:
        break
print(seen)
"""
    plain, found = run(tmp_path / "plain", text), run(tmp_path / "job", text, ("request-batching", 4))
    assert found.output.splitlines()[::2] == plain.output.splitlines()[::2]
    assert found.applied
