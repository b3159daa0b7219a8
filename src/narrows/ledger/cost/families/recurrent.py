"""Recurrent layers: each token of the sequence meets each weight matrix once, forward; twice more backward.

The arithmetic at the gates (a bias, a sigmoid or tanh, products with the state) is counted as 10 flops for each gate's
value. Weights count once in bytes, though each time step reads them again: from a cache, if all goes well.
"""

from narrows.ledger.cost.registry import Work, formula
from narrows.ledger.cost.traffic import elements, inputs, results, rows, tensor, tensors, total, width
from narrows.spool.record import Op, Tensor

GATE = 10.0


def _layers(sequence: Tensor, matrices: list[Tensor], passes: float) -> float:
    """Flops. A matrix is (gates x hidden, in), so each of its rows makes a gate's value; half of the matrices are
    for the input and half for the state, and their values are added."""
    tokens = rows(sequence)
    gates = sum(matrix.shape[0] for matrix in matrices) / 2
    return passes * tokens * (2.0 * elements(matrices) + GATE * gates)


def _matrices(values: object) -> list[Tensor]:
    return [t for t in tensors(values) if len(t.shape) == 2]


@formula("lstm", "gru", "rnn_tanh", "rnn_relu", "_lstm_mps", "lstm_mps_backward", kind="rnn")
def _composite(op: Op) -> Work:
    """(sequence, states, parameters ...), packed (data, batch sizes, states, parameters ...). The parameters are the
    last list of tensors; states have three dimensions."""
    backward = op.name == "lstm_mps_backward"
    sequence = tensor(op, 5 if backward else 0, "input")
    parameters = [value for value in op.arguments if isinstance(value, tuple) and tensors(value)][-1]
    return Work(flops=_layers(sequence, _matrices(parameters), 2.0 if backward else 1.0), dtype=sequence.dtype)


@formula("_cudnn_rnn", "_cudnn_rnn_backward", "miopen_rnn", "miopen_rnn_backward", kind="rnn")
def _vendor(op: Op) -> Work:
    """(sequence, weights, stride, flat weights ...): the flat weights are the weights once more."""
    sequence, weights = tensor(op, 0, "input"), tensors(op.arguments[1])
    flat = total(tensors(op.arguments[3])) if op.name != "miopen_rnn" else 0.0
    passes = 2.0 if op.name.endswith("backward") else 1.0
    return Work(
        flops=_layers(sequence, _matrices(op.arguments[1]), passes),
        read=max(0.0, total(inputs(op)) - (flat if weights else 0.0)),
        dtype=sequence.dtype,
    )


@formula("mkldnn_rnn_layer", "mkldnn_rnn_layer_backward", kind="rnn")
def _layer(op: Op) -> Work:
    """(sequence, weight, weight, bias, bias ...): one layer, one direction."""
    sequence = tensor(op, 0, "input")
    matrices = [tensor(op, 1, "weight0"), tensor(op, 2, "weight1")]
    passes = 2.0 if op.name.endswith("backward") else 1.0
    return Work(flops=_layers(sequence, matrices, passes), dtype=sequence.dtype)


@formula("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell", kind="rnn")
def _cell(op: Op) -> Work:
    row = tensor(op, 0, "input")
    return Work(flops=_layers(row, [tensor(op, 2, "w_ih"), tensor(op, 3, "w_hh")], 1.0), dtype=row.dtype)


@formula("_thnn_fused_lstm_cell", "_thnn_fused_gru_cell", kind="rnn")
def _gates(op: Op) -> Work:
    """The products are done; this is the arithmetic at the gates."""
    return Work(flops=GATE * tensor(op, 0, "input_gates").elements)


@formula("_thnn_fused_lstm_cell_backward", "_thnn_fused_lstm_cell_backward_impl", "_thnn_fused_gru_cell_backward",
         "_thnn_differentiable_lstm_cell_backward", "_thnn_differentiable_gru_cell_backward", kind="rnn")  # fmt: skip
def _gates_backward(op: Op) -> Work:
    gates = max(results(op), key=lambda t: (width(t), t.elements))
    return Work(flops=GATE * gates.elements)
