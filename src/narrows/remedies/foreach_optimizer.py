"""The optimizer updates all parameters together, one op at a time."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "foreach-optimizer"
CLASS = "exact"
TEXT = {
    "en": (
        "The optimizer updates all parameters together, one op at a time",
        "Rounding, in the last digits of an update. Needs memory for one more copy of the parameters during the update.",
    ),
    "zh": ("优化器对全部参数一起逐个算子更新", "更新值末几位的舍入。更新时多占用相当于一份参数的内存。"),
}
KINDS = (
    "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "ASGD", "NAdam", "RAdam", "RMSprop", "Rprop", "SGD",
)  # fmt: skip
SAVED = 0.4
"""Of what is not arithmetic in the update: the calls from Python, while each parameter is still computed by itself."""
FEWEST = 4
"""Parameters."""


def candidates(view: View) -> list[Candidate]:
    made = [
        o
        for o in view.process.events.get("optimizer", ())
        if o["class"] in KINDS and not o["fused"] and not o["foreach"] and o["tensors"] >= FEWEST
    ]
    # On a device it is what torch does by itself.
    if not made or (view.process.cuda and all(o["foreach"] is None for o in made)):
        return []
    saved = SAVED * sum(e.seconds for e in view.entries if e.state == "optimizer" and e.cause == "overhead")
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= 0.02 else []


def apply(torch: Any, value: bool) -> None:
    def change(optimizer: Any, given: dict[str, Any]) -> None:
        if not given.get("foreach") and not given.get("fused") and not given.get("differentiable"):
            given["foreach"] = True
            within.note(NAME, optimizer=type(optimizer).__name__)

    for name in KINDS:
        if hasattr(torch.optim, name):
            within.arguments(NAME, getattr(torch.optim, name), change)


def by_hand(value: bool) -> str:
    return "optimizer = torch.optim.AdamW(..., foreach=True)"


def edit(source: str, value: bool) -> str | None:
    from narrows.edits.arguments import given
    from narrows.edits.optimizer import optimizers

    def wanted(call: ast.Call) -> dict[str, str] | None:
        others = [given(call, "differentiable"), given(call, "fused")]
        if not all(isinstance(held, ast.Constant | None) for held in others):
            return None
        return {} if any(isinstance(held, ast.Constant) and held.value for held in others) else {"foreach": "True"}

    return optimizers(source, KINDS, wanted)
