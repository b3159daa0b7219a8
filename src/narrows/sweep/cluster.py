"""A sweep on the machines of a Ray cluster, each of which runs one setting at a time, with nothing of Ray's beside it."""

import pickle
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from narrows.job.command import resolve
from narrows.sweep.model import Entry, missing
from narrows.sweep.sweep import Run, Wish, named
from narrows.trials import at_machine
from narrows.trials.cluster import Cluster, task
from narrows.trials.join import joined
from narrows.trials.rounds import Lost
from narrows.trials.spread import Machine, Tasks, spread


@dataclass(frozen=True, kw_only=True)
class There:
    """A `spread.Tasks`."""

    cluster: Cluster

    def machines(self) -> Sequence[Machine]:
        return self.cluster.machines()

    def start(self, machine: Machine, how: Wish, arms: Sequence[Run]) -> Any:
        given = pickle.dumps((how, arms[0], machine.address))
        words = sys.executable, given, "narrows.sweep.there"
        ticket = task(self.cluster.ray, machine, at_machine.run_group(), words)
        self.cluster.used[ticket] = machine
        return ticket

    def first(self, tickets: Sequence[Any]) -> Any:
        return self.cluster.first(tickets)

    def result(self, ticket: Any) -> Sequence[Entry]:
        found: Sequence[Any] = self.cluster.result(ticket)
        if not found:
            raise Lost("interrupted")
        return found

    def stop(self, tickets: Sequence[Any]) -> None:
        self.cluster.stop(tickets)


def on_cluster(wish: Wish, every: Sequence[Run]) -> list[Entry]:
    """In the order of the settings. Raises `Failure`, as `trials.join.joined` does."""
    with joined(wish.ray, resolve(list(wish.words))) as cluster:
        tasks, there = There(cluster=cluster), replace(wish, ray="", out=wish.out.absolute(), quiet=True, aside=True)
        return on_each(tasks, there, every) if wish.each_machine else on_any(tasks, there, every)


def on_any(tasks: Tasks[Wish, Run, Entry], wish: Wish, every: Sequence[Run]) -> list[Entry]:
    """Each on the first machine that is free; what is lost with one is run once more, on another."""
    made: dict[str, Entry] = {}
    for (run,), (result,) in spread(tasks, wish, [[run] for run in every]):
        made[named(run.setting)] = missing(dict(run.setting), result.detail) if isinstance(result, Lost) else result
    return [made[named(run.setting)] for run in every]


def on_each(tasks: Tasks[Wish, Run, Entry], wish: Wish, every: Sequence[Run]) -> list[Entry]:
    """All of them on each machine, which are compared: what is lost with one is not run on another."""
    todo = {machine: list(every) for machine in tasks.machines()}
    made: dict[tuple[str, str], Entry] = {}
    running: dict[Any, tuple[Machine, Run]] = {}
    try:
        while any(todo.values()) or running:
            busy, alive = {machine for machine, _ in running.values()}, {machine.node for machine in tasks.machines()}
            for machine, left in todo.items():
                while left and machine not in busy:
                    run = left.pop(0)
                    if machine.node in alive:
                        running[tasks.start(machine, wish, [run])] = machine, run
                        break
                    lost = missing({**run.setting, "machine": machine.address}, "its machine was lost")
                    made[machine.node, named(run.setting)] = lost
            if running:
                ticket = tasks.first(list(running))
                machine, run = running.pop(ticket)
                try:
                    (result,) = tasks.result(ticket)
                except Lost as why:
                    result = missing({**run.setting, "machine": machine.address}, why.detail)
                made[machine.node, named(run.setting)] = result
    finally:
        tasks.stop(list(running))
    return [made[machine.node, named(run.setting)] for run in every for machine in todo]
