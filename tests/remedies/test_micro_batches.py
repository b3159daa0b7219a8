from pathlib import Path
from typing import Any

import pytest

from narrows.remedies import micro_batches
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.answering import answering
from tests.remedies.harness import run

SCRIPT = """
import torch
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(3)
net = torch.nn.Sequential(torch.nn.Linear(6, 8), {norm}torch.nn.Tanh(), torch.nn.Linear(8, 1))
data = TensorDataset(torch.randn(37, 6), torch.randn(37, 1), torch.arange(37))
loader = DataLoader(data, batch_size=8, shuffle=True, drop_last={drop})
optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.05, total_steps=2 * len(loader))
per_epoch = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
seen, sizes = [], []
{before}
for epoch in range(2):
    for x, y, number in loader:
        seen += number.tolist()
        sizes.append(len(x))
        {zero}
        loss = torch.nn.functional.mse_loss(net(x), y)
        {backward}
        torch.nn.utils.clip_grad_norm_(net.parameters(), 0.3)
        {step}
        schedule.step()
    per_epoch.step()
with torch.no_grad():
    whole = [len(x) for x, _, _ in loader]
print(seen)
print(*(round(p.double().sum().item(), 5) for p in net.parameters()), schedule.last_epoch, per_epoch.last_epoch)
print(sizes, whole)
print(len(loader), getattr(schedule, 'total_steps', None))
"""
PLAIN = {"norm": "", "drop": "False", "before": "", "zero": "optimizer.zero_grad()", "backward": "loss.backward()",
         "step": "optimizer.step()"}  # fmt: skip
LOADER = {"workers": 0, "batch_size": 8, "batches": 100}
MEMORY = {"rss_peak": 4 << 30, "device_peak": None, "parameters": 1 << 28, "gradients": 1 << 28, "optimizer": 0}
SMALL = window("ops", ops=tuple(op("relu", tensor(8, 8 + i), out=tensor(8, 8 + i), ms=0.02) for i in range(50)))


def script(**changes: str) -> str:
    text = SCRIPT
    for name, value in {**PLAIN, **changes}.items():
        text = text.replace("{" + name + "}", value)
    return text


def test_it_is_not_tried_where_nothing_learns_or_weights_take_the_memory() -> None:
    assert micro_batches.candidates(answering(SMALL, forward=2.0, loader=LOADER, memory=MEMORY)) == []
    full = {**MEMORY, "optimizer": 3 << 30}
    assert micro_batches.candidates(fakes.view(process(boundaries(forward=2.0), loader=LOADER, memory=full))) == []


@pytest.mark.parametrize("loader", [[], {**LOADER, "batch_size": None}, {**LOADER, "batch_size": 7}])
def test_it_is_not_tried_without_a_batch_that_has_parts(loader: Any) -> None:
    job = process(boundaries(forward=2.0), loader=loader, memory=MEMORY)
    assert micro_batches.candidates(fakes.view(job)) == []


def test_it_is_only_for_batches_of_a_loader_from_which_an_optimizer_learns() -> None:
    learns = {"class": "SGD"}
    assert not micro_batches.possible(process(boundaries(forward=2.0), optimizer=learns))
    assert not micro_batches.possible(process(boundaries(forward=2.0), loader=LOADER))
    assert micro_batches.possible(process(boundaries(forward=2.0), loader=LOADER, optimizer=learns))


def test_it_is_not_tried_with_batch_normalisation() -> None:
    norm = window("ops", ops=(op("native_batch_norm", tensor(8, 8), out=tensor(8, 8), ms=1.0),))
    job = process(boundaries(forward=2.0), norm, loader=LOADER, memory=MEMORY)
    assert micro_batches.candidates(fakes.view(job)) == []


def test_it_costs_what_ops_cost_whatever_their_size() -> None:
    job = process(boundaries(forward=2.0), SMALL, loader=LOADER, memory=MEMORY)
    found = micro_batches.candidates(fakes.view(job))
    assert [c.value for c in found] == [2, 4]
    assert found[1].seconds < found[0].seconds < 0
    assert (micro_batches.beyond(4), micro_batches.beyond(32)) == ([8], [])


@pytest.mark.torch
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"norm": "torch.nn.BatchNorm1d(8), "}, "batch normalisation"),
        ({"before": "other = torch.optim.SGD(net.parameters(), lr=0)"}, "several optimizers"),
        ({"before": "scaler = torch.amp.GradScaler('cpu')"}, "scaled"),
        ({"before": "other = DataLoader(data.tensors[0], shuffle=True)"}, "several loaders"),
        ({"before": "optimizer = torch.optim.LBFGS(net.parameters()); del schedule, per_epoch\n"
                    "schedule = per_epoch = torch.optim.lr_scheduler.StepLR(optimizer, 9)",
          "step": "optimizer.step(lambda: torch.nn.functional.mse_loss(net(x), y))"}, "calls the model again"),
        ({"before": "loader = DataLoader(data, batch_size=9, shuffle=True)"}, "equal parts"),
        ({"before": "loader = DataLoader(data, batch_size=8)"}, "no DataLoader"),
    ],
)  # fmt: skip
def test_jobs_where_it_would_not_be_the_same_run_as_they_are(tmp_path: Path, changes: dict[str, str], why: str) -> None:
    pytest.importorskip("torch")
    text = script(**changes)
    plain, found = run(tmp_path / "plain", text), run(tmp_path / "job", text, ("micro-batches", 2))
    assert found.output == plain.output
    assert found.applied == ()
    assert [why in e["why"] for e in found.not_applied] == [True]


@pytest.mark.torch
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"step": "optimizer.step(lambda: loss)"}, "calls the model again"),
        ({"backward": "for p, g in zip(net.parameters(), torch.autograd.grad(loss, list(net.parameters()))): p.grad = g"},
         "no backward"),
        ({"step": "len(sizes) % 2 or optimizer.step()"}, "several batches for an update"),
        ({"step": "[p.grad.mul_(0.5) for p in net.parameters()]; optimizer.step()"}, "are changed"),
        ({"step": "optimizer.step(); net(x).mean().backward(); optimizer.step()"}, "several updates"),
        ({"backward": "(net(x) - y).square().backward(torch.ones(len(x), 1))"}, "no loss"),
    ],
)  # fmt: skip
def test_what_is_only_seen_on_the_way_ends_with_the_first_batch(
    tmp_path: Path, changes: dict[str, str], why: str
) -> None:
    pytest.importorskip("torch")
    text = script(**changes)
    plain, found = run(tmp_path / "plain", text), run(tmp_path / "job", text, ("micro-batches", 2))
    assert [why in e["why"] for e in found.not_applied] == [True]
    (_, learned, before, _), (_, as_learned, sizes, _) = plain.output.splitlines(), found.output.splitlines()
    assert sizes.count("8") - before.count("8") in (0, -1)
    if why in ("calls the model again", "no backward"):  # what can be told before anything was learned
        assert as_learned == learned


@pytest.mark.torch
@pytest.mark.parametrize(
    "changes",
    [
        {"zero": "", "step": "optimizer.step(); net.zero_grad()"},
        {"drop": "True", "backward": "(loss / 2).backward(retain_graph=True); (loss / 2).backward(torch.ones(()))"},
    ],
)
def test_updates_are_the_same_in_parts(tmp_path: Path, changes: dict[str, str]) -> None:
    pytest.importorskip("torch")
    text = script(**changes)
    plain = run(tmp_path / "plain", text)
    seen, learned, sizes, _ = plain.output.splitlines()
    for parts in (2, 4):
        found = run(tmp_path / f"job{parts}", text, ("micro-batches", parts))
        again, as_learned, sizes, lengths = found.output.splitlines()
        assert again == seen
        assert [float(x) for x in as_learned.split()] == pytest.approx([float(x) for x in learned.split()], abs=3e-5)
        assert sizes.startswith(f"[{8 // parts}, {8 // parts},")
        assert sizes.endswith("[8, 8, 8, 8]" if changes.get("drop") else "[8, 8, 8, 8, 5]")
        assert lengths.split() == [str(sizes.split("]")[0].count(",") // 2 + 1), "8" if changes.get("drop") else "10"]
        assert (len(found.applied), found.not_applied) == (1, ())


@pytest.mark.torch
def test_a_trial_sees_updates_samples_and_losses_of_whole_batches(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from narrows.ledger.steps import steps
    from narrows.spool.read import read

    told = {"NARROWS_PROBE": "plan=none,curve=1,seed=0"}
    seen = []
    for name, *remedies in (("plain",), ("job", ("micro-batches", 4))):
        run(tmp_path / name, script(), *remedies, **told)
        (spool,) = read(tmp_path / name / "spool")
        every = steps(spool.boundaries).steps
        losses = [float(x) for x in spool.last("curve")["losses"]]
        seen.append(([(s.samples, s.batches) for s in every], losses))
    assert seen[0][0] == seen[1][0]
    assert len(seen[0][1]) == 10
    assert seen[1][1] == pytest.approx(seen[0][1], rel=1e-4)


@pytest.mark.torch
def test_an_averaged_model_moves_once_for_an_update(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    before = "from torch.optim.swa_utils import AveragedModel\naverage = AveragedModel(net)"
    text = script(before=before, step="optimizer.step(); average.update_parameters(net)")
    text += "print(average.n_averaged.item(), *(round(p.double().sum().item(), 5) for p in average.parameters()))"
    plain, found = run(tmp_path / "plain", text), run(tmp_path / "job", text, ("micro-batches", 4))
    one, other = (each.output.splitlines()[-1].split() for each in (plain, found))
    assert one[0] == other[0] == "10"
    assert [float(x) for x in other] == pytest.approx([float(x) for x in one], abs=3e-5)
