"""Collectives: Python's calls, waiting on their handles, and the gradient sync hidden in a backward."""

import functools
import importlib
from _thread import get_ident
from collections.abc import Callable, Iterable
from typing import Any

from .. import agreed, exchanges, inputs, job, places, state, stuck
from . import reducer

syncing = False
"""A DistributedDataParallel module exists: backwards end with a wait for gradients."""
ranked = False
"""This process is one of several that may wait for each other."""
_INSIDE = frozenset((state.FORWARD, state.BACKWARD, state.OPTIMIZER, state.EVALUATE))
"""States in which a wrapper of the model may exchange by itself: FSDP gathers parameters, tensor parallel adds up."""
_NAMES = (
    "all_reduce", "all_gather", "all_gather_into_tensor", "reduce_scatter", "reduce_scatter_tensor", "broadcast",
    "barrier", "reduce", "gather", "scatter", "all_to_all", "all_to_all_single", "send", "recv", "all_gather_object",
    "broadcast_object_list", "gather_object", "monitored_barrier", "all_gather_single", "reduce_scatter_single",
)  # fmt: skip


def install(torch: Any) -> None:
    distributed = torch.distributed
    if not distributed.is_available():
        return
    implementation = importlib.import_module("torch.distributed.distributed_c10d")
    wrap(distributed, implementation, _NAMES, timed)
    wrap(distributed, distributed, ("_broadcast_coalesced",), timed)  # buffers, before each forward
    _watch_group(torch, distributed, implementation)
    _watch_wrappers(torch)


def wrap(distributed: Any, implementation: Any, names: Iterable[str], wrapper: Callable[[Any], Any]) -> None:
    """Replace these collectives where they are made, and where torch shows them."""
    for name in names:
        original = getattr(implementation, name, None)
        if original is not None:
            wrapped = wrapper(original)
            setattr(implementation, name, wrapped)
            if getattr(distributed, name, None) is original:
                setattr(distributed, name, wrapped)


def _watch_waits(torch: Any, distributed: Any) -> None:
    """Time what waits for a collective that was only started. Once there is a group, and never twice."""
    global ranked
    if not ranked:
        ranked = True
        distributed.Work.wait = timed(distributed.Work.wait)
        functional: Any = importlib.import_module("torch.distributed._functional_collectives")
        functional.wait_tensor = timed(functional.wait_tensor, torch.compiler.is_compiling)


def _watch_group(torch: Any, distributed: Any, implementation: Any) -> None:
    """Note this process's rank: one that was spawned by the job has no RANK in its environment."""
    original = implementation.init_process_group
    joined = timed(original)  # it waits for all

    @functools.wraps(original)
    def init_process_group(*args: Any, **kwargs: Any) -> Any:
        stuck.begin()
        result = joined(*args, **kwargs)
        try:
            ranks = distributed.get_world_size()
            job.spool.event("group", rank=distributed.get_rank(), ranks=ranks, backend=distributed.get_backend())
            if ranks > 1:
                _watch_waits(torch, distributed)
                inputs.start()
                agreed.begin()
        except Exception as error:
            job.quiet(error)
        return result

    # A device mesh, which has imported its own name for it, makes the group where there is none.
    mesh = importlib.import_module("torch.distributed.device_mesh")
    for module in (implementation, distributed, mesh):
        if getattr(module, "init_process_group", None) is original:
            setattr(module, "init_process_group", init_process_group)  # noqa: B010


def _never() -> bool:
    return False


def timed(original: Any, traced: Callable[[], bool] = _never) -> Any:
    """`traced`: whether the call is only being compiled; then nothing of ours may get into the graph."""
    name = original.__name__

    @functools.wraps(original)
    def collective(*args: Any, **kwargs: Any) -> Any:
        if traced():
            return original(*args, **kwargs)
        back = state.now_in
        if back in state.GAPS:
            into = state.COMMUNICATION
        elif back in _INSIDE:
            into = state.WAIT
        else:
            return original(*args, **kwargs)
        if get_ident() != state.thread:
            return original(*args, **kwargs)
        state.enter(into)
        began = state.last
        try:
            return original(*args, **kwargs)
        finally:
            state.leave(back)
            if into == state.COMMUNICATION:
                try:
                    exchanges.note(name, state.last - began)
                except Exception as error:
                    job.quiet(error)

    return collective


def _watch_wrappers(torch: Any) -> None:
    """Note when the job makes a DistributedDataParallel; what it was told is in the report."""
    parallel = importlib.import_module("torch.nn.parallel").DistributedDataParallel
    original = parallel.__init__
    made = timed(original)  # it compares the ranks' parameters, and sends those of rank 0

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        global syncing
        made(self, *args, **kwargs)
        syncing = True
        reducer.made(self)
        try:
            job.spool.event(
                "parallel",
                **{"class": "DistributedDataParallel"},
                find_unused=self.find_unused_parameters,
                static_graph=self.static_graph,
                bucket_view=self.gradient_as_bucket_view,
                bucket_bytes=int(self.bucket_bytes_cap),
                bytes=sum(p.numel() * p.element_size() for p in self.parameters() if p.requires_grad),
                backend=torch.distributed.get_backend(self.process_group),
                group=torch.distributed.get_process_group_ranks(self.process_group),
                device=next((p.device.type for p in self.parameters()), None),
                where=places.here(),
            )
        except Exception as error:
            job.quiet(error)

    parallel.__init__ = __init__


def stamp_last_gradient(loss: Any) -> Callable[[], None] | None:
    """See when the last gradient of the coming backward is ready; what follows it is waiting for the others.

    The engine runs queued callbacks in order when all its nodes have run. Ours is queued by the first node, so
    before the one in which DistributedDataParallel waits for its buckets.
    """
    if not getattr(loss, "requires_grad", False) or loss.is_leaf:
        return None
    engine = job.torch.autograd.Variable._execution_engine
    ready: list[int] = []

    def last() -> None:
        if not ready:
            ready.append(1)
            state.enter(state.WAIT)

    def first(gradient: Any) -> None:
        try:
            engine.queue_callback(last)
        except Exception as error:
            job.quiet(error)

    handle = loss.register_hook(first)

    def done() -> None:
        handle.remove()
        if ready and state.now_in == state.WAIT:
            state.leave(state.BACKWARD)

    return done
