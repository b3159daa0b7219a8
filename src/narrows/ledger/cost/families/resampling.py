"""Resampling: n taps for each output take n multiplications and n - 1 additions; backward, a multiply-add each.

How the taps' weights are computed is not counted, and antialiasing while shrinking takes more taps than these.
"""

from narrows.ledger.cost.registry import Work, formula
from narrows.ledger.cost.traffic import argument, largest, results, tensor
from narrows.spool.record import Op

_TAPS = {
    "upsample_nearest1d": 1, "upsample_nearest2d": 1, "upsample_nearest3d": 1, "_upsample_nearest_exact1d": 1,
    "_upsample_nearest_exact2d": 1, "_upsample_nearest_exact3d": 1, "upsample_linear1d": 2,
    "upsample_bilinear2d": 4, "_upsample_bilinear2d_aa": 4, "upsample_trilinear3d": 8, "upsample_bicubic2d": 16,
    "_upsample_bicubic2d_aa": 16, "_upsample_lanczos2d_aa": 36,
}  # fmt: skip


@formula(*_TAPS, kind="elementwise")
def _forward(op: Op) -> Work:
    taps = _TAPS[op.name]
    if taps == 1:
        return Work(kind="copy")
    return Work(flops=(2.0 * taps - 1) * results(op)[0].elements)


@formula(*(f"{name}_backward" for name in _TAPS), kind="elementwise")
def _backward(op: Op) -> Work:
    return Work(flops=2.0 * _TAPS[op.name.removesuffix("_backward")] * tensor(op, 0, "grad_output").elements)


def _grid_taps(op: Op, mode: int) -> float:
    """Mode 0 is linear, 1 nearest, 2 cubic."""
    dims = 3 if "3d" in op.name else 2
    per_dim = {0: 2.0, 1: 1.0, 2: 4.0}[int(argument(op, mode, "interpolation_mode", 0))]
    return float(per_dim**dims)


@formula("grid_sampler", "grid_sampler_2d", "grid_sampler_3d", "cudnn_grid_sampler", "_grid_sampler_2d_cpu_fallback",
         kind="elementwise")  # fmt: skip
def _grid(op: Op) -> Work:
    taps = 4.0 if op.name == "cudnn_grid_sampler" else _grid_taps(op, 2)
    return Work(flops=(2.0 * taps - 1) * results(op)[0].elements)


@formula("grid_sampler_2d_backward", "grid_sampler_3d_backward", "_grid_sampler_2d_cpu_fallback_backward",
         kind="elementwise")  # fmt: skip
def _grid_backward(op: Op) -> Work:
    """Gradients of the input and of the grid."""
    return Work(flops=4.0 * _grid_taps(op, 3) * tensor(op, 0, "grad_output").elements)


@formula("affine_grid_generator", "affine_grid_generator_backward", kind="elementwise")
def _affine(op: Op) -> Work:
    """A row of a 2 x 3 matrix times (x, y, 1) for each value."""
    return Work(flops=6.0 * largest(op))
