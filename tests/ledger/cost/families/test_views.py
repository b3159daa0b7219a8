import pytest

from narrows.ledger.cost import cost
from tests.ledger.cost.calls import call, t


@pytest.mark.parametrize(
    "op",
    [
        call("view", t(2, 3), (6,), out=t(6)),
        call("t", t(2, 3), out=t(3, 2, layout="n")),
        call("unbind", t(2, 3), out=(t(3), t(3))),
        call("unsqueeze_", t(3), 0, out=t(1, 3)),
        call("empty", (1000,), out=t(1000)),
        call("detach", t(1000, 8, layout="s"), out=t(1000, 8, layout="s")),
        call("profiler::_record_function_enter_new", "step"),
    ],
)
def test_nothing_is_computed_or_moved(op: object) -> None:
    found = cost(op)  # type: ignore[arg-type]
    assert (found.flops, found.bytes_read, found.bytes_written) == (0, 0, 0)
    assert (found.kind, found.by_shape) == ("view", True)
