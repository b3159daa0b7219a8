import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from narrows.findings.view import View
from narrows.remedies import distribute
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.harness import run

LOADER = {"workers": 0, "batch_size": 32, "batches": 100}
OPTIMIZER = {"class": "Adam", "gradient_bytes": 4 << 10}
NORM = op("native_batch_norm", tensor(8, 8), out=tensor(8, 8), ms=1.0)


def job(*ops: Any, ranks: int = 1, loader: Any = LOADER, **told: Any) -> View:
    events = {"loader": loader, "optimizer": OPTIMIZER, **told}
    marks = boundaries(next=6.0, forward=2.0, backward=2.0)
    made = replace(process(marks, window("ops", ops=ops), **events), ranks=ranks)
    return fakes.view(made)


@pytest.mark.parametrize(
    "changes",
    [
        {"ranks": 2},
        {"loader": []},
        {"loader": {**LOADER, "batch_size": None}},
        {"loader": {**LOADER, "batch_size": 3}},
        {"loader": {**LOADER, "workers": 2}},
        {"optimizer": [OPTIMIZER] * 2},
        {"optimizer": {**OPTIMIZER, "gradient_bytes": 1 << 30}},
        {"torch": {"version": "2", "threads": 2, "cuda": True}},
    ],
)
def test_it_is_not_tried_where_batches_cannot_be_shared_or_it_costs_more(changes: dict[str, Any]) -> None:
    assert distribute.candidates(job(**changes)) == []


def test_it_is_not_tried_with_batch_normalisation() -> None:
    assert distribute.candidates(job(NORM)) == []


def test_each_process_makes_its_share_of_a_batch() -> None:
    (found,) = distribute.candidates(job())
    assert found.value == 2
    assert found.seconds == pytest.approx(0.003, rel=0.01)


SCRIPT = """
import os, torch
from torch.utils.data import DataLoader, TensorDataset
{seed}
net = torch.nn.Sequential(torch.nn.Linear(6, 8), {norm}torch.nn.Tanh(), torch.nn.Linear(8, 1))
data = TensorDataset(torch.randn(37, 6), torch.randn(37, 1))
loader = DataLoader(data, batch_size=8, shuffle=True, num_workers={workers})
optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
os.mkdir("out")
with open("out/log", "a") as log:
    for epoch in range(3):
        for number, (x, y) in enumerate(loader):
            loss = torch.nn.functional.mse_loss(net(x), y)
            (loss / 2).backward()
            if number % 2 == 0:
                torch.nn.utils.clip_grad_norm_(net.parameters(), 0.3)
                optimizer.step()
                optimizer.zero_grad()
            {late}
        log.write(f"{epoch}\\n")
torch.save(net.state_dict(), "out/net.pt")
os.rename("out/net.pt", "out/last.pt")
print(len(x), *(round(p.double().sum().item(), 5) for p in net.parameters()))
"""
PLAIN = {"seed": "torch.manual_seed(3)", "norm": "", "workers": "0", "late": ""}


def script(**changes: str) -> str:
    text = SCRIPT
    for name, value in {**PLAIN, **changes}.items():
        text = text.replace("{" + name + "}", value)
    return text


def learned(output: str) -> list[float]:
    return [float(x) for x in output.split()[1:]]


@pytest.mark.torch
def test_updates_are_those_of_one_process_and_so_are_its_files(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    text = script(workers="1")
    plain = run(tmp_path / "plain", text)
    found = run(tmp_path / "job", text, ("distribute", 2), **distribute.environment(2))
    assert learned(found.output) == pytest.approx(learned(plain.output), abs=2e-5)
    assert (plain.output.split()[0], found.output.split()[0]) == ("5", "3")  # of the last, smaller batch
    assert [e["processes"] for e in found.applied] == [2]
    assert found.not_applied == ()
    assert (tmp_path / "job" / "out" / "log").read_text() == "0\n1\n2\n"
    assert sorted(p.name for p in (tmp_path / "job" / "out").iterdir()) == ["last.pt", "log"]
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(tmp_path) not in running


@pytest.mark.torch
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"norm": "torch.nn.BatchNorm1d(8), "}, "batch normalisation"),
        ({"seed": "torch.manual_seed(os.getpid())"}, "same weights"),
    ],
)
def test_jobs_that_cannot_be_shared_run_as_they_are(tmp_path: Path, changes: dict[str, str], why: str) -> None:
    pytest.importorskip("torch")
    found = run(tmp_path / "job", script(**changes), ("distribute", 2), **distribute.environment(2))
    assert found.output.startswith("5 ")
    assert found.applied == ()
    assert [why in e["why"] for e in found.not_applied] == [True]


OTHER = 'os.path.samestat(os.fstat(1), os.stat("/dev/null"))'
"""In a script: this is not the process that prints."""


@pytest.mark.torch
@pytest.mark.parametrize(
    ("late", "why"),
    [
        (f"if epoch == 1 and {OTHER}: os.abort()", "is gone"),
        (f"if epoch == 1 and {OTHER}: break", "same place"),
        (f"if epoch == 1 and {OTHER}: optimizer.param_groups[0]['lr'] = 0.04", "learning rates"),
    ],
)
def test_where_another_process_dies_or_goes_its_own_way_the_first_goes_on_alone(
    tmp_path: Path, late: str, why: str
) -> None:
    pytest.importorskip("torch")
    found = run(tmp_path / "job", script(late=late), ("distribute", 2), **distribute.environment(2))
    assert found.output.startswith("5 ")
    assert [why in e["why"] for e in found.not_applied] == [True]
    assert (tmp_path / "job" / "out" / "log").read_text() == "0\n1\n2\n"
