"""Losses. The likelihood of a target reads one value for each target, not the whole input."""

from narrows.ledger.cost.registry import Work, formula
from narrows.ledger.cost.traffic import inputs, item_bytes, outputs, size, tensor, tensors, total
from narrows.spool.record import Op

_FLOPS = {
    "mse_loss": 3.0,  # subtract, square, add
    "l1_loss": 3.0,
    "smooth_l1_loss": 6.0,
    "huber_loss": 6.0,
    "binary_cross_entropy": 22.0,  # two logarithms
    "binary_cross_entropy_with_logits": 22.0,  # an exponential and a logarithm
    "kl_div": 12.0,
    "soft_margin_loss": 19.0,
    "poisson_nll_loss": 11.0,
    "hinge_embedding_loss": 4.0,
    "margin_ranking_loss": 4.0,
    "multi_margin_loss": 4.0,
    "cosine_embedding_loss": 7.0,
    "triplet_margin_loss": 8.0,
}
_BACKWARD_FLOPS = {
    "mse_loss_backward": 3.0,
    "smooth_l1_loss_backward": 5.0,
    "huber_loss_backward": 5.0,
    "binary_cross_entropy_backward": 9.0,  # a division
    "soft_margin_loss_backward": 15.0,
    "multi_margin_loss_backward": 4.0,
}
RECURSION = 38.0
"""Flops for each state of CTC: the logarithm of a sum of three exponentials (A. Graves et al., 2006)."""


@formula(*_FLOPS, kind="reduction")
def _loss(op: Op) -> Work:
    return Work(flops=_FLOPS[op.name] * tensor(op, 0, "self").elements)


@formula(*_BACKWARD_FLOPS, kind="elementwise")
def _gradient(op: Op) -> Work:
    return Work(flops=_BACKWARD_FLOPS[op.name] * tensor(op, 1, "self").elements)


@formula("nll_loss_forward", "nll_loss2d_forward", "nll_loss", "nll_loss2d", "nll_loss_nd", kind="reduction")
def _likelihood(op: Op) -> Work:
    """(input, target, class weights ...)"""
    values, target, *weights = inputs(op)
    read = size(target) + target.elements * item_bytes(values.dtype) + total(weights)
    return Work(flops=target.elements, read=read, dtype=values.dtype)


@formula("nll_loss_backward", "nll_loss2d_backward", kind="reduction")
def _likelihood_backward(op: Op) -> Work:
    """(gradient, input, target ...): the input is not read; a full gradient is written, zeros and all."""
    held = [t for i, value in enumerate(op.arguments) if i != 1 for t in tensors(value)]
    return Work(flops=tensor(op, 2, "target").elements, read=total(held), dtype=outputs(op)[0].dtype)


@formula("cross_entropy_loss", kind="softmax")
def _cross_entropy(op: Op) -> Work:
    """Under inference mode, softmax and likelihood in one."""
    return Work(flops=12.0 * tensor(op, 0, "self").elements)


@formula("_ctc_loss", "ctc_loss", "_cudnn_ctc_loss", "miopen_ctc_loss", kind="reduction")
def _ctc(op: Op) -> Work | None:
    """`_ctc_loss` returns a value for each state; the others hide how many there are: 2 targets + 1, for each
    time step and sample."""
    values, targets = tensor(op, 0, "log_probs"), tensor(op, 1, "targets")
    found = outputs(op)
    if op.name == "_ctc_loss":
        return Work(flops=RECURSION * found[1].elements)
    time = values.shape[0]
    batch = values.shape[1] if len(values.shape) > 2 else 1
    longest = targets.shape[-1] if len(targets.shape) > 1 else targets.elements / batch
    return Work(flops=RECURSION * time * batch * (2 * longest + 1))


@formula("_ctc_loss_backward", kind="reduction")
def _ctc_backward(op: Op) -> Work:
    """(gradient, log_probs, targets, lengths, lengths, loss, log_alpha ...): the recursion from the other end, and an
    exponential for each element of the gradient."""
    alpha = tensor(op, 6, "log_alpha")
    return Work(flops=2 * RECURSION * alpha.elements + 10.0 * tensor(op, 1, "log_probs").elements)


@formula("multilabel_margin_loss_forward", "multilabel_margin_loss", "multilabel_margin_loss_backward",
         kind="reduction")  # fmt: skip
def _pairs(op: Op) -> Work:
    """Each class against each target class: up to the square of the classes; at least one pass."""
    return Work(flops=4.0 * max(t.elements for t in inputs(op)))
