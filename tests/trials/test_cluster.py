"""Groups of trials on several machines: who runs what, what happens when one goes away, and a real Ray where it is."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from narrows.job.command import resolve
from narrows.job.failure import Failure
from narrows.trials import join
from narrows.trials.arm import AS_IT_IS, Arm, Measured, Unproven
from narrows.trials.optimize import Runner
from narrows.trials.rounds import Lost, Result, rounds
from narrows.trials.setting import Setting
from narrows.trials.spread import Machine, spread
from narrows.trials.turns import Pace
from tests.trials.nodes import two_nodes  # noqa: F401
from tests.trials.test_rounds import SETTING

GROUPS = [[AS_IT_IS, Arm(name=name)] for name in "abc"]


@dataclass
class Fake:
    """Tasks that end in the order in which they began. What runs on a machine in `dies`, and a
    group in it wherever it runs, is lost with the machine."""

    alive: list[str]
    dies: set[str] = field(default_factory=set)
    log: list[tuple[str, str]] = field(default_factory=list)
    stopped: list[int] = field(default_factory=list)
    most: int = 0
    interrupt: bool = False

    def machines(self) -> Sequence[Machine]:
        return [Machine(node=name, address=name, cpus=1, gpus=0) for name in self.alive]

    def start(self, machine: Machine, how: Setting, arms: Sequence[Arm]) -> int:
        self.log.append((machine.node, arms[-1].name or arms[0].name))
        return len(self.log) - 1

    def first(self, tickets: Sequence[int]) -> int:
        assert len({self.log[i][0] for i in tickets}) == len(tickets), "two groups on one machine"
        self.most = max(self.most, len(tickets))
        if self.interrupt:
            raise KeyboardInterrupt
        return min(tickets)

    def result(self, ticket: int) -> Sequence[Result]:
        node, group = self.log[ticket]
        if node in self.dies or group in self.dies:
            if node in self.alive:
                self.alive.remove(node)
            raise Lost(f"{node} died")
        return [Measured(seconds=2.0), Measured(seconds=1.0)]

    def stop(self, tickets: Sequence[int]) -> None:
        self.stopped.extend(tickets)


def results(fake: Fake) -> dict[str, list[str]]:
    found = spread(fake, SETTING, GROUPS)
    return {arms[1].name: [each.detail if isinstance(each, Unproven) else "" for each in got] for arms, got in found}


def test_each_machine_runs_one_group_at_a_time() -> None:
    fake = Fake(alive=["x", "y"])
    assert results(fake) == {"a": ["", ""], "b": ["", ""], "c": ["", ""]}
    assert fake.log == [("x", "a"), ("y", "b"), ("x", "c")]
    assert fake.most == 2


def test_what_a_machine_took_with_it_is_run_again_elsewhere() -> None:
    fake = Fake(alive=["x", "y"], dies={"x"})
    assert results(fake) == {"a": ["", ""], "b": ["", ""], "c": ["", ""]}
    assert fake.log == [("x", "a"), ("y", "b"), ("y", "c"), ("y", "a")]


def test_it_is_run_again_once() -> None:
    fake = Fake(alive=["x", "y", "z"], dies={"a"})
    assert results(fake) == {"a": ["y died", "y died"], "b": ["", ""], "c": ["", ""]}
    assert [node for node, name in fake.log if name == "a"] == ["x", "y"]


def test_without_a_machine_there_is_no_endless_wait() -> None:
    fake = Fake(alive=["x"], dies={"x"})
    found = results(fake)
    assert set(found) == {"a", "b", "c"}
    assert all("died" in " ".join(said) or "left" in " ".join(said) for said in found.values())
    assert len(fake.log) == 1


def test_an_interrupt_or_the_end_of_interest_stops_what_runs() -> None:
    fake = Fake(alive=["x", "y"], interrupt=True)
    with pytest.raises(KeyboardInterrupt):
        results(fake)
    assert fake.stopped == [0, 1]
    fake = Fake(alive=["x", "y"])
    with closing(spread(fake, SETTING, GROUPS)) as found:
        next(found)
    assert fake.stopped == [1]


def test_a_lost_group_costs_its_arms_and_not_the_base() -> None:
    others = [Arm(name="a"), Arm(name="b")]
    sizes: list[int] = []

    def run(todo: Sequence[Sequence[Arm]]) -> Iterator[tuple[Sequence[Arm], Sequence[Result]]]:
        sizes.append(len(todo))
        for arms in todo:
            lost = "a" in [arm.name for arm in arms]
            yield arms, [Lost("gone") if lost else Measured(seconds=1.0) for _ in arms]

    found = rounds(lambda arms: [], AS_IT_IS, others, most=2, spread=run, machines=2)
    assert sizes == [2, 1]  # both machines have something to do
    assert (list(found.failed), found.failed["a"].word) == (["a"], "failed")
    assert (len(found.pairs["a"]), len(found.pairs["b"])) == (0, 2)


def test_a_machine_that_went_away_does_not_say_that_a_job_cannot_run_beside_itself() -> None:
    class Gone:
        def spread(self, how: Setting, groups: Any) -> Iterator[tuple[Sequence[Arm], Sequence[Result]]]:
            assert how.most == 4
            yield groups[0], [Lost(), Lost()]

    run = Runner(replace(SETTING, most=4), Gone())  # type: ignore[arg-type]
    assert all(isinstance(each, Lost) for each in run([AS_IT_IS, Arm(name="again")]))
    assert run.how.most == 4


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Failure, match=r'pip install "narrows\[ray\]"'), join.joined("auto", SETTING.command):
        pass


@pytest.mark.skipif(find_spec("ray") is None, reason="needs Ray")  # not imported: it reads its settings when it is
@pytest.mark.parametrize(
    ("address", "code", "said"),
    [("127.0.0.1:9", 125, "no Ray cluster"), ("auto", 125, "no Ray cluster"), ("ray://x:1", 2, "HOST:PORT")],
)
def test_a_wrong_address_is_one_sentence_soon(tmp_path: Path, address: str, code: int, said: str) -> None:
    (tmp_path / "train.py").write_text("")
    began = time.monotonic()
    environment = {k: v for k, v in os.environ.items() if k != "RAY_ADDRESS"}
    done = subprocess.run(
        [sys.executable, "-m", "narrows", "optimize", "--ray", address, "train.py"], cwd=tmp_path, env=environment,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert time.monotonic() - began < 25  # 12 of its own, on a busy machine
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / ".narrows").exists()


def running(folder: Path) -> bool:
    said = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return str(folder) in said or "narrows.trials.group" in said


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_two_nodes_of_a_real_cluster(
    tmp_path: Path,
    two_nodes: Any,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    second = two_nodes.add_node(num_cpus=1)
    pace = Pace(warmup=3, turn=0.1, least=2, seconds=0.2, boundaries=10, longest=60.0, at_once=2)
    command = resolve([str(tmp_path / "train.py")])
    how = Setting(command=command, folder=tmp_path, rank=0, pace=pace, most=2, shield=False)
    endless = replace(how, pace=replace(pace, seconds=100.0, longest=200.0))
    before = dict(os.environ)
    capfd.readouterr()
    nowhere = replace(command, words=("/nowhere/python", *command.words))
    with pytest.raises(Failure, match="of the cluster does not see /nowhere/python"):
        with join.joined(two_nodes.address, nowhere):
            pass
    with join.joined(two_nodes.address, command) as cluster:
        assert dict(os.environ) == before
        assert len(cluster.found) == 2
        for arms, got in cluster.spread(how, GROUPS[:2]):
            assert arms[0] is AS_IT_IS
            assert all(isinstance(each, Measured) and 0.004 < each.seconds < 0.5 for each in got), got
        assert len(set(cluster.used.values())) == 2

        with closing(cluster.spread(endless, GROUPS[:1])) as found:  # ended while it runs
            with monkeypatch.context() as patched:
                patched.setattr(type(cluster), "first", _after_a_while)
                with pytest.raises(KeyboardInterrupt):
                    next(found)
        assert not running(tmp_path)

        on_second = next(machine for machine in cluster.found if machine.node == second.node_id)
        lost = cluster.start(on_second, endless, GROUPS[0])
        time.sleep(5)
        two_nodes.remove_node(second, allow_graceful=False)
        with pytest.raises(Lost):
            cluster.result(lost)
        assert [machine for machine in cluster.found if machine != on_second] == cluster.machines()
        until = time.monotonic() + 20
        while running(tmp_path) and time.monotonic() < until:
            time.sleep(0.2)
        assert not running(tmp_path)
    assert not list(temporary.glob("narrows-*")), "something is left"
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")


def _after_a_while(self: object, tickets: Sequence[Any]) -> Any:
    time.sleep(5)
    raise KeyboardInterrupt
