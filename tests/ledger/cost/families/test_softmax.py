import pytest

from narrows.ledger.cost import cost
from tests.ledger.cost.calls import call, t


@pytest.mark.parametrize(
    ("name", "arguments", "flops"),
    [
        ("_softmax", (t(4, 5), -1, False), 240),
        ("_log_softmax", (t(4, 5), -1, False), 240),
        ("_softmax_backward_data", (t(4, 5), t(4, 5), -1, "float32"), 80),
        ("_log_softmax_backward_data", (t(4, 5), t(4, 5), -1, "float32"), 240),
        ("logsumexp", (t(4, 5), (1,)), 220),
    ],
)
def test_softmax(name: str, arguments: tuple[object, ...], flops: float) -> None:
    found = cost(call(name, *arguments, out=t(4, 5)))
    assert (found.flops, found.kind, found.bytes_written) == (flops, "softmax", 80)
