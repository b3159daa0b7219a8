"""Optimizers: foreach ops over lists of tensors, and the fused ones."""

from typing import Any

from narrows.ledger.cost import Cost, formula, formulas, inputs, outputs, plain, tensors, total
from narrows.spool.record import Op

OPERATIONS = """
    abs add addcdiv addcmul ceil clamp_max clamp_min copy cos div erf exp floor lerp log maximum minimum mul neg norm
    pow reciprocal round rsqrt sigmoid sign sqrt sub tan tanh trunc zero max
""".split()


def _foreach(op: Op) -> Cost:
    """Each list is read once; in place, the first is written too."""
    first = tensors(op.arguments[0]) if op.arguments else []
    elements = float(sum(t.elements for t in first))
    return plain(op, kind="optimizer", flops=elements, written=total(outputs(op)) or total(first))


for _name in OPERATIONS:
    formulas[f"_foreach_{_name}"] = formulas[f"_foreach_{_name}_"] = _foreach


def _lists(op: Op) -> list[list[Any]]:
    return [tensors(a) for a in op.arguments if isinstance(a, tuple)]


@formula("_fused_adam_", "_fused_adamw_", "_fused_adam", "_fused_adamw")
def _adam(op: Op) -> Cost:
    """About 12 operations an element; parameter and both moments are read and written, the gradient read."""
    lists = _lists(op)
    parameters, gradients, first, second = lists[:4]
    held = total(parameters) + total(first) + total(second) + sum(total(extra) for extra in lists[4:5])
    elements = float(sum(t.elements for t in parameters))
    return plain(op, kind="optimizer", flops=12 * elements, read=held + total(gradients), written=held)


@formula("_fused_sgd_", "_fused_sgd", "_fused_adagrad_", "_fused_adagrad")
def _sgd(op: Op) -> Cost:
    parameters, gradients, *held = _lists(op)
    moved = total(parameters) + sum(total(extra) for extra in held)
    elements = float(sum(t.elements for t in parameters))
    return plain(op, kind="optimizer", flops=4 * elements, read=moved + total(gradients), written=moved)


@formula("_amp_update_scale_")
def _scale(op: Op) -> Cost:
    return plain(op, kind="optimizer", flops=float(len(inputs(op))))
