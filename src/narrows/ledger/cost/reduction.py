"""Reductions, scans, sorting, pooling and resampling."""

from math import log2, prod

from narrows.ledger.cost import Cost, formula, inputs, outputs, plain
from narrows.spool.record import Op


@formula("sum", "mean", "amax", "amin", "max", "min", "argmax", "argmin", "norm", "linalg_vector_norm", "var", "std",
         "var_mean", "std_mean", "cumsum", "cumprod", "any", "all", "prod", "count_nonzero", "nansum", "aminmax",
         "nanmean", "median", "mode", "bincount", "histc", "logcumsumexp", "_local_scalar_dense", "equal", "trace",
         "cosine_similarity", "pairwise_distance", "norm_except_dim", "_amp_foreach_non_finite_check_and_unscale_",
         "_weight_norm_interface", "_weight_norm_interface_backward")  # fmt: skip
def _reduction(op: Op) -> Cost:
    return plain(op, kind="reduction", flops=float(inputs(op)[0].elements))


@formula("sort", "topk", "argsort", "unique", "_unique2", "unique_dim", "kthvalue", "searchsorted", "multinomial")
def _sorting(op: Op) -> Cost:
    n = inputs(op)[0].elements
    return plain(op, kind="reduction", flops=n * log2(max(2, n)))


@formula("max_pool2d_with_indices", "max_pool2d", "avg_pool2d", "max_pool1d", "max_pool3d_with_indices", "avg_pool3d",
         "avg_pool1d", "_max_pool2d_with_indices", "max_pool1d_with_indices")  # fmt: skip
def _pool(op: Op) -> Cost:
    kernel = op.arguments[1] if len(op.arguments) > 1 else 2
    size = prod(kernel) if isinstance(kernel, tuple) else int(kernel) ** 2
    return plain(op, kind="reduction", flops=float(outputs(op)[0].elements * size))


@formula("max_pool2d_with_indices_backward", "avg_pool2d_backward", "max_pool3d_with_indices_backward",
         "avg_pool3d_backward", "adaptive_avg_pool2d", "_adaptive_avg_pool2d", "_adaptive_avg_pool2d_backward",
         "adaptive_max_pool2d", "adaptive_max_pool2d_backward", "_adaptive_avg_pool3d", "upsample_nearest2d",
         "upsample_nearest2d_backward", "upsample_bilinear2d", "upsample_bilinear2d_backward", "upsample_bicubic2d",
         "grid_sampler_2d", "grid_sampler_2d_backward", "im2col", "col2im", "_upsample_bilinear2d_aa",
         "upsample_nearest1d", "reflection_pad2d", "reflection_pad1d", "replication_pad2d",
         "reflection_pad2d_backward", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle")  # fmt: skip
def _resample(op: Op) -> Cost:
    return plain(op, kind="reduction", flops=4.0 * max(t.elements for t in inputs(op) + outputs(op)))


@formula("_fft_r2c", "_fft_c2c", "_fft_c2r", "stft", "istft")
def _fft(op: Op) -> Cost:
    """5 n log2 n (the usual count of a complex radix-2 transform)."""
    t = inputs(op)[0]
    n = t.shape[-1]
    return plain(op, kind="reduction", flops=5.0 * t.elements * log2(max(2, n)))
