"""Copies, indexing and views: bytes and no arithmetic."""

from narrows.ledger.cost import Cost, formula, inputs, outputs, plain, total
from narrows.spool.record import Op

VIEWS = """
    view t transpose permute expand expand_as select slice unsqueeze squeeze detach alias as_strided _unsafe_view split
    split_with_sizes unbind reshape _reshape_alias narrow diagonal unfold movedim swapaxes numpy_T view_as flatten
    unflatten chunk tensor_split hsplit vsplit lift_fresh _conj conj real view_as_real view_as_complex swapdims
    _has_compatible_shallow_copy_type is_same_size detach_ transpose_ t_ unsqueeze_ squeeze_ set_ resize_ empty
    empty_like empty_strided new_empty new_empty_strided _reshape_copy profiler_nothing record_stream is_pinned
    sym_size sym_numel size stride _nested_view_from_buffer _values _indices values indices _coalesced_ _coalesced
    _dimI _dimV _nnz dense_dim sparse_dim is_coalesced _sparse_coo_tensor_with_dims_and_tensors lift
    _sparse_coo_tensor_unsafe sparse_coo_tensor
""".split()
PROFILER = (
    "profiler::_record_function_enter_new",
    "profiler::_record_function_exit",
    "profiler::_record_function_enter",
)


@formula(*VIEWS, *PROFILER)
def _view(op: Op) -> Cost:
    return plain(op, kind="view", read=0.0, written=0.0)


@formula("copy_", "_to_copy", "clone", "contiguous", "cat", "concat", "stack", "constant_pad_nd", "pad", "repeat",
         "flip", "roll", "rot90", "tile", "_copy_from", "_pin_memory", "repeat_interleave", "to", "type_as", "float",
         "slice_backward", "select_backward", "unfold_backward", "as_strided_copy", "_to_dense", "one_hot",
         "meshgrid", "diag_embed", "diagonal_backward", "value_selecting_reduction_backward", "new_zeros", "nonzero",
         "to_mkldnn", "_efficientzerotensor", "hardshrink_backward", "slice_scatter", "select_scatter",
         "cumsum_copy", "block_diag", "masked_select", "trapezoid", "_pack_padded_sequence",
         "_pack_padded_sequence_backward", "_pad_packed_sequence", "pin_memory", "resize_as_")  # fmt: skip
def _copy(op: Op) -> Cost:
    given = outputs(op)
    taken = inputs(op)
    if op.name == "copy_":
        return plain(
            op, kind="copy", read=float(taken[1].bytes if len(taken) > 1 else 0), written=float(taken[0].bytes)
        )
    return plain(op, kind="copy", read=min(total(taken), 2.0 * total(given) or total(taken)))


@formula("fill_", "fill", "zero_", "zeros", "zeros_like", "ones", "ones_like", "full", "full_like", "new_full",
         "new_ones", "scalar_tensor", "eye", "tensor", "zero", "eye_m", "tril_indices", "triu_indices")  # fmt: skip
def _fill(op: Op) -> Cost:
    return plain(op, kind="copy", read=0.0)


@formula("index", "gather", "index_select", "take", "take_along_dim", "_unsafe_index", "_index_put_impl_read")
def _gather(op: Op) -> Cost:
    given = total(outputs(op))
    indices = total(list(inputs(op)[1:]))
    return plain(op, kind="index", read=given + indices)


@formula("index_add", "index_put", "_unsafe_index_put", "_index_put_impl_", "scatter", "scatter_add", "scatter_reduce",
         "index_copy", "index_fill", "masked_scatter", "gather_backward", "index_select_backward", "index_reduce",
         "embedding_renorm")  # fmt: skip
def _scatter(op: Op) -> Cost:
    taken = inputs(op)
    source = total(taken[1:])
    in_place = op.name.endswith("_")
    return plain(op, kind="index", flops=float(taken[-1].elements), read=source + (0 if in_place else taken[0].bytes),
                 written=source if in_place else total(outputs(op)))  # fmt: skip
