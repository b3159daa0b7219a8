"""The first blocks of the model do not learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import blocks, within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "freezing"
CLASS = "training"
TEXT = {
    "en": (
        "The first blocks of the model do not learn",
        "They stay as they were loaded, with all that comes before them (embeddings, and a head that shares them). Only "
        "for a model that was trained before.",
    ),
    "zh": (
        "模型的前几个模块不再学习",
        "它们以及之前的部分（嵌入，以及与其共享权重的输出层）保持加载时的值。只适合已经训练过的模型。",
    ),
}
PERCENT = 50


def candidates(view: View) -> list[Candidate]:
    if not estimates.trains(view):
        return []
    saved = PERCENT / 100 * (view.steady.seconds["backward"] + view.steady.seconds["optimizer"])
    return [Candidate(value=PERCENT, seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def apply(torch: Any, value: int) -> None:
    """`value`: percent of the blocks, rounded down; at least one goes on learning."""

    def change(module: Any) -> None:
        if isinstance(module, torch.nn.parallel.DistributedDataParallel):
            return  # the parallel wrapper waits for the gradients that it counted
        found = max(blocks.lists(torch, module), key=len, default=[])
        count = min(len(found) - 1, len(found) * value // 100)
        if count < 1:
            return
        last = {id(p) for p in found[count - 1].parameters()}
        parameters = list(module.parameters())
        end = max(i for i, p in enumerate(parameters) if id(p) in last)
        learning = {id(p) for block in found[count:] for p in block.parameters()}
        for parameter in parameters[: end + 1]:
            if id(parameter) not in learning:
                # No gradient, no update: optimizers leave out what has none, weight decay included.
                parameter.requires_grad_(False)
        within.note(NAME, model=type(module).__name__, blocks=count)

    within.first_training_call(torch, NAME, change)


def by_hand(value: int) -> str:
    return f"for block in model.blocks[: len(model.blocks) * {value} // 100]:\n    block.requires_grad_(False)"
