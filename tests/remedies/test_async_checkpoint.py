from pathlib import Path

import pytest

from narrows.remedies import async_checkpoint
from tests import fakes
from tests.fakes import boundaries, process
from tests.remedies.harness import run

SAVES = boundaries(forward=8.0, save=2.0)
SCRIPT = """
import io, os, shutil, threading, torch
net = torch.nn.Linear(4, 2)
net.tied = net.weight
writers = []
class Watched(torch._C.PyTorchFileWriter):
    def write_end_of_file(self):
        writers.append(threading.current_thread() is threading.main_thread())
        return super().write_end_of_file()
torch._C.PyTorchFileWriter = Watched

def fill(value):
    with torch.no_grad():
        net.weight.fill_(value)
for step in range(3):
    fill(step)
    torch.save({"net": net.state_dict(), "step": step}, f"{step}.part")
    fill(-1)
    print(os.path.exists(f"{step}.part"))
    os.replace(f"{step}.part", f"{step}.pt")
for step in range(3):
    state = torch.load(f"{step}.pt")
    net.load_state_dict(state["net"])
    same = state["net"]["weight"].data_ptr() == state["net"]["tied"].data_ptr()
    print(state["step"], net.weight.unique().tolist(), same, type(state["net"]).__name__)
torch.save(net, "all.pt")
print(len(os.listdir(".")) > 3, type(torch.load("all.pt", weights_only=False)).__name__)
buffer = io.BytesIO()
torch.save(torch.ones(2), buffer)
print(len(buffer.getvalue()) > 0)
torch.save(torch.full((1000, 1000), 3.0), "same.pt")
torch.save(torch.full((1000, 1000), 4.0), "same.pt")
print(torch.load("same.pt").mean().item())
for wrong in (lambda: torch.save(1, "missing/x.pt"), lambda: torch.save({"lock": threading.Lock()}, "lock.pt")):
    try:
        wrong()
    except Exception as error:
        print(type(error).__name__)
fill(7)
torch.save(net.state_dict(), "last.pt")
fill(8)
print("writers", sorted(set(writers)))
"""
EACH_STEP = """
import threading, time, torch
net = torch.nn.Linear(4, 2)
writers = []
class Watched(torch._C.PyTorchFileWriter):
    def write_end_of_file(self):
        writers.append(threading.current_thread() is threading.main_thread())
        time.sleep(0.01)  # a slow disk
        return super().write_end_of_file()
torch._C.PyTorchFileWriter = Watched
began = time.monotonic()
for step in range(30):
    with torch.no_grad():
        net.weight.fill_(step)
    torch.save(net.state_dict(), "last.pt")
    time.sleep(0.001)
print(torch.load("last.pt")["weight"].unique().tolist(), threading.active_count() < 4)
for step in range(3):
    torch.save(torch.full((2,), float(step)), f"{step}.pt")
print([torch.load(f"{step}.pt").tolist() for step in range(3)])
print("written", len(writers))
"""
FAILS = """
import os, torch
from torch.serialization import register_package
class Fails:
    def __deepcopy__(self, memo):
        return self
    def __reduce__(self):
        raise ValueError("cannot be written")
try:
    torch.save(Fails(), "a.pt")
    torch.save(1, "b.pt")
except ValueError as error:
    print(error)
torch.save(2, "b.pt")
print(torch.load("b.pt"))
"""


def test_it_is_not_tried_where_saving_takes_next_to_nothing() -> None:
    assert async_checkpoint.candidates(fakes.view(process(boundaries(forward=8.0, save=0.1)))) == []
    assert async_checkpoint.candidates(fakes.view(process(SAVES), cores=1)) == []


def test_it_is_tried_where_saving_takes_time() -> None:
    (found,) = async_checkpoint.candidates(fakes.view(process(SAVES)))
    assert 0 < found.seconds < 0.002


@pytest.mark.torch
def test_files_are_what_they_were_whenever_they_are_looked_at(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    plain = run(tmp_path / "plain", SCRIPT)
    later = run(tmp_path / "later", SCRIPT, ("async-checkpoint", True))
    assert "writers [True]" in plain.output
    assert later.output == plain.output.replace("writers [True]", "writers [False, True]")
    assert len(later.applied) == 1
    for folder in ("plain", "later"):  # the last one was still being written when the script ended
        assert torch.load(tmp_path / folder / "last.pt")["weight"].unique().tolist() == [7.0]


@pytest.mark.torch
def test_of_a_file_that_is_saved_again_and_again_the_last_one_is_written_and_of_several_files_each(
    tmp_path: Path,
) -> None:
    pytest.importorskip("torch")
    *plain, all_of_them = run(tmp_path / "plain", EACH_STEP).output.splitlines()
    *later, fewer = run(tmp_path / "later", EACH_STEP, ("async-checkpoint", True)).output.splitlines()
    assert all_of_them == "written 33"
    assert later == plain == ["[29.0] True", "[[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]"]
    assert 5 <= int(fewer.split()[1]) <= 20


@pytest.mark.torch
def test_an_error_in_writing_is_raised_by_the_next_save(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    assert run(tmp_path / "plain", FAILS).output == "cannot be written\n2\n"
    assert run(tmp_path / "later", FAILS, ("async-checkpoint", True)).output == "cannot be written\n2\n"
