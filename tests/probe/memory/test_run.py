"""Memory runs of small jobs: what is counted, and that a trace without numbers says the same."""

import subprocess
import sys
from pathlib import Path

import pytest

from narrows.job.environment import environment
from narrows.memory.cache import cache, calls
from narrows.memory.ledger import Rest, ledger, started, taken
from narrows.memory.stream import representative, trains
from tests.probe.memory.running import HEAD, LOOP, MLP, peak, run

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

LINEAR = HEAD + "model = nn.Linear(100, 1000, bias=False)\n"
LSTM = (
    HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(10, 128, 2), nn.Linear(128, 1)
    def forward(self, x):
        return self.head(self.lstm(x.view(20, 32, 10))[0])
model = Net()
"""
)
DATA = (
    HEAD
    + """
from torch.utils.data import DataLoader, TensorDataset
data = TensorDataset(torch.randn(256, 100), torch.randint(0, 10, (256,)))
model = nn.Sequential(nn.Linear(100, 1000), nn.Tanh(), nn.Linear(1000, 10)).to("cpu")
optimizer = torch.optim.Adam(model.parameters())
for epoch in range(9):
    for x, y in DataLoader(data, batch_size=32, shuffle=True):
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss.item() < 0: break
    accuracy = (model(x).argmax(1) == y).float().mean().item()
"""
)
GENERATION = (
    HEAD
    + """
class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(64, 192)
    def forward(self, x, past):
        q, k, v = self.qkv(x).chunk(3, -1)
        if past is not None:
            k, v = torch.cat([past[0], k], 1), torch.cat([past[1], v], 1)
        return (q @ k.transpose(1, 2)).softmax(-1) @ v, (k, v)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([Attention() for _ in range(2)])
    def forward(self, x, pasts):
        for i, block in enumerate(self.blocks):
            x, pasts[i] = block(x, pasts[i])
        return x
model, answers = Net().eval(), []
with torch.inference_mode():
    for prompt in range(3):
        pasts, x = [None, None], torch.randn(4, 8, 64)
        for token in range(20):
            x = model(x, pasts)[:, -1:]
            answers.append(x)
"""
)
FILLED = (
    HEAD
    + """
class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.kv = nn.Linear(64, 128)
        self.register_buffer("keys", torch.zeros(4, 64, 64))
        self.values = torch.zeros(4, 64, 64)
    def forward(self, x, at):
        k, v = self.kv(x).chunk(2, -1)
        self.keys.index_copy_(1, at, k)
        self.values[:, at] = v
        return (x @ self.keys.transpose(1, 2)).softmax(-1) @ self.values
model, x = Attention().eval(), torch.randn(4, 1, 64)
with torch.no_grad():
    for token in range(20):
        x = model(x, torch.tensor([token]))
"""
)
FLEX = (
    HEAD
    + """
from torch.nn.attention.flex_attention import flex_attention
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.Linear(100, 3 * 64)
    def forward(self, x):
        q, k, v = self.up(x).view(1, 64, 3, 4, 16).permute(2, 0, 3, 1, 4)
        return flex_attention(q, k, v, score_mod=lambda score, b, h, i, j: score + (i - j))
model = Net()
with torch.no_grad():  # on a CPU it has no backward pass
    for call in range(9):
        model(torch.randn(64, 100))
"""
)
BY_HAND = (
    HEAD
    + """
model = nn.Linear(100, 10)
for step in range(5000):
    model(torch.randn(64, 100)).square().mean().backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter -= 0.1 * parameter.grad
            parameter.grad = None
"""
)
ROLLOUT = (
    HEAD
    + """
model = nn.Linear(100, 10)
optimizer = torch.optim.Adam(model.parameters())
for update in range(9):
    with torch.no_grad():
        for play in range(700):
            model(torch.randn(1, 100))
    loss = model(torch.randn(64, 100)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
)
LOADED = (
    HEAD
    + """
data = torch.zeros(120_000_000).add(1)[:100_000].clone().view(1000, 100)
model = nn.Linear(100, 10)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for x in data.split(64):
    loss = model(x).square().mean()
    loss.backward()
    optimizer.step()
"""
)
INFERENCE = (
    HEAD
    + """
model = nn.Sequential(nn.Linear(100, 1000), nn.ReLU(), nn.Linear(1000, 10)).eval()
with torch.inference_mode():
    for i in range(20):
        model(torch.randn(64, 100)).argmax(1).tolist()
"""
)


def test_a_step_that_can_be_added_up_by_hand(tmp_path: Path) -> None:
    """One layer and plain gradient descent: weights, gradients, input, output, its square, and what is on the way."""
    stream = representative(run(tmp_path / "job", LINEAR + LOOP.format(optimizer="SGD"), "real"))
    assert stream is not None
    parts = ledger(stream, Rest()).parts
    assert parts["parameters"] == parts["gradients"] == 100 * 1000 * 4 or parts["gradients"] == 0
    assert parts["input"] == 64 * 100 * 4
    assert parts["optimizer"] == 0
    output = 64 * 1000 * 4
    assert output <= parts["activations"] <= 2 * output + 64


def test_views_ties_and_changes_in_place_count_once(tmp_path: Path) -> None:
    tied = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(100, 100, bias=False), nn.Linear(100, 100, bias=False)
        self.two.weight = self.one.weight
    def forward(self, x):
        return self.two(self.one(x).view(-1, 100).add_(1).t().t())
model = Net()
"""
    stream = representative(run(tmp_path / "job", HEAD + tied + LOOP.format(optimizer="Adam"), "real"))
    assert stream is not None
    parts = ledger(stream, Rest()).parts
    assert parts["parameters"] == 100 * 100 * 4
    assert parts["optimizer"] == 2 * 100 * 100 * 4 + 4


@pytest.mark.parametrize(
    "script", [MLP + LOOP.format(optimizer="Adam"), LSTM + LOOP.format(optimizer="SGD"), DATA, INFERENCE],
    ids=["mlp", "lstm", "loader", "inference"],
)  # fmt: skip
def test_a_trace_without_numbers_says_the_same(tmp_path: Path, script: str) -> None:
    real, traced = (peak(run(tmp_path / how, script, how)) for how in ("real", "fake"))
    assert traced == pytest.approx(real, rel=0.01)


@pytest.mark.parametrize("how", ["real", "fake"])
def test_what_a_generation_keeps(tmp_path: Path, how: str) -> None:
    process = run(tmp_path / "job", GENERATION, how)
    found = cache(calls(process))
    assert found is not None
    assert found.bytes_per_call == 2 * 2 * 4 * 64 * 4  # keys and values, layers, sequences, width, float32
    assert len(found.calls) == 20
    stream = representative(process)
    assert stream is not None
    # Up to 27 tokens; of one layer what was there before them, too.
    assert ledger(stream, Rest(), found.storages).parts["cache"] == (27 * 2 + 26) * 2 * 4 * 64 * 4


def test_what_a_generation_has_room_for(tmp_path: Path) -> None:
    found = cache(calls(run(tmp_path / "job", FILLED, "real")))
    assert found is not None
    assert (found.bytes_per_call, len(found.storages), len(found.calls)) == (0, 2, 20)


@pytest.mark.parametrize("script", [INFERENCE, LSTM + LOOP.format(optimizer="SGD")], ids=["inference", "training"])
def test_a_job_that_keeps_nothing_has_no_cache(tmp_path: Path, script: str) -> None:
    assert cache(calls(run(tmp_path / "job", script, "fake"))) is None


@pytest.mark.parametrize("how", ["real", "fake"])
def test_what_the_model_is_given(tmp_path: Path, how: str) -> None:
    process = run(tmp_path / "job", MLP + LOOP.format(optimizer="SGD"), how)
    assert [tuple(step["shape"]) for step in process.events["memory_step"]][-1] == (64, 100)


def test_another_batch(tmp_path: Path) -> None:
    process = run(tmp_path / "job", DATA, "fake", batch="32:64")
    assert process.events["batch_changed"][0]["new"] == 64
    assert process.events["memory_step"][-2]["samples"] == 64


def test_a_loader_of_another_size_keeps_its_own(tmp_path: Path) -> None:
    process = run(tmp_path / "job", DATA, "fake", batch="16:64")
    assert not process.events.get("batch_changed")


def test_the_job_prints_what_it_printed(tmp_path: Path) -> None:
    script = MLP + LOOP.format(optimizer="SGD").replace("range(9)", "range(3)")
    path = tmp_path / "plain.py"
    path.write_text(script)
    plain = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True).stdout
    spool = tmp_path / "spool"
    spool.mkdir()
    told = environment(spool, plan="none", memory="real", memory_steps=40)
    followed = subprocess.run([sys.executable, str(path)], env=told, capture_output=True, text=True, check=True).stdout
    assert followed == plain


def test_an_attention_of_ones_own_runs_as_it_did(tmp_path: Path) -> None:
    """An operator of operators, which torch refuses under a mode that says nothing of them."""
    assert peak(run(tmp_path / "job", FLEX, "real"))


def test_a_job_that_updates_by_hand_comes_to_an_end(tmp_path: Path) -> None:
    process = run(tmp_path / "job", BY_HAND, "real")
    assert len(process.events["memory_step"]) < 20


def test_what_is_played_before_the_first_update_is_not_the_job(tmp_path: Path) -> None:
    process = run(tmp_path / "job", ROLLOUT, "fake")
    assert trains(process)
    assert peak(process) > 64 * 100 * 4


def test_what_was_taken_before_the_first_step_is_told_apart(tmp_path: Path) -> None:
    process = run(tmp_path / "job", LOADED, "plain")
    assert started(process) > taken(process) > 0
    assert started(process) - taken(process) > 200_000_000
