"""Groups of trials on several machines at once: each has a machine for itself, until it has its results."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from narrows.trials.rounds import Lost
from narrows.trials.trial import interruptible


@dataclass(frozen=True, kw_only=True)
class Machine:
    node: str
    """Ray's name for it."""
    address: str
    cpus: float
    gpus: float


How = TypeVar("How", contravariant=True)
Work = TypeVar("Work", contravariant=True)
Answer = TypeVar("Answer", covariant=True)


class Tasks(Protocol[How, Work, Answer]):
    """What `spread` needs of Ray."""

    def machines(self) -> Sequence[Machine]:
        """Those that live."""

    def start(self, machine: Machine, how: How, arms: Sequence[Work]) -> Any:
        """A ticket for what now runs there."""

    def first(self, tickets: Sequence[Any]) -> Any:
        """One that has ended; waits for it."""

    def result(self, ticket: Any) -> Sequence[Answer]:
        """Raises `Lost`."""

    def stop(self, tickets: Sequence[Any]) -> None:
        """Ends them and waits until they have."""


def spread(
    tasks: Tasks[How, Work, Answer], how: How, groups: Sequence[Sequence[Work]]
) -> Iterator[tuple[Sequence[Work], Sequence[Answer | Lost]]]:
    """Each group and its results, as they come. What a machine took with it is run once more, on another one; if it is
    lost again, or there is no other, its results are `Lost`. Raises `KeyboardInterrupt`; nothing runs on then, nor
    when it is closed."""
    todo: list[tuple[Sequence[Work], str, Lost | None]] = [(arms, "", None) for arms in groups]
    running: dict[Any, tuple[Machine, Sequence[Work], Lost | None]] = {}
    with interruptible():
        try:
            while todo or running:
                busy = {machine.node for machine, _, _ in running.values()}
                for machine in tasks.machines():
                    fit = next((each for each in todo if each[1] != machine.node), None)
                    if machine.node not in busy and fit is not None:
                        todo.remove(fit)
                        running[tasks.start(machine, how, fit[0])] = machine, fit[0], fit[2]
                if not running:
                    for arms, _, why in todo:
                        yield arms, [why or Lost("no machine of the cluster is left")] * len(arms)
                    return
                ticket = tasks.first(list(running))
                machine, arms, before = running.pop(ticket)
                try:
                    found: Sequence[Answer | Lost] = tasks.result(ticket)
                except Lost as why:
                    if before is None:
                        todo.append((arms, machine.node, why))
                        continue
                    found = [why] * len(arms)
                yield arms, found
        finally:
            tasks.stop(list(running))
