import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from narrows.trials import shield


def shielded(folder: Path, code: str, *options: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    folder.mkdir()
    words = [sys.executable, "-I", "-S", shield.__file__, str(folder), *options, "--", sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, cwd=cwd, check=False)
    if done.returncode in (shield.NO_SHIELD, shield.ONLY_READ) or "no overlay" in done.stderr:
        pytest.skip(f"no overlays here: {done.stderr}")
    return done


WRITES = """
import os
open('log', 'a').write('more'); open('new', 'w').write('new'); os.remove('gone'); os.replace('new', 'old')
print(open('log').read(), open('old').read(), os.path.exists('gone'))
"""


def test_what_a_trial_writes_is_seen_by_it_alone(tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    for name in ("log", "gone", "old"):
        (here / name).write_text(name)
    done = shielded(tmp_path / "scratch", WRITES, cwd=here)
    assert done.stdout == "logmore new False\n", done.stderr
    assert {p.name: p.read_text() for p in here.iterdir()} == {"log": "log", "gone": "gone", "old": "old"}


def test_a_folder_that_is_kept_is_the_real_one(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    place = tmp_path / "spool" / "x"
    shielded(
        tmp_path / "scratch", f"open({str(place)!r}, 'w').write('x')", "--keep", str(tmp_path / "spool"), cwd=tmp_path
    )
    assert place.read_text() == "x"


def test_a_file_can_be_laid_over_another(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    done = shielded(tmp_path / "scratch", "print(open('b').read())", "--put", str(tmp_path / "a"), str(tmp_path / "b"),
                    cwd=tmp_path)  # fmt: skip
    assert done.stdout == "a\n"
    assert (tmp_path / "b").read_text() == "b"


def test_the_trial_keeps_its_user_its_folder_and_its_exit_code(tmp_path: Path) -> None:
    done = shielded(
        tmp_path / "scratch", "import os; print(os.getuid(), os.getcwd()); raise SystemExit(7)", cwd=tmp_path
    )
    assert (done.stdout, done.returncode) == (f"{os.getuid()} {tmp_path}\n", 7)


MEMORY = """
import multiprocessing, multiprocessing.shared_memory, os
mine, gone = MINE, GONE
print(open(mine).read(), end=" ")
open(mine, "a").write("more")
os.remove(gone)
open(mine + ".new", "w").write("new")
def add(lock, number, name):
    with lock:
        number.value += 1
    shared = multiprocessing.shared_memory.SharedMemory(name)
    shared.buf[0] = 7
    shared.close()
lock, number = multiprocessing.Lock(), multiprocessing.Value("i", 0)
shared = multiprocessing.shared_memory.SharedMemory(create=True, size=1 << 20)
children = [multiprocessing.get_context("fork").Process(target=add, args=(lock, number, shared.name)) for _ in range(2)]
[child.start() for child in children], [child.join() for child in children]
print(open(mine).read(), os.path.exists(gone), number.value, shared.buf[0])
shared.close(), shared.unlink()
"""


@pytest.fixture
def in_memory() -> Iterator[list[Path]]:
    if not os.access(shield.SHARED, os.W_OK):
        pytest.skip("no shared memory here")
    files = [Path(shield.SHARED) / f"narrows-{os.getpid()}-{name}" for name in ("mine", "gone")]
    for file in files:
        file.write_text(file.name[-4:])
    before = set(os.listdir(shield.SHARED))
    yield files
    left = set(os.listdir(shield.SHARED)) - before
    for file in files:
        file.unlink(missing_ok=True)
    assert not [name for name in left if name.startswith("narrows-")]


def test_what_is_shared_in_memory_is_of_a_trials_own(tmp_path: Path, in_memory: list[Path]) -> None:
    code = MEMORY.replace("MINE", repr(str(in_memory[0]))).replace("GONE", repr(str(in_memory[1])))
    done = shielded(tmp_path / "scratch", code, cwd=tmp_path)
    assert done.stdout == "mine minemore False 2 7\n", done.stderr
    assert [file.read_text() for file in in_memory] == ["mine", "gone"]


def test_there_is_as_much_room_in_it_as_there_is_outside(tmp_path: Path) -> None:
    code = "import os; room = os.statvfs('/dev/shm'); print(room.f_bavail * room.f_frsize)"
    outside = os.statvfs(shield.SHARED)
    done = shielded(tmp_path / "scratch", code, cwd=tmp_path)
    assert 0 < int(done.stdout) <= 1.1 * outside.f_bavail * outside.f_frsize


def test_without_overlays_memory_with_files_of_the_users_is_not_written_to(in_memory: list[Path]) -> None:
    assert shield.SHARED not in shield._devices()
    assert not [path for path in shield._devices() if path == "/run" or path.startswith(shield.SESSION)]
    assert "/dev/null" in shield._devices()


def test_landlock_refuses_what_is_outside(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "old").write_text("old")
    code = f"""
import sys
sys.path.insert(0, {str(Path(shield.__file__).parent)!r})
import shield
try:
    shield._refuse_writes([{str(tmp_path / "inside")!r}, "/dev/null", "/not/there"])
except OSError as error:
    raise SystemExit(shield.NO_SHIELD)
open({str(tmp_path / "inside" / "new")!r}, "w").write("new")
open("/dev/null", "w").write("nothing")
for mode in ("w", "a"):
    try:
        open({str(tmp_path / "old")!r}, mode)
    except PermissionError:
        print("refused")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode == shield.NO_SHIELD:
        pytest.skip("no Landlock here")
    assert done.stdout == "refused\nrefused\n", done.stderr
    assert (tmp_path / "old").read_text() == "old"
    assert (tmp_path / "inside" / "new").read_text() == "new"
