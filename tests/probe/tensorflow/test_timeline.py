"""From events to shares of the main thread's time, on made-up recordings."""

from narrows.probe.tensorflow import timeline
from narrows.probe.tensorflow.recording import Event

MAIN, POOL, OTHER = 1, 2, 3
RUN = {"id": "run"}


def run(begin: int, end: int, thread: int = POOL, **told: str) -> Event:
    return Event(thread, begin, end, "ExecutorState::Process", {**RUN, **told})


def op(kind: str, begin: int, end: int, thread: int = POOL, name: str = "") -> Event:
    return Event(thread, begin, end, kind, {"long_name": f"{name or kind.lower()}:{kind}"})


CALL = Event(MAIN, 0, 5, "FunctionRun", RUN)


def graph(*events: Event, known: bool = False) -> list[tuple[str, int]]:
    found = timeline.graph_ops([CALL, *events], MAIN, lambda name: known)
    return [(share.kind, share.spent) for share in found]


def test_an_op_alone_has_its_time() -> None:
    assert graph(run(0, 100), op("MatMul", 10, 60)) == [("MatMul", 50)]


def test_ops_that_run_at_once_share_it() -> None:
    found = graph(run(0, 100), run(0, 100, OTHER), op("MatMul", 10, 60), op("Sub", 10, 60, OTHER))
    assert found == [("MatMul", 25), ("Sub", 25)]


def test_a_wait_for_input_counts_where_nothing_runs() -> None:
    wait = Event(OTHER, 0, 100, "IteratorGetNextOp::DoCompute", RUN)
    assert dict(graph(run(0, 100), op("Sub", 20, 30), wait)) == {"Sub": 10, "": 90}


def test_ops_of_a_pipeline_are_not_the_step_s() -> None:
    assert graph(run(0, 100, id="pipeline"), op("Sqrt", 10, 60), known=True) == []


def test_an_op_whose_run_is_not_recorded_counts_if_its_name_is_known() -> None:
    assert graph(op("PyFunc", 10, 60)) == []
    assert graph(op("MatMul", 10, 60), known=True) == [("MatMul", 50)]


def test_after_a_run_within_a_run_the_outer_one_goes_on() -> None:
    assert graph(run(0, 100), run(10, 20), op("Mul", 30, 40)) == [("Mul", 10)]


def test_ops_from_python_are_those_of_the_main_thread_in_order() -> None:
    def called(kind: str, begin: int, function: str = "0", thread: int = MAIN) -> list[Event]:
        told = {"eager_op": kind, "is_func": function}
        return [
            Event(thread, begin, begin + 10, "EagerExecute", told),
            Event(thread, begin + 2, begin + 8, "KernelAndDeviceFunc::Run", {}),
        ]

    events = [*called("Tanh", 20), *called("MatMul", 0), *called("step", 40, "1"), *called("Sub", 60, thread=POOL)]
    assert [(s.kind, s.spent) for s in timeline.eager_ops(events, MAIN)] == [("MatMul", 6), ("Tanh", 6)]


def test_stages_are_summed_by_name() -> None:
    told = {"long_name": "Iterator::Root::Map"}
    events = [Event(POOL, 0, 10, "Iterator::Map", told), Event(OTHER, 5, 20, "Iterator::Map", told)]
    assert timeline.stages(events) == {"Iterator::Root::Map": [2, 25, 2]}
