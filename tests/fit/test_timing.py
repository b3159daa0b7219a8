"""What rounds at several sizes say, and what they do not."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from narrows.fit import timing
from narrows.fit.sizes import Changed, Size
from narrows.fit.timing import at_sizes, in_rounds
from narrows.job.command import Command
from narrows.trials.arm import Arm, Measured, Unproven
from narrows.trials.rounds import Result
from narrows.trials.setting import Setting
from tests import fakes
from tests.fit.jobs import command
from tests.trials.test_rounds import SETTING

COMMAND = Command(words=("train", "--length", "512"), typed=("train",), python="python")
PROCESS = fakes.process(())
ONE, TWO = Measured(seconds=1.0), Measured(seconds=2.0)


def longer(size: int) -> Changed:
    return Changed(command=replace(COMMAND, words=("train", "--length", str(size))), told={"batch": "1:2"})


def ran(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **results: Result
) -> tuple[list[dict[int, Measured]], list[Arm]]:
    """What a job whose step takes a second makes of it, and what ran."""
    asked: list[Arm] = []

    def together(how: Setting, arms: list[Arm]) -> list[Result]:
        asked.extend(arms)
        return [results.get(f"at{arm.name}", ONE) for arm in arms]

    monkeypatch.setattr(timing, "together", together)
    monkeypatch.setattr(timing, "_setting", lambda *_, **__: replace(SETTING, most=3))
    found = at_sizes(COMMAND, tmp_path, PROCESS, 1, 512, {n: longer(n) for n in (256, 1024)}, shield=True)
    return found, asked


def test_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    assert at_sizes(COMMAND, tmp_path, PROCESS, 1, 512, {}, shield=True) == []
    assert in_rounds(512, {}) == []


def test_sizes_that_ran_beside_another_present_one() -> None:
    """The machine was half as fast when the second group ran."""
    found = in_rounds(512, {256: [(TWO, ONE)], 1024: [(Measured(seconds=4.0), Measured(seconds=8.0))]})
    assert [{size: each.seconds for size, each in ran.items()} for ran in found] == [{512: 2.0, 256: 1.0, 1024: 4.0}]


def test_a_job_that_is_over_too_soon_runs_once_and_says_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found, asked = ran(monkeypatch, tmp_path, at=replace(ONE, whole=True))
    assert found == []
    assert len(asked) == 3


def test_a_size_that_fails_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found, _ = ran(monkeypatch, tmp_path, at256=TWO, at1024=Unproven("memory"))
    assert found == [{512: ONE, 256: TWO}] * 6


def test_each_size_is_the_job_with_another_command_and_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found, asked = ran(monkeypatch, tmp_path, at1024=TWO)
    assert found == [{512: ONE, 256: ONE, 1024: TWO}] * 6
    most = next(arm for arm in asked if arm.name == "1024")
    assert most.command is not None
    assert (most.command.words[-1], most.told) == ("1024", {"batch": "1:2"})


def test_no_round_begins_when_the_time_is_spent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(timing, "BUDGET", -1.0)
    found, asked = ran(monkeypatch, tmp_path)
    assert (found, asked) == ([], [])


def test_an_interrupt_is_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def together(how: Setting, arms: list[Arm]) -> list[Result]:
        raise KeyboardInterrupt

    monkeypatch.setattr(timing, "together", together)
    monkeypatch.setattr(timing, "_setting", lambda *_, **__: SETTING)
    with pytest.raises(KeyboardInterrupt):
        at_sizes(COMMAND, tmp_path, PROCESS, 1, 512, {256: longer(256)}, shield=True)


JOB = """
import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--length", type=int, choices=[8])
length = parser.parse_args().length
import torch
from torch.utils.data import DataLoader, TensorDataset

model = torch.nn.Linear(length, 1)
optimizer = torch.optim.SGD(model.parameters())
data = TensorDataset(torch.randn(4096, length))
while True:
    for (rows,) in DataLoader(data, batch_size=64):
        model(rows).sum().backward()
        optimizer.step()
"""


@pytest.mark.torch
def test_a_real_job_is_given_the_sizes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Batches by the loader, of twice as many samples; a length that is none ends the job, and is left out."""
    pytest.importorskip("torch")
    monkeypatch.setattr(timing, "FEWEST", 1)
    job = command(JOB, "--length", "8")
    job = replace(job, words=(sys.executable, *job.words[1:]))
    loader = Size(what="batch", now=64, name="DataLoader", kind="loader").of(job, 128)
    option = Size(what="sequence", now=8, name="--length", kind="option").of(job, 16)
    plain = fakes.process(fakes.boundaries(10, forward=1.0))
    (found,) = at_sizes(job, tmp_path, plain, 1, 64, {128: loader, 16: option}, shield=True)
    assert {size: each.samples for size, each in found.items()} == {64: 64, 128: 128}
    assert all(each.seconds > 0 and each.memory > 0 for each in found.values())
    assert not list(tmp_path.glob("trial*"))
