"""Each rank holds a share of weights, gradients and optimizer state, and what a block needs is gathered for it."""

from __future__ import annotations

import functools
import inspect
import weakref
from typing import TYPE_CHECKING, Any

from . import estimates, malloc_unbroken
from .candidate import Candidate
from .inside import exchange, within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "fully-shard"
CLASS = "memory"
RANKS = True
NAMED = True
"""Tried only where it is asked for (`--only fully-shard`): what a script does with weights on one rank alone, other than to
save them, to load them or to call the model without gradients (a norm that rank 0 prints), would wait for the others."""
ROOM = (True,)
TEXT = {
    "en": (
        "Each rank holds a share of weights, gradients and optimizer state (FSDP2 instead of DistributedDataParallel)",
        "Rounding. What is saved is whole, and so is what answers without gradients; a norm of one weight that only one "
        "rank asks for would wait for the others. Models with batch normalisation are left alone.",
    ),
    "zh": (
        "每个进程只保存一部分权重、梯度与优化器状态（以 FSDP2 代替 DistributedDataParallel）",
        "舍入。保存的内容是完整的，不求梯度时的推理也用完整的权重；若只有一个进程求某个权重的范数，它会一直等待其他进程。"
        "含批归一化的模型保持不变。",
    ),
}
MORE = 0.5
"""Of what the exchange of gradients takes: weights are gathered twice, and gradients only summed up to their shares."""
CPU = (2, 9)
"""The first torch whose `fully_shard` is right on the CPU: 2.6 takes no such model, 2.7 and 2.8 sum gradients up where they
should be averaged."""


def candidates(view: View) -> list[Candidate]:
    parallel = estimates.parallel(view)
    if not parallel or estimates.ranks(view) < 2 or parallel["find_unused"]:
        return []
    if estimates.normalises_batches(view):
        return []
    return [Candidate(value=True, seconds=-MORE * estimates.exchange(view))]


def apply(torch: Any, value: bool) -> None:
    parallel = exchange.wrapped(torch)
    if parallel is None:
        return
    optimizers: weakref.WeakSet[Any] = weakref.WeakSet()
    models: list[Any] = []
    original = parallel.__init__
    signature = inspect.signature(original)

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        given = dict(signature.bind(self, *args, **kwargs).arguments)
        module = given.get("module")
        try:
            why = unfit(torch, parallel, type(self), module, given, optimizers)
            if why or models:
                raise RuntimeError(why or "another model is shared out already")
            from .inside import sharded

            copied = sharded.blank(torch, module)
        except Exception as error:  # nothing has been changed yet, on no rank
            within.fault(NAME, error)
            original(self, *args, **kwargs)
            return
        models.append(sharded.Model(torch, NAME, module, copied, optimizers))
        sharded.wrap(torch, self, module, models[0], given)
        within.note(NAME, model=type(module).__name__)

    parallel.__init__ = __init__
    _optimizers(torch, optimizers, models)
    _norms(torch)


def unfit(torch: Any, parallel: type, kind: type, module: Any, given: dict[str, Any], optimizers: Any) -> str:
    """Why this one stays as it is: said before anything is changed, and the same on all ranks."""
    parameters = list(module.parameters())
    held = {id(p) for p in parameters}
    norms = torch.nn.modules.batchnorm._BatchNorm
    if kind is not parallel:
        return f"{kind.__name__} is a wrapper of its own"
    if given.get("process_group") is not None or given.get("device_mesh") is not None:
        return "it has a group of its own"
    if given.get("find_unused_parameters"):
        return "parameters may be unused on some ranks"
    if torch.distributed.get_world_size() < 2:
        return "there is one rank"
    if any(isinstance(inner, norms) for inner in module.modules()):
        return "it has batch normalisation"
    if not parameters or any(p.dim() == 0 or p.is_sparse for p in parameters):
        return "not all of its parameters can be cut"
    if len({(p.device, p.dtype) for p in parameters}) > 1:
        return "its parameters are of several dtypes or devices"
    if parameters[0].device.type == "cpu" and torch.torch_version.TorchVersion(torch.__version__) < CPU:
        return "FSDP2 is not right on the CPU before torch 2.9"
    if any(id(p) in held for each in optimizers for p in each.state):
        return "the optimizer has a state already"
    return ""


def _optimizers(torch: Any, optimizers: Any, models: list[Any]) -> None:
    made = torch.optim.Optimizer.__init__

    @functools.wraps(made)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        made(self, *args, **kwargs)
        optimizers.add(self)
        self.register_step_pre_hook(begin)
        self.register_step_post_hook(end)
        self.register_state_dict_post_hook(filled)
        self.register_load_state_dict_pre_hook(replaces)
        self.register_load_state_dict_post_hook(cut)

    def its(optimizer: Any) -> list[tuple[Any, int | None]]:
        """Its parameters, each with its number in the shared model."""
        every = [p for group in optimizer.param_groups for p in group["params"]]
        return [(p, models[0].index(p) if models else None) for p in every]

    def begin(optimizer: Any, *_: Any) -> None:
        if any(number is not None for _, number in its(optimizer)):
            models[0].errands.begin()

    def end(optimizer: Any, *_: Any) -> None:
        if models and models[0].errands.changing:
            models[0].updated()

    def filled(optimizer: Any, state: dict[str, Any]) -> None:
        for key, (_, number) in enumerate(its(optimizer)):
            if number is not None and key in state["state"]:
                kept = state["state"][key]
                whole = {
                    name: models[0].whole(value, number, place) if hasattr(value, "_local_tensor") else value
                    for place, (name, value) in enumerate(kept.items())
                }
                state["state"][key] = whole

    def replaces(optimizer: Any, _: Any) -> None:
        if models:
            models[0].errands.begin()
            for parameter, number in its(optimizer):
                for place, value in (
                    enumerate(optimizer.state.get(parameter, {}).values()) if number is not None else ()
                ):
                    if hasattr(value, "_local_tensor"):
                        models[0].errands.keep(number, place, value._local_tensor)

    def cut(optimizer: Any) -> None:
        for parameter, number in its(optimizer):
            for name, value in optimizer.state.get(parameter, {}).items() if number is not None else ():
                if torch.is_tensor(value) and value.dim() and value.shape == parameter.shape:
                    optimizer.state[parameter][name] = models[0].cut(value, number)
        if models:
            models[0].errands.loaded()

    torch.optim.Optimizer.__init__ = __init__


def _norms(torch: Any) -> None:
    """What clips gradients returns a norm that one rank may print alone: all are here now, so it is made whole."""

    def whole(clips: Any) -> Any:
        @functools.wraps(clips)
        def clip(*args: Any, **kwargs: Any) -> Any:
            norm = clips(*args, **kwargs)
            return norm.full_tensor() if hasattr(norm, "full_tensor") else norm

        return clip

    within.utility(torch, "clip_grad_norm_", whole)


def environment(value: bool) -> dict[str, str]:
    """What is gathered comes and goes in blocks of other sizes. In a heap that keeps them, two ranks of 48 million
    parameters took as much as with DistributedDataParallel (1.3 GiB); given back at once, 0.8 GiB."""
    return malloc_unbroken.environment(value)


def by_hand(value: bool) -> str:
    return (
        f"# {malloc_unbroken.by_hand(value)} in the environment, where the model is on the CPU\n"
        "from torch.distributed.fsdp import fully_shard\n"
        "from torch.distributed.checkpoint.state_dict import get_model_state_dict, StateDictOptions\n"
        "for block in model.blocks:\n"
        "    fully_shard(block)\n"
        "fully_shard(model)  # instead of DistributedDataParallel, and before the optimizer is made\n"
        "whole = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True, cpu_offload=True))  # on all ranks"
    )
