"""The model computes its products in bfloat16."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from . import estimates
from .candidate import Candidate
from .inside import nested, within

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "autocast-bf16"
CLASS = "numerics"
ROOM = (True,)
TEXT = {
    "en": (
        "The model computes its products in bfloat16 (autocast)",
        "Products are rounded to 8 bits of mantissa. Weights, gradients and the loss stay in float32.",
    ),
    "zh": (
        "模型用 bfloat16 计算矩阵乘和卷积（autocast）",
        "乘积舍入到 8 位尾数。权重、梯度和损失仍为 float32。",
    ),
}
BUT_ATTENTION = "but-attention"
"""The setting in which attention stays in float32."""
FASTER = 1.2
"""Ratio of the measured ceilings under which the casts eat what the products gain."""


def candidates(view: View) -> list[Candidate]:
    # A model in autocast has float32 parameters too, but its products are not.
    if max(estimates.times_faster(view, "bfloat16", kind=kind) for kind in estimates.PRODUCTS) <= FASTER:
        return []
    found = []
    if any(k.name.startswith(estimates.FLASH) for k in view.kernels):
        # On a CPU that op is slower in bfloat16 than in float32 where sequences are short: backward more than twice.
        kinds = tuple(kind for kind in estimates.PRODUCTS if kind != "attention")
        saved = estimates.fewer_bits(view, "bfloat16", kinds=kinds, casts=True)
        found.append(Candidate(value=BUT_ATTENTION, seconds=saved))
    found.append(Candidate(value=True, seconds=estimates.fewer_bits(view, "bfloat16", casts=True)))
    return [each for each in found if view.share(each.seconds) >= estimates.WORTH]


def apply(torch: Any, value: bool | str) -> None:
    told: set[str] = set()
    if value == BUT_ATTENTION:
        _keep_attention(torch)

    def make(call: Any, module: Any, args: Any, kwargs: Any) -> Any:
        parameter = next(module.parameters(), None)
        if (
            parameter is None
            or parameter.dtype is not torch.float32
            or torch.is_autocast_enabled(parameter.device.type)
        ):
            return call(module, *args, **kwargs)
        name = type(module).__name__
        if name not in told:
            told.add(name)
            within.note(NAME, model=name)
        # Forward only: backward runs each op in the dtype that its forward had.
        with torch.autocast(parameter.device.type, torch.bfloat16):
            output = call(module, *args, **kwargs)
        return nested.cast(torch, output, torch.bfloat16, torch.float32)

    within.through(torch, make)


def _keep_attention(torch: Any) -> None:
    original = torch.nn.functional.scaled_dot_product_attention

    @functools.wraps(original)
    def scaled_dot_product_attention(query: Any, key: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
        device = query.device.type
        if not torch.is_autocast_enabled(device) or device != "cpu":
            return original(query, key, value, *args, **kwargs)
        with torch.autocast(device, enabled=False):
            return original(query.float(), key.float(), value.float(), *args, **kwargs)

    torch.nn.functional.scaled_dot_product_attention = scaled_dot_product_attention


def by_hand(value: bool | str) -> str:
    lines = "with torch.autocast(device.type, torch.bfloat16):\n    output = model(batch)\nloss = criterion(output.float(), target)"
    if value == BUT_ATTENTION:
        lines += (
            "\n# and in the model\nwith torch.autocast(x.device.type, enabled=False):\n"
            "    y = scaled_dot_product_attention(q.float(), k.float(), v.float(), ...)"
        )
    return lines
