"""Several processes share each batch of a script that is written for one."""

from __future__ import annotations

import functools
import multiprocessing
import os
import random
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from zlib import crc32

from . import estimates, threads
from .candidate import Candidate
from .inside import accumulation, backward, exchange, serving, within
from .inside.crew import Crew

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "distribute"
CLASS = "exact"
NAMED = True
"""Tried only where it is asked for (`--only distribute`): the script runs several times over, and what it does beyond files
and prints (a database, a service that it calls) is done by each process."""
TEXT = {
    "en": (
        "Several processes share each batch",
        "Rounding: the same samples in each update, whose gradients are added up in another order. Right for a loss that is "
        "a mean over samples; what the script prints of a batch is of the first process's share. Dropout and augmentations "
        "draw other numbers. Models with batch normalisation are left alone.",
    ),
    "zh": (
        "多个进程分担每一批",
        "舍入：每次更新的样本不变，梯度相加的顺序不同。适用于按样本取平均的损失；脚本打印的批内数值是第一个进程那一份的。"
        "dropout 与数据增强取的随机数不同。含批归一化的模型保持不变。",
    ),
}
RATE = 1e9
"""Bytes of gradients in a second, over gloo between processes of one machine (measured: 0.4 to 1.4e9)."""
AROUND, SAME = 1024, 1e-9
"""Places are counted up to that: of larger numbers, in sums of squares, a difference of 1 would be lost in rounding."""


def candidates(view: View) -> list[Candidate]:
    loader, made = view.process.first("loader"), view.process.events.get("optimizer", ())
    if not estimates.trains(view) or view.process.cuda or estimates.ranks(view) > 1 or len(made) != 1:
        return []
    if not loader or estimates.normalises_batches(view):
        return []
    found = []
    for size in sorted({2, view.cores}):
        if 1 < size <= view.cores and (loader.get("batch_size") or 0) >= 2 * size:
            saved = (1 - 1 / size) * view.steady.seconds["next"] if not loader["workers"] else 0.0
            saved += (
                threads.seconds(view, threads.in_use(view)) - threads.seconds(view, max(1, view.cores // size)) / size
            )
            found.append(Candidate(value=size, seconds=saved - made[0]["gradient_bytes"] / RATE))
    return [each for each in found if view.share(each.seconds) >= estimates.WORTH]


class Share:
    """What this process does of each batch."""

    def __init__(self, torch: Any, crew: Crew) -> None:
        self.torch, self.crew = torch, crew
        self.turn = accumulation.Turn(torch, NAME)
        """Which parameters learn."""
        self.optimizer: Any = None
        self.on, self.joined = True, False
        self.threads = torch.get_num_threads()
        self.weights: list[float] = []
        """Of the batches that are under way: how much a sample of this share counts beside one of another's."""
        self.weight = 1.0
        self.gathered = False
        """Gradients are those of this share alone."""
        self.updates = self.epochs = 0

    @property
    def shares(self) -> bool:
        return self.on and self.joined

    def off(self, why: str) -> None:
        """The first goes on alone, with whole batches from the next one that is drawn on."""
        if self.on:
            self.on = False
            within.fault(NAME, RuntimeError(why))
            if self.joined:
                self.torch.set_num_threads(self.threads)
                self.crew.leave()

    def begin(self, sampler: Any) -> bool:
        """An epoch begins. Whether its batches are shared."""
        torch = self.torch
        if not self.on or os.getpid() != self.crew.pid or not draws(torch, sampler):
            return False
        why = accumulation.unfit(torch, self.turn, lambda loader: serving.shuffles(torch, loader))
        if why == "":
            return False  # it does not learn yet
        if torch.distributed.is_initialized():
            why = "the job has ranks of its own"
        if any(each.device.type != "cpu" for each in self.turn.parameters):
            why = "the model is not on the CPU"
        try:
            if why is None:
                why = self._agree(epoch=True) if self.joined else self._join(len(sampler.sampler))
            if why is None:
                self.epochs += 1
                state = torch.get_rng_state()
                self.crew.first(state)  # models may have drawn for shares of other sizes
                torch.set_rng_state(state)
        except RuntimeError as error:
            why = str(error)
        if why:
            self.off(why)
        self.weights = []
        return self.on

    def _join(self, samples: int) -> str | None:
        """Why they cannot share."""
        torch = self.torch
        (self.optimizer,) = self.turn.living.of(torch.optim.Optimizer)
        self.crew.join()
        self.joined = True
        mine = torch.tensor([samples, *fingerprint(torch, self.turn.parameters)], dtype=torch.float64)
        firsts = mine.clone()
        self.crew.first(firsts)
        apart = (mine != firsts).any().double()
        self.crew.mean(apart)
        if float(apart):
            return "another run of the script does not come to the same weights and random numbers"
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // self.crew.size))
        within.note(NAME, processes=self.crew.size)
        return None

    def of(self, batch: list[Any]) -> list[Any]:
        size = self.crew.size
        if not self.on or len(batch) < size:
            self.weights.append(1.0)  # each takes all of it
            return batch
        mine = batch[self.crew.number :: size]
        self.weights.append(len(mine) * size / len(batch))
        return mine

    def settle(self, update: bool) -> None:
        """Gradients become those of all samples."""
        if not self.gathered or not self.shares:
            return
        self.gathered = False
        gradients = [p.grad for p in self.turn.parameters if p.grad is not None]
        try:
            why = self._agree(epoch=False)
            with self.torch.no_grad():
                for alike in exchange.alike(gradients if why is None else []):
                    flat = self.torch.cat([each.reshape(-1) for each in alike])
                    self.crew.mean(flat)
                    exchange.spread(flat, alike)
        except RuntimeError as error:
            why = f"a process is gone: {error}"
        if why:
            self.off(why)
        self.updates += 1

    def _agree(self, *, epoch: bool) -> str | None:
        """Why they do not go on together: all come to the same answer, each time before anything else is exchanged.

        A loop that ends by the clock, or a learning rate that follows the loss of a share, takes them apart.
        """
        place = [1.0 + epoch, 1.0 + self.updates % AROUND, 1.0 + self.epochs % AROUND]
        mine = [*place, *(float(group["lr"]) for group in self.optimizer.param_groups)]
        told = self.torch.tensor([*mine, *(each * each for each in mine)], dtype=self.torch.float64)
        self.crew.mean(told)
        means, squares = told[: len(mine)], told[len(mine) :]
        same = bool((squares - means * means <= SAME * squares).all())
        return None if same else "the processes are not in the same place, or have other learning rates"


def draws(torch: Any, sampler: Any) -> bool:
    """In an order that torch's own random numbers give, so that all draw the same."""
    data, inner = torch.utils.data, getattr(sampler, "sampler", None)
    kinds = (data.RandomSampler, data.SubsetRandomSampler, data.WeightedRandomSampler)
    return type(sampler) is data.BatchSampler and isinstance(inner, kinds) and inner.generator is None


def fingerprint(torch: Any, parameters: list[Any]) -> list[float]:
    """Of the random numbers to come, and of the weights."""
    numpy = sys.modules.get("numpy")
    states = [bytes(torch.get_rng_state().tolist()), repr(random.getstate()).encode()]
    if numpy is not None:
        states.append(repr(numpy.random.get_state()[1].tolist()).encode())
    return [*(float(crc32(each)) for each in states), *(p.detach().double().sum().item() for p in parameters)]


def apply(torch: Any, value: int) -> None:
    if multiprocessing.parent_process() is not None or os.environ.get("WORLD_SIZE", "1") != "1":
        return
    crew = Crew(torch, value)
    if crew.outside or not torch.distributed.is_available():
        return
    share = Share(torch, crew)
    _batches(torch, share)
    _backward(torch, share)
    exchange.before_use(torch, share.settle, share.off)


def _batches(torch: Any, share: Share) -> None:
    from torch.utils.data.dataloader import _BaseDataLoaderIter  # type: ignore[import-not-found,unused-ignore]

    sampler_class = torch.utils.data.BatchSampler
    drawn, following = sampler_class.__iter__, _BaseDataLoaderIter.__next__

    def __iter__(self: Any) -> Iterator[list[Any]]:  # noqa: N807
        if not share.begin(self):
            yield from drawn(self)
            return
        for batch in drawn(self):
            yield share.of(batch)

    @functools.wraps(following)
    def __next__(self: Any) -> Any:  # noqa: N807
        batch = following(self)
        if share.weights and draws(torch, getattr(self, "_index_sampler", None)):
            share.weight = share.weights.pop(0)
        return batch

    sampler_class.__iter__ = __iter__
    _BaseDataLoaderIter.__next__ = __next__


def _backward(torch: Any, share: Share) -> None:
    def make(call: Any, tensors: Any, grad_tensors: Any = None, *args: Any, **kwargs: Any) -> Any:
        if not share.shares:
            return call(tensors, grad_tensors, *args, **kwargs)
        losses = backward.losses(torch, tensors)
        if any(each.numel() != 1 for each in losses):
            share.off("what runs backward is no loss")
            return call(tensors, grad_tensors, *args, **kwargs)
        _tell(torch, share, losses[0])
        if share.weight != 1.0:
            grad_tensors = backward.weighted(torch, losses, grad_tensors, share.weight)
        try:
            return call(losses, grad_tensors, *args, **kwargs)
        finally:
            share.gathered = True

    backward.through(torch, make)


def _tell(torch: Any, share: Share, loss: Any) -> None:
    """In a trial the loss curve has the loss of the whole batch."""
    if "curve=1" not in share.crew.told:
        return
    mean = loss.detach().double() * share.weight
    share.crew.mean(mean)
    try:
        from _narrows_probe.hooks import backward as probe  # type: ignore[import-not-found,unused-ignore]

        if probe.curve:
            probe.curve[-1] = float(mean)
    except Exception:
        pass


def environment(value: int) -> dict[str, str]:
    return {"PYTHONHASHSEED": "0"}  # what a script makes of a set is the same in all processes


def by_hand(value: int) -> str:
    return (
        f"# torchrun --nproc-per-node {value} train.py\n"
        'torch.distributed.init_process_group("gloo")\n'
        "model = torch.nn.parallel.DistributedDataParallel(model)\n"
        "sampler = torch.utils.data.DistributedSampler(dataset)  # sampler.set_epoch(epoch) before each epoch\n"
        f"loader = torch.utils.data.DataLoader(dataset, batch_size=batch_size // {value}, sampler=sampler)"
    )
