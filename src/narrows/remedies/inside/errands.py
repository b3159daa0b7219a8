"""What is asked of one rank alone, where each rank holds a share of the tensors. Standard library only.

A script that is written for whole models on all ranks saves on rank 0, and evaluates there. The others, whose shares it
takes, are on their way to the next step meanwhile, or to their end. So on each rank a thread answers whoever asks, until
no rank can ask any more; and ranks that have ended stay until then.
"""

from __future__ import annotations

import atexit
import functools
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from . import within

ASK, ANSWER = 1, 2
"""Tags."""
SHARE, LEAVES = 0, 1
WORDS = 5
"""Of what is asked: which of the two, updates so far, loads since, the tensor, which of its states (or `ITSELF`)."""
ITSELF = -1
LONG = timedelta(days=20)
"""Whoever waits for a question waits for as long as the job runs."""


class Errands:
    """Between all ranks, of which each makes one at the same place."""

    def __init__(self, torch: Any, remedy: str, share: Callable[[int, int], Any]) -> None:
        """`share(tensor, state)`: what this rank holds of it."""
        distributed = torch.distributed
        self.torch, self.remedy, self.share = torch, remedy, share
        self.rank, self.ranks = distributed.get_rank(), distributed.get_world_size()
        self.group = distributed.new_group(backend="gloo", timeout=LONG)
        self.updates, self.loads, self.changing = 0, 0, 0
        self.learning = False
        self.replaced: list[tuple[int, int, int, Any]] = []
        """Shares as they were before something was loaded: the load, the tensor, its state, the share."""
        self.change, self.asking = threading.Condition(), threading.Lock()
        self.left = False
        self.thread = within.thread(self._answer, daemon=True)
        _before_the_end(distributed, self.leave)

    def begin(self) -> None:
        """Shares are between two states: an update begins, or something is loaded."""
        with self.change:
            self.changing += 1

    def end(self) -> None:
        """The update is made, on this rank. Each rank's gradients were wanted for it: nobody asks for what was before."""
        with self.change:
            self.updates, self.loads, self.changing, self.learning = self.updates + 1, 0, 0, False
            self.replaced.clear()
            self.change.notify_all()

    def keep(self, tensor: int, state: int, share: Any) -> None:
        """What a load replaces: ranks that are behind may yet ask for it, since a load waits for nobody."""
        with self.change:
            self.replaced.append((self.loads + 1, tensor, state, share))

    def loaded(self) -> None:
        with self.change:
            self.changing -= 1
            if not self.changing:
                self.loads += 1
                self.change.notify_all()

    def learns(self) -> None:
        """Nothing more is loaded before the next update."""
        with self.change:
            self.learning = True
            self.change.notify_all()

    def whole(self, mine: Any, shape: Any, tensor: int, state: int = ITSELF) -> Any:
        """The whole of a tensor that is shared out by its first dimension, as it is after as many updates as this rank
        has made. Raises `RuntimeError` if a rank is gone."""
        torch = self.torch
        mine = mine.detach()
        parts = []
        with self.asking:
            for rank, rows in enumerate(shares(shape[0], self.ranks)):
                if rank == self.rank:
                    parts.append(mine)
                elif rows:
                    part = torch.empty((rows, *shape[1:]), dtype=mine.dtype)
                    self._send(torch.tensor([SHARE, self.updates, self.loads, tensor, state]), rank, ASK)
                    self.group.recv([_bytes(torch, part)], rank, ANSWER).wait()
                    parts.append(part.to(mine.device))
        return torch.cat(parts)

    def leave(self, *, wait: bool = True) -> None:
        """No more is asked by this rank. Waits until that is true of all, which may yet want this rank's share; not where
        this rank has failed: others wait for it in vain then, and shall not."""
        if self.left:
            return
        with self.change:
            self.left = True
            self.change.notify_all()
        try:
            for rank in range(self.ranks):
                if rank != self.rank:
                    self._send(self.torch.tensor([LEAVES, 0, 0, 0, 0]), rank, ASK)
        except RuntimeError:
            return  # a rank is gone: nobody asks any more
        if wait:
            self.thread.join()

    def _held(self, updates: int, loads: int, tensor: int, state: int) -> Any:
        """A copy of this rank's share after as many of both. Waits until there were as many; what another rank alone has
        loaded is not waited for."""
        with self.change:
            self.change.wait_for(
                lambda: (
                    self.updates >= updates
                    and not self.changing
                    and (self.loads >= loads or self.learning or self.left)
                )
            )
            before = [share for load, *what, share in self.replaced if load > loads and what == [tensor, state]]
            share = before[0] if before else self.share(tensor, state)
            return share.detach().to("cpu", copy=True).contiguous()

    def _send(self, tensor: Any, rank: int, tag: int) -> None:
        self.group.send([tensor], rank, tag).wait()

    def _answer(self) -> None:
        torch, here = self.torch, self.ranks - 1
        try:
            while here:
                asked = torch.zeros(WORDS, dtype=torch.int64)
                work = self.group.recv_anysource([asked], ASK)
                work.wait()
                kind, *version = asked.tolist()
                if kind == LEAVES:
                    here -= 1
                    continue
                self._send(_bytes(torch, self._held(*version)), work._source_rank(), ANSWER)
        except RuntimeError as error:
            if not self.left:
                within.fault(self.remedy, error)  # a rank is gone; the launcher sees to the rest


def shares(rows: int, ranks: int) -> list[int]:
    """Rows of each rank, as `torch.chunk` deals them out: the last may have fewer, or none."""
    most = -(-rows // ranks)
    return [max(0, min(most, rows - rank * most)) for rank in range(ranks)]


def _bytes(torch: Any, tensor: Any) -> Any:
    """The same memory: the exchange knows fewer dtypes than the job."""
    return tensor.reshape(-1).view(torch.uint8)


def _before_the_end(distributed: Any, leave: Callable[..., None]) -> None:
    """Of the process, or of its groups."""
    original = distributed.destroy_process_group

    @functools.wraps(original)
    def destroy(group: Any = None) -> None:
        if group is None or group is distributed.group.WORLD:
            leave()
        original(group)

    def at_exit() -> None:
        leave(wait=getattr(sys, "last_type", None) is None)  # set where an exception ends the program

    distributed.destroy_process_group = distributed.distributed_c10d.destroy_process_group = destroy
    atexit.register(at_exit)
