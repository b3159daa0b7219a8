"""Answers that were made without a graph, and can be asked for gradients all the same.

Where that happens, the model is called again as the script called it, and that call's graph is run backward. So the
answers look like those of the script's own call, and cost what they cost without one.
"""

from __future__ import annotations

from typing import Any


class Later:
    def __init__(self, torch: Any) -> None:
        self.torch = torch
        self.function = _function(torch)

    def answers(self, again: Again, made: list[Any], graphs: list[bool], leaves: list[Any]) -> list[Any]:
        """The tensors of an answer. `graphs`: which of them have a graph when the model itself gives them; `leaves`:
        what they could be asked for gradients of."""
        if not any(graphs):
            return made
        asked = [t for t, graph in zip(made, graphs, strict=True) if graph]
        left = iter(self.function.apply(again, asked, *leaves))
        return [next(left) if graph else t for t, graph in zip(made, graphs, strict=True)]


def own(tensor: Any) -> Any:
    """A tensor with memory of its own that the script may change in place."""
    return tensor.clone() if tensor.is_inference() or tensor._is_view() else tensor


class Again:
    """A call of a model, to be made once more. It keeps what the model was given, as a graph would."""

    def __init__(self, torch: Any, call: Any, module: Any, args: Any, kwargs: Any, given: list[Any]) -> None:
        self.torch, self.call, self.module, self.args, self.kwargs = torch, call, module, args, kwargs
        self.training = module.training
        self.given = [(t, t._version) for t in given if not t.is_inference()]
        self.device = given[0].device.type if given else "cpu"
        self.autocast = torch.is_autocast_enabled(self.device), torch.get_autocast_dtype(self.device)

    def __call__(self) -> Any:
        torch, module = self.torch, self.module
        if any(t._version != version for t, version in self.given):
            raise RuntimeError(
                "one of the variables needed for gradient computation has been modified by an inplace operation: "
                "an input of the model"
            )
        _own_all(module)
        modes = [(part, part.training) for part in module.modules()]
        if module.training != self.training:
            module.train(self.training)
        enabled, dtype = self.autocast
        try:
            with torch.enable_grad(), torch.autocast(self.device, dtype=dtype, enabled=enabled):
                return self.call(module, *self.args, **self.kwargs)
        finally:
            for part, training in modes:
                part.training = training


def _own_all(module: Any) -> None:
    """What a call in inference mode has left in the model cannot be in a graph."""
    for part in module.modules():
        for held in (vars(part), part._buffers):
            for name, value in list(held.items()):
                if getattr(value, "is_inference", None) and value.is_inference():
                    held[name] = value.clone()


def _function(torch: Any) -> Any:
    from . import nested

    class CalledAgain(torch.autograd.Function):  # type: ignore[misc,name-defined,unused-ignore]
        @staticmethod
        def forward(ctx: Any, again: Again, asked: list[Any], *leaves: Any) -> Any:
            ctx.again, ctx.leaves = again, leaves
            ctx.set_materialize_grads(False)
            return tuple(asked)

        @staticmethod
        def backward(ctx: Any, *gradients: Any) -> Any:
            output = ctx.again()
            graphs = [t for t in nested.tensors(torch.Tensor, output) if t.requires_grad]
            asked = [(t, g) for t, g in zip(graphs, gradients, strict=True) if g is not None]
            wanted = [p for p, needed in zip(ctx.leaves, ctx.needs_input_grad[2:], strict=True) if needed]
            found = iter(
                torch.autograd.grad(
                    [t for t, _ in asked], wanted, [g for _, g in asked], allow_unused=True,
                    create_graph=torch.is_grad_enabled(),
                )
            )  # fmt: skip
            return None, None, *(next(found) if needed else None for needed in ctx.needs_input_grad[2:])

    return CalledAgain
