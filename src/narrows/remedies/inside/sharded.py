"""A DistributedDataParallel whose ranks hold shares of the model (FSDP2). Standard library only.

To the script it stays what it was: its class, `module`, `no_sync`, and whole tensors in what `state_dict` gives and
`load_state_dict` takes, on all ranks together or on one alone. Where no gradients are wanted, a copy of the model answers,
whose weights are gathered once after each update and let go when the model learns again.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import weakref
from collections.abc import Iterator
from typing import Any

from . import blocks
from .errands import ITSELF, Errands, shares

PLAIN = (int, float, bool, str, type(None), tuple)
"""Attributes of a module that the copy takes over, if the script sets them."""


class Model:
    """What one wrapper holds. Each rank makes it at the same place."""

    def __init__(self, torch: Any, remedy: str, module: Any, copied: Any, made: Any) -> None:
        """`copied`: of `blank`. `made`: all optimizers of the job so far, and to come (a set)."""
        self.torch, self.module, self.copy, self.made = torch, module, copied, made
        self.stale = True
        self.given: dict[int, tuple[Any, int]] = {}
        """Whole tensors that were loaded since the last step, and their versions then: nobody is asked for these."""
        self.held: list[Any] = []
        """Parameters, of each this rank's share."""
        self.numbers: dict[int, int] = {}
        """Their places in that list, by their identity."""
        self.owners: list[list[tuple[Any, str]]] = []
        """Of each, the modules of the copy that have it, and its names there."""
        self._shard()
        self.errands = Errands(torch, remedy, self._share)
        for inner in module.modules():
            if inner._parameters:
                inner.register_state_dict_post_hook(functools.partial(self._filled))  # a method takes no attributes
                inner.register_load_state_dict_pre_hook(self._cut)
                inner.register_load_state_dict_post_hook(self._loaded)

    def _shard(self) -> None:
        from torch.distributed.device_mesh import init_device_mesh  # type: ignore[import-not-found,unused-ignore]
        from torch.distributed.fsdp import fully_shard  # type: ignore[import-not-found,unused-ignore]

        torch, module = self.torch, self.module
        device = next(module.parameters()).device.type
        with torch.no_grad():
            for each in [*module.parameters(), *module.buffers()]:
                torch.distributed.broadcast(each.detach(), 0)  # ranks begin with what rank 0 has
        before = list(module.parameters())
        mesh = init_device_mesh(device, (torch.distributed.get_world_size(),))
        for several in blocks.lists(torch, module):
            for block in several:
                fully_shard(block, mesh=mesh)
        fully_shard(module, mesh=mesh)
        self.held = list(module.parameters())
        after = {id(old): new for old, new in zip(before, self.held, strict=True)}
        for optimizer in self.made:
            for group in optimizer.param_groups:
                group["params"] = [after.get(id(p), p) for p in group["params"]]
        self.numbers = {id(p): index for index, p in enumerate(self.held)}
        self.owners = [[] for _ in self.held]
        for mine, its in zip(module.modules(), self.copy.modules(), strict=True):
            for name, parameter in mine._parameters.items():
                if parameter is not None:
                    self.owners[self.numbers[id(parameter)]].append((its, name))

    def index(self, parameter: Any) -> int | None:
        return self.numbers.get(id(parameter))

    def _share(self, tensor: int, state: int) -> Any:
        held = self.held[tensor]
        if state == ITSELF:
            return held._local_tensor
        found = next(o.state[held] for o in self.made if held in o.state)
        return list(found.values())[state]._local_tensor

    def whole(self, held: Any, tensor: int, state: int = ITSELF) -> Any:
        given, version = self.given.get(tensor, (None, 0))
        if given is not None and state == ITSELF and given._version == version:
            return given.detach().to(held.device, held.dtype, copy=True)
        return self.errands.whole(held._local_tensor, held.shape, tensor, state)

    def cut(self, whole: Any, tensor: int) -> Any:
        """This rank's share of a whole tensor of the parameter's shape."""
        from torch.distributed.tensor import DTensor  # type: ignore[import-not-found,unused-ignore]

        held, errands = self.held[tensor], self.errands
        mine = whole.split(shares(held.shape[0], errands.ranks))[errands.rank].to(held.device).clone()
        return DTensor.from_local(mine, held.device_mesh, held.placements, shape=held.shape, stride=held.stride())

    def _filled(self, module: Any, state: dict[str, Any], prefix: str, _: Any) -> None:
        for name, parameter in module._parameters.items():
            held = state.get(prefix + name)
            tensor = self.index(parameter)
            if tensor is not None and held is not None and held is not parameter:
                state[prefix + name] = self.whole(held, tensor)

    def _cut(self, module: Any, state: dict[str, Any], prefix: str, *_: Any) -> None:
        self.errands.begin()
        self.stale = True
        for name, parameter in module._parameters.items():
            given = state.get(prefix + name)
            tensor = self.index(parameter)
            if tensor is not None and given is not None and given.shape == parameter.shape:
                self.errands.keep(tensor, ITSELF, parameter._local_tensor.detach().clone())
                self.given[tensor] = given, given._version
                state[prefix + name] = self.cut(given, tensor)

    def _loaded(self, *_: Any) -> None:
        self.errands.loaded()

    def updated(self) -> None:
        self.stale = True
        self.given.clear()
        self.errands.end()

    def answering(self) -> Any:
        """The copy, with the weights as they are."""
        with self.torch.no_grad():
            if self.stale:
                for tensor, held in enumerate(self.held):
                    whole = self.torch.nn.Parameter(self.whole(held, tensor), requires_grad=held.requires_grad)
                    for module, name in self.owners[tensor]:
                        module._parameters[name] = whole
                self.stale = False
        for mine, its in zip(self.module.modules(), self.copy.modules(), strict=True):
            for name, value in mine.__dict__.items():
                if not name.startswith("_") and isinstance(value, PLAIN):
                    its.__dict__[name] = value
        return self.copy

    def learns(self, buffers: bool) -> None:
        """The copy's weights are let go. `buffers`: those of rank 0 are taken over, as DistributedDataParallel does."""
        self.errands.learns()
        self.given.clear()
        if not self.stale:
            self.stale = True
            for tensor, held in enumerate(self.held):
                nothing = _nothing(self.torch, held)
                for module, name in self.owners[tensor]:
                    module._parameters[name] = nothing
        if buffers:
            with self.torch.no_grad():
                for each in self.module.buffers():
                    self.torch.distributed.broadcast(each, 0)


def _nothing(torch: Any, like: Any) -> Any:
    empty = torch.empty(like.shape, dtype=like.dtype, device="meta")
    return torch.nn.Parameter(empty, requires_grad=like.requires_grad)


def blank(torch: Any, module: Any) -> Any:
    """A copy without weights; buffers are the same. Raises what a part of it raises that cannot be copied."""
    memo = {id(p): _nothing(torch, p) for p in module.parameters()}
    memo |= {id(b): b for b in module.buffers()}
    return copy.deepcopy(module, memo)


def wrap(torch: Any, wrapper: Any, module: Any, model: Model, given: dict[str, Any]) -> None:
    """Make a DistributedDataParallel that is not yet made stand for such a model."""
    parallel = type(wrapper)
    torch.nn.Module.__init__(wrapper)
    wrapper.__class__ = _wrapper(torch, parallel)
    wrapper.module = module
    wrapper.shared_model = model
    wrapper.__dict__.update({key: given[key] for key in ("device_ids", "output_device", "dim") if key in given})
    wrapper.__dict__.update(
        process_group=torch.distributed.group.WORLD, find_unused_parameters=False, bucket_bytes_cap=0,
        static_graph=bool(given.get("static_graph")), gradient_as_bucket_view=bool(given.get("gradient_as_bucket_view")),
        require_backward_grad_sync=True, sends_buffers=given.get("broadcast_buffers") is not False,
        device=next(module.parameters()).device,
    )  # fmt: skip
    module.__class__ = _inner(torch, type(module), model)


def _wrapper(torch: Any, parallel: type) -> type:
    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        if torch.is_grad_enabled():
            self.shared_model.learns(self.sends_buffers and self.require_backward_grad_sync)
        return self.module(*args, **kwargs)

    @contextlib.contextmanager
    def no_sync(self: Any) -> Iterator[None]:
        before = self.require_backward_grad_sync
        self.require_backward_grad_sync = False
        self.module.set_requires_gradient_sync(False)
        try:
            yield
        finally:
            self.require_backward_grad_sync = before
            self.module.set_requires_gradient_sync(before)

    def told(self: Any) -> dict[str, Any]:
        return {}

    methods = {"forward": forward, "no_sync": no_sync, "_get_ddp_logging_data": told}
    return type(parallel.__name__, (parallel,), {**methods, "__module__": parallel.__module__})


def _inner(torch: Any, kind: type, model: Model) -> type:
    """The model's class: called where no gradients are wanted, the copy answers, which needs no other rank's time; and what
    is pickled or copied of it is that, whole."""
    reference = weakref.ref(model)

    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807
        held = reference()
        if held is not None and not torch.is_grad_enabled():
            return held.answering()(*args, **kwargs)
        return kind.__call__(self, *args, **kwargs)

    def __reduce_ex__(self: Any, protocol: Any) -> Any:  # noqa: N807
        held = reference()
        if held is None:
            return object.__reduce_ex__(self, protocol)
        return copy.copy, (held.answering(),)  # who loads it need not have heard of narrows

    methods = {"__call__": __call__, "__reduce_ex__": __reduce_ex__, "__module__": kind.__module__}
    return type(kind.__name__, (kind,), methods)
