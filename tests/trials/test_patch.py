"""Remedies as a patch: first what is left out of it."""

import ast
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from narrows.trials.patch import patch
from tests.remedies.harness import run

LOADER = "from torch.utils.data import DataLoader\nloader = DataLoader(data)\n"
WORKERS = ("loader-workers", 2)
THREADS = ("threads", 2)


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, text: str | bytes) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def applied(text: str, tool: Sequence[str] = ("patch", "-p1")) -> None:
    """Apply the patch in the working directory."""
    if shutil.which(tool[0]) is None:
        pytest.skip(f"there is no {tool[0]}")
    done = subprocess.run(tool, input=text.encode(), capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    assert b"Hunk" not in done.stdout  # no offsets, no fuzz


def test_without_files_or_remedies_there_is_nothing() -> None:
    assert patch([], [WORKERS, THREADS]).left == ("loader-workers", "threads")
    assert patch([], [WORKERS]).text == ""
    assert patch([write("a.py", LOADER)], []).text == ""
    assert patch([Path("gone.py")], [WORKERS]).left == ("loader-workers",)


@pytest.mark.parametrize("remedy", [("malloc", True), ("autocast-bf16", True), ("channels-last", True)])
def test_a_remedy_that_is_no_edit_is_left(remedy: tuple[str, Any]) -> None:
    assert patch([write("a.py", LOADER)], [remedy, WORKERS]).left == (remedy[0],)


@pytest.mark.parametrize(
    "other",
    [
        "from torch.utils.data import DataLoader\nDataLoader(data, num_workers=args.n)\n",
        "loader.dataset.set_epoch(1)\n",
        "def f(:\n",
        b"# \xff\n",
        b"# coding: latin-1\nx = 1\n",
    ],
)
def test_a_doubt_in_one_file_leaves_the_remedy_out_of_all(other: str | bytes) -> None:
    made = patch([write("a.py", LOADER), write("b.py", other)], [WORKERS])
    assert (made.text, made.left) == ("", ("loader-workers",))


def test_a_file_that_is_not_the_users_is_not_patched(work: Path) -> None:
    inside = work / "inside"
    write("out.py", LOADER)
    write("inside/a.py", "import torch\nimport out\n")
    os.chdir(inside)
    made = patch([Path("a.py"), Path("../out.py")], [WORKERS, THREADS])
    assert made.left == ("loader-workers",)
    assert "out.py" not in made.text
    Path("link.py").symlink_to("../out.py")
    assert patch([Path("link.py")], [WORKERS]).left == ("loader-workers",)


def test_a_setting_is_for_the_main_script_and_only_if_no_other_makes_it() -> None:
    main, other = write("a.py", "import torch\nimport b\n"), write("b.py", "import torch\n")
    made = patch([main, other, main], [THREADS])
    assert made.left == ()
    assert "b/b.py" not in made.text
    other = write("b.py", "import torch\ntorch.set_num_threads(1)\n")
    assert patch([main, other], [THREADS]).left == ("threads",)
    assert patch([write("a.py", "import b\n"), write("b.py", "import torch\n")], [THREADS]).left == ("threads",)


def test_remedies_build_on_each_other_as_in_the_job_and_nothing_is_made_twice() -> None:
    main = write("a.py", LOADER)
    assert patch([main], [WORKERS, ("prefetch", 4)]).left == ("prefetch",)
    remedies = [("prefetch", 4), WORKERS, ("fused-optimizer", True)]
    made = patch([main, Path("./a.py")], remedies)
    assert made.left == ("fused-optimizer",)
    assert made.text.count("--- ") == 1
    assert main.read_text() == LOADER
    applied(made.text)
    assert "num_workers=2, persistent_workers=True, prefetch_factor=4" in main.read_text()
    assert patch([main], remedies).text == ""


@pytest.mark.parametrize("tool", [("patch", "-p1"), ("git", "apply", "-")])
@pytest.mark.parametrize(
    "text",
    [
        "import torch",
        "import torch\n",
        "import torch\nx = '\x0b\u2028'  # é\n\n\n\n" + LOADER + "\n" * 9 + LOADER + "# end",
        "import torch\r\n\r\n" + LOADER.replace("\n", "\r\n"),
        LOADER + "import torch",
    ],
)
def test_the_patch_applies_to_any_file(text: str, tool: Sequence[str]) -> None:
    files = [write("a b/été.py", text), write("plain.py", LOADER[:-1])]
    made = patch(files, [WORKERS, THREADS])
    assert made.left == ()
    applied(made.text, tool)
    after = files[0].read_bytes().decode()
    ast.parse(after)
    assert "torch.set_num_threads(2)" in after
    assert after.count("num_workers=2") == text.count("DataLoader(")
    assert after.count("\r") == (after.count("\n") if "\r" in text else 0)
    assert after.endswith("\n") == (text.endswith("\n"))
    assert files[1].read_text().endswith("persistent_workers=True)")
    assert patch(files, [WORKERS, THREADS]).text == ""


TRAIN = '''"""Learns."""
from __future__ import annotations

import argparse  # torch

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 1)

    def forward(self, x):
        return self.layer(x)


def main() -> None:
    torch.manual_seed(0)
    data = TensorDataset(torch.randn(32, 4), torch.randn(32, 1))
    loader = DataLoader(
        data,
        batch_size=8,  # small
    )
    model = Net()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    with torch.autograd.detect_anomaly(check_nan=False):
        for x, y in loader:
            optimizer.zero_grad()
            nn.functional.mse_loss(model.forward(x), y).backward()
            optimizer.step()
            anomaly = torch.is_anomaly_enabled()
    print(loader.num_workers, loader.persistent_workers, loader.prefetch_factor)
    print(optimizer.defaults["fused"], optimizer.defaults["foreach"], anomaly)
    print(torch.get_num_threads(), torch.get_float32_matmul_precision())
    print([round(x, 4) for p in model.parameters() for x in p.flatten().tolist()])


if __name__ == "__main__":
    main()
'''


@pytest.mark.torch
def test_the_patched_script_does_what_the_remedies_do(work: Path) -> None:
    pytest.importorskip("torch")
    remedies = [("prefetch", 4), WORKERS, ("fused-optimizer", True), ("debug-off", True), ("threads", 1)]
    remedies.append(("matmul-precision", "medium"))
    made = patch([write("train.py", TRAIN)], remedies)
    assert made.left == ()
    applied(made.text)
    patched = Path("train.py").read_text()
    assert patched != TRAIN
    expected = run(work / "remedies", TRAIN, *remedies).output
    assert run(work / "patched", patched).output == expected
    assert expected.splitlines()[:3] == ["2 True 4", "True None False", "1 medium"]


@pytest.mark.torch
def test_a_patched_model_is_compiled(work: Path) -> None:
    pytest.importorskip("torch")
    applied(patch([write("train.py", TRAIN)], [("compile", "default")]).text)
    patched = Path("train.py").read_text()
    asked = patched.replace(
        "    print(torch.get", "    print(model._compiled_call_impl is not None)\n    print(torch.get"
    )
    assert run(work / "patched", asked).output.splitlines()[2] == "True"


ANSWER = """import torch


def main():
    torch.manual_seed(0)
    model = torch.nn.Linear(2, 2).eval()
    answer = model(torch.ones(1, 2))
    print(answer.tolist())


if __name__ == "__main__":
    main()
"""


@pytest.mark.torch
def test_a_patched_job_records_no_gradients(work: Path) -> None:
    pytest.importorskip("torch")
    remedy = ("inference-mode", "no_grad")
    applied(patch([write("answer.py", ANSWER)], [remedy]).text)
    patched = Path("answer.py").read_text()
    assert patched != ANSWER
    asked = "print(answer.requires_grad, "
    answers = [
        run(work / "plain", ANSWER.replace("print(", asked)).output,
        run(work / "patched", patched.replace("print(", asked)).output,
        run(work / "remedy", ANSWER.replace("print(", asked), remedy).output,
    ]
    assert answers[0].startswith("True")
    assert answers[1].startswith("False")
    assert answers[1] == answers[0].replace("True", "False")
    assert answers[2] == answers[0], "under the remedy answers look as the script made them"
