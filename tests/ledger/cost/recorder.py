"""Records each op that torch runs, as a spool would."""

from collections.abc import Mapping
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from narrows.spool.record import Op, Tensor


def describe(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        if value.layout is not torch.strided:
            layout = "s"
        elif value.is_contiguous():
            layout = "c"
        else:
            channels_last = value.dim() == 4 and value.is_contiguous(memory_format=torch.channels_last)
            layout = "l" if channels_last else "n"
        return Tensor(shape=tuple(value.shape), dtype=str(value.dtype).removeprefix("torch."), layout=layout)
    if isinstance(value, (list, tuple)):
        return tuple(describe(item) for item in value)
    if isinstance(value, torch.dtype):
        return str(value).removeprefix("torch.")
    return value if isinstance(value, (bool, int, float, str)) else None


class Recorder(TorchDispatchMode):
    """The calls, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.ops: list[Op] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        library, _, rest = str(func).partition(".")
        name, _, overload = rest.partition(".")
        given = describe(result)
        self.ops.append(
            Op(
                name=name if library == "aten" else f"{library}::{name}",
                overload=overload,
                arguments=tuple(describe(value) for value in args),
                keywords={key: describe(value) for key, value in (kwargs or {}).items()},
                outputs=given if isinstance(given, tuple) else (given,),
                state="forward",
                count=1,
                ns=1,
                fastest_ns=1,
            )
        )
        return result
