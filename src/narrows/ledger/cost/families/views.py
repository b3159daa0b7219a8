"""Views, allocations and questions about a tensor: no arithmetic, no traffic, only the cost of the call."""

from narrows.ledger.cost.registry import NOTHING, Work, formula
from narrows.spool.record import Op

_VIEWS = """
    view _unsafe_view view_as t transpose permute expand expand_as broadcast_to broadcast_tensors select slice
    narrow unsqueeze squeeze detach alias as_strided split split_with_sizes unsafe_split unsafe_split_with_sizes
    unsafe_chunk chunk tensor_split hsplit vsplit dsplit unbind diagonal unfold movedim moveaxis swapaxes
    swapdims numpy_T mT mH matrix_H linalg_diagonal adjoint unflatten _reshape_alias view_as_real
    view_as_complex _conj conj _neg_view lift lift_fresh atleast_1d atleast_2d atleast_3d meshgrid data set_data
    slice_inverse unflatten_dense_tensors _fw_primal _make_dual _unpack_dual _nested_view_from_buffer
    _nested_view_from_jagged _nested_get_values empty empty_like empty_strided empty_permuted new_empty
    new_empty_strided empty_quantized set_ resize resize_ resize_as_ _resize_output _resize_output_
    _empty_affine_quantized _empty_per_channel_affine_quantized is_same_size is_pinned is_contiguous
    is_strides_like_format is_non_overlapping_and_dense is_coalesced is_complex is_floating_point is_conj is_neg
    is_inference is_leaf is_set_to _version _is_zerotensor size stride storage_offset sym_size sym_stride
    sym_numel sym_storage_offset sym_is_contiguous numel dim sparse_dim dense_dim output_nr requires_grad_
    retain_grad record_stream _has_compatible_shallow_copy_type _assert_tensor_metadata _assert_scalar
    _assert_async _functional_assert_async sym_constrain_range sym_constrain_range_for_size result_type can_cast
    cudnn_is_acceptable _use_cudnn_ctc_loss _use_miopen_ctc_loss _use_cudnn_rnn_flatten_weight _nnpack_available
    _functional_assert_scalar is_signed device _nested_get_offsets _nested_get_lengths _nested_get_ragged_idx
    _nested_get_min_seqlen _nested_get_max_seqlen _nested_get_jagged_dummy q_scale q_zero_point qscheme
    q_per_channel_axis q_per_channel_scales q_per_channel_zero_points _indices _values indices values _coalesced
    _nnz crow_indices col_indices ccol_indices row_indices _sparse_coo_tensor_with_dims
    _sparse_coo_tensor_with_dims_and_tensors _sparse_coo_tensor_unsafe sparse_coo_tensor sparse_csr_tensor
    sparse_compressed_tensor _sparse_csr_tensor_unsafe _sparse_compressed_tensor_unsafe
    _validate_sparse_coo_tensor_args sparse_resize sparse_resize_and_clear profiler::_record_function_enter
    profiler::_record_function_enter_new profiler::_record_function_exit
""".split()


@formula(*_VIEWS, kind="view", sparse=True)
def _view(op: Op) -> Work:
    return NOTHING
