"""When a memory run has seen enough of the job. Pure."""

from collections.abc import Callable

CALLS, SECONDS = 1000, 30.0
"""Model calls, and seconds after the first, after which a job that never trains is ended."""
PATIENCE = 8
"""Times as many for one that will: it has made an optimizer, and plays or validates before it learns."""
UNEVEN, LONE = 10, 30
"""Times as many updates as asked for, in all: until each optimizer has made two (one may have a turn for every five of
another's, or few of its own and then comes the next), and until one that has never made any is no longer waited for."""
WAITED = 60.0
"""Seconds of updates after which that one is not waited for, either."""
BY_HAND = 2
"""Times as many backward passes as updates were asked for, of a job that has no optimizer and updates by itself."""
FIRST = 4
"""Calls of a job that does not train before its allocator is watched."""


class Ending:
    def __init__(self, steps: int, clock: Callable[[], float]) -> None:
        """`steps`: updates of each optimizer."""
        self.steps, self.clock = steps, clock
        self.turns: dict[int, int] = {}
        """Updates by optimizer."""
        self.calls = self.backwards = 0
        self.began = self.first_update = 0.0

    def update(self, who: int) -> None:
        self.first_update = self.first_update or self.clock()
        self.turns[who] = self.turns.get(who, 0) + 1

    def call(self, backwards: int) -> None:
        """The end of a model call before the first update. `backwards`: passes since the one before it."""
        self.began = self.began or self.clock()
        self.calls += 1
        self.backwards += backwards

    def over(self, idle: int) -> bool:
        """`idle`: optimizers that were made and have not made an update yet."""
        if self.turns:
            return self._went(idle, self.steps)
        if self.backwards and not idle:
            return self.backwards >= BY_HAND * self.steps
        longer = PATIENCE if idle else 1
        return self.calls >= longer * CALLS or self.clock() - self.began > longer * SECONDS

    def nearly(self, idle: int) -> bool:
        """The next step may be the last one."""
        if self.turns:
            return self._went(idle, self.steps - 1)
        return not idle and (self.backwards >= self.steps if self.backwards else self.calls > FIRST)

    def _went(self, idle: int, steps: int) -> bool:
        fewest, total = min(self.turns.values()), sum(self.turns.values())
        waiting = idle and self.clock() - self.first_update <= WAITED
        if waiting:
            return total >= LONE * steps
        return fewest >= steps or (fewest > 1 and total >= UNEVEN * steps) or total >= LONE * steps
