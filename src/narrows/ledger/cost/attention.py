"""Scaled dot-product attention: two products forward, five backward (one of them recomputes the scores)."""

from narrows.ledger.cost import Cost, formula, inputs, plain
from narrows.spool.record import Op, Tensor


def _scores(query: Tensor, key: Tensor, value: Tensor) -> float:
    """Operations of both products, (..., l, e) x (..., s, e) and (..., l, s) x (..., s, v)."""
    rows = query.elements / query.shape[-1]
    return 2.0 * rows * key.shape[-2] * (query.shape[-1] + value.shape[-1])


def _causal(op: Op) -> float:
    """A causal mask leaves half of the scores. `is_causal` is the only True among the arguments of every backend
    that is a flag of this kind (`return_debug_mask` aside, which CPUs do not take)."""
    flag = op.keywords.get("is_causal")
    flags = [a for a in op.arguments if isinstance(a, bool)]
    return 0.5 if (flag if flag is not None else bool(flags and flags[-1])) else 1.0


@formula("scaled_dot_product_attention", "_scaled_dot_product_attention_math", "_scaled_dot_product_flash_attention",
         "_scaled_dot_product_flash_attention_for_cpu", "_scaled_dot_product_efficient_attention",
         "_scaled_dot_product_cudnn_attention", "_scaled_dot_product_fused_attention_overrideable",
         "_scaled_dot_product_attention_math_for_mps", "_flash_attention_forward",
         "_efficient_attention_forward")  # fmt: skip
def _forward(op: Op) -> Cost:
    query, key, value = inputs(op)[:3]
    return plain(op, kind="attention", flops=_causal(op) * _scores(query, key, value), dtype=query.dtype)


@formula("_scaled_dot_product_flash_attention_backward", "_scaled_dot_product_flash_attention_for_cpu_backward",
         "_scaled_dot_product_efficient_attention_backward", "_scaled_dot_product_cudnn_attention_backward",
         "_scaled_dot_product_fused_attention_overrideable_backward", "_flash_attention_backward",
         "_efficient_attention_backward")  # fmt: skip
def _backward(op: Op) -> Cost:
    query, key, value = inputs(op)[1:4]
    return plain(op, kind="attention", flops=2.5 * _causal(op) * _scores(query, key, value), dtype=query.dtype)
