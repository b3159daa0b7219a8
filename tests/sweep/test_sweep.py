"""What a sweep makes of runs, and of machines that go away. What runs is faked: `narrows diagnose` is tested elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.console import Console

from narrows.job.diagnose import Request
from narrows.report.language import words
from narrows.report.model import Report
from narrows.sweep import faces
from narrows.sweep import sweep as sweeps
from narrows.sweep.cluster import on_any, on_each
from narrows.sweep.model import Entry, Sweep, compared, entry, missing
from narrows.sweep.sweep import Run, Wish, named, sweep
from narrows.sweep.variants import variants
from narrows.trials.rounds import Lost
from narrows.trials.spread import Machine
from tests.report import sample


def wish(tmp_path: Path, *arguments: str) -> Wish:
    return Wish(
        words=("true",), variants=variants(["THREADS=1,2"], list(arguments)), steps=0, seconds=0.0, out=tmp_path, quiet=True, lang="en"
    )  # fmt: skip


def faster(by: float, ended: str = "ok", code: int = 0) -> Report:
    base = sample.training()
    assert base.step is not None
    assert base.step.samples_per_second is not None
    low, high = base.step.ci95_seconds
    step = replace(
        base.step, median_seconds=base.step.median_seconds / by, ci95_seconds=(low / by, high / by),
        samples_per_second=base.step.samples_per_second * by,
    )  # fmt: skip
    return replace(base, step=step, job=replace(base.job, ended=ended, exit_code=code))


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    made: list[Request] = []

    def diagnose(request: Request) -> tuple[Path, int]:
        made.append(request)
        return tmp_path, 0

    monkeypatch.setattr(sweeps, "diagnose", diagnose)
    return made


def test_each_setting_is_run_and_compared_with_the_first(
    tmp_path: Path, asked: list[Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "build", lambda folder, lang: faster(float(len(asked))))
    made, code = sweep(wish(tmp_path, "--batch 8,16"))
    assert code == 0
    assert [(r.words, dict(r.environment)) for r in asked] == [
        (("true", "--batch", batch), {"THREADS": threads}) for threads in "12" for batch in ("8", "16")
    ]
    assert [e.speedup for e in made.entries] == pytest.approx([1.0, 2.0, 3.0, 4.0])
    low, high = made.entries[1].speedup_ci95 or (0.0, 0.0)
    assert 1.9 < low < 2.0 < high < 2.1
    assert {e.cause for e in made.entries} == {"input"}


def test_a_setting_that_fails_is_told_and_the_rest_still_run(
    tmp_path: Path, asked: list[Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = [replace(sample.no_step(), step=None), faster(1.0)]
    monkeypatch.setattr(sweeps, "build", lambda folder, lang: reports[len(asked) - 1])
    made, code = sweep(wish(tmp_path))
    assert code == 3
    assert [(e.ended, e.speedup) for e in made.entries] == [("error", None), ("ok", 1.0)]


def test_an_interrupt_begins_no_other(tmp_path: Path, asked: list[Request], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "build", lambda folder, lang: faster(1.0, "interrupted", 130))
    made, code = sweep(wish(tmp_path))
    assert (len(asked), code) == (1, 130)
    assert [e.ended for e in made.entries] == ["interrupted", None]


def test_samples_are_those_of_all_ranks() -> None:
    two = sample.two_ranks()
    assert two.step is not None
    found = entry({}, two, Path())
    assert found.samples_per_second == 2 * (two.step.samples_per_second or 0)
    assert compared([found])[0].speedup == 1.0


def test_without_samples_steps_are_compared() -> None:
    bare = [replace(entry({}, faster(by), Path()), samples_per_second=None) for by in (1.0, 1.5)]
    assert [e.speedup for e in compared(bare)] == pytest.approx([1.0, 1.5])


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_face_shows_every_setting(lang: str) -> None:
    hostile = {"--name": sample.HOSTILE}
    every = [
        entry(hostile, sample.hostile(), Path()),
        missing({"A": "1"}, "its machine was lost"),
        entry({}, sample.no_step(), Path()),
    ]
    made = Sweep(created="", command=["train.py"], entries=compared(every))
    console = Console(record=True, width=200, file=None, no_color=True)
    with console.capture() as shown:
        faces.terminal(made, console, words(lang))
    for text in (shown.get(), faces.markdown(made, words(lang))):
        assert "its machine was lost" in text
        assert "sweep." not in text
    assert "<script" not in faces.markdown(made, words(lang))
    assert "\x1b[2J" not in shown.get()


@dataclass
class Fake:
    """Machines that run one setting at a time; those in `dies` are lost with the first."""

    alive: list[str]
    dies: set[str] = field(default_factory=set)
    log: list[tuple[str, str]] = field(default_factory=list)
    stopped: list[int] = field(default_factory=list)

    def machines(self) -> Sequence[Machine]:
        return [Machine(node=name, address=name, cpus=1, gpus=0) for name in self.alive]

    def start(self, machine: Machine, how: Wish, arms: Sequence[Run]) -> int:
        self.log.append((machine.node, named(arms[0].setting)))
        return len(self.log) - 1

    def first(self, tickets: Sequence[int]) -> int:
        assert len({self.log[i][0] for i in tickets}) == len(tickets), "two settings on one machine"
        return min(tickets)

    def result(self, ticket: int) -> Sequence[Entry]:
        node, setting = self.log[ticket]
        if node in self.dies:
            self.alive.remove(node)
            raise Lost(f"{node} died")
        return [missing({"ran": f"{node} {setting}"}, "")]

    def stop(self, tickets: Sequence[int]) -> None:
        self.stopped.extend(tickets)


def every() -> list[Run]:
    return [Run(words=("true",), environment={}, setting={"A": value}) for value in "12"]


def test_a_free_machine_takes_the_next_setting_and_that_of_one_that_died(tmp_path: Path) -> None:
    fake = Fake(alive=["x", "y"], dies={"y"})
    found = on_any(fake, wish(tmp_path), every())
    assert [e.setting for e in found] == [{"ran": "x A=1"}, {"ran": "x A=2"}]
    assert not fake.stopped


def test_each_machine_runs_every_setting_and_one_that_died_is_told(tmp_path: Path) -> None:
    found = on_each(Fake(alive=["x", "y"], dies={"y"}), wish(tmp_path), every())
    assert [e.setting for e in found] == [
        {"ran": "x A=1"}, {"A": "1", "machine": "y"}, {"ran": "x A=2"}, {"A": "2", "machine": "y"},
    ]  # fmt: skip
    assert [e.error for e in found] == ["", "y died", "", "its machine was lost"]
