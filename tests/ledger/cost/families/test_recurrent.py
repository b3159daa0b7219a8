import pytest

from narrows.ledger.cost import cost
from tests.ledger.cost.calls import call, ids, t

TIME, BATCH, IN, HIDDEN = 5, 2, 3, 4
SEQUENCE, STATE, OUT = t(TIME, BATCH, IN), t(1, BATCH, HIDDEN), t(TIME, BATCH, HIDDEN)


def parameters(gates: int) -> tuple[object, ...]:
    rows = gates * HIDDEN
    return (t(rows, IN), t(rows, HIDDEN), t(rows), t(rows))


def layer(gates: int) -> float:
    rows = gates * HIDDEN
    return TIME * BATCH * (2 * rows * (IN + HIDDEN) + 10 * rows)


OPTIONS = (True, 1, 0.0, False, False, False)


@pytest.mark.parametrize(
    ("op", "flops"),
    [
        (call("lstm", SEQUENCE, (STATE, STATE), parameters(4), *OPTIONS, out=(OUT, STATE, STATE)), layer(4)),
        (call("gru", SEQUENCE, STATE, parameters(3), *OPTIONS, out=(OUT, STATE)), layer(3)),
        (call("rnn_tanh", SEQUENCE, STATE, parameters(1), *OPTIONS, out=(OUT, STATE)), layer(1)),
        (call("lstm", t(10, IN), ids(5), (STATE, STATE), parameters(4), *OPTIONS[:-1], overload="data",
              out=(t(10, HIDDEN), STATE, STATE)), layer(4)),
        (call("mkldnn_rnn_layer", SEQUENCE, *parameters(4), STATE, STATE, False, (), 2, HIDDEN, 1, True, False, False,
              True, out=(OUT, STATE, STATE, t(100))), layer(4)),
        (call("mkldnn_rnn_layer_backward", SEQUENCE, *parameters(4), STATE, STATE, OUT, STATE, STATE, OUT, None, None,
              out=(SEQUENCE, *parameters(4), STATE, STATE)), 2 * layer(4)),
        (call("_cudnn_rnn", SEQUENCE, parameters(4), 4, t(144), STATE, STATE, 2, out=(OUT, STATE, STATE)), layer(4)),
        (call("lstm_cell", t(10, IN), (t(10, HIDDEN),) * 2, *parameters(4), out=(t(10, HIDDEN),) * 2), layer(4)),
        (call("gru_cell", t(10, IN), t(10, HIDDEN), *parameters(3), out=t(10, HIDDEN)), layer(3)),
        (call("_thnn_fused_lstm_cell", t(2, 16), t(2, 16), t(2, 4), out=(t(2, 4), t(2, 4), t(2, 16))), 320),
        (call("_thnn_fused_lstm_cell_backward_impl", t(2, 4), None, t(2, 4), t(2, 4), t(2, 16), True,
              out=(t(2, 16), t(2, 4), t(16))), 320),
    ],
)  # fmt: skip
def test_each_token_meets_each_matrix(op: object, flops: float) -> None:
    found = cost(op)  # type: ignore[arg-type]
    assert (found.flops, found.kind, found.by_shape) == (flops, "rnn", True)


def test_the_flat_weights_are_the_weights() -> None:
    weights = parameters(4)
    found = cost(call("_cudnn_rnn", SEQUENCE, weights, 4, t(144), STATE, STATE, 2, out=(OUT,)))
    assert found.bytes_read == 4 * (30 + 48 + 64 + 32 + 16)


def test_a_sequence_is_read_once_however_long() -> None:
    found = cost(call("gru", SEQUENCE, STATE, parameters(3), *OPTIONS, out=(OUT, STATE)))
    assert found.bytes_read == 4 * (30 + 8 + 36 + 48 + 24)
    assert found.bytes_written == 4 * (40 + 8)
