"""The op window on JAX: a step is one program, compiled by XLA, of which no single op can be seen from outside.

While the window is open each step is waited for, which tells how long the program runs; and once its arithmetic is asked for,
from the program before it is optimized (which traces it again, about a second). What calling it costs is that of a program
on the same arguments that does nothing. Bytes are those of its arguments and results: the least that it can move.
"""

import statistics
from time import perf_counter_ns as clock
from typing import Any

from .. import job, places, state
from ..keras import data, trainer

CALLS = 5
DEEPEST = 4
"""Functions in functions, from the one that Keras calls to the one that is compiled."""
_flops: dict[int, float] = {}
"""By the identity of the step function."""


class Program:
    def __init__(self, jax: Any) -> None:
        self.jax = jax
        self.ran: list[int] = []
        self.calling = 0
        self.flops = 0.0
        self.bytes = (0, 0)
        self.begin: list[int] = []
        self.boundaries = 0

    def open(self) -> bool:
        places.learning = False
        job.disturbed = True
        state.touch()
        self.begin = list(state.gap_ns)
        self.boundaries = job.spool.boundaries
        trainer.look = self.call
        return True

    def call(self, function: Any, args: Any, kwargs: Any) -> Any:
        """In place of the step function's own call."""
        waited = state.gap_ns[state.NEXT]
        if not self.bytes[0]:
            self.before(function, args)
        began = clock()
        result = function(*args, **kwargs)
        try:
            self.jax.block_until_ready(result)
            state.touch()
            self.ran.append(clock() - began - (state.gap_ns[state.NEXT] - waited))
            self.bytes = (self.bytes[0], self.size(result))
        except Exception as error:
            job.quiet(error)
        return result

    def before(self, function: Any, args: Any) -> None:
        """What is known of the program before it runs: its arguments are given away to it."""
        try:
            self.bytes = (self.size(args[0]), 0)
            nothing = self.jax.jit(lambda values: 0)
            self.jax.block_until_ready(nothing(args[0]))
            took = []
            for _ in range(CALLS):
                began = clock()
                nothing(args[0])
                took.append(clock() - began)
            self.calling = min(took)
            if id(function) not in _flops:
                _flops[id(function)] = self.arithmetic(function, args[0])
            self.flops = _flops[id(function)]
        except Exception as error:
            job.quiet(error)

    def arithmetic(self, function: Any, held: Any) -> float:
        """Operations of the program; 0 if it cannot be asked, or if no batch was seen."""
        program = compiled(function)
        if program is None or data.last is None:
            return 0.0
        shapes = self.jax.tree_util.tree_map(
            lambda leaf: self.jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), (held, data.last)
        )
        return float((program.lower(*shapes).cost_analysis() or {}).get("flops", 0.0))

    def size(self, values: Any) -> int:
        """Bytes of all arrays in there."""
        return sum(int(getattr(leaf, "nbytes", 0)) for leaf in self.jax.tree_util.tree_leaves(values))

    def close(self) -> None:
        trainer.look = None
        job.disturbed = True
        steps = job.spool.boundaries - self.boundaries
        spent = [now - then for now, then in zip(state.gap_ns, self.begin, strict=True)]
        times = [max(1, ran - self.calling) for ran in self.ran]
        if not times:
            return
        arguments = [self.flops, *self.bytes]
        row = ["xla.program", arguments, [], ["L"], state.GRAPH, None, len(times), times]
        job.spool.event("ops", boundaries=steps, ns=spent, ops=[row])
        job.spool.event("program", boundaries=steps, ns=statistics.median_low(times) * len(times))


def compiled(function: Any, depth: int = 0) -> Any:
    """The program among what a function refers to."""
    if hasattr(function, "lower"):
        return function
    for cell in getattr(function, "__closure__", None) or ():
        found = compiled(cell.cell_contents, depth + 1) if depth < DEEPEST and callable(cell.cell_contents) else None
        if found is not None:
            return found
    return None
