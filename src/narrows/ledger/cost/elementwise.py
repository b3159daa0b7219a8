"""Elementwise ops: one operation for each element of the result, each operand read once."""

from narrows.ledger.cost import Cost, formula, inputs, outputs, plain
from narrows.spool.record import Op

NAMES = """
    abs acos acosh add addcdiv addcmul angle asin asinh atan atan2 atanh bitwise_and bitwise_not bitwise_or
    bitwise_xor bitwise_left_shift bitwise_right_shift ceil celu clamp clamp_max clamp_min clip complex conj_physical
    copysign cos cosh deg2rad digamma div divide elu elu_backward eq erf erfc erfinv exp exp2 expm1 floor
    floor_divide fmax fmin fmod frac ge gelu gelu_backward glu glu_backward gt hardshrink hardsigmoid
    hardsigmoid_backward hardswish hardswish_backward hardtanh hardtanh_backward heaviside hypot isfinite isinf isnan
    isneginf isposinf le leaky_relu leaky_relu_backward lerp lgamma log log10 log1p log2 log_sigmoid_forward
    log_sigmoid_backward logaddexp logical_and logical_not logical_or logical_xor logit logit_backward lt maximum
    minimum mish mish_backward mul multiply nan_to_num ne neg nextafter polar pow prelu _prelu_kernel
    _prelu_kernel_backward reciprocal relu relu6 remainder round rsqrt rsub selu sgn sigmoid sigmoid_backward sign
    signbit silu silu_backward sin sinc sinh softplus softplus_backward softshrink sqrt square sub subtract tan tanh
    tanh_backward threshold threshold_backward trunc where xlogy masked_fill _euclidean_dist cdist _cdist_forward
    _cdist_backward addr true_divide bitwise_and_ rrelu_with_noise native_dropout_backward dropout native_dropout
    feature_dropout alpha_dropout bernoulli normal uniform random exponential rand_like randn_like randint_like
    rand randn randint randperm normal_functional geometric cauchy _fused_dropout special_erf special_expit special_xlog1py
    isclose _addmm_bias gather_elementwise special_log_ndtr _cummax_helper triu tril cumulative linspace arange
    _thnn_fused_lstm_cell _thnn_fused_gru_cell _thnn_fused_lstm_cell_backward_impl _thnn_fused_gru_cell_backward
    real imag view_as_real_copy dist
""".split()


@formula(*NAMES)
def _elementwise(op: Op) -> Cost:
    taken, given = inputs(op), outputs(op)
    if not taken and not given:
        return plain(op, kind="elementwise")
    elements = max(t.elements for t in given or taken)
    return plain(op, kind="elementwise", flops=float(elements))
