"""What the numbers look like: zeros, denormals and padding, in one step that is not timed."""

from typing import Any

from .. import job, shards, state
from ..hooks import memory, module
from . import eager

SAMPLE = 1 << 16
"""Elements looked at in each tensor."""
_RECTIFIERS = ("relu", "relu_", "threshold", "leaky_relu", "hardtanh")
_SQUASHERS = ("sigmoid", "sigmoid_", "tanh", "tanh_")
_PRODUCTS = ("mm", "addmm", "bmm", "baddbmm", "convolution", "_convolution", "linear", "mkldnn_linear", "conv2d")


def make() -> Any:
    return _window_class()()


def _window_class() -> Any:
    global _made
    if _made is not None:
        return _made
    from torch.utils._python_dispatch import (  # type: ignore[import-not-found,unused-ignore]
        TorchDispatchMode,
        _get_current_dispatch_mode,
    )

    torch = job.torch

    class Values(TorchDispatchMode):  # type: ignore[misc,unused-ignore]
        supports_higher_order_operators = True
        """Else torch refuses those (flex_attention, cond) while a mode is open."""

        def __init__(self) -> None:
            super().__init__()
            self.rectified: list[list[Any]] = []
            self.squashed: list[dict[str, Any]] = []
            self.zeros: list[dict[str, Any]] = []
            self.variety: list[dict[str, Any]] = []
            self.denormal = [0, 0]
            self.padding: list[Any] = []
            self.bytes = 0
            self.attention: list[Any] = []

        def open(self) -> bool:
            if _get_current_dispatch_mode() is not None:
                return False
            job.disturbed = True
            module.look = self.look_at_arguments
            self.compiling = eager.wanted(self)
            self.__enter__()
            return True

        def close(self) -> None:
            module.look = None
            self.compiling()
            if _get_current_dispatch_mode() is self:
                self.__exit__(None, None, None)
            job.disturbed = True
            memory.report(torch)  # at the end of the process the model may be gone
            job.spool.event(
                "values",
                rectified=self.rectified[:200],
                squashed=self.squashed[:200],
                zeros=self.zeros[:20],
                variety=self.variety[:20],
                denormal=self.denormal,
                padding=self.padding[:20],
                input_bytes=self.bytes,
                attention=self.attention[:20],
            )

        def look_at_product(self, name: str, args: Any) -> None:
            """What came before a product of the forward pass is inside of the model; and what it is over."""
            if state.now_in != state.FORWARD:
                return
            for each in self.squashed:
                each["inner"] = True
            given = shards.local(args[1] if name == "addmm" else args[0])
            if isinstance(given, torch.Tensor) and given.dim() == 2 and given.is_floating_point():
                part = float((given.detach().reshape(-1)[:SAMPLE] == 0).float().mean())
                if part > 0.5:
                    self.zeros.append({"shape": list(given.shape), "part": part})

        def look_at_arguments(self, model: Any, args: Any, kwargs: Any) -> None:
            try:
                args = tuple(map(shards.local, args))
                kwargs = {name: shards.local(value) for name, value in kwargs.items()}
                for value in [*args, *kwargs.values()]:
                    self.bytes += _bytes(value, torch)
                self.padding.extend(_padding(args, kwargs, model, torch))
                self.variety.extend(_variety(args, model, torch))
            except Exception as error:
                job.quiet(error)

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            answer = func(*args, **(kwargs or {}))
            if not hasattr(func, "_schema"):
                return answer  # a higher order operator
            try:
                result = shards.local(answer)
                name = func._schema.name.split("::")[-1]
                if name in _RECTIFIERS and isinstance(result, torch.Tensor) and state.now_in == state.FORWARD:
                    flat = result.detach().reshape(-1)[:SAMPLE]
                    dead = None
                    if result.dim() >= 2 and result.shape[0] > 1:
                        unit = result.detach().flatten(2).amax(2) if result.dim() > 2 else result.detach()
                        dead = float((unit.amax(0) == 0).float().mean())
                    self.rectified.append([list(result.shape), float((flat == 0).float().mean()), dead])
                elif name in _SQUASHERS and isinstance(result, torch.Tensor) and state.now_in == state.FORWARD:
                    flat = result.detach().reshape(-1)[:SAMPLE].abs()
                    ends = (flat > 0.99) | (flat < 0.01) if name.startswith("sigmoid") else flat > 0.99
                    shape, part = list(result.shape), float(ends.float().mean())
                    self.squashed.append({"name": name.rstrip("_"), "shape": shape, "part": part, "inner": False})
                elif name in _PRODUCTS:
                    self.look_at_product(name, args)
                    for value in map(shards.local, args[:3]):
                        if isinstance(value, torch.Tensor) and value.dtype in (torch.float32, torch.float64):
                            part = value.detach().reshape(-1)[:SAMPLE].abs()
                            tiny = torch.finfo(value.dtype).tiny
                            self.denormal[0] += int(((part > 0) & (part < tiny)).sum())
                            self.denormal[1] += part.numel()
            except Exception as error:
                job.quiet(error)
            return answer

    _made = Values
    return Values


_made: Any = None


def _bytes(value: Any, torch: Any) -> int:
    if isinstance(value, torch.Tensor):
        return int(value.numel() * value.element_size())
    if isinstance(value, (list, tuple)):
        return sum(_bytes(item, torch) for item in value)
    if hasattr(value, "values") and callable(value.values):
        return sum(_bytes(item, torch) for item in value.values())
    return 0


def _variety(args: Any, model: Any, torch: Any) -> list[Any]:
    """How much samples of a batch differ: their spread at the same place, over that of all numbers. 0: all are alike."""
    value = args[0] if args else None
    if not isinstance(value, torch.Tensor) or not value.is_floating_point() or value.dim() < 2 or value.shape[0] < 8:
        return []
    few = value.detach()[:64].flatten(1).float()
    spread = float(few.std(0).mean() / few.std().clamp_min(1e-12))
    return [{"model": type(model).__name__, "shape": list(value.shape), "spread": spread}]


def _padding(args: Any, kwargs: Any, model: Any, torch: Any) -> list[Any]:
    """[tokens, padded tokens, how known]: from an attention mask, else from an embedding's `padding_idx`, else
    from the value that rows end with."""
    mask = kwargs.get("attention_mask")
    if isinstance(mask, torch.Tensor) and mask.dim() == 2:
        return [[mask.numel(), int((mask == 0).sum()), "attention_mask"]]
    kinds = {type(m) for m in model.modules()}
    if torch.nn.EmbeddingBag in kinds and torch.nn.Embedding not in kinds:
        return []  # a bag sums what is there: its padding costs next to nothing
    found = []
    index = next(
        (m.padding_idx for m in model.modules() if isinstance(m, torch.nn.Embedding) and m.padding_idx is not None),
        None,
    )
    for value in [*args, *kwargs.values()]:
        if not isinstance(value, torch.Tensor) or value.dim() != 2 or value.dtype not in (torch.int64, torch.int32):
            continue
        if min(value.shape) < 2:
            continue
        if index is not None:
            found.append([value.numel(), int((value == index).sum()), "padding_idx"])
            continue
        last = value[:, -1]
        common = last.mode().values
        run = (value.flip(1) == common).long().cumprod(1).sum(1)
        if int((run > 1).sum()) * 2 >= value.shape[0]:
            found.append([value.numel(), int(run.sum()), "rows end alike"])
    return found
