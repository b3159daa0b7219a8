"""Small calls of ops whose arguments must fit each other in ways of their own.

Each builder takes the op, the recorded arguments and sizes, and returns (arguments, keywords), as `small.arguments`
does. They run the forward op where a backward one needs what it returns.
"""

from collections.abc import Callable
from math import prod
from typing import Any

import torch

from .small import Sizes, Unknown, arguments, tensor, value

Built = tuple[list[Any], dict[str, Any]]
builders: dict[str, Callable[[Any, list[Any], dict[str, Any], Sizes], Built]] = {}
aten = torch.ops.aten


def builder(*names: str) -> Callable[[Any], Any]:
    def register(function: Any) -> Any:
        for name in names:
            builders[name] = function
        return function

    return register


def _shape(encoded: Any) -> list[int]:
    """Of an encoded tensor."""
    if not isinstance(encoded, list) or encoded[0] != "T":
        raise Unknown
    return list(encoded[1])


def _like(encoded: Any, shape: list[int]) -> Any:
    """A tensor of that kind with another shape; None stays None."""
    return None if encoded is None else tensor(shape, encoded[2], encoded[3])


def _window(extents: list[int], kernel: list[int], dilation: list[int]) -> list[int]:
    """Just enough for one position of the kernel."""
    return [min(n, d * (k - 1) + 1) for n, k, d in zip(extents, kernel, dilation, strict=True)]


def _each(numbers: Any, count: int, default: int = 1) -> list[int]:
    made = value(numbers, Sizes(1, 0))
    made = [made] if isinstance(made, int) else list(made or [default])
    return made * count if len(made) == 1 else made


def _small_convolution(x: Any, weight: Any, rest: list[Any]) -> tuple[Any, Any, int, int]:
    """(input, weight, groups, channels out).

    The kernel stays, and a batch of two: other sizes of these take other paths through torch (a batch of one or a 1x1
    kernel may not go to oneDNN).
    """
    _stride, _padding, dilation, transposed, _output_padding, groups = rest[:6]
    batch, _, *extents = _shape(x)
    first, second, *kernel = _shape(weight)
    few = min(groups, 2)
    first, second = (few * min(first // groups, 2) if groups > 1 else min(first, 2)), min(second, 2)
    into, out = (first, second * few) if transposed else (second * few, first)
    spatial = [1] * len(kernel) if transposed else _window(extents, kernel, _each(dilation, len(kernel)))
    return _like(x, [min(batch, 2), into, *spatial]), _like(weight, [first, second, *kernel]), few, out


@builder("convolution", "_convolution", "convolution_overrideable")
def _convolution(function: Any, args: list[Any], kw: dict[str, Any], sizes: Sizes) -> Built:
    x, weight, groups, out = _small_convolution(args[0], args[1], args[3:])
    rest = [value(a, sizes) for a in args[3:]]
    return [x, weight, _like(args[2], [out]), *rest[:5], groups, *rest[6:]], {}


@builder("convolution_backward")
def _convolution_backward(function: Any, args: list[Any], kw: dict[str, Any], sizes: Sizes) -> Built:
    x, weight, groups, out = _small_convolution(args[1], args[2], args[4:])
    stride, padding, dilation, transposed, output_padding, _, mask = (value(a, sizes) for a in args[4:])
    shaped = [stride, padding, dilation, transposed, output_padding, groups]
    gradient = aten.convolution.default(x, weight, None, *shaped)
    return [gradient, x, weight, None if args[3] is None else [out], *shaped, mask], {}


@builder("max_pool2d_with_indices", "max_pool3d_with_indices", "avg_pool2d", "avg_pool3d")
def _pool(function: Any, args: list[Any], kw: dict[str, Any], sizes: Sizes) -> Built:
    made, keywords = arguments(function, args, kw, sizes)
    made[0] = _pool_input(args[0], args[1], args[4] if "max" in function._schema.name and len(args) > 4 else 1)
    return made, keywords


@builder("max_pool2d_with_indices_backward", "avg_pool2d_backward", "max_pool3d_with_indices_backward")
def _pool_backward(function: Any, args: list[Any], kw: dict[str, Any], sizes: Sizes) -> Built:
    largest = "max" in function._schema.name
    x = _pool_input(args[1], args[2], args[5] if largest else 1)
    rest = [value(a, sizes) for a in (args[2:7] if largest else args[2:])]
    forward = getattr(aten, function._schema.name.removeprefix("aten::").removesuffix("_backward")).default
    result = forward(x, *rest)
    return ([result[0], x, *rest, result[1]] if largest else [result, x, *rest]), {}


def _pool_input(x: Any, kernel: Any, dilation: Any) -> Any:
    shape = _shape(x)
    count = 3 if len(shape) == 5 else 2
    spatial = _window(shape[-count:], _each(kernel, count), _each(dilation, count))
    return _like(x, [1] * (len(shape) - count) + spatial)


@builder("split", "split_with_sizes", "unbind", "chunk", "unsafe_split", "unsafe_chunk", "unsafe_split_with_sizes")
def _split(function: Any, args: list[Any], kw: dict[str, Any], sizes: Sizes) -> Built:
    """What these cost is their results, so there are as many: the dimension that is split gets one element for each."""
    name = function._schema.name
    shape = _shape(args[0])
    at = 1 if "unbind" in name else 2
    dim = args[at] if len(args) > at else kw.get("dim", 0)
    if "unbind" in name:
        pieces, middle = shape[dim], list[Any]()
    elif "with_sizes" in name:
        pieces = len(args[1]) - 1
        middle = [[1] * pieces]
    elif "chunk" in name:
        pieces, middle = min(args[1], shape[dim]), [args[1]]
    else:
        pieces, middle = -(-shape[dim] // max(1, args[1])), [1]
    few = [1] * len(shape)
    few[dim] = pieces
    return [_like(args[0], few), *middle, dim], {}


def _rnn_parts(x: Any, weights: list[Any], states: list[Any], hidden: int) -> list[Any]:
    """Input, four weights and two states with one input and one hidden unit; gates stay (4 in an LSTM, 3 in a GRU)."""
    gates = _shape(weights[0])[0] // hidden
    made = [_like(x, [1] * len(_shape(x)))]
    made += [_like(w, [gates, 1] if len(_shape(w)) == 2 else [gates] if prod(_shape(w)) else [0]) for w in weights]
    made += [_like(s, [1] * len(_shape(s)) if prod(_shape(s)) else [0]) for s in states]
    return made


@builder("mkldnn_rnn_layer")
def _rnn(function: Any, args: list[Any], kw: dict[str, Any], sizes: Sizes) -> Built:
    made = _rnn_parts(args[0], args[1:5], args[5:7], args[10])
    reverse, batches, mode, _, layers, *rest = (value(a, sizes) for a in args[7:])
    return [*made, reverse, batches, mode, 1, layers, *rest], {}


@builder("mkldnn_rnn_layer_backward")
def _rnn_backward(function: Any, args: list[Any], kw: dict[str, Any], sizes: Sizes) -> Built:
    made = _rnn_parts(args[0], args[1:5], args[5:7], args[15])
    reverse, mode, _, layers, biases, train, bidirectional, batches, batch_first = (
        value(a, sizes) for a in args[13:22]
    )
    with torch.enable_grad():  # else there is no workspace
        output, h, c, workspace = aten.mkldnn_rnn_layer.default(
            *made, reverse, batches, mode, 1, layers, biases, bidirectional, batch_first, train
        )
    gradients = [None if a is None else torch.ones_like(t) for a, t in zip(args[10:13], (output, h, c), strict=True)]
    tail = [reverse, mode, 1, layers, biases, train, bidirectional, batches, batch_first, workspace]
    return [*made, output, h, c, *gradients, *tail], {}


@builder("_transformer_encoder_layer_fwd", "_native_multi_head_attention")
def _encoder(function: Any, args: list[Any], kw: dict[str, Any], sizes: Sizes) -> Built:
    """With one head of one element, the weights of query, key and value are three rows."""
    made, keywords = arguments(function, args, kw, sizes)
    for at, argument in enumerate(function._schema.arguments[: len(made)]):
        if argument.name in ("qkv_weight", "qkv_bias"):
            made[at] = _like(args[at], [3, 1] if argument.name == "qkv_weight" else [3])
    return made, keywords
