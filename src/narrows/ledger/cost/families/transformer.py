"""Whole blocks in one op: the fast paths that `nn.MultiheadAttention` and `nn.TransformerEncoderLayer` take in
inference."""

from narrows.ledger.cost.registry import NOTHING, Work, formula
from narrows.ledger.cost.traffic import elements, rows, tensor, tensors, width
from narrows.spool.record import Op


@formula("_native_multi_head_attention", "_transformer_encoder_layer_fwd", "_triton_multi_head_attention",
         kind="attention")  # fmt: skip
def _block(op: Op) -> Work:
    """Each token meets each weight matrix once, and each query each key twice (`attention.py`)."""
    alone = op.name == "_transformer_encoder_layer_fwd"
    query = tensor(op, 0, "query")
    key = query if alone else tensor(op, 1, "key")
    # What follows the weights (a mask) may be 2-dimensional as well.
    held = tensors(op.arguments[1:18] if alone else op.arguments[5:9])
    weights = [t for t in held if len(t.shape) == 2]
    tokens = rows(query)
    attention = 4.0 * tokens * key.shape[-2] * width(query)
    return Work(flops=2.0 * tokens * elements(weights) + attention, dtype=query.dtype)


@formula("_transform_bias_rescale_qkv", kind="elementwise")
def _rescale(op: Op) -> Work:
    return Work(flops=2.0 * tensor(op, 0, "qkv").elements)


@formula("_fused_sdp_choice", kind="view")
def _choice(op: Op) -> Work:
    """Looks at shapes to choose a kernel."""
    return NOTHING
