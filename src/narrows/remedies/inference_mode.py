"""Model calls of a job that never asks for gradients record none."""

from __future__ import annotations

import functools
import weakref
from typing import TYPE_CHECKING, Any

from .candidate import Candidate
from .inside import nested, within

if TYPE_CHECKING:
    from narrows.findings.view import View
    from narrows.spool.record import Process

NAME = "inference-mode"
CLASS = "exact"
ROOM = ("inference_mode",)
TEXT = {
    "en": (
        "Model calls record no gradients",
        "Nothing in the results. What the model returns has no graph: a job that later asks for gradients after all is "
        "recognised by its optimizer, its inputs or its train mode.",
    ),
    "zh": (
        "模型调用不记录梯度",
        "结果不变。模型的输出不带计算图；若作业之后仍要求梯度，则由其优化器、输入或训练模式识别出来，并停止这一改动。",
    ),
}
PARTS = {"no_grad": 0.4, "inference_mode": 0.5}
"""By value: of the overhead of a model call, what it saves."""
ONCE = (
    # gradients, wherever they may be asked for
    r"(?i)backward|autograd|_grad_|requires_grad|enable_grad|\bgrad\b|optim|\bfit\b|\btrain|Trainer|jacobian|hessian|\bvjp\b"
    # threads, each of which starts with gradients on
    r"|\bthread|_thread|concurrent|asyncio|multiprocessing|server|flask|fastapi|uvicorn|aiohttp|tornado|gradio|streamlit"
)
"""Words of scripts in which turning gradients off once, in the main thread, may not be the same."""


def candidates(view: View) -> list[Candidate]:
    late = view.steps.timed(view.steady.first)
    if view.steps.type != "inference" or any(s.backwards for s in view.steps.steps):
        return []
    if not possible(view.process) or sum(s.gradients for s in late) <= len(late) / 2:
        return []
    spent = sum(e.seconds for e in view.entries if e.cause == "overhead" and e.state == "forward")
    return [Candidate(value=v, seconds=part * spent) for v, part in PARTS.items() if view.share(part * spent) >= 0.02]


def possible(process: Process) -> bool:
    return not process.events.get("optimizer")


def apply(torch: Any, value: str) -> None:
    mode = getattr(torch, value)
    seen: weakref.WeakKeyDictionary[Any, bool] = weakref.WeakKeyDictionary()
    on = [True]
    noted: list[bool] = []

    def off(why: str) -> None:
        if on[0]:
            on[0] = False
            within.fault(NAME, RuntimeError(why))

    def make(call: Any, model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if on[0] and torch.is_grad_enabled():
            if model.training and not seen.setdefault(model, model.training):
                off("a model that was in evaluation goes back to train mode")
            elif any(t.requires_grad for t in nested.tensors(torch.Tensor, (args, kwargs))):
                off("an input requires a gradient")
        if not on[0] or not torch.is_grad_enabled():
            return call(model, *args, **kwargs)
        seen[model] = seen.get(model, model.training) and model.training
        with mode():
            output = call(model, *args, **kwargs)
        if not noted:
            noted.append(True)
            within.note(NAME, mode=value)
        # Outside, the script may change it in place, which only this keeps possible.
        return nested.changed(torch.Tensor, output, lambda held: held.clone() if held.is_inference() else held)

    within.through(torch, make)
    _watch(torch.optim.Optimizer, "__init__", lambda *_: off("there is an optimizer"))
    _watch(torch.nn.Module, "zero_grad", lambda *_: off("gradients are set to zero"))
    for name in ("backward", "grad"):
        _watch(torch.autograd, name, lambda *_: off("a backward is asked for"))


def _watch(owner: Any, name: str, then: Any) -> None:
    original = getattr(owner, name)

    @functools.wraps(original)
    def watched(*args: Any, **kwargs: Any) -> Any:
        then()
        return original(*args, **kwargs)

    setattr(owner, name, watched)


def by_hand(value: str) -> str:
    return f"with torch.{value}():\n    ..."


def edit(source: str, value: str) -> str | None:
    """Gradients are off in all that the script's main function does. Not inference mode: what is made in it, and is
    changed in place outside or learns later, is an error there."""
    from narrows.edits.function import decorate_main
    from narrows.edits.text import mentions, parse

    made = parse(source)
    if value != "no_grad" or made is None or mentions(made.tree, ONCE):
        return None
    return decorate_main(source, "torch", "torch.no_grad()")
