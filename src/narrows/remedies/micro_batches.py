"""Batches of training are taken in parts, with one update for all of them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import accumulation, datasets, rows, serving

if TYPE_CHECKING:
    from narrows.findings.view import View
    from narrows.spool.record import Process

NAME = "micro-batches"
CLASS = "memory"
TEXT = {
    "en": (
        "Batches are taken in parts, with one update for all of them",
        "The same samples in each update; right for a loss that is a mean over samples. The loop turns once for each "
        "part: a script that counts its turns (logs, a limit of steps) counts parts, and one that keeps a moving average of "
        "the weights by itself, without torch's AveragedModel, moves it once for each. Dropout draws other numbers. Models "
        "with batch normalisation are left alone.",
    ),
    "zh": (
        "把每批分成几份计算，合起来更新一次",
        "每次更新的样本不变；适用于按样本取平均的损失。循环对每一份执行一次：若脚本统计循环次数（日志、步数上限），统计的是份数；"
        "若自己维护权重的滑动平均（不用 torch 的 AveragedModel），每一份都会更新一次。"
        "dropout 取的随机数不同。含批归一化的模型保持不变。",
    ),
}
PARTS = (2, 4)
ROOM = PARTS
MOST = 32


def candidates(view: View) -> list[Candidate]:
    size = view.process.first("loader").get("batch_size") or 0
    if not estimates.trains(view) or not estimates.passing(view):
        return []
    if len(view.process.events.get("optimizer", ())) > 1 or estimates.normalises_batches(view):
        return []
    # Each op runs once for each part; what it is worth, only memory says.
    fixed = estimates.spent(view, "overhead")
    return [Candidate(value=parts, seconds=-(parts - 1) * fixed) for parts in PARTS if size and size % parts == 0]


def possible(process: Process) -> bool:
    return bool(process.events.get("loader") and process.events.get("optimizer"))


def beyond(value: int) -> list[int]:
    return [2 * value] if 2 * value <= MOST else []


def apply(torch: Any, value: int) -> None:
    turn = accumulation.Turn(torch, NAME)
    accumulation.install(torch, turn)

    def serve(loader: Any, batches: Any) -> Any:
        if not turn.on or not serving.shuffles(torch, loader):
            return batches
        return Parts(batches, loader, value, turn, torch)

    serving.instead(torch, serve)
    _count_parts(torch, turn)


def _count_parts(torch: Any, turn: accumulation.Turn) -> None:
    """Before its first update, a loader has as many batches as there are updates: schedules are made from that. From then
    on it has as many as the loop has turns: a mean over an epoch, and the last turn, are found by that."""
    loader_class = torch.utils.data.DataLoader
    original = loader_class.__len__

    def __len__(self: Any) -> int:  # noqa: N807
        batches, size = int(original(self)), vars(self).get(_PART)
        if not size or not turn.on or not turn.updates:
            return batches
        samples = batches * self.batch_size
        if not self.drop_last:
            samples = min(samples, len(self.dataset if datasets.streams(torch, self.dataset) else self.sampler))
        return int(-(-samples // size))

    loader_class.__len__ = __len__


_PART = "_narrows_part"
"""A loader's attribute: the samples of a part, once it has given one."""


class Parts(serving.Served):
    """A loader's iterator that gives each batch in parts, or whole where nothing learns from it."""

    def __init__(self, batches: Any, loader: Any, parts: int, turn: accumulation.Turn, torch: Any) -> None:
        super().__init__(batches)
        self._loader, self._parts, self._turn, self._torch = loader, parts, turn, torch
        self._batch: Any = None
        self._rows = self._at = 0
        self._plain: bool | None = None
        """The batches are given whole; None before the first."""

    def __next__(self) -> Any:
        turn, tensor = self._turn, self._torch.Tensor
        if self._at == self._rows:
            if self._plain is False:
                turn.end()
            self._batch = batch = next(self._batches)
            if self._plain is None:
                self._plain = self._unfit(batch, sys._getframe(1))
            rows_here = rows.count(tensor, batch)
            if self._plain or not turn.on or not rows_here or not self._torch.is_grad_enabled():
                return batch
            turn.end()
            self._rows, self._at = rows_here, 0
        else:
            turn.part_over()
            # Nothing has learned from the first part: this is an evaluation.
            self._plain = not turn.updates and not turn.gathered
            if not turn.on and not turn.gathered:
                self._at = 0  # nor from any other: it has them all for its update
        begin, size = self._at, self._loader.batch_size // self._parts
        self._at = min(begin + size, self._rows) if turn.on and not self._plain else self._rows
        turn.begin((self._at - begin) / self._rows, first=not turn.open, last=self._at == self._rows)
        vars(self._loader)[_PART] = size
        return rows.cut(tensor, self._batch, begin, self._at)

    def _unfit(self, batch: Any, caller: Any) -> bool:
        turn, torch = self._turn, self._torch
        if not torch.is_grad_enabled():
            return True
        why = accumulation.unfit(torch, turn, lambda loader: serving.shuffles(torch, loader))
        if why is None and self._loader.batch_size % self._parts:
            why = f"batches of {self._loader.batch_size} have no {self._parts} equal parts"
        elif why is None and rows.count(torch.Tensor, batch) is None:
            why = "a batch is more than tensors with a row for each sample"
        elif why is None and not serving.in_a_for(caller):
            why = "batches are asked for with next(): the loop counts them"
        if why:
            turn.off(why)
        return why is not None


def by_hand(value: int) -> str:
    return (
        "for x, y in loader:\n"
        "    optimizer.zero_grad()\n"
        f"    for part, target in zip(x.chunk({value}), y.chunk({value})):\n"
        "        (len(part) / len(x) * loss(model(part), target)).backward()\n"
        "    optimizer.step()"
    )
