"""A model that only answers runs in ONNX Runtime."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import twin

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "onnxruntime"
CLASS = "exact"
TEXT = {
    "en": (
        "The model runs in ONNX Runtime",
        "Rounding. The model is held twice. Python in its forward, such as prints and counters, does not run.",
    ),
    "zh": (
        "模型在 ONNX Runtime 中运行",
        "舍入。模型占两份内存。forward 里的 Python（打印、计数）不再执行。",
    ),
}
LEFT = 0.3
"""Of the overhead: ops are still called one by one, from C++."""
LEFT_OF_FUSED = 0.6
"""Of what is bound by memory: a part of it is fused."""


def candidates(view: View) -> list[Candidate]:
    if not estimates.infers(view) or view.process.cuda or estimates.compiled(view):
        return []
    if not estimates.installed(view, "onnxruntime", "onnx"):
        return []
    overhead, bandwidth = estimates.spent(view, "overhead"), estimates.spent(view, "bandwidth")
    saved = (1 - LEFT) * overhead + (1 - LEFT_OF_FUSED) * bandwidth
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def apply(torch: Any, value: bool) -> None:
    def build(flat: Any, given: list[Any]) -> twin.Fast:
        # By its absolute name: this file has the same one.
        import importlib

        runtime = importlib.import_module("onnxruntime")
        names = [f"in{i}" for i in range(len(given))]
        exported = io.BytesIO()
        with twin.tracing(torch):
            torch.onnx.export(
                flat, tuple(given), exported, dynamo=False, input_names=names,
                dynamic_axes={name: {0: f"{name}_rows"} for name, t in zip(names, given, strict=True) if t.dim()},
            )  # fmt: skip
        options = runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3
        session = runtime.InferenceSession(exported.getvalue(), options, providers=["CPUExecutionProvider"])
        used = {each.name for each in session.get_inputs()}

        def fast(tensors: list[Any]) -> list[Any]:
            fed = {n: t.detach().numpy() for n, t in zip(names, tensors, strict=True) if n in used}
            return [torch.from_numpy(array) for array in session.run(None, fed)]

        return fast

    twin.answer_with(torch, NAME, build, device="cpu")


def by_hand(value: bool) -> str:
    return 'torch.onnx.export(model.eval(), batch, "model.onnx")\nsession = onnxruntime.InferenceSession("model.onnx")'
