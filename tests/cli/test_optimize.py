"""`narrows optimize` and `narrows run`, the whole way."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.optimizing import TRAIN, narrows

pytest.importorskip("torch")
pytestmark = [pytest.mark.torch, pytest.mark.alone]


@pytest.fixture(scope="module")
def optimized(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], str]:
    folder = tmp_path_factory.mktemp("job")
    (folder / "train.py").write_text(TRAIN)
    (folder / "log.txt").write_text("before\n")
    done = narrows(
        folder, "optimize", "--only", "loader-workers", "--steps", "24", "--json", "out.json", "train.py", "300"
    )
    if "no way to keep a trial" in done.stderr:
        pytest.skip("no overlays here")
    assert done.returncode == 0, done.stderr
    return folder, json.loads((folder / "out.json").read_text()), done.stderr


def test_what_was_proven_is_a_recipe(optimized: tuple[Path, dict[str, Any], str]) -> None:
    folder, report, shown = optimized
    assert report["kind"] == "optimize"
    assert report["recipe"]["speedup"] > 1.2
    assert report["recipe"]["ci95"][0] > 1
    kept = [trial for trial in report["trials"] if trial["kept"]]
    assert [trial["remedy"] for trial in kept] == ["loader-workers"]
    assert kept[0]["parity"] == "same"
    after = {row["cause"]: row["seconds"] for row in report["recipe"]["ledger"]}
    before = {row["cause"]: row["seconds"] for row in report["ledger"]}
    assert after["input"] < before["input"] / 2
    assert "narrows run --recipe narrows.toml" in shown
    assert "num_workers=" in (folder / "narrows.toml").read_text()


def test_trials_write_nothing_and_leave_nothing(optimized: tuple[Path, dict[str, Any], str]) -> None:
    folder, _, _ = optimized
    assert (folder / "log.txt").read_text() == "before\n"
    assert {p.name for p in folder.iterdir()} == {
        "train.py", "log.txt", "out.json", "narrows.toml", "narrows.patch", ".narrows"
    }  # fmt: skip
    assert not list((folder / ".narrows").glob("*/trial*"))
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(folder) not in running


def test_the_patch_does_the_same_by_hand(optimized: tuple[Path, dict[str, Any], str], tmp_path: Path) -> None:
    folder, report, shown = optimized
    assert report["recipe"]["patch"] == "narrows.patch"
    assert "git apply narrows.patch" in shown
    (tmp_path / "train.py").write_text(TRAIN)
    subprocess.run(["git", "apply", folder / "narrows.patch"], cwd=tmp_path, check=True)
    workers = report["recipe"]["remedies"][0].partition("=")[2]
    assert f"batch_size=4, num_workers={workers}, persistent_workers=True)" in (tmp_path / "train.py").read_text()


def test_the_recipe_is_applied_and_the_job_is_the_jobs(optimized: tuple[Path, dict[str, Any], str]) -> None:
    folder, report, _ = optimized
    done = narrows(folder, "run", "--recipe", "narrows.toml", "train.py", "5")
    assert done.returncode == 0
    assert done.stdout == f"workers {report['recipe']['remedies'][0].partition('=')[2]}\n"
    assert "narrows" not in done.stderr  # torch itself may have something to say of more workers than cores
    assert (folder / "log.txt").read_text() == "before\n" + "".join(f"{i}\n" for i in range(5))


def test_what_does_not_hold_here_is_said_and_the_rest_applied(
    optimized: tuple[Path, dict[str, Any], str], tmp_path: Path
) -> None:
    folder, _, _ = optimized
    text = (folder / "narrows.toml").read_text()
    text = text.replace("cores = ", "cores = 9").replace('torch = "', 'torch = "0.')
    (tmp_path / "other.toml").write_text(text + '\n[[remedy]]\nname = "unheard-of"\nvalue = true\n')
    (tmp_path / "train.py").write_text(TRAIN)
    done = narrows(tmp_path, "run", "--recipe", "other.toml", "train.py", "5")
    assert done.returncode == 0
    assert "workers 0" not in done.stdout
    assert done.stderr.count("narrows: ") == 3
