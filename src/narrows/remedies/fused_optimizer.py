"""The optimizer updates all parameters in one fused op."""

from __future__ import annotations

import ast
import functools
import weakref
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
    asked: Any = weakref.WeakKeyDictionary()
    """By optimizer that is made fused: what the script asked for instead."""

    def change(optimizer: Any, given: dict[str, Any]) -> None:
        if not given.get("fused") and not given.get("differentiable"):
            asked[optimizer] = {"fused": given.get("fused"), "foreach": given.get("foreach")}
            given.update(fused=True, foreach=None)
            within.note(NAME, optimizer=type(optimizer).__name__)

    for name in FUSED:
        within.arguments(NAME, getattr(torch.optim, name), change)
    _checkpoints(torch, asked)


def _checkpoints(torch: Any, asked: Any) -> None:
    """What is saved says what the script asked for, and what is loaded is fused again: by a checkpoint that is not, half
    of it would be undone (torch hands a fused optimizer the scale of its gradients, and only its groups know how to
    use it)."""
    optimizer_class = torch.optim.Optimizer
    save, load = optimizer_class.state_dict, optimizer_class.load_state_dict

    def ours(optimizer: Any) -> bool:
        return optimizer in asked and bool(optimizer.defaults.get("fused"))

    @functools.wraps(save)
    def state_dict(self: Any, *args: Any, **kwargs: Any) -> Any:
        saved = save(self, *args, **kwargs)
        if ours(self):
            for group, packed in zip(self.param_groups, saved["param_groups"], strict=True):
                if group.get("fused") and packed is not group:
                    packed.update(asked[self])
        return saved

    @functools.wraps(load)
    def load_state_dict(self: Any, *args: Any, **kwargs: Any) -> Any:
        before = [(group.get("fused"), group.get("foreach")) for group in self.param_groups]
        loaded = load(self, *args, **kwargs)
        if ours(self):
            for group, (fused, foreach) in zip(self.param_groups, before, strict=True):
                group.update(fused=fused, foreach=foreach)
                for parameter in group["params"] if fused else ():
                    step = self.state.get(parameter, {}).get("step")
                    if isinstance(step, torch.Tensor):
                        # Where and as the fused op wants it.
                        self.state[parameter]["step"] = step.to(parameter.device, torch.float32)
        return loaded

    optimizer_class.state_dict, optimizer_class.load_state_dict = state_dict, load_state_dict


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
