"""Linear and LSTM layers of a model that only answers compute with int8 weights."""

from __future__ import annotations

import functools
import warnings
import weakref
from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import drawn, unchanged, within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "int8-dynamic"
CLASS = "numerics"
TEXT = {
    "en": (
        "Linear and LSTM layers compute in int8",
        "Weights are rounded to 8 bits once, activations at each call; answers change by about a percent. The model keeps "
        "its own weights, too, and computes with them where it records gradients.",
    ),
    "zh": (
        "Linear 和 LSTM 层用 int8 计算",
        "权重一次性舍入到 8 位，激活在每次调用时舍入；输出大约改变百分之一。模型同时保留原来的权重，记录梯度时仍用它们计算。",
    ),
}
KINDS = ("matmul", "rnn")
LEFT = 0.5
"""Of a product's time, if it is bound by arithmetic: int8 is reported to be 1.7 to 3.8 times as fast."""
LEFT_OF_READING = 0.35
"""Of a product's time, if it is bound by reading the weights: a quarter of the bytes, and the activations' scales."""


def candidates(view: View) -> list[Candidate]:
    if not estimates.infers(view) or view.process.cuda or not estimates.all_in(view, "float32"):
        return []
    saved = sum(
        k.seconds * (1 - (LEFT if k.bound == "compute" else LEFT_OF_READING))
        for k in view.kernels
        if k.state in estimates.MODEL and k.dtype == "float32" and k.cost.kind in KINDS
    )
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def apply(torch: Any, value: bool) -> None:
    kinds = (torch.nn.Linear, torch.nn.LSTM)
    copies: Any = weakref.WeakKeyDictionary()
    """By layer: the one in int8 that answers in its place. The layer itself stays in the model, with its weights: what is
    saved, loaded or given to an optimizer is the script's own model."""
    known: Any = weakref.WeakKeyDictionary()
    """By model: its numbers at its first call, or None if it answers by itself for good."""

    def change(module: Any) -> None:
        layers = [
            each
            for each in module.modules()
            if type(each) in kinds and each not in copies and all(_suits(torch, p) for p in each.parameters())
        ]
        before = drawn.Drawn(torch)
        made = {layer: _Copy(torch, layer) for layer in layers}
        before.undo()
        copies.update(made)
        known[module] = unchanged.Numbers(torch, module)
        if layers:
            within.note(NAME, model=type(module).__name__, layers=len(layers))

    def make(call: Any, module: Any, args: Any, kwargs: Any) -> Any:
        if within.infers(torch, module):
            if module not in known:
                known[module] = None
                within.careful(NAME, change)(module)
            elif known[module] is not None and not known[module].same():
                known[module] = None
                for part in module.modules():
                    copies.pop(part, None)
                within.fault(NAME, RuntimeError("the model has other weights than before"))
        return call(module, *args, **kwargs)

    within.through(torch, make)
    for kind in kinds:
        _answer(torch, kind, copies)


def _suits(torch: Any, parameter: Any) -> bool:
    return parameter.dtype is torch.float32 and parameter.device.type == "cpu"


class _Copy:
    """A layer in int8, and of what weights it was made."""

    def __init__(self, torch: Any, layer: Any) -> None:
        # It calls modules of its own, which no other remedy is to take for the job's.
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch says that torchao will take over
            alone = torch.nn.Sequential(layer)
            made = torch.ao.quantization.quantize_dynamic(alone, {type(layer)}, dtype=torch.qint8)
        self.layer = made[0]
        self.made_of = self.weights(layer)

    @staticmethod
    def weights(layer: Any) -> list[Any]:
        return [(id(p), p.data_ptr(), p._version) for p in layer._parameters.values() if p is not None]


def _answer(torch: Any, kind: Any, copies: Any) -> None:
    original = kind.forward

    @functools.wraps(original)
    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        copy = copies.get(self)
        # What records gradients is the script's own.
        if copy is None or torch.is_grad_enabled() or torch.is_autocast_enabled("cpu"):
            return original(self, *args, **kwargs)
        try:
            copy.layer.training = self.training
            if copy.made_of != copy.weights(self):
                raise RuntimeError("a layer has other weights than before")
            return copy.layer(*args, **kwargs)
        except Exception as error:
            del copies[self]
            within.fault(NAME, error)
            return original(self, *args, **kwargs)

    kind.forward = forward


def by_hand(value: bool) -> str:
    return "model = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear, torch.nn.LSTM}, dtype=torch.qint8)"
