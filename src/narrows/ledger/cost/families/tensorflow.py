"""Ops of TensorFlow, by the conventions of the package. Their names are those of its kernels, oneDNN's and fused ones too.

A product's flops follow from the sizes of its operands and its result, so that transposed operands need no care: for
(m, k) by (k, n) the square root of mk x kn x mn is mnk. Images are (batch, rows, columns, channels), weights of a
convolution (rows, columns, in / groups, out).
"""

from math import prod, sqrt

from narrows.ledger.cost.families.elementwise import WEIGHTS
from narrows.ledger.cost.registry import NOTHING, Work, formula
from narrows.ledger.cost.traffic import inputs, largest, outputs, results, total
from narrows.spool.record import TENSORFLOW, Op, Tensor

ONE_DNN = ("", "_Mkl", "_MklNative", "_Fused", "_MklFused", "_MklNativeFused")
"""What stands before the name of a kernel that oneDNN, or a fused op, replaces it with."""


def named(*kinds: str) -> tuple[str, ...]:
    return tuple(f"{TENSORFLOW}{before}{kind}" for kind in kinds for before in ONE_DNN)


def plain(text: str) -> tuple[str, ...]:
    return tuple(TENSORFLOW + kind for kind in text.split())


@formula(*named("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3"), kind="matmul")
def _product(op: Op) -> Work:
    a, b = (t for t in inputs(op)[:2])
    out = results(op)[0]
    batch = prod(out.shape[:-2])
    return Work(flops=2.0 * sqrt(a.elements * b.elements * out.elements / max(1, batch)), dtype=a.dtype)


@formula(*plain("Einsum XlaDot XlaDotV2"), kind="matmul")
def _einsum(op: Op) -> Work:
    """The equation is not in the record: as a product of two matrices, each index in two of the three."""
    taken = inputs(op)
    if len(taken) != 2:
        return Work(flops=float(taken[0].elements))
    a, b = taken
    return Work(flops=2.0 * sqrt(float(a.elements) * b.elements * results(op)[0].elements), dtype=a.dtype)


@formula(*named("Conv2D", "Conv3D"), kind="convolution")
def _convolution(op: Op) -> Work:
    image, weight = inputs(op)[:2]
    return _taps(results(op)[0], weight, image.dtype)


@formula(*named("Conv2DBackpropInput", "Conv3DBackpropInputV2"), kind="convolution")
def _gradient_of_image(op: Op) -> Work:
    """(sizes of the image, weight, gradient)"""
    weight, gradient = [t for t in inputs(op) if len(t.shape) > 1][:2]
    return _taps(gradient, weight, gradient.dtype)


@formula(*named("Conv2DBackpropFilter", "Conv3DBackpropFilterV2"), kind="convolution")
def _gradient_of_weight(op: Op) -> Work:
    """(image, sizes of the weight, gradient)"""
    gradient = [t for t in inputs(op) if len(t.shape) > 1][-1]
    return _taps(gradient, results(op)[0], gradient.dtype)


def _taps(side: Tensor, weight: Tensor, dtype: str) -> Work:
    """Each element of `side` meets the weights of its channel."""
    return Work(flops=2.0 * side.elements * weight.elements / weight.shape[-1], dtype=dtype)


@formula(*named("DepthwiseConv2dNative", "DepthwiseConv2dNativeBackpropInput"), kind="convolution")
def _depthwise(op: Op) -> Work:
    """A channel meets its own weights alone: (rows, columns, in, multiplier)."""
    weight, image = sorted((t for t in inputs(op) if len(t.shape) > 1), key=lambda t: t.elements)[:2]
    return Work(flops=2.0 * largest(op) * weight.shape[0] * weight.shape[1], dtype=image.dtype)


@formula(*named("DepthwiseConv2dNativeBackpropFilter"), kind="convolution")
def _depthwise_gradient(op: Op) -> Work:
    gradient, weight = [t for t in inputs(op) if len(t.shape) > 1][-1], results(op)[0]
    return Work(flops=2.0 * gradient.elements * weight.shape[0] * weight.shape[1], dtype=gradient.dtype)


_WEIGHTS = {
    1.0: "Add AddV2 AddN _MklAddN Sub Mul Neg Abs Square SquaredDifference Maximum Minimum Relu Relu6 _MklNativeRelu"
    " _MklNativeReluGrad ReluGrad Relu6Grad LeakyRelu LeakyReluGrad Sign Floor Round Rint Ceil Equal NotEqual Less"
    " LessEqual Greater GreaterEqual LogicalAnd LogicalOr LogicalNot BitwiseAnd BitwiseOr IsNan IsFinite BiasAdd"
    " ClipByValue _MklSquare _MklSub _MklMul _MklAdd Bucketize",
    4.0: "RealDiv Div DivNoNan FloorDiv FloorMod Sqrt Reciprocal Inv SqrtGrad",
    3.0: "TanhGrad SigmoidGrad",
    10.0: "Elu EluGrad Selu SeluGrad",
    16.0: "Softplus SoftplusGrad Softsign SoftsignGrad",
}
_SAME = "Rsqrt Exp Expm1 Log Log1p Sin Cos Tan Tanh Sigmoid Erf Erfc Pow Xlogy Atan2 Lgamma Digamma Silu Gelu Mish"
"""Weighted as torch's of the same name in small letters."""
ELEMENTWISE = {TENSORFLOW + kind: weight for weight, text in _WEIGHTS.items() for kind in text.split()}
for _kind in _SAME.split():
    ELEMENTWISE[TENSORFLOW + _kind] = WEIGHTS[_kind.lower()]
    ELEMENTWISE[f"{TENSORFLOW}_MklNative{_kind}"] = WEIGHTS[_kind.lower()]
    ELEMENTWISE[f"{TENSORFLOW}{_kind}Grad"] = 3.0 if _kind in ("Rsqrt",) else 18.0
for _name in ("TanhGrad", "SigmoidGrad"):
    ELEMENTWISE[TENSORFLOW + _name] = 3.0


@formula(*ELEMENTWISE, kind="elementwise")
def _elementwise(op: Op) -> Work:
    return Work(flops=ELEMENTWISE[op.name] * largest(op))


@formula(*plain("Sum Mean Prod Max Min All Any ArgMax ArgMin EuclideanNorm BiasAddGrad L2Loss Cumsum Cumprod"),
         kind="reduction")  # fmt: skip
def _reduction(op: Op) -> Work:
    return Work(flops=float(max(t.elements for t in inputs(op))))


@formula(*named("Softmax", "LogSoftmax"), kind="softmax")
def _softmax(op: Op) -> Work:
    """Subtract the maximum, exponential, sum, divide."""
    return Work(flops=14.0 * largest(op))


@formula(*plain("SparseSoftmaxCrossEntropyWithLogits SoftmaxCrossEntropyWithLogits"), kind="softmax")
def _cross_entropy(op: Op) -> Work:
    """Softmax, logarithm of it, and the gradient, which the forward makes as well."""
    return Work(flops=16.0 * inputs(op)[0].elements)


@formula(*named("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3", "FusedBatchNormEx"), kind="normalisation")
def _normalisation(op: Op) -> Work:
    return Work(flops=7.0 * inputs(op)[0].elements)


@formula(*named("FusedBatchNormGrad", "FusedBatchNormGradV2", "FusedBatchNormGradV3", "FusedBatchNormGradEx"),
         kind="normalisation")  # fmt: skip
def _normalisation_gradient(op: Op) -> Work:
    return Work(flops=11.0 * inputs(op)[0].elements)


@formula(*named("MaxPool", "MaxPoolGrad", "AvgPool", "AvgPoolGrad", "MaxPool3D", "AvgPool3D"), kind="reduction")
def _pooling(op: Op) -> Work:
    """The window is not in the record: as many operations as the larger side has elements."""
    return Work(flops=largest(op) if largest(op) > inputs(op)[0].elements else float(inputs(op)[0].elements))


@formula(*plain("ReadVariableOp Identity IdentityN Reshape ExpandDims Squeeze StopGradient Shape ShapeN Size Rank"
                " Bitcast VarHandleOp Const _EagerConst NoOp PreventGradient EnsureShape IteratorGetNext"
                " OptionalFromValue OptionalHasValue OptionalGetValue BroadcastGradientArgs"),
         kind="view")  # fmt: skip
def _view(op: Op) -> Work:
    return NOTHING


@formula(*plain("Cast Transpose _MklTranspose ConcatV2 _MklConcatV2 Pack Unpack Split SplitV StridedSlice Slice Pad"
                " PadV2 MirrorPad Tile Fill ZerosLike OnesLike SelectV2 Select Where ReverseV2 OneHot Range Copy"
                " DeepCopy StridedSliceGrad BroadcastTo SpaceToBatchND BatchToSpaceND"), kind="copy")  # fmt: skip
def _copy(op: Op) -> Work:
    """What is taken from a larger tensor is all that is read of it."""
    written = total(outputs(op))
    return Work(read=min(written, total(inputs(op))), written=written)


@formula(*plain("AssignVariableOp"), kind="copy")
def _assign(op: Op) -> Work:
    """A variable takes over the buffer of its new value."""
    return Work(read=0.0, written=0.0)


@formula(*plain("AssignAddVariableOp AssignSubVariableOp"), kind="elementwise")
def _update(op: Op) -> Work:
    """The variable is read and written, what is added to it read."""
    value = inputs(op)[-1]
    return Work(flops=float(value.elements), read=2.0 * total([value]), written=total([value]))


@formula(*plain("ResourceApplyAdam ResourceApplyGradientDescent ResourceApplyKerasMomentum ResourceApplyMomentum"
                " ResourceApplyRMSProp ResourceApplyAdagradV2"), kind="optimizer")  # fmt: skip
def _apply(op: Op) -> Work:
    """Fused updates: the gradient is the largest input; Adam reads and writes three more of its size."""
    gradient = max(inputs(op), key=lambda t: t.elements)
    held = 3 if op.name.endswith("Adam") else 1 if op.name.endswith("Descent") else 2
    size = total([gradient])
    return Work(flops=4.0 * held * gradient.elements, read=(held + 1) * size, written=held * size)


@formula(*plain("ResourceGather GatherV2 Gather GatherNd ResourceGatherNd"), kind="embedding")
def _gather(op: Op) -> Work:
    """The rows that are returned, not the table."""
    rows = total(outputs(op))
    return Work(read=rows, written=rows)


@formula(*plain("ResourceScatterAdd ResourceScatterSub ResourceScatterUpdate UnsortedSegmentSum SegmentSumV2"
                " TensorScatterAdd"), kind="index")  # fmt: skip
def _scatter(op: Op) -> Work:
    rows = max(inputs(op), key=lambda t: t.elements)
    return Work(flops=float(rows.elements), read=2.0 * total([rows]), written=total([rows]))


@formula(*plain("RandomUniform RandomStandardNormal StatelessRandomUniformV2 StatelessRandomNormalV2 RandomUniformInt"
                " StatelessRandomUniformFullIntV2 StatelessRandomUniformIntV2"), kind="random")  # fmt: skip
def _random(op: Op) -> Work:
    return Work(flops=10.0 * outputs(op)[0].elements, read=0.0)
