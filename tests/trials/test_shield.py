import os
import subprocess
import sys
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


def test_landlock_refuses_what_is_outside(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "old").write_text("old")
    code = f"""
import sys
sys.path.insert(0, {str(Path(shield.__file__).parent)!r})
import shield
try:
    shield._refuse_writes([{str(tmp_path / "inside")!r}])
except OSError as error:
    raise SystemExit(shield.NO_SHIELD)
open({str(tmp_path / "inside" / "new")!r}, "w").write("new")
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
