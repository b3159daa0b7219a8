"""A model that only answers runs in OpenVINO."""

from __future__ import annotations

import importlib
import warnings
from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import twin

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "openvino"
CLASS = "exact"
TEXT = {
    "en": (
        "The model runs in OpenVINO",
        "Rounding. The model is held twice. Python in its forward, such as prints and counters, does not run.",
    ),
    "zh": (
        "模型在 OpenVINO 中运行",
        "舍入。模型占两份内存。forward 里的 Python（打印、计数）不再执行。",
    ),
}
LEFT = 0.3
"""Of the overhead, at least."""
LEFT_OF_FUSED = 0.5
"""Of what is bound by memory: most of it is fused into the products."""


def candidates(view: View) -> list[Candidate]:
    if not estimates.infers(view) or view.process.cuda or estimates.compiled(view):
        return []
    if not estimates.installed(view, "openvino"):
        return []
    overhead, bandwidth = estimates.spent(view, "overhead"), estimates.spent(view, "bandwidth")
    saved = (1 - LEFT) * overhead + (1 - LEFT_OF_FUSED) * bandwidth
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def apply(torch: Any, value: bool) -> None:
    def build(flat: Any, given: list[Any]) -> twin.Fast:
        runtime = importlib.import_module("openvino")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = runtime.convert_model(flat, example_input=tuple(given))
        # On a CPU with bfloat16 it would use that by itself: this remedy is about the same numbers, faster.
        told = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": torch.get_num_threads()}
        compiled = runtime.Core().compile_model(model, "CPU", told)
        outputs = len(compiled.outputs)

        def fast(tensors: list[Any]) -> list[Any]:
            answered = compiled([t.detach().numpy() for t in tensors])
            return [torch.from_numpy(answered[i].copy()) for i in range(outputs)]

        return fast

    twin.answer_with(torch, NAME, build, device="cpu")


def by_hand(value: bool) -> str:
    return 'model = torch.compile(model.eval(), backend="openvino")'
