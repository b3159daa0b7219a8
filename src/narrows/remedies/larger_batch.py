"""Batches of training are larger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import datasets, within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "larger-batch"
CLASS = "training"
TEXT = {
    "en": (
        "Batches are larger",
        "Fewer updates per epoch, from less noisy gradients, at the same learning rate. Activations take more memory.",
    ),
    "zh": ("批更大", "每轮更新次数更少，梯度噪声更小，学习率不变。激活占用更多内存。"),
}
TIMES = (2, 4)
FEWEST_BATCHES = 4
"""Larger batches that a dataset must hold: fewer make no epoch."""


def candidates(view: View) -> list[Candidate]:
    loader = view.process.first("loader")
    if not estimates.trains(view) or not loader or not loader.get("batch_size"):
        return []
    batches = loader.get("batches")
    # What a step costs whatever its size. Of a step of the present size: to be compared by samples.
    fixed = estimates.spent(view, "overhead") + view.steady.seconds["optimizer"]
    return [
        Candidate(value=times, seconds=(1 - 1 / times) * fixed)
        for times in TIMES
        if (batches is None or batches >= FEWEST_BATCHES * times)
        and view.share((1 - 1 / times) * fixed) >= estimates.WORTH
    ]


def apply(torch: Any, value: int) -> None:
    made: dict[int, int] = {}

    def change(loader: Any, given: dict[str, Any]) -> None:
        size, dataset = given["batch_size"], given["dataset"]
        if not size or given["batch_sampler"] is not None or made.get(id(dataset)) == size:
            return  # trainers make loaders again, from those that they were given
        streams = datasets.streams(torch, dataset)
        if not (given["shuffle"] or given["sampler"] is not None or streams):
            return  # in order: an evaluation
        if hasattr(dataset, "__len__") and len(dataset) < FEWEST_BATCHES * value * size:
            return
        given["batch_size"] = made[id(dataset)] = value * size
        within.note(NAME, batch_size=value * size)

    within.arguments(NAME, torch.utils.data.DataLoader, change)


def by_hand(value: int) -> str:
    return f"DataLoader(..., batch_size={value} * batch_size)"
