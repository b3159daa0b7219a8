"""Fused optimizers: the whole update of all parameters in one pass over memory.

Flops for each element are those of the update rules in torch.optim's documentation, with the package's weights.
"""

from narrows.ledger.cost.registry import Work, formula
from narrows.ledger.cost.traffic import argument, elements, tensor, tensors, total
from narrows.spool.record import Op, Tensor

ADAM = 22.0
"""First moment 3, second moment 4, root 4, division by it 4, epsilon 1, bias correction and update 6."""
ADAGRAD = 13.0
"""Square and add 2, root 4, division 4, epsilon 1, update 2."""
SGD, MOMENTUM, NESTEROV, DECAY = 2.0, 3.0, 2.0, 2.0


def _lists(op: Op, count: int) -> list[list[Tensor]]:
    """The first arguments, each a list of tensors."""
    return [tensors(value) for value in op.arguments[:count]]


def _option(op: Op, name: str) -> float:
    """1 if a keyword is set and not zero."""
    return float(bool(argument(op, len(op.arguments), name, 0)))


def _update(op: Op, gradients: list[Tensor], held: list[Tensor], flops: float, fresh: float = 0.0) -> Work:
    """`held` is read and written, and gradients read; written, too, if a gradient scaler's scale is taken out of
    them on the way. `fresh` bytes of what is held are not read: this is their first value."""
    steps = [t for value in op.arguments[3:] for t in tensors(value) if not t.shape]
    scaled = isinstance(op.keywords.get("grad_scale"), Tensor)
    moved = total(held)
    return Work(
        flops=flops * elements(gradients),
        read=moved - fresh + total(gradients) + total(steps),
        written=moved + (total(gradients) if scaled else 0.0),
    )


@formula("_fused_adam", "_fused_adamw", kind="optimizer")
def _adam(op: Op) -> Work:
    parameters, gradients, *moments = _lists(op, 5)
    held = parameters + [t for moment in moments for t in moment]
    flops = ADAM + DECAY * _option(op, "weight_decay") + _option(op, "amsgrad")
    return _update(op, gradients, held, flops)


@formula("_fused_adagrad", kind="optimizer")
def _adagrad(op: Op) -> Work:
    parameters, gradients, sums = _lists(op, 3)
    return _update(op, gradients, parameters + sums, ADAGRAD + DECAY * _option(op, "weight_decay"))


@formula("_fused_sgd", kind="optimizer")
def _sgd(op: Op) -> Work:
    parameters, gradients, buffers = _lists(op, 3)
    flops = SGD + DECAY * _option(op, "weight_decay") + NESTEROV * _option(op, "nesterov")
    if buffers:
        flops += MOMENTUM
    fresh = total(buffers) if _option(op, "is_first_step") else 0.0
    return _update(op, gradients, parameters + buffers, flops, fresh)


@formula("_amp_foreach_non_finite_check_and_unscale", kind="optimizer")
def _unscale(op: Op) -> Work:
    """A gradient scaler divides its scale out of the gradients, and looks for infinities."""
    gradients = tensors(op.arguments[0])
    return Work(flops=2.0 * elements(gradients), written=total(gradients))


@formula("_amp_update_scale", kind="optimizer")
def _scale(op: Op) -> Work:
    return Work(flops=4.0 * tensor(op, 0, "self").elements)
