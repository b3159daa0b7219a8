import pytest

from narrows.ledger.cost import cost
from tests.ledger.cost.calls import call, ids, t

LOGITS = t(4, 1000)


def test_a_likelihood_reads_a_value_for_each_target() -> None:
    found = cost(call("nll_loss_forward", LOGITS, ids(4), None, 1, -100, out=(t(), t())))
    assert (found.flops, found.bytes_read, found.bytes_written) == (4, 4 * 8 + 4 * 4, 8)
    assert (found.kind, found.dtype) == ("reduction", "float32")


def test_its_gradient_is_written_in_full() -> None:
    found = cost(call("nll_loss_backward", t(), LOGITS, ids(4), None, 1, -100, t(), out=LOGITS))
    assert (found.bytes_read, found.bytes_written) == (4 + 32 + 4, 16_000)


@pytest.mark.parametrize(
    ("op", "flops", "kind"),
    [
        (call("mse_loss", t(10), t(10), out=t()), 30, "reduction"),
        (call("mse_loss_backward", t(), t(10), t(10), 1, out=t(10)), 30, "elementwise"),
        (call("binary_cross_entropy", t(10), t(10), out=t()), 220, "reduction"),
        (call("cross_entropy_loss", t(4, 5), ids(4), out=t()), 240, "softmax"),
        (call("_ctc_loss", t(6, 2, 9), ids(2, 3), (6, 6), (3, 3), out=(t(2), t(2, 6, 7))), 38 * 84, "reduction"),
        (call("ctc_loss", t(6, 2, 9), ids(2, 3), (6, 6), (3, 3), out=t()), 38 * 84, "reduction"),
        (call("_ctc_loss_backward", t(2), t(6, 2, 9), ids(2, 3), (6, 6), (3, 3), t(2), t(2, 6, 7), 0,
              out=t(6, 2, 9)), 76 * 84 + 1080, "reduction"),
    ],
)  # fmt: skip
def test_losses(op: object, flops: float, kind: str) -> None:
    found = cost(op)  # type: ignore[arg-type]
    assert (found.flops, found.kind, found.by_shape) == (flops, kind, True)
