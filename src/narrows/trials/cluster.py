"""The machines of a Ray cluster, as `spread.Tasks`.

A group has its machine for itself: its task asks for all processors and devices of one node, and of nodes that are on
the same machine (containers) one is used. What a task runs is `group.py`, with the interpreter, folder and environment
of narrows here: those of Ray's workers, their threads, priority and masked signals, are never the job's.
"""

import importlib
import importlib.util
import os
import pickle
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from narrows.trials import at_machine
from narrows.trials.arm import Arm
from narrows.trials.rounds import Lost, Result
from narrows.trials.setting import Setting
from narrows.trials.spread import Machine, spread

LEAVE = 20.0
"""Seconds that a machine has to end its trials, and to clean up."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    ray: Any
    found: Sequence[Machine]
    """Those that can run trials, as they were at the beginning."""
    used: dict[Any, Machine] = field(default_factory=dict)
    """By ticket."""
    gone: set[Machine] = field(default_factory=set)
    """The cluster lists a node for a while after it has died."""
    token: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    def spread(self, how: Setting, groups: Sequence[Sequence[Arm]]) -> Iterator[tuple[Sequence[Arm], Sequence[Result]]]:
        return spread(self, how, groups)

    def machines(self) -> Sequence[Machine]:
        alive = {node["NodeID"] for node in self.ray.nodes() if node["Alive"]}
        return [machine for machine in self.found if machine.node in alive and machine not in self.gone]

    def start(self, machine: Machine, how: Setting | None, arms: Sequence[Arm]) -> Any:
        folder = f"narrows-trials-{self.token}-{machine.node[:12]}"
        words = sys.executable, pickle.dumps((folder, how, list(arms)))
        ticket = task(self.ray, machine, at_machine.run_group(), words)
        self.used[ticket] = machine
        return ticket

    def first(self, tickets: Sequence[Any]) -> Any:
        return self.ray.wait(list(tickets), num_returns=1)[0][0]

    def result(self, ticket: Any) -> Sequence[Result]:
        try:
            answer, said = self.ray.get(ticket)
        except self.ray.exceptions.RayError as error:
            # That of a worker which died, or could not start the group, may run the next one.
            errors = self.ray.exceptions
            if not isinstance(error, (errors.WorkerCrashedError, errors.OutOfMemoryError, errors.RayTaskError)):
                self.gone.add(self.used[ticket])
            raise Lost(f"a machine of the cluster was lost ({type(error).__name__})") from None
        if not answer:
            raise Lost(said.strip().rpartition("\n")[2])
        results: Sequence[Result] = pickle.loads(answer)
        return results

    def stop(self, tickets: Sequence[Any]) -> None:
        for ticket in tickets:
            self.ray.cancel(ticket)
        if tickets:
            self.ray.wait(list(tickets), num_returns=len(tickets), timeout=LEAVE)

    def leave(self) -> None:
        """What compilers made for the next trial is removed on each machine that lives."""
        used = set(self.used.values())
        last = [self.start(machine, None, []) for machine in self.machines() if machine in used]
        if last:
            self.ray.wait(last, num_returns=len(last), timeout=LEAVE)


def task(ray: Any, machine: Machine, function: Callable[..., Any], words: Sequence[Any]) -> Any:
    """Runs it there, in the folder and with the environment of narrows here, with nothing of Ray's beside it."""
    affinity = importlib.import_module("ray.util.scheduling_strategies").NodeAffinitySchedulingStrategy
    options = ray.remote(function).options(
        num_cpus=machine.cpus,
        num_gpus=machine.gpus,
        max_retries=0,
        scheduling_strategy=affinity(machine.node, soft=False),
    )
    return options.remote(os.getcwd(), dict(os.environ), *words)
