"""Large embedding tables get gradients, and updates, for the rows that were looked up."""

from __future__ import annotations

import functools
import weakref
from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import within

if TYPE_CHECKING:
    from narrows.findings.view import View
    from narrows.spool.record import Process

NAME = "sparse-embedding"
CLASS = "training"
ROOM = (True,)
TEXT = {
    "en": (
        "Large embedding tables are updated only where they were looked up",
        "With Adam, rows that were not looked up no longer move with their old averages, and tables get no weight decay. "
        "With plain SGD and Adagrad, nothing. Code that reads the gradients (clipping) must know sparse ones.",
    ),
    "zh": (
        "大嵌入表只更新查询到的行",
        "使用 Adam 时，未查询的行不再随旧的平均值移动，嵌入表不做权重衰减。使用普通 SGD 和 Adagrad 时没有变化。"
        "读取梯度的代码（如裁剪）必须支持稀疏梯度。",
    ),
}
BACKWARD = ("embedding_dense_backward", "_embedding_bag_dense_backward", "_embedding_bag_backward")
LARGE, MANY = 1 << 20, 4
"""Bytes of a table, and times its rows exceed the lookups of a step, from which its dense gradient is a waste."""
LEFT = 0.2
"""Of the time, as rows are found and summed."""
OPTIMIZERS = ("Adam", "AdamW", "SGD", "Adagrad")


def candidates(view: View) -> list[Candidate]:
    from narrows.ledger.cost import inputs, outputs

    if not possible(view.process):
        return []
    saved, shapes = 0.0, set()
    for kernel in view.kernels:
        tables = [t for t in outputs(kernel.op) if len(t.shape) == 2] if kernel.name in BACKWARD else []
        looked_up = list(inputs(kernel.op)[1:2])
        if tables and looked_up and tables[0].bytes >= LARGE and tables[0].shape[0] > MANY * looked_up[0].elements:
            shapes.add(tables[0].shape)
            saved += (1 - LEFT) * kernel.seconds
    # An update of many tensors in one op is shared by their sizes.
    for kernel in view.kernels:
        if kernel.state == "optimizer":
            sizes = [t.bytes for t in inputs(kernel.op)]
            mine = sum(t.bytes for t in inputs(kernel.op) if t.shape in shapes)
            saved += (1 - LEFT) * kernel.seconds * mine / (sum(sizes) or 1)
    return [Candidate(value=True, seconds=saved)] if view.share(saved) >= estimates.WORTH else []


def possible(process: Process) -> bool:
    return estimates.updated_by(process, OPTIMIZERS)


def apply(torch: Any, value: bool) -> None:
    modules: Any = weakref.WeakSet()
    split: Any = weakref.WeakKeyDictionary()
    optim = torch.optim
    # Taken before the first optimizer is made, when torch puts hooks around it: one update stays one update.
    sparse_step = optim.SparseAdam.step

    def remember(module: Any, args: Any, kwargs: Any) -> None:
        modules.add(module)

    def look(optimizer: Any, args: Any, kwargs: Any) -> None:
        if type(optimizer).__name__ not in OPTIMIZERS or type(optimizer).__module__.partition(".")[0] != "torch":
            return
        tables = {id(m.weight): m for m in modules if _large(m)}
        found = [
            (group, p) for group in optimizer.param_groups if _sparse_too(optimizer, group)
            for p in group["params"] if id(p) in tables
        ]  # fmt: skip
        if not found:
            return
        if isinstance(optimizer, optim.Adam):
            split[optimizer] = (optim.SparseAdam([p for _, p in found]), found)
        for module in modules:
            if any(module.weight is p for _, p in found):
                module.sparse = True
        within.note(NAME, optimizer=type(optimizer).__name__, tables=len(found))

    for owner in (torch.nn.Embedding, torch.nn.EmbeddingBag):
        _after_init(owner, within.careful(NAME, remember))
    for name in OPTIMIZERS:
        _after_init(getattr(optim, name), within.careful(NAME, look))

    def wrap(original: Any) -> Any:
        @functools.wraps(original)
        def step(self: Any, closure: Any = None) -> Any:
            if self not in split:
                return original(self, closure)
            loss = None
            if closure is not None:
                with torch.enable_grad():
                    loss = closure()
            sparse, found = split[self]
            # A weight that is used elsewhere too (tied) has a dense gradient, and is updated as before.
            mine = [(group, p, p.grad) for group, p in found if p.grad is not None and p.grad.is_sparse]
            # The tables stay in the optimizer's groups and their averages in its state: schedules and checkpoints work.
            sparse.state = self.state
            sparse.param_groups = [
                {**sparse.defaults, "lr": group["lr"], "betas": group["betas"], "eps": group["eps"], "params": [p]}
                for group, p, _ in mine
            ]
            if mine:
                sparse_step(sparse)
            for _, p, _ in mine:
                p.grad = None
            try:
                original(self)
            finally:
                for _, p, gradient in mine:
                    p.grad = gradient
            return loss

        return step

    for owner in (optim.Adam, optim.AdamW):
        if "step" in vars(owner):  # AdamW's is Adam's in newer versions
            owner.step = wrap(owner.step)


def _large(module: Any) -> bool:
    weight = module.weight
    size = weight.numel() * weight.element_size()
    usable = not module.sparse and not module.scale_grad_by_freq and getattr(module, "mode", "") != "max"
    return bool(usable and weight.requires_grad and size >= LARGE)


def _sparse_too(optimizer: Any, group: dict[str, Any]) -> bool:
    """The update is known for sparse gradients, with what the script asked for."""
    if group.get("maximize") or group.get("differentiable") or group.get("capturable"):
        return False
    if type(optimizer).__name__ == "SGD":
        return not (group["momentum"] or group["weight_decay"] or group.get("fused"))
    if type(optimizer).__name__ == "Adagrad":
        return not (group["weight_decay"] or group.get("fused"))
    # A loss scaler leaves it to the fused op to undo the scaling.
    scaled = group.get("fused") and any(p.is_cuda for p in group["params"])
    return not (group["amsgrad"] or scaled)


def _after_init(owner: Any, then: Any) -> None:
    original = owner.__init__

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        original(self, *args, **kwargs)
        then(self, args, kwargs)

    owner.__init__ = __init__


def by_hand(value: bool) -> str:
    return "torch.nn.Embedding(..., sparse=True)\ntables = torch.optim.SparseAdam(model.embedding.parameters())"
