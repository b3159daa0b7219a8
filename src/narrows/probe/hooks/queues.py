"""Batches that the job's own threads make: `queue.Queue`, where the training thread takes what another one puts."""

import functools
import queue
from _thread import get_ident
from typing import Any

from .. import job, pause, places, state

_fed: set[int] = set()
"""Queues that the training thread takes from. A number that comes again belongs to a queue like the one before."""


def install(torch: Any) -> None:
    original_put, original_get = queue.Queue.put, queue.Queue.get

    @functools.wraps(original_get)
    def get(self: Any, *args: Any, **kwargs: Any) -> Any:
        if state.now_in not in state.GAPS or get_ident() != state.thread:
            return original_get(self, *args, **kwargs)
        _fed.add(id(self))
        if places.learning:
            places.learn("loader")
        if pause.look is not None:
            pause.asked(pause.producers_idle(), not self.queue)
        state.enter(state.NEXT)
        try:
            return original_get(self, *args, **kwargs)
        finally:
            state.leave(state.PREPARE)
            job.batches += 1
            if pause.look is not None:
                pause.served(pause.producers_idle())

    @functools.wraps(original_put)
    def put(self: Any, *args: Any, **kwargs: Any) -> None:
        me = get_ident()
        if id(self) not in _fed or me == state.thread:
            return original_put(self, *args, **kwargs)
        pause.producers[me] = pause.IDLE
        try:
            original_put(self, *args, **kwargs)
            pause.wait()
        finally:
            pause.producers[me] = pause.BUSY

    queue.Queue.put, queue.Queue.get = put, get  # type: ignore[method-assign]
