"""Gradients are exchanged once for an update, and not after each of its micro-batches."""

from __future__ import annotations

import functools
import weakref
from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import backward, exchange, within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "ddp-no-sync"
CLASS = "exact"
RANKS = True
TEXT = {
    "en": (
        "Gradients are exchanged in the last backward of an update only",
        "Rounding: gradients are added up before they are averaged. A script that reads .grad between its micro-batches "
        "sees those of its own rank.",
    ),
    "zh": (
        "每次更新只在最后一次反向中交换梯度",
        "舍入：先累加再求平均。若脚本在各微批之间读取 .grad，看到的是本进程自己的梯度。",
    ),
}
REGULAR = 0.9
"""Share of the steps that have the usual number of backwards, at least. The last one of an epoch may have fewer."""
REPEATED = 1.5
"""Times the bytes of all gradients that a step exchanges, from which it does so more than once."""


def candidates(view: View) -> list[Candidate]:
    parallel, count = estimates.parallel(view), _backwards(view)
    if not parallel or parallel["find_unused"] or parallel["static_graph"] or count < 2:
        return []
    if estimates.exchanged(view) < REPEATED * parallel["bytes"]:
        return []
    saved = (1 - 1 / count) * estimates.exchange(view)
    return [Candidate(value=count, seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def _backwards(view: View) -> int:
    """In each step, each after a forward; 0 if that varies."""
    late = view.steps.timed(view.steady.first)
    counts = sorted(step.backwards if step.backwards == step.forwards else 0 for step in late)
    usual = counts[len(counts) // 2] if counts else 0
    return usual if counts.count(usual) >= REGULAR * len(counts) else 0


class Gathered:
    """What one model has learned for its next update."""

    def __init__(self) -> None:
        self.backwards = 0
        self.called = False
        """Since its last backward."""
        self.held = False
        """The exchange is left out in what the last call leads to."""
        self.local = False
        """Its gradients are those of this rank alone."""
        self.used = False
        """They were averaged for something that comes before the update."""


class Turn:
    """Every rank comes here at the same moments of the same script, so that all decide alike."""

    def __init__(self, torch: Any, count: int) -> None:
        self.torch, self.count = torch, count
        self.on, self.told = True, False
        self.models: weakref.WeakKeyDictionary[Any, Gathered] = weakref.WeakKeyDictionary()
        """In the order in which they were called first."""

    def off(self, why: str) -> None:
        """From the next call on all gradients are exchanged. Those that are held are averaged before their update."""
        if self.on:
            self.on = False
            within.fault(NAME, RuntimeError(why))

    def holds(self, model: Any) -> bool:
        """Whether the exchange is left out in the backward of the call that begins now."""
        torch = self.torch
        if not self.on or not torch.is_grad_enabled() or not model.training or not model.require_backward_grad_sync:
            return False
        if torch.compiler.is_compiling():
            return False
        gathered = self.models.get(model)
        if gathered is None:
            why = unfit(torch, model)
            if why:
                self.off(why)
                return False
            gathered = self.models[model] = Gathered()
        gathered.called, gathered.held = True, gathered.backwards < self.count - 1
        return gathered.held

    def backward(self) -> None:
        """One has run."""
        for gathered in self.models.values():
            if gathered.called:
                gathered.called = False
                gathered.backwards += 1
                gathered.local = gathered.held
                if gathered.used:
                    self.off("gradients are used before the last backward of their update")
                if gathered.held and not self.told:
                    self.told = True
                    within.note(NAME, backwards=self.count)

    def settle(self, update: bool) -> None:
        """Average what is still held: the job has fewer micro-batches this time. `update`: it begins now."""
        for model, gathered in self.models.items():
            if gathered.local:
                exchange.average(self.torch, model.parameters(), model.process_group)
                gathered.local = False
                model.require_forward_param_sync = True  # buffers, as after each exchange
                gathered.used = not update
            if update:
                gathered.backwards, gathered.used = 0, False


def unfit(torch: Any, model: Any) -> str:
    """Why this model's gradients have to be exchanged each time."""
    if torch.distributed.get_world_size(model.process_group) < 2:
        return "there is one rank"
    if model.find_unused_parameters or model.static_graph:
        return "ranks may have gradients of different parameters"
    if any(getattr(each, "sparse", False) for each in model.modules()):
        return "gradients are sparse"
    if any(not _averages(hook) for hook, _ in getattr(model, "_comm_hooks", ())):
        return "the script exchanges gradients in its own way"
    if getattr(getattr(model, "_join_config", None), "enable", False):
        return "ranks may end at different steps"
    return ""


def _averages(hook: Any) -> bool:
    """One that gives the mean over the ranks: torch's own, but for some, and those of other remedies."""
    package, _, module = str(getattr(hook, "__module__", "")).rpartition(".")
    return (package == _TORCHS and module in ("default_hooks", "powerSGD_hook")) or package == __package__


_TORCHS = "torch.distributed.algorithms.ddp_comm_hooks"


def apply(torch: Any, value: int) -> None:
    parallel = exchange.wrapped(torch)
    if parallel is None:
        return
    turn = Turn(torch, value)
    _calls(parallel, turn)
    _backward_of(torch, turn)
    exchange.before_use(torch, turn.settle, turn.off)


def _calls(parallel: Any, turn: Turn) -> None:
    original, no_sync = parallel.forward, parallel.no_sync

    @functools.wraps(original)
    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not turn.holds(self):
            return original(self, *args, **kwargs)
        self.require_backward_grad_sync = False
        try:
            return original(self, *args, **kwargs)
        finally:
            self.require_backward_grad_sync = True

    @functools.wraps(no_sync)
    def skips(self: Any) -> Any:
        turn.off("the script leaves out exchanges itself")
        return no_sync(self)

    parallel.forward, parallel.no_sync = forward, skips


def _backward_of(torch: Any, turn: Turn) -> None:
    def make(call: Any, *args: Any, **kwargs: Any) -> Any:
        result = call(*args, **kwargs)
        turn.backward()
        return result

    backward.through(torch, make)


def by_hand(value: int) -> str:
    return (
        f"with contextlib.nullcontext() if (i + 1) % {value} == 0 else model.no_sync():\n"
        "    loss = criterion(model(x), y)\n"
        "    loss.backward()"
    )
