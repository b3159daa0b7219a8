"""Scaled dot-product attention: two products forward, five backward (one recomputes the scores).

T. Dao, FlashAttention-2 (2023), section 4.1: 4 l s d for each head forward, 2.5 times that backward; softmax and
dropout are not counted, as in `torch.utils.flop_counter`. A causal mask halves that (ibid.): kernels skip the scores
above the diagonal. (torch's counter does not halve.)
"""

from dataclasses import dataclass

from narrows.ledger.cost.registry import Work, formula
from narrows.ledger.cost.traffic import argument, tensor
from narrows.spool.record import Op, Tensor


@dataclass(frozen=True, kw_only=True)
class _Form:
    """Where a backend keeps what is needed."""

    query: int = 0
    """Position of the query; key and value follow."""
    causal: tuple[int, str] | None
    lengths: tuple[int, str] | None = None
    """Position of the cumulative lengths that mark a batch of packed sequences."""
    heads_last: bool = False
    """(batch, length, heads, width) rather than (batch, heads, length, width)."""


_FORWARD = {
    "scaled_dot_product_attention": _Form(causal=(5, "is_causal")),
    "_scaled_dot_product_attention_math": _Form(causal=None),  # computes all scores, then masks
    "_scaled_dot_product_attention_math_for_mps": _Form(causal=None),
    "_scaled_dot_product_flash_attention": _Form(causal=(4, "is_causal")),
    "_scaled_dot_product_flash_attention_for_cpu": _Form(causal=(4, "is_causal")),
    "_scaled_dot_product_efficient_attention": _Form(causal=(6, "is_causal")),
    "_scaled_dot_product_cudnn_attention": _Form(causal=(6, "is_causal")),
    "_scaled_dot_product_fused_attention_overrideable": _Form(causal=(5, "is_causal")),
    "_flash_attention_forward": _Form(causal=(8, "is_causal"), lengths=(3, "cum_seq_q"), heads_last=True),
    "_efficient_attention_forward": _Form(causal=(9, "custom_mask_type"), lengths=(4, "cu_seqlens_q"), heads_last=True),
}
_BACKWARD = {
    "_scaled_dot_product_flash_attention_backward": _Form(query=1, causal=(11, "is_causal")),
    "_scaled_dot_product_flash_attention_for_cpu_backward": _Form(query=1, causal=(7, "is_causal")),
    "_scaled_dot_product_efficient_attention_backward": _Form(query=1, causal=(11, "is_causal")),
    "_scaled_dot_product_cudnn_attention_backward": _Form(query=1, causal=(14, "is_causal")),
    "_scaled_dot_product_fused_attention_overrideable_backward": _Form(query=1, causal=(13, "is_causal")),
    "_flash_attention_backward": _Form(query=1, causal=(11, "is_causal"), lengths=(6, "cum_seq_q"), heads_last=True),
    "_efficient_attention_backward": _Form(
        query=1, causal=(14, "custom_mask_type"), lengths=(6, "cu_seqlens_q"), heads_last=True
    ),
}


def _all_scores(op: Op, form: _Form, query: Tensor, key: Tensor) -> float:
    """Entries of the score matrices of all heads. Packed sequences are taken to be of one length: the least they can
    cost."""
    part = 0.5 if form.causal is not None and argument(op, *form.causal) else 1.0
    packed = form.lengths is not None and argument(op, *form.lengths)
    if isinstance(packed, Tensor):
        batch = packed.elements - 1
        queries, keys = (t.elements / (t.shape[-1] * t.shape[-2]) for t in (query, key))
        return part * query.shape[-2] * queries * keys / batch
    return part * (query.elements / query.shape[-1]) * key.shape[-3 if form.heads_last else -2]


@formula(*_FORWARD, kind="attention")
def _forward(op: Op) -> Work:
    form = _FORWARD[op.name]
    query, key, value = (tensor(op, i, name) for i, name in enumerate(("query", "key", "value")))
    flops = 2.0 * _all_scores(op, form, query, key) * (query.shape[-1] + value.shape[-1])
    return Work(flops=flops, dtype=query.dtype)


@formula(*_BACKWARD, kind="attention")
def _backward(op: Op) -> Work:
    """Scores again, the gradients of query and key (width of the query), of scores and value (of the value)."""
    form = _BACKWARD[op.name]
    query, key, value = (tensor(op, i, name) for i, name in enumerate(("query", "key", "value"), start=1))
    flops = 2.0 * _all_scores(op, form, query, key) * (3 * query.shape[-1] + 2 * value.shape[-1])
    return Work(flops=flops, dtype=query.dtype)
