"""Recurrent layers: at each time step the products with the input's and the hidden state's weights."""

from narrows.ledger.cost import Cost, formula, inputs, outputs, plain
from narrows.spool.record import Op, Tensor


def _layers(op: Op, passes: float) -> Cost | None:
    """Each 2-d weight multiplies every token of the sequence once: 2 x tokens x weight elements."""
    sequence, *rest = inputs(op)
    if len(sequence.shape) < 2:
        return None
    weights = [t for t in rest if len(t.shape) == 2 and t.elements > 1 and _is_weight(t)]
    tokens = sequence.elements / sequence.shape[-1]
    flops = passes * 2.0 * tokens * sum(t.elements for t in weights)
    return plain(op, kind="rnn", flops=flops, dtype=sequence.dtype)


def _is_weight(t: Tensor) -> bool:
    return t.shape[0] > t.shape[1] or t.shape[0] % 3 == 0 or t.shape[0] % 4 == 0 or t.shape[0] == t.shape[1]


@formula("lstm", "gru", "rnn_tanh", "rnn_relu", "mkldnn_rnn_layer", "_cudnn_rnn", "miopen_rnn", "quantized_lstm",
         "mkldnn_rnn_layer_forward")  # fmt: skip
def _forward(op: Op) -> Cost | None:
    return _layers(op, 1.0)


@formula("mkldnn_rnn_layer_backward", "_cudnn_rnn_backward", "miopen_rnn_backward")
def _backward(op: Op) -> Cost | None:
    return _layers(op, 2.0)


@formula("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell")
def _cell(op: Op) -> Cost:
    x, *rest = inputs(op)
    weights = sum(t.elements for t in rest if len(t.shape) == 2 and t.shape[0] != x.shape[0])
    return plain(op, kind="rnn", flops=2.0 * x.shape[0] * weights, written=float(outputs(op)[0].bytes))
