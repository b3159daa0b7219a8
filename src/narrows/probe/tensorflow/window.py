"""Which ops run, with which shapes, and how long each takes, in TensorFlow: the op window.

TensorFlow's own profiler records each op, in a graph or not, at about a microsecond each; stopping it and reading what
it wrote costs some milliseconds, once for each window. It knows ops by their names, so shapes come from the graphs that
were traced, and for ops outside of a graph from the calls themselves, which a wrapper notes while the window is open.
"""

import bisect
import importlib
import sys
from time import perf_counter_ns as clock
from typing import Any

from .. import job, places, schedule, state
from ..keras import models, trainer
from ..windows import lines
from . import eager, function, graphs, log, recording, timeline

MARK = "narrows"
LEVEL = {"host_tracer_level": 2, "python_tracer_level": 0, "device_tracer_level": 0}
MOST_BYTES = 16 << 20
"""Of a recording: about 200,000 events, which take 2 s to read. Of a larger one nothing is read."""
MOST_SAMPLES = 64
EVENT_NS = 1000
"""Of the step, for each event that is recorded: with 700 of them a step of 3.6 ms takes 4.1 to 5 ms."""
WAITS = 2
"""Times as long as a window takes to open: a pipeline that is waited for so long in it is what sets the pace."""
_open: Any = None


def install(tensorflow: Any) -> None:
    """The windows are these from the first step on that TensorFlow makes."""

    def first_step() -> None:
        keras = sys.modules.get("keras")  # on another backend it may import TensorFlow for its pipelines only
        if keras is None or keras.backend.backend() == "tensorflow":
            schedule.kinds.update(ops=lambda: Ops(tensorflow), lines=lines.make)

    models.at_first_step.append(first_step)
    module: Any = importlib.import_module("tensorflow.python.profiler.profiler_v2")
    original = module.start

    def start(*args: Any, **kwargs: Any) -> Any:
        """There can be one recording at a time: the job's own goes before ours."""
        if _open is not None:
            _open.stop()
        return original(*args, **kwargs)

    module.start = tensorflow.profiler.experimental.start = start


class Ops:
    def __init__(self, tensorflow: Any) -> None:
        self.tensorflow = tensorflow
        self.session: Any = None
        self.marks: list[tuple[int, int]] = []
        self.eager = eager.Calls()
        self.boundaries = self.ahead = 0
        """`ahead`: nanoseconds that opening took, in which a pipeline could get ahead of the steps."""
        self.begin: list[int] = []

    def open(self) -> bool:
        global _open
        started = clock()
        profiler = importlib.import_module("tensorflow.python.profiler.internal._pywrap_profiler")
        session = profiler.ProfilerSession()
        try:
            with log.aside():
                session.start("", LEVEL)
        except Exception:
            return False  # the job records by itself
        self.session, _open = session, self
        places.learning = False
        job.disturbed = True
        self.boundaries = job.spool.boundaries
        state.touch()
        self.begin = list(state.gap_ns)
        self.began = clock()
        with self.tensorflow.profiler.experimental.Trace(MARK):
            pass
        self.watch()
        self.eager.open()
        self.ahead = clock() - started
        return True

    def watch(self) -> None:
        """Note when the main thread goes from one state to another."""
        self.originals = enter, leave = state.enter, state.leave
        marks = self.marks
        marks.append((self.began, state.now_in))

        def entered(to: int) -> None:
            enter(to)
            marks.append((state.last, state.now_in))

        def left(gap: int) -> None:
            leave(gap)
            marks.append((state.last, state.now_in))

        watched: Any = state
        watched.enter, watched.leave = entered, left

    def stop(self) -> bytes:
        """What was recorded, once."""
        global _open
        session, self.session, _open = self.session, None, None
        if session is None:
            return b""
        with log.aside():
            data: bytes = session.stop()
            del session  # it says so
        return data

    def close(self) -> None:
        self.eager.close()
        state.enter, state.leave = self.originals
        state.touch()
        spent = [now - then for now, then in zip(state.gap_ns, self.begin, strict=True)]
        job.disturbed = True
        data = self.stop()
        if not data or len(data) > MOST_BYTES:
            return
        events = list(recording.events(data))
        mark = next(e for e in events if e.name == MARK)
        self.offset = self.began - mark.begin // 1000
        found = Found(self, timeline.element_bytes(events))
        graph = timeline.graph_ops(events, mark.thread, lambda name: found.shapes.find(name) is not None)
        for share in graph:
            found.graph(share)
        for share in timeline.eager_ops(events, mark.thread):
            found.eager(share)
        steps = job.spool.boundaries - self.boundaries
        job.spool.event("ops", boundaries=steps, ns=spent, ops=found.rows())
        waited = sum(s.spent for s in graph if not s.kind and self.state_at(s.begin) == state.GRAPH) // 1000
        if waited > WAITS * self.ahead:  # the pipeline is behind: what it got ahead would have been waited for
            waited += self.ahead + len(events) * EVENT_NS
        job.spool.event(
            "graphs",
            boundaries=steps,
            input_ns=waited,
            ns=spent[state.GRAPH],
            stages=[[name, *sums] for name, sums in timeline.stages(events).items()],
        )

    def state_at(self, picoseconds: int) -> int:
        at = bisect.bisect_right(self.marks, (self.offset + picoseconds // 1000, 99)) - 1
        return self.marks[max(0, at)][1]


class Found:
    """The ops of a window, put together by what is alike."""

    def __init__(self, window: Ops, element_bytes: int) -> None:
        self.window = window
        self.shapes = graphs.Shapes()
        self.batch = self.shapes.batch(element_bytes) or trainer.batch_size or 1
        self.seen: dict[Any, list[int]] = {}
        self.outputs: dict[Any, Any] = {}

    def graph(self, share: timeline.Share) -> None:
        if not share.kind:
            return
        at = self.window.state_at(share.begin)
        if at == state.GRAPH:
            at = self.part(share.name)
        shapes = self.shapes.of(share.name, share.kind, self.batch)
        arguments, outputs = shapes if shapes is not None else ([("?",)], ("?",))
        self.add(share.kind, arguments, outputs, at, share.spent)

    def part(self, name: str) -> int:
        """Forward, backward or update, by the scope that an op was put into the graph under."""
        words = name.split("/")
        if "gradient_tape" in words or "gradients" in words:
            return state.BACKWARD
        if function.scopes.intersection(words):
            return state.OPTIMIZER
        return state.FORWARD

    def eager(self, share: timeline.Share) -> None:
        call = self.window.eager.match(share.kind)
        arguments, outputs = call if call is not None else ([("?",)], ("?",))
        self.add(share.kind, arguments, outputs, self.window.state_at(share.begin), share.spent)

    def add(self, kind: str, arguments: Any, outputs: Any, at: int, picoseconds: int) -> None:
        key = (f"tf.{kind}", tuple(arguments), at)
        times = self.seen.get(key)
        if times is None:
            times = self.seen[key] = [0]
            self.outputs[key] = outputs
        times[0] += 1
        if len(times) <= MOST_SAMPLES:
            times.append(picoseconds // 1000)

    def rows(self) -> list[Any]:
        return [
            [name, arguments, [], self.outputs[name, arguments, at], at, None, times[0], times[1:]]
            for (name, arguments, at), times in self.seen.items()
        ]
