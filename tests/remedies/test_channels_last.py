from pathlib import Path

import pytest

from narrows.remedies import channels_last
from narrows.spool.record import Op
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.harness import run

STEP = boundaries(forward=8.0, optimizer=1.0)
SCRIPT = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.norm, self.drop = nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.Dropout(0.5)
        self.second, self.head = nn.Conv2d(4, 4, 3, padding=1), nn.Linear(64, 2)
    def forward(self, x):
        layouts.append(x.is_contiguous(memory_format=torch.channels_last))
        x = self.norm(self.first(x))
        x = self.second(self.drop(x) if views else x).relu()
        return (self.head(x.view(len(x), -1)) if views else self.head(x.flatten(1))), x

for views in (False, True):
    torch.manual_seed(0)
    layouts, losses, net = [], [], Net()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01, fused=True)
    for _ in range(3):
        optimizer.zero_grad()
        answer, image = net(torch.randn(2, 3, 4, 4))
        loss = answer.square().mean() + image.view(2, -1).mean()
        loss.backward()
        optimizer.step()
        losses.append(round(loss.item(), 4))
    net.eval()
    print(losses, [round(x, 3) for x in net.norm.running_mean.tolist()], net.norm.num_batches_tracked.item())
    print("layouts", layouts, net.second.weight.is_contiguous())
"""


def convolution(layout: str, ms: float = 6.0) -> Op:
    return op("convolution", tensor(8, 16, 32, 32, layout=layout), tensor(16, 16, 3, 3), None, (1, 1), (1, 1), (1, 1),
              False, (0, 0), 1, out=tensor(8, 16, 32, 32), ms=ms)  # fmt: skip


@pytest.mark.parametrize("ops", [(op("mm", tensor(512, 512), tensor(512, 512), out=tensor(512, 512), ms=6.0),),
                                 (convolution("l"),), (convolution("c", ms=0.2),)])  # fmt: skip
def test_it_is_not_tried_where_there_is_nothing_to_lay_out(ops: tuple[Op, ...]) -> None:
    assert channels_last.candidates(fakes.view(process(STEP, window("ops", ops=ops)))) == []


def test_it_is_tried_where_images_are_convolved() -> None:
    (found,) = channels_last.candidates(fakes.view(process(STEP, window("ops", ops=(convolution("c"),)))))
    assert 0 < found.seconds < 0.006


@pytest.mark.torch
def test_losses_are_the_same_and_a_model_that_asks_for_a_view_is_left_alone(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    plain = run(tmp_path / "plain", SCRIPT).output.splitlines()
    last = run(tmp_path / "last", SCRIPT, ("channels-last", True))
    said = last.output.splitlines()
    assert (said[0], said[2]) == (plain[0], plain[2])
    assert said[1] == "layouts [True, True, True] True"
    assert said[3] == "layouts [True, False, False, False] True"
    assert last.applied[0]["model"] == "Net"
    assert "view" in last.not_applied[0]["why"]


SAVED = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.ConvTranspose2d(4, 5, 3, padding=1)
        self.head = nn.Linear(80, 2)
    def forward(self, x):
        x = self.second(self.first(x)).relu()
        layouts.append(x.is_contiguous(memory_format=torch.channels_last))
        return self.head(x.view(len(x), -1) if not self.training else x.flatten(1))

torch.manual_seed(0)
layouts, net = [], Net()
optimizer = torch.optim.AdamW(net.parameters(), lr=0.01, fused=True)
def learn():
    for _ in range(2):
        optimizer.zero_grad()
        net(torch.randn(2, 3, 4, 4)).square().mean().backward()
        optimizer.step()
learn()
held = [*net.state_dict().values(), *(p.grad for p in net.parameters())]
held += [v for state in optimizer.state_dict()["state"].values() for v in state.values()]
print(all(each.is_contiguous() for each in held), torch.nn.utils.parameters_to_vector(net.parameters()).shape)
net.eval()
with torch.no_grad():
    net(torch.randn(2, 3, 4, 4))  # asks for a view
net.train()
learn()
print([round(p.double().sum().item(), 4) for p in net.parameters()])
print(layouts)
"""


@pytest.mark.torch
def test_parameters_and_state_stay_as_they_were_also_where_it_ends_in_mid_training(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    plain = run(tmp_path / "plain", SAVED).output.splitlines()
    last = run(tmp_path / "last", SAVED, ("channels-last", True))
    said = last.output.splitlines()
    assert said[:2] == plain[:2]
    assert said[0].startswith("True")
    assert said[2] == "[True, True, True, False, False, False]"
    assert len(last.not_applied) == 1
