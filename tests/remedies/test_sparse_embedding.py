from pathlib import Path

import pytest

from narrows.remedies import sparse_embedding
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.harness import run

SCRIPT = """
import io
import torch
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Embedding(40000, 8), torch.nn.Linear(8, 1, bias=False))
first = net[0].weight.detach().clone()
optimizer = torch.optim.{optimizer}
schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
steps = []
optimizer.register_step_post_hook(lambda *_: steps.append(1))
for step in range(4):
    loss = net(torch.tensor([[step % 2, 2]])).square().sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()
moved = (net[0].weight != first).any(1).nonzero().flatten().tolist()
saved = io.BytesIO()
torch.save(optimizer.state_dict(), saved)
saved.seek(0)
optimizer.load_state_dict(torch.load(saved))
optimizer.step()
print(net[0].weight.grad.is_sparse, len(steps), len(optimizer.param_groups[0]["params"]), *moved)
print(loss.item(), *net[0].weight[2].tolist())
"""
ADAM = "Adam(net.parameters(), lr=0.1)"
TABLE, LOOKUPS = tensor(100_000, 16), tensor(32, dtype="int64")


def job(*, optimizer: str = "Adam", lookups: int = 32) -> fakes.Process:
    rows = tensor(lookups, dtype="int64")
    work = window(
        "ops",
        ops=(
            op(
                "embedding_dense_backward",
                tensor(lookups, 16),
                rows,
                100_000,
                -1,
                False,
                out=TABLE,
                state="backward",
                ms=4.0,
            ),
            op("_fused_adam_", (TABLE,), (TABLE,), (TABLE,), (TABLE,), state="optimizer", ms=4.0),
        ),
    )
    made = {"class": optimizer, "fused": None}
    return process(boundaries(forward=1.0, backward=4.0, optimizer=4.0), work, optimizer=made)


def test_it_is_not_tried_with_an_optimizer_that_cannot_do_it() -> None:
    assert sparse_embedding.candidates(fakes.view(job(optimizer="RMSprop"))) == []
    assert not sparse_embedding.possible(job(optimizer="RMSprop"))
    assert sparse_embedding.possible(job())


def test_it_is_not_tried_where_most_rows_are_looked_up() -> None:
    assert sparse_embedding.candidates(fakes.view(job(lookups=50_000))) == []


def test_it_is_tried_on_a_large_table_with_few_lookups() -> None:
    (found,) = sparse_embedding.candidates(fakes.view(job()))
    assert 0.004 < found.seconds < 0.007


@pytest.mark.torch
@pytest.mark.parametrize("optimizer", ["SGD(net.parameters(), lr=0.1)", "Adagrad(net.parameters(), lr=0.1)"])
def test_plain_updates_are_the_same(tmp_path: Path, optimizer: str) -> None:
    pytest.importorskip("torch")
    script = SCRIPT.replace("{optimizer}", optimizer)
    plain, found = run(tmp_path / "plain", script), run(tmp_path / "job", script, ("sparse-embedding", True))
    assert (plain.output.split()[0], found.output.split()[0]) == ("False", "True")
    assert found.output.split()[1:6] == plain.output.split()[1:6]
    before, after = ([float(x) for x in each.output.splitlines()[1].split()] for each in (plain, found))
    assert after == pytest.approx(before, rel=1e-4)
    assert found.applied[0]["tables"] == 1


@pytest.mark.torch
@pytest.mark.parametrize("name", ["Adam", "AdamW"])
def test_adam_updates_the_rows_that_were_looked_up(tmp_path: Path, name: str) -> None:
    pytest.importorskip("torch")
    script = SCRIPT.replace("{optimizer}", ADAM.replace("Adam", name).replace("lr=0.1", "lr=0.1, weight_decay=0"))
    plain, found = run(tmp_path / "plain", script), run(tmp_path / "job", script, ("sparse-embedding", True))
    words = found.output.splitlines()[0].split()
    assert words[:3] == ["True", "5", "2"]  # one update is one update, and the table is still in the group
    assert words[3:] == ["0", "1", "2"]
    # Row 2 is in each step, so it moves as it did.
    before, after = ([float(x) for x in each.output.splitlines()[1].split()] for each in (plain, found))
    assert after[1:] == pytest.approx(before[1:], rel=2e-2)
    assert found.applied[0]["optimizer"] == name


@pytest.mark.torch
@pytest.mark.parametrize(
    "optimizer",
    [
        "SGD(net.parameters(), lr=0.1, momentum=0.9)",
        "RMSprop(net.parameters())",
        ADAM.replace("0.1", "0.1, amsgrad=True"),
    ],
)
def test_other_optimizers_are_left_alone(tmp_path: Path, optimizer: str) -> None:
    pytest.importorskip("torch")
    found = run(tmp_path / "job", SCRIPT.replace("{optimizer}", optimizer), ("sparse-embedding", True))
    assert found.output.split()[0] == "False"
    assert found.applied == ()
