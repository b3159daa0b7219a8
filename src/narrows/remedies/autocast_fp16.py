"""A model that only answers computes its products in float16, on a GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import nested, within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "autocast-fp16"
CLASS = "numerics"
TEXT = {
    "en": (
        "The model computes its products in float16 (autocast)",
        "Products are rounded to 11 bits of mantissa, and overflow above 65504.",
    ),
    "zh": ("模型用 float16 计算矩阵乘和卷积（autocast）", "乘积舍入到 11 位尾数，超过 65504 会溢出。"),
}


def candidates(view: View) -> list[Candidate]:
    # Training would need its loss scaled, in the script's own backward and update.
    if not estimates.infers(view) or not view.process.cuda or estimates.times_faster(view, "float16") <= 1.2:
        return []
    saved = estimates.fewer_bits(view, "float16", casts=True)
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def apply(torch: Any, value: bool) -> None:
    told: set[str] = set()

    def make(call: Any, module: Any, args: Any, kwargs: Any) -> Any:
        parameter = next(module.parameters(), None)
        if parameter is None or parameter.dtype is not torch.float32 or parameter.device.type != "cuda":
            return call(module, *args, **kwargs)
        if not within.infers(torch, module) or torch.is_autocast_enabled("cuda"):
            return call(module, *args, **kwargs)
        if type(module).__name__ not in told:
            told.add(type(module).__name__)
            within.note(NAME, model=type(module).__name__)
        with torch.autocast("cuda", torch.float16):
            output = call(module, *args, **kwargs)
        return nested.cast(torch, output, torch.float16, torch.float32)

    within.through(torch, make)


def by_hand(value: bool) -> str:
    return 'with torch.autocast("cuda", torch.float16):\n    output = model(batch)'
