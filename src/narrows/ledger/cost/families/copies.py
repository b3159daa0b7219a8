"""Copies: bytes from one place to another, no arithmetic."""

from narrows.ledger.cost.registry import NOTHING, Work, formula
from narrows.ledger.cost.traffic import argument, inputs, outputs, tensor, total
from narrows.spool.record import Op

_COPIES = """
    _to_copy clone cat concat concatenate stack _stack hstack vstack dstack column_stack row_stack _chunk_cat
    constant_pad_nd pad _pad_circular _pad_enum pad_sequence reflection_pad1d reflection_pad2d reflection_pad3d
    replication_pad1d replication_pad2d replication_pad3d repeat tile repeat_interleave roll flip fliplr flipud
    rot90 tril triu im2col pixel_shuffle pixel_unshuffle channel_shuffle native_channel_shuffle
    _pack_padded_sequence _pack_sequence _pad_packed_sequence diag_embed diag block_diag diagflat cartesian_prod
    combinations _reshape_copy expand_copy permute_copy transpose_copy t_copy view_copy slice_copy select_copy
    squeeze_copy unsqueeze_copy split_copy split_with_sizes_copy unbind_copy unfold_copy alias_copy detach_copy
    as_strided_copy diagonal_copy narrow_copy _neg_view_copy _conj_copy lift_fresh_copy _reshape_alias_copy
    _pin_memory pin_memory _mkldnn_transpose _mkldnn_reshape mkldnn_reorder_conv2d_weight
    mkldnn_reorder_conv3d_weight int_repr _convert_weight_to_int4pack _convert_weight_to_int4pack_for_cpu
    _cudnn_rnn_flatten_weight _to_cpu cpu cuda to_mkldnn _cast_Float _cast_Half _cast_Double _cast_Int
    _cast_Long chalf values_copy indices_copy slice_scatter select_scatter diagonal_scatter as_strided_scatter
    select_backward slice_backward diagonal_backward unfold_backward trace_backward _nested_tensor_from_mask
""".split()


@formula(*_COPIES, kind="copy")
def _copy(op: Op) -> Work:
    """All inputs read, all results written: of a slice's gradient, the zeros around it, too."""
    return Work()


@formula("copy_", "copy", "_copy_from", "resize_as", kind="copy")
def _onto(op: Op) -> Work:
    """(to, from), `_copy_from` (from, to): the target is not read."""
    return Work(read=total([tensor(op, 0 if op.name == "_copy_from" else 1, "src")]))


@formula("contiguous", "reshape", "flatten", "reshape_as", "ravel", "to", "type_as", "resolve_conj",
         "resolve_neg", kind="copy")  # fmt: skip
def _maybe(op: Op) -> Work:
    """Under inference mode these are one op. They copy if the layout or the dtype has to change; a change of device
    is a copy, too, and is told by the overload."""
    before, after = inputs(op)[0], outputs(op)[0]
    if op.name == "to" and op.overload == "device":
        return Work()
    same = before.dtype == after.dtype and (before.layout == after.layout or op.name not in ("contiguous", "to"))
    if same and (before.layout == "c" or op.name in ("contiguous", "to", "type_as", "resolve_conj", "resolve_neg")):
        return NOTHING
    return Work(read=total([before]))


@formula("col2im", kind="copy")
def _fold(op: Op) -> Work:
    """Overlapping patches are added."""
    return Work(flops=tensor(op, 0, "self").elements)


@formula("reflection_pad1d_backward", "reflection_pad2d_backward", "reflection_pad3d_backward",
         "replication_pad1d_backward", "replication_pad2d_backward", "replication_pad3d_backward",
         kind="copy")  # fmt: skip
def _pad_backward(op: Op) -> Work:
    """(gradient, input, padding): padded values are added to the ones they copied; the input is not read."""
    gradient = tensor(op, 0, "grad_output")
    return Work(flops=gradient.elements, read=total([gradient]))


@formula("_pack_padded_sequence_backward", kind="copy")
def _unpack(op: Op) -> Work:
    return Work(read=total([argument(op, 0, "grad")]))
