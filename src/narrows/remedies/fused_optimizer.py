"""The optimizer updates all parameters in one fused op."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "fused-optimizer"
CLASS = "exact"
TEXT = {
    "en": ("The optimizer updates all parameters in one fused op", "Rounding, in the last digits of an update."),
    "zh": ("优化器用一个融合算子更新全部参数", "更新值末几位的舍入。"),
}
FUSED = ("Adam", "AdamW", "SGD", "Adagrad")
LEFT = 0.25
"""Share of the update's time that remains, at least: it still has to read and write its state."""


def candidates(view: View) -> list[Candidate]:
    made = [o for o in view.process.events.get("optimizer", ()) if o["class"] in FUSED and not o["fused"]]
    spent = view.steady.seconds["optimizer"]
    if not made or view.share(spent) < 0.02:
        return []
    return [Candidate(value=True, seconds=(1 - LEFT) * spent)]


def apply(torch: Any, value: bool) -> None:
    def change(optimizer: Any, given: dict[str, Any]) -> None:
        if not given.get("fused") and not given.get("differentiable"):
            given.update(fused=True, foreach=None)
            within.note(NAME, optimizer=type(optimizer).__name__)

    for name in FUSED:
        within.arguments(NAME, getattr(torch.optim, name), change)


def by_hand(value: bool) -> str:
    return "optimizer = torch.optim.AdamW(..., fused=True)"


def edit(source: str, value: bool) -> str | None:
    from narrows.edits.arguments import given
    from narrows.edits.optimizer import optimizers

    def wanted(call: ast.Call) -> dict[str, str] | None:
        differentiable, foreach = given(call, "differentiable"), given(call, "foreach")
        if not all(isinstance(held, ast.Constant | None) for held in (differentiable, foreach)):
            return None
        if isinstance(differentiable, ast.Constant) and differentiable.value:
            return {}
        both = isinstance(foreach, ast.Constant) and foreach.value
        return {"fused": "True", **({"foreach": "None"} if both else {})}

    return optimizers(source, FUSED, wanted)
