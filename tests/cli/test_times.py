"""Real jobs whose times are looked at: which row they are in, and that a look does not change them."""

from pathlib import Path

import pytest

from narrows.spool.read import read
from tests.cli.diagnosing import BIN, check_ledger, narrows, write

pytest.importorskip("torch")
pytestmark = [pytest.mark.torch, pytest.mark.alone]


def test_a_training_script(script: Path) -> None:
    done, report = narrows(script.parent, "train.py", "--steps", "9", "--", "-x")
    assert done.returncode == 0
    assert done.stdout == "argv ['train.py', '--steps', '9', '--', '-x'] __main__ " + f"{script.parent}/train.py\n" or (
        "['train.py', '--steps', '9', '--', '-x'] __main__ train.py" in done.stdout
    )
    assert (report["job"]["type"], report["job"]["ended"], report["step"]["count"]) == ("training", "ok", 120)
    shares = check_ledger(report)
    assert report["verdict"]["cause"] == max(shares, key=lambda cause: shares[cause]) == "overhead"
    assert report["health"]["loss_first"] > report["health"]["loss_last"]


def test_sleeping_in_the_loop_is_host_and_names_the_line(tmp_path: Path) -> None:
    write(tmp_path, "time.sleep(0.05)")  # long beside what a busy machine makes of the rest
    _, report = narrows(tmp_path, "python", "train.py", PATH=BIN)
    assert check_ledger(report)["host"] > 0.8
    assert report["verdict"]["cause"] == "host"
    found = next(f for f in report["findings"] if f["id"] == "host-line")
    assert found["where"] == "train.py:12"


def test_steps_stop_the_job_quietly(script: Path) -> None:
    done, report = narrows(script.parent, "--steps", "20", "train.py", STEPS="1000000")
    assert (done.returncode, report["job"]["ended"]) == (0, "stopped")
    assert 20 <= report["step"]["steady_count"] < 200


WORKERS = """
import torch
from torch.utils.data import DataLoader, Dataset
class Numbers(Dataset):
    def __len__(self): return 400
    def __getitem__(self, i): return sum(j * j for j in range(2000)) * 0 + torch.full((8,), float(i))
if __name__ == "__main__":
    net = torch.nn.Linear(8, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-6)
    seen = []
    for x in DataLoader(Numbers(), batch_size=4, num_workers=2{context}):
        seen.append(x[:, 0].tolist())
        optimizer.zero_grad()
        net(x).mean().backward()
        optimizer.step()
    assert seen == [[float(i + j) for j in range(4)] for i in range(0, 400, 4)]
"""


THREAD = """
import queue, threading, torch
def make():
    for i in range(0, 1600, 4):
        sum(j * j for j in range(8000))
        batches.put(torch.arange(i, i + 4).float()[:, None].expand(4, 8))
batches = queue.Queue(4)
threading.Thread(target=make, daemon=True).start()
net = torch.nn.Linear(8, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=1e-6)
seen = []
for _ in range(400):
    x = batches.get()
    seen += x[:, 0].tolist()
    optimizer.zero_grad()
    net(x).mean().backward()
    optimizer.step()
assert seen == [float(i) for i in range(1600)]
"""


def test_a_thread_that_makes_batches_pauses_too(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(THREAD)
    done, report = narrows(tmp_path, "train.py")
    assert done.returncode == 0, done.stderr
    assert check_ledger(report)["input"] > 0.3
    check_paused(tmp_path)


@pytest.mark.parametrize("context", ["", ', multiprocessing_context="spawn"'])
def test_workers_pause_for_a_look_and_the_batches_stay_what_they_are(tmp_path: Path, context: str) -> None:
    (tmp_path / "train.py").write_text(WORKERS.replace("{context}", context))
    done, report = narrows(tmp_path, "train.py")
    assert done.returncode == 0, done.stderr
    shares = check_ledger(report)
    assert shares["input"] > 0.3
    check_paused(tmp_path)


def check_paused(folder: Path) -> None:
    (run,) = [path for path in (folder / ".narrows").iterdir() if path.is_dir()]
    found = read(run / "spool")
    assert sum(len(event["ns"]) for p in found for event in p.events.get("alone", ())) >= 4
    assert not [event for p in found for event in p.events.get("fault", ())]
