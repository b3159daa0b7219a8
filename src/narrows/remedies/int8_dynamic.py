"""Linear and LSTM layers of a model that only answers compute with int8 weights."""

from __future__ import annotations

import warnings
import weakref
from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "int8-dynamic"
CLASS = "numerics"
TEXT = {
    "en": (
        "Linear and LSTM layers compute in int8",
        "Weights are rounded to 8 bits once, activations at each call; answers change by about a percent.",
    ),
    "zh": (
        "Linear 和 LSTM 层用 int8 计算",
        "权重一次性舍入到 8 位，激活在每次调用时舍入；输出大约改变百分之一。",
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
    seen: Any = weakref.WeakSet()

    def make(call: Any, module: Any, args: Any, kwargs: Any) -> Any:
        if module in seen:
            return call(module, *args, **kwargs)
        seen.add(module)
        layers = [
            (owner, name, layer)
            for owner in module.modules()
            for name, layer in owner.named_children()
            if type(layer) in kinds and next(layer.parameters()).dtype is torch.float32
            and next(layer.parameters()).device.type == "cpu"
        ]  # fmt: skip
        if not layers or not within.infers(torch, module):
            return call(module, *args, **kwargs)
        try:
            with warnings.catch_warnings():  # torch says that torchao will take over
                warnings.simplefilter("ignore")
                torch.ao.quantization.quantize_dynamic(module, set(kinds), dtype=torch.qint8, inplace=True)
            output = call(module, *args, **kwargs)
        except Exception as error:
            # A forward that takes the weights out of its layers does not find them.
            within.fault(NAME, error)
            for owner, name, layer in layers:
                setattr(owner, name, layer)
            return call(module, *args, **kwargs)
        within.note(NAME, model=type(module).__name__, layers=len(layers))
        return output

    within.through(torch, make)


def by_hand(value: bool) -> str:
    return "model = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear, torch.nn.LSTM}, dtype=torch.qint8)"
