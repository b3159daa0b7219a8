"""Elementwise ops: a weight for each element of the result, each operand read once.

Weights as McMahon's (see the package): 1 for simple arithmetic, 4 for a division or root, 8 for a transcendental
function; a composite has the sum of its parts. They are a convention: these ops are bound by memory under any.
"""

from narrows.ledger.cost.registry import Work, formula
from narrows.ledger.cost.traffic import argument, largest
from narrows.spool.record import Op

_BY_WEIGHT = {
    0.0: "real imag complex view_as_real_copy view_as_complex_copy positive",
    1.0: "abs absolute neg negative add sub subtract rsub mul multiply square maximum minimum fmax fmin clamp"
    " clamp_min clamp_max clip relu relu6 threshold threshold_backward hardtanh hardtanh_backward leaky_relu prelu"
    " _prelu_kernel leaky_relu_backward hardshrink hardshrink_backward softshrink softshrink_backward sign sgn"
    " signbit ceil floor round trunc fix frac eq ne lt le gt ge not_equal less less_equal greater greater_equal"
    " logical_and logical_or logical_not logical_xor bitwise_and bitwise_or bitwise_not bitwise_xor __and__ __or__"
    " __xor__ __iand__ __ior__ __ixor__ __lshift__ __rshift__ bitwise_left_shift bitwise_right_shift isnan isinf"
    " isfinite isposinf isneginf isreal nan_to_num copysign heaviside conj_physical _conj_physical deg2rad rad2deg"
    " nextafter ldexp _masked_scale addr special_round",
    2.0: "_add_relu isclose addcmul _prelu_kernel_backward native_dropout_backward gcd lcm",
    3.0: "lerp tanh_backward sigmoid_backward hardsigmoid hardsigmoid_backward _euclidean_dist",
    4.0: "div divide true_divide floor_divide reciprocal sqrt fmod remainder hardswish hardswish_backward",
    6.0: "addcdiv",
    8.0: "rsqrt exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh"
    " arcsin arccos arctan arcsinh arccosh arctanh erf erfc erfinv hypot angle lgamma digamma i0 atan2 arctan2"
    " special_erf special_erfc special_erfinv special_exp2 special_expm1 special_log1p special_i0 special_i0e"
    " special_i1 special_i1e special_digamma special_gammaln special_psi special_ndtri special_erfcx mvlgamma"
    " polygamma igamma igammac special_zeta",
    5.0: "cross linalg_cross",
    9.0: "xlogy special_xlogy special_xlog1py special_entr frexp",
    10.0: "elu celu selu elu_backward sinc rrelu_with_noise rrelu_with_noise_backward special_ndtr",
    13.0: "sigmoid special_expit silu glu logit_backward special_log_ndtr",
    14.0: "gelu logit special_logit polar",
    16.0: "pow float_power logaddexp logaddexp2 softplus softplus_backward log_sigmoid log_sigmoid_forward"
    " log_sigmoid_backward",
    18.0: "silu_backward glu_backward",
    24.0: "gelu_backward infinitely_differentiable_gelu_backward mish",
    32.0: "mish_backward",
}
WEIGHTS = {name: weight for weight, text in _BY_WEIGHT.items() for name in text.split()}
_POWERS = {0: 0.0, 1: 0.0, 2: 1.0, 3: 2.0, 0.5: 4.0, -0.5: 8.0, -1: 4.0, -2: 5.0}
"""Exponents that torch computes without a logarithm."""


def weight(name: str, op: Op) -> float:
    """Flops for each element of `name` (the op's, or what a foreach op does to each tensor)."""
    if name == "pow":
        exponent = argument(op, 1, "exponent")
        if isinstance(exponent, (int, float)):
            return _POWERS.get(exponent, WEIGHTS["pow"])
    return WEIGHTS[name]


@formula(*WEIGHTS, kind="elementwise")
def _elementwise(op: Op) -> Work:
    name = op.name if op.name in WEIGHTS else op.name[:-1]
    return Work(flops=weight(name, op) * largest(op))
