"""Attention of a transformers model runs as one op."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "sdpa"
CLASS = "exact"
TEXT = {
    "en": (
        "Attention runs as one op (scaled_dot_product_attention)",
        "Rounding, and with dropout in the attention, which random numbers it draws. Attention weights cannot be read.",
    ),
    "zh": (
        "注意力作为一个算子运行（scaled_dot_product_attention）",
        "舍入；注意力里有 dropout 时，抽取的随机数不同。无法读取注意力权重。",
    ),
}
LEFT = 0.4
"""Of the time of what the scores go through (scale, mask, softmax, dropout): they are never written to memory."""
SCORES = ("softmax", "elementwise", "copy", "random")


def candidates(view: View) -> list[Candidate]:
    if not _transformers(view) or any("scaled_dot_product" in k.name for k in view.kernels):
        return []
    squares = [k for k in view.kernels if k.name == "_softmax" and len(_shape(k)) == 4]
    shapes = {_shape(k) for k in squares}
    saved = (1 - LEFT) * sum(
        k.seconds + k.fixed
        for k in view.kernels
        if k.state in estimates.MODEL and k.cost.kind in SCORES and _shape(k) in shapes
    )
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def _shape(kernel: Any) -> tuple[int, ...]:
    first = kernel.op.arguments[0] if kernel.op.arguments else None
    return getattr(first, "shape", ())


def _transformers(view: View) -> bool:
    """The script that calls the model speaks of transformers."""
    for model in estimates.models(view):
        try:
            if "transformers" in Path(model["where"][0]).read_text(errors="replace"):
                return True
        except (OSError, KeyError, TypeError, IndexError):
            continue
    return False


def apply(torch: Any, value: bool) -> None:
    def change(module: Any, args: Any, kwargs: Any) -> None:
        transformers = sys.modules.get("transformers")  # a job that has not imported it has no such model
        if transformers is None or kwargs.get("output_attentions"):
            return
        for part in module.modules():
            if not isinstance(part, transformers.PreTrainedModel) or part.config.output_attentions:
                continue
            # The parts of a model share its config: the first one met changes all of them.
            if getattr(part.config, "_attn_implementation", None) == "eager":
                part.set_attn_implementation("sdpa")
                within.note(NAME, model=type(part).__name__)

    within.first_call(torch, within.careful(NAME, change))


def by_hand(value: bool) -> str:
    return 'AutoModel.from_pretrained(..., attn_implementation="sdpa")'
