"""`narrows fit` as a user runs it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.torch, pytest.mark.long]

JOB = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.up, self.down = nn.Linear(64, 1024), nn.Linear(1024, 64)
    def forward(self, x):
        return x + self.down(torch.tanh(self.up(x)))

model = nn.Sequential(*[Block() for _ in range(6)])
optimizer = torch.optim.Adam(model.parameters())
data = TensorDataset(torch.randn(8192, 64), torch.randn(8192, 64))
for epoch in range(3):
    for x, y in DataLoader(data, batch_size=512, shuffle=True, drop_last=True):
        loss = nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    open("epoch.txt", "w").write("done")
"""


SEQUENCES = """
import torch
from torch import nn

torch.manual_seed(0)
block_size, dim = 64, 32

class Net(nn.Module):
    def __init__(self, block_size=64):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(100, dim), nn.Embedding(block_size, dim)
        self.head = nn.Linear(dim, 100)
    def forward(self, x):
        x = self.tokens(x) + self.positions(torch.arange(x.shape[1]))
        weights = (x @ x.transpose(1, 2)).softmax(-1)  # all against all
        return self.head(weights @ x)

model = Net()
optimizer = torch.optim.Adam(model.parameters())
data = torch.randint(100, (4096,))
for step in range(20):
    starts = torch.randint(len(data) - block_size - 1, (16,)).tolist()
    x, y = (torch.stack([data[i + by : i + by + block_size] for i in starts]) for by in (0, 1))
    loss = nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


def narrows(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "narrows", *words], cwd=folder, capture_output=True, text=True, timeout=400, check=False
    )


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], str]:
    folder = tmp_path_factory.mktemp("fit")
    (folder / "train.py").write_text(JOB)
    done = narrows(folder, "fit", "--batch", "2048", "--memory", "100GiB", "--json", "out.json", "--html", "out.html",
                   "--markdown", "out.md", "train.py")  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder, json.loads((folder / "out.json").read_text()), done.stderr


def test_nothing_is_left_behind(fitted: tuple[Path, dict[str, Any], str]) -> None:
    folder, _, _ = fitted
    assert not (folder / "epoch.txt").exists()
    assert sorted(p.name for p in folder.iterdir()) == [".narrows", "out.html", "out.json", "out.md", "train.py"]
    (run,) = (p for p in (folder / ".narrows").iterdir() if p.is_dir() and not p.is_symlink())
    assert sorted(p.name for p in run.iterdir() if p.is_dir()) == ["spool"]


def test_the_parts_sum_to_the_peak(fitted: tuple[Path, dict[str, Any], str]) -> None:
    _, report, _ = fitted
    found = report["capacity"]
    assert report["kind"] == "fit"
    assert report["step"] is None
    assert sum(part["bytes"] for part in found["parts"]) == pytest.approx(found["peak_bytes"], rel=0.03)
    parts = {part["name"]: part["bytes"] for part in found["parts"]}
    weights = 6 * 4 * (2 * 64 * 1024 + 1024 + 64)
    assert parts["parameters"] == parts["gradients"] == weights
    assert parts["optimizer"] == pytest.approx(2 * weights, rel=0.001)
    # Two layers and a tanh: what each block keeps of 512 rows.
    assert parts["activations"] == pytest.approx(6 * 512 * 4 * (1024 + 64 + 64), rel=0.1)
    assert any(held["where"] == "train.py:13" for held in found["activations"])


def test_other_batches_and_what_makes_room(fitted: tuple[Path, dict[str, Any], str]) -> None:
    _, report, _ = fitted
    found = report["capacity"]
    assert found["traced"]
    assert abs(found["traced_off"]) < 0.01
    assert (found["batch"]["now"], found["batch"]["dataset"]) == (512, 8192)
    need = {each["size"]: each["needed_bytes"] for each in found["batch"]["predicted"]}
    assert need[512] < need[2048] < found["limit_bytes"]
    # They are for the batch that was asked about.
    assert found["batch"]["asked"] == 2048
    ways = {(way["remedy"], way["value"]): way for way in found["ways"]}
    sizes = [ways["activation-checkpointing", value]["needed_bytes"] for value in (True, 2, 3)]
    assert sizes == sorted(sizes)
    assert sizes[-1] < need[2048]
    assert all(way["time"] > 0 for way in found["ways"] if way["remedy"] == "activation-checkpointing")
    assert ways["optimizer-8bit", True]["needed_bytes"] < need[2048]
    assert found["together"] is None
    assert [each["name"] for each in found["optimizers"]] == ["SGD", "Adam in 8 bits", "SGD with momentum", "Adam"]
    assert {shard["strategy"] for shard in found["shards"]} == {"ddp", "zero-1", "zero-2", "fsdp"}
    assert found["leaks"] == []


def test_every_face_says_it(fitted: tuple[Path, dict[str, Any], str]) -> None:
    folder, _, shown = fitted
    run = next(p for p in (folder / ".narrows").iterdir() if p.is_dir() and not p.is_symlink())
    chinese = narrows(folder, "report", str(run), "--lang", "zh")
    assert "It fits" in shown
    assert "装得下" in chinese.stdout + chinese.stderr
    for name in ("out.html", "out.md"):
        text = (folder / name).read_text()
        assert "It fits" in text
        assert "activations" in text
        assert "fit." not in text.split('<script type="application/json"')[0]


@pytest.mark.parametrize(
    ("options", "job", "code", "says"),
    [
        (("--memory", "lots"), JOB, 2, "16GiB"),
        ((), "raise SystemExit(3)", 3, "exit code 3"),
        ((), "print(1)", 125, "no step"),
        (("--batch", "64", "--batch-from", "rows"), JOB, 2, "there is no rows"),
        (("--sequence", "64"), JOB, 2, "--sequence-from NAME"),
        (("--sequence-from", "x"), "x = 7\n" + JOB, 2, "nothing can be said of another for x, which is 7"),
    ],
    ids=["size", "fails", "no step", "name", "no sequence", "no length"],
)
def test_what_cannot_be_done_is_one_sentence(
    tmp_path: Path, options: tuple[str, ...], job: str, code: int, says: str
) -> None:
    (tmp_path / "train.py").write_text(job)
    done = narrows(tmp_path, "fit", *options, "train.py")
    assert done.returncode == code
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_other_lengths_of_the_sequences(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SEQUENCES)
    done = narrows(tmp_path, "fit", "--sequence", "512", "--memory", "100GiB", "--json", "out.json", "train.py")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "out.json").read_text())["capacity"]["sequence"]
    assert (found["name"], found["now"], found["dataset"]) == ("block_size", 64, None)
    need = {each["size"]: each["needed_bytes"] for each in found["predicted"]}
    # By the square: 20 times as much, where by the length it would be 6. The growth itself is not compared: what the
    # heap wastes for each byte is another part in each run of so small a job.
    assert 2 * 16 * 4 * (512**2 - 128**2) < need[512] - need[128]
    assert 18 < (need[512] - need[128]) / (need[128] - need[64]) < 23
    assert "block_size = 512" in done.stderr
    assert "The longest sequence that fits is" in " ".join(done.stderr.split())
