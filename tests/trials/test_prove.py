"""`--prove`, the whole way. What is left out sleeps for most of the step, so that no machine is too noisy for it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.torch, pytest.mark.alone]

TRAIN = """
import time, torch
from torch.utils.data import DataLoader, Dataset
class Slow(Dataset):
    def __len__(self): return 400
    def __getitem__(self, i):
        time.sleep(0.002)
        return torch.randn(16), torch.randn(1)
net = torch.nn.Linear(16, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
for step, (x, y) in enumerate(DataLoader(Slow(), batch_size=4)):
    loss = ((net(x) - y) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with open("log.txt", "a") as log:
        time.sleep(0.008)
        log.write(f"{step}\\n")
    torch.save(net.state_dict(), "model.pt")
"""


@pytest.fixture(scope="module")
def proven(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], str]:
    folder = tmp_path_factory.mktemp("job")
    (folder / "train.py").write_text(TRAIN)
    done = subprocess.run(
        [sys.executable, "-m", "narrows", "diagnose", "--prove", "--json", "out.json", "train.py"],
        cwd=folder, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads((folder / "out.json").read_text())
    if any("no way to keep a trial" in text for text in report["measurement"]["warnings"]):
        pytest.skip("no overlays here")
    return folder, report, done.stderr


def test_each_row_has_its_proof(proven: tuple[Path, dict[str, Any], str]) -> None:
    _, report, shown = proven
    step = report["step"]["median_seconds"]
    found = {proof["cause"]: proof for proof in report["proofs"]}
    assert set(found) == {"input", "host"}
    for proof in found.values():
        assert proof["pairs"] == 6
        assert 0.3 < proof["saved_seconds"] / step < 0.7
        assert proof["ci95_seconds"][0] <= proof["saved_seconds"] <= proof["ci95_seconds"][1]
    assert "kept batches" in found["input"]["what"]
    assert "train.py:16" in found["host"]["what"]
    assert "Proofs" in shown


def test_trials_leave_nothing_behind(proven: tuple[Path, dict[str, Any], str]) -> None:
    folder, _, _ = proven
    assert (folder / "log.txt").read_text() == "".join(f"{i}\n" for i in range(100))
    assert {p.name for p in folder.iterdir()} == {"train.py", "log.txt", "model.pt", "out.json", ".narrows"}
    (run,) = [p for p in (folder / ".narrows").iterdir() if p.is_dir()]
    assert not (run / "trial").exists()
