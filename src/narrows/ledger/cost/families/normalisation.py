"""Normalisations, counted per element of the input.

Forward: mean 1, variance 3 (subtract, square, add), normalise 2, scale and shift 2. Backward: the normalised input
again 2, gradients of scale and shift 3, two sums over the normalised dimensions 4, the input's gradient 5. The two
passes over the input are one read: it is compulsory once.
"""

from narrows.ledger.cost.registry import Work, formula
from narrows.ledger.cost.traffic import inputs, outputs, tensor, tensors, total
from narrows.spool.record import Op

FORWARD, BACKWARD = 8.0, 14.0
FIXED, FIXED_BACKWARD = 4.0, 7.0
"""With running statistics, which are not computed nor differentiated."""


@formula("native_layer_norm", "layer_norm", "native_group_norm", "group_norm", "instance_norm", kind="normalisation")
def _forward(op: Op) -> Work:
    return Work(flops=FORWARD * tensor(op, 0, "input").elements)


@formula("rms_norm", "_fused_rms_norm", kind="normalisation")
def _root_mean_square(op: Op) -> Work:
    """Square, add, scale by the root, weight."""
    return Work(flops=4.0 * tensor(op, 0, "input").elements)


@formula("_fused_rms_norm_backward", kind="normalisation")
def _root_mean_square_backward(op: Op) -> Work:
    """One sum fewer than the others, and no shift."""
    return Work(flops=10.0 * tensor(op, 1, "input").elements)


@formula("native_layer_norm_backward", "native_group_norm_backward", kind="normalisation")
def _backward(op: Op) -> Work:
    return Work(flops=BACKWARD * tensor(op, 1, "input").elements)


@formula("native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_functional", "batch_norm",
         "cudnn_batch_norm", "miopen_batch_norm", "_batch_norm_impl_index", "_batch_norm_with_update",
         "_batch_norm_with_update_functional", kind="normalisation")  # fmt: skip
def _batch(op: Op) -> Work:
    """In training the running statistics (arguments 3 and 4) are updated in place."""
    image = tensor(op, 0, "input")
    flag = next((a for a in op.arguments[3:6] if isinstance(a, bool)), "with_update" in op.name)
    if not flag:
        return Work(flops=FIXED * image.elements)
    return Work(flops=FORWARD * image.elements, written=total(outputs(op)) + total(tensors(op.arguments[3:5])))


@formula("_native_batch_norm_legit_no_training", "_batch_norm_no_update", "batch_norm_elemt", "quantized_batch_norm",
         kind="normalisation")  # fmt: skip
def _batch_fixed(op: Op) -> Work:
    return Work(flops=FIXED * tensor(op, 0, "input").elements)


@formula("native_batch_norm_backward", "cudnn_batch_norm_backward", "miopen_batch_norm_backward",
         "batch_norm_backward", "_batch_norm_impl_index_backward", kind="normalisation")  # fmt: skip
def _batch_backward(op: Op) -> Work:
    """(gradient, input ...) but cudnn's and miopen's are (input, gradient ...): of one shape. Those two are for
    training only; the others say so."""
    flag = next((a for a in op.arguments[6:8] if isinstance(a, bool)), True)
    return Work(flops=(BACKWARD if flag else FIXED_BACKWARD) * inputs(op)[0].elements)


@formula("batch_norm_stats", "batch_norm_update_stats", kind="normalisation")
def _statistics(op: Op) -> Work:
    """What synchronised batch norm computes on each rank: mean and variance."""
    return Work(flops=4.0 * tensor(op, 0, "input").elements)


@formula("batch_norm_backward_reduce", "batch_norm_backward_elemt", kind="normalisation")
def _synchronised_backward(op: Op) -> Work:
    """Half of the backward each."""
    return Work(flops=BACKWARD / 2 * inputs(op)[0].elements)


@formula("batch_norm_gather_stats", "batch_norm_gather_stats_with_counts", kind="normalisation")
def _gathered(op: Op) -> Work:
    """(input, means, ...): the input is looked at for its dtype only."""
    held = inputs(op)[1:]
    return Work(flops=4.0 * held[0].elements, read=total(held))


@formula("_weight_norm_interface", "_weight_norm", kind="normalisation")
def _weight(op: Op) -> Work:
    """Square, add, scale."""
    return Work(flops=3.0 * tensor(op, 0, "v").elements)


@formula("_weight_norm_interface_backward", "_weight_norm_differentiable_backward", kind="normalisation")
def _weight_backward(op: Op) -> Work:
    return Work(flops=6.0 * tensor(op, 0, "grad_w").elements)


@formula("renorm", "norm_except_dim", kind="normalisation")
def _scaled(op: Op) -> Work:
    return Work(flops=3.0 * tensor(op, 0, "self").elements)
