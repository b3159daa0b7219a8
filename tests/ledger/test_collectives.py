"""What a step exchanges, from the ops that started it."""

from dataclasses import replace

from narrows.ledger.collectives import collectives, payload
from narrows.spool.record import Op, Tensor, Window
from tests.fakes import process

LINE = ("train.py", 18)
BUCKET = Tensor(shape=(1000,), dtype="float32", layout="c")
ONE = Tensor(shape=(), dtype="float32", layout="c")


def op(name: str, *arguments: object, state: str = "backward", count: int = 4, **changed: object) -> Op:
    made = Op(name=name, overload="default", arguments=arguments, state=state, where=LINE, count=count, ns=count * 1000,
              fastest_ns=1000)  # fmt: skip
    return replace(made, **changed)


def seen(*ops: Op) -> Window:
    return Window(kind="ops", end_ns=1, steps=2, ns_by_state=(), ops=ops)


def test_calls_and_seconds_are_a_steps() -> None:
    job = replace(
        process([]), windows=(seen(op("c10d::allreduce_", (BUCKET,))), seen(op("c10d::allreduce_", (BUCKET,))))
    )
    (found,) = collectives(job, per_step=1)
    assert (found.kind, found.bytes, found.dtype, found.calls, found.where) == ("all-reduce", 4000, "float32", 2, LINE)
    assert found.seconds == 2e-6
    (found,) = collectives(job, per_step=2)
    assert found.calls == 4


def test_other_sizes_and_lines_stand_apart() -> None:
    job = replace(
        process([]),
        windows=(seen(op("c10d::allreduce_", (ONE,), state="communication"), op("c10d::allreduce_", (BUCKET,)),
                      op("mm", BUCKET, BUCKET)),),
    )  # fmt: skip
    assert [each.bytes for each in collectives(job, per_step=1)] == [4000, 4]


def test_the_larger_side_counts() -> None:
    gathered = replace(BUCKET, shape=(2000,))
    assert payload(op("c10d::_allgather_base_", gathered, BUCKET, None)) == (8000, "float32")
    assert payload(op("_c10d_functional::reduce_scatter_tensor", gathered, "sum", 2, "0", outputs=(BUCKET,))) == (
        8000,
        "float32",
    )
    assert payload(op("c10d::barrier", None)) == (0, "")
