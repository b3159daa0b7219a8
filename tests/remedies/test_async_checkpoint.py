from pathlib import Path

import pytest

from narrows.remedies import async_checkpoint
from tests import fakes
from tests.fakes import boundaries, process
from tests.remedies import ranks
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
torch.save(torch.ones(1), "quiet.pt")
for moment in range(100):  # nobody looks at it: the thread writes it, once it has its turn
    if False not in writers:
        threading.Event().wait(0.02)
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
UNWRITABLE = """
class Fails:
    def __deepcopy__(self, memo):
        return self
    def __reduce__(self):
        raise ValueError("cannot be written")
"""
FAILS = (
    UNWRITABLE
    + """
import os, torch
from torch.serialization import register_package
try:
    torch.save(Fails(), "a.pt")
    torch.save(1, "b.pt")
except ValueError as error:
    print(error)
torch.save(2, "b.pt")
print(torch.load("b.pt"))
"""
)
SLOW_DISK = """
import glob, io, multiprocessing, os, pathlib, shutil, subprocess, sys, tarfile, threading, time, torch
class Slow(torch._C.PyTorchFileWriter):
    def write_end_of_file(self):
        time.sleep(0.2)
        return super().write_end_of_file()
def size_of(path): return os.stat(path).st_size
def save(name="a.pt"): torch.save(torch.ones(1000), name)
def read(path): print("child", torch.load(path).sum().item(), flush=True)
def child():
    save("child.pt")
"""
LOOKS = (
    SLOW_DISK
    + """
if __name__ == "__main__":
    save()
    full = size_of("a.pt")
    os.symlink("a.pt", "link.pt")
    os.makedirs("folder")
    torch._C.PyTorchFileWriter = Slow
    def archived(name="a.pt"):
        with tarfile.open("all.tar", "w") as tar:
            tar.add(name)
        return tarfile.open("all.tar").getmember(name).size
    for look in (
        lambda: os.path.getsize("a.pt"), lambda: os.stat("a.pt").st_size, lambda: os.lstat("a.pt").st_size,
        lambda: pathlib.Path("a.pt").stat().st_size, lambda: os.path.getsize("link.pt"),
        lambda: len(open("link.pt", "rb").read()), lambda: [e.stat().st_size for e in os.scandir() if e.name == "a.pt"][0],
        lambda: [p.stat().st_size for p in pathlib.Path(".").rglob("a.pt")][0], archived,
        lambda: os.path.getsize(shutil.copy("a.pt", "b.pt")), lambda: os.path.getsize(shutil.copytree("folder", "c") + "/a.pt"),
    ):
        save()
        save("folder/a.pt") if look.__code__.co_names[-1:] == ("copytree",) else None
        print(look() == full)
    for start in ("fork", "spawn"):
        os.remove("a.pt")
        save()
        process = multiprocessing.get_context(start).Process(target=read, args=("a.pt",))
        process.start()
        process.join()
    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join()
    print(torch.load("child.pt").sum().item(), process.exitcode)
    if os.fork() == 0:
        save("forked.pt")
        os._exit(0)
    os.wait()
    print(torch.load("forked.pt").sum().item())
    save("last.pt")
    sys.stdout.flush()
    os._exit(0)
"""
)
WORKERS = (
    SLOW_DISK
    + """
from torch.utils.data import DataLoader
torch._C.PyTorchFileWriter = Slow
save()
began = time.monotonic()
list(DataLoader(range(2), num_workers=1))
print(threading.active_count() > 1)
"""
)
TELLS = (
    UNWRITABLE
    + """
import os, sys, torch
torch.save(torch.ones(1), "good.pt")
def touch(how):
    try:
        torch.save(Fails(), "a.pt")
        how()
        return "nothing"
    except ValueError as error:
        return str(error)
print(touch(lambda: os.path.getsize("a.pt")), touch(lambda: open("a.pt")), touch(lambda: os.replace("a.pt", "b.pt")))
print(os.path.exists("b.pt"), touch(lambda: torch.save(1, "c.pt")))
torch.save(Fails(), "a.pt")
print("end", flush=True)
END
"""
)
RANKS = """
import time
class Slow(torch._C.PyTorchFileWriter):
    def write_end_of_file(self):
        time.sleep(0.3)
        return super().write_end_of_file()
torch._C.PyTorchFileWriter = Slow
if rank == 0:
    torch.save(torch.ones(1000), "a.pt")
dist.barrier()
print(torch.load("a.pt").sum().item())
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


@pytest.mark.torch
def test_who_asks_how_large_a_file_is_or_reads_it_in_another_process_finds_all_of_it(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    plain = run(tmp_path / "plain", LOOKS)
    later = run(tmp_path / "later", LOOKS, ("async-checkpoint", True))
    assert later.output == plain.output
    assert plain.output == "True\n" * 11 + "child 1000.0\n" * 2 + "1000.0 0\n1000.0\n"
    assert torch.load(tmp_path / "later" / "last.pt").sum().item() == 1000.0


@pytest.mark.torch
def test_workers_of_a_loader_begin_while_the_file_is_written(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    assert run(tmp_path / "job", WORKERS, ("async-checkpoint", True)).output == "True\n"


@pytest.mark.torch
@pytest.mark.parametrize(("end", "ends"), [("", 120), ("sys.exit(3)", 120), ("os._exit(0)", 1), ("os._exit(4)", 4)])
def test_that_a_file_could_not_be_written_is_told_when_it_is_looked_at_or_by_how_the_job_ends(
    tmp_path: Path, end: str, ends: int
) -> None:
    pytest.importorskip("torch")
    later = run(tmp_path / "later", TELLS.replace("END", end), ("async-checkpoint", True), ends=ends)
    why = "cannot be written"
    assert later.output == f"{why} {why} {why}\nFalse {why}\nend\n"
    assert f"ValueError: {why}" in later.errors


@pytest.mark.torch
def test_another_rank_reads_all_of_it_after_a_barrier(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    found = ranks.run(tmp_path / "job", RANKS, ("async-checkpoint", True))
    assert [each.output for each in found] == ["1000.0\n", "1000.0\n"]
    assert found[0].applied
