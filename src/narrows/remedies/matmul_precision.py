"""Float32 products may use fewer bits inside: TF32 on a GPU, bfloat16 on a CPU that has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "matmul-precision"
CLASS = "numerics"
TEXT = {
    "en": (
        "Float32 products use fewer bits inside",
        "Products are computed with 10 bits of mantissa (high: TF32) or 8 (medium: bfloat16); sums stay in float32.",
    ),
    "zh": (
        "float32 矩阵乘内部使用更少的位数",
        "乘积以 10 位（high：TF32）或 8 位（medium：bfloat16）尾数计算；累加仍为 float32。",
    ),
}
ONCE = r"set_float32_matmul_precision|allow_tf32|fp32_precision"


def candidates(view: View) -> list[Candidate]:
    if view.process.last("torch").get("matmul_precision", "highest") != "highest":
        return []
    # Convolutions have a switch of their own, and on a GPU it is on.
    settings = {"high": "tf32"} if view.process.cuda else {"medium": "bfloat16"}
    found = []
    for value, dtype in settings.items():
        if estimates.times_faster(view, dtype) > 1.2:
            # Operands are rounded inside of the product: nothing is cast that the ledger would see.
            saved = sum(
                k.seconds for k in view.kernels
                if k.state in estimates.MODEL and k.dtype == "float32" and k.cost.kind == "matmul"
                and k.bound == "compute"
            ) * (1 - 1 / estimates.times_faster(view, dtype))  # fmt: skip
            if view.share(saved) >= estimates.WORTH:
                found.append(Candidate(value=value, seconds=saved))
    return found


def apply(torch: Any, value: str) -> None:
    # Right after the import: a script that sets its own precision has the last word.
    if torch.get_float32_matmul_precision() == "highest":
        torch.set_float32_matmul_precision(value)
        within.note(NAME, precision=value)


def by_hand(value: str) -> str:
    return f'torch.set_float32_matmul_precision("{value}")'


def edit(source: str, value: str) -> str | None:
    from narrows.edits.setting import setting

    return setting(source, "torch", by_hand(value), ONCE)
