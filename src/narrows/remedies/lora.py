"""Linear layers learn a correction of low rank; their weights stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "lora"
CLASS = "training"
TEXT = {
    "en": (
        "Linear layers learn a correction of low rank (LoRA)",
        "Weights of linear layers are frozen, and only two thin matrices beside each are learned; checkpoints hold the "
        "sum, under the same names. Only for a model that was trained before.",
    ),
    "zh": (
        "Linear 层只学习低秩修正（LoRA）",
        "Linear 层的权重被冻结，只学习旁边的两个窄矩阵；检查点以原名保存两者之和。只适合已经训练过的模型。",
    ),
}
RANK = 8
DOWN, UP = "narrows_down", "narrows_up"
SMALLEST = 16
"""Ranks that a layer must be wide, for its correction to be thin."""


def candidates(view: View) -> list[Candidate]:
    if not estimates.trains(view):
        return []
    # Half of a linear layer's backward is the gradient of its weight; its update goes too.
    products = sum(k.seconds for k in view.kernels if k.state == "backward" and k.cost.kind == "matmul")
    saved = products / 2 + view.steady.seconds["optimizer"] / 2 - estimates.spent(view, "overhead", states=("forward",))
    return [Candidate(value=RANK, seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def apply(torch: Any, value: int) -> None:
    from torch.optim.optimizer import (  # type: ignore[import-not-found,unused-ignore]
        register_optimizer_step_pre_hook,
    )

    instead: dict[int, list[Any]] = {}
    """By the weight that is frozen: what its optimizer is to have."""

    def change(module: Any) -> None:
        if isinstance(module, torch.nn.parallel.DistributedDataParallel):
            return  # the parallel wrapper has counted the gradients
        uses: dict[int, int] = {}
        for part in module.modules():
            for p in part.parameters(recurse=False):
                uses[id(p)] = uses.get(id(p), 0) + 1
        layers = [
            m for m in module.modules()
            if type(m) is torch.nn.Linear and m.weight.requires_grad and uses[id(m.weight)] == 1
            and min(m.weight.shape) >= SMALLEST * value
        ]  # fmt: skip
        for layer in layers:
            instead[id(layer.weight)] = _adapt(torch, layer, value)
        if layers:
            within.note(NAME, model=type(module).__name__, layers=len(layers), rank=value)

    def hand_over(optimizer: Any, args: Any, kwargs: Any) -> None:
        if not instead:
            return
        # Into the same group: schedules count the groups.
        for group in optimizer.param_groups:
            for p in list(group["params"]):
                group["params"].extend(instead.pop(id(p), ()))

    register_optimizer_step_pre_hook(hand_over)
    within.first_training_call(torch, NAME, change)


def _adapt(torch: Any, layer: Any, rank: int) -> list[Any]:
    weight = layer.weight
    down, up = torch.empty(rank, weight.shape[1]), torch.zeros(weight.shape[0], rank)
    # A generator of its own: the job's random numbers stay as they are.
    torch.nn.init.kaiming_uniform_(down, a=5**0.5, generator=torch.Generator().manual_seed(0))
    for name, value in ((DOWN, down), (UP, up)):
        layer.register_parameter(name, torch.nn.Parameter(value.to(weight)))
    weight.requires_grad_(False)
    layer.register_forward_hook(_add)
    layer.register_state_dict_post_hook(_merge)
    layer.register_load_state_dict_pre_hook(_start_again)
    return [getattr(layer, DOWN), getattr(layer, UP)]


def _add(layer: Any, given: Any, output: Any) -> Any:
    return output + given[0] @ getattr(layer, DOWN).T @ getattr(layer, UP).T if given else output


def _merge(layer: Any, state: Any, prefix: str, metadata: Any) -> None:
    down, up = state.pop(prefix + DOWN), state.pop(prefix + UP)
    state[prefix + "weight"] = (layer.weight + up @ down).detach()


def _start_again(layer: Any, state: Any, prefix: str, *_: Any) -> None:
    state[prefix + DOWN] = getattr(layer, DOWN).detach()
    state[prefix + UP] = getattr(layer, UP).detach().new_zeros(getattr(layer, UP).shape)


def by_hand(value: int) -> str:
    return f"model = peft.get_peft_model(model, peft.LoraConfig(r={value}))"
