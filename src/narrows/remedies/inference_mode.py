"""Model calls of a job that never asks for gradients record none."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import drawn, later, nested, unchanged, within

if TYPE_CHECKING:
    from narrows.findings.view import View
    from narrows.spool.record import Process

NAME = "inference-mode"
CLASS = "exact"
ROOM = ("inference_mode",)
TEXT = {
    "en": (
        "Model calls record no gradients",
        "Nothing in the results. Where the job asks an answer for gradients after all, that call is made again.",
    ),
    "zh": (
        "模型调用不记录梯度",
        "结果不变。若作业之后仍对某个输出求梯度，则重新执行那次调用。",
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
    return estimates.only_answers(process)


def apply(torch: Any, value: str) -> None:
    mode = getattr(torch, value)
    known: weakref.WeakKeyDictionary[Any, _Known] = weakref.WeakKeyDictionary()
    graphs = later.Later(torch)
    on = [True]
    noted: list[bool] = []

    def off(why: str) -> None:
        if on[0]:
            on[0] = False
            within.fault(NAME, RuntimeError(why))

    def make(call: Any, model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not on[0] or not torch.is_grad_enabled():
            return call(model, *args, **kwargs)
        told = known.get(model)
        if told is None:
            told = known[model] = _Known(torch, model)
        given = nested.tensors(torch.Tensor, (args, kwargs))
        # What has a graph came from another model, whose answer looks like its own.
        if any(t.requires_grad and t.is_leaf for t in given):
            off("an input requires a gradient")
        elif model.training and not told.training:
            off("a model that was in evaluation goes back to train mode")
        if not on[0] or told.alone or told.parts.looked_at():
            return call(model, *args, **kwargs)
        if not told.graphs or not told.parts.same():
            return told.learn(call, args, kwargs)
        with mode():
            output = call(model, *args, **kwargs)
        made = nested.tensors(torch.Tensor, output)
        have = told.graphs.get(len(made))
        if have is None:
            return told.learn(call, args, kwargs)
        if not noted:
            noted.append(True)
            within.note(NAME, mode=value)
        again = later.Again(torch, call, model, args, kwargs, given)
        leaves = [*told.parts.parameters, *(t for t in given if t.requires_grad)]
        # Outside, the script may change it in place, and ask it for gradients.
        answers = iter(graphs.answers(again, [later.own(t) for t in made], have, leaves))
        return nested.changed(torch.Tensor, output, lambda _: next(answers))

    within.through(torch, make)
    within.watch(torch.optim.Optimizer, "__init__", lambda *_, **__: off("there is an optimizer"))
    within.watch(torch.nn.Module, "zero_grad", lambda *_, **__: off("gradients are set to zero"))
    for name in ("backward", "grad"):
        within.watch(torch.autograd, name, lambda *_, **__: off("a backward is asked for"))


class _Known:
    """What is known of a model from calls that were made as the script wrote them."""

    def __init__(self, torch: Any, model: Any) -> None:
        self.torch, self.training = torch, model.training
        self.graphs: dict[int, list[bool]] = {}
        """By how many tensors an answer has: which of them have a graph."""
        self.alone = False
        """It is left as it is."""
        self.model: Any = weakref.ref(model)
        try:
            self.parts = unchanged.Parts(torch, model)
            self.alone = not self.parts.parameters
        except Exception as error:
            self.alone = True
            within.fault(NAME, error)

    def learn(self, call: Any, args: Any, kwargs: Any) -> Any:
        torch, tensor, model = self.torch, self.torch.Tensor, self.model()
        self.parts = unchanged.Parts(torch, model)
        buffers, numbers = [(b, b._version) for b in model.buffers() if not b.is_inference()], drawn.Drawn(self.torch)
        output = call(model, *args, **kwargs)
        try:
            nested.form(tensor, (args, kwargs))
            nested.form(tensor, output)
            if any(b._version != then for b, then in buffers) or not self.parts.same():
                raise RuntimeError("a call changes the model")
            if not numbers.same():
                raise RuntimeError("a call draws random numbers")
            found = nested.tensors(tensor, output)
            self.graphs[len(found)] = [t.requires_grad for t in found]
        except Exception as error:
            # It could not be made again later.
            self.alone = True
            within.fault(NAME, error)
        return output


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
