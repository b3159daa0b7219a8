"""Candidates for the peak of a convolution, by dtype: forward, at the sizes of a ResNet's blocks."""

from typing import Any

import torch

from .arithmetic import DTYPES, filled
from .contest import Call, Candidate, alone

SHAPES = ((256, 256, 14, 3), (128, 128, 28, 3), (64, 64, 56, 3), (1024, 256, 14, 1))
"""(channels in, channels out, height and width, kernel)"""


def candidates(device: str) -> list[Candidate]:
    found = []
    batch = 256 if device == "cuda" else max(8, torch.get_num_threads())
    for shape in SHAPES:
        for layout in (torch.channels_last, torch.contiguous_format):
            for dtype in DTYPES:
                found.append(_convolution(dtype, batch, shape, layout, device))
    found.sort(key=lambda c: c.work)
    return alone(found[: len(DTYPES)]) + found


def _convolution(dtype: str, batch: int, shape: tuple[int, int, int, int], layout: Any, device: str) -> Candidate:
    into, out, side, kernel = shape

    def make() -> Call:
        kind = getattr(torch, dtype)
        x = filled((batch, into, side, side), kind, device).contiguous(memory_format=layout)
        weight = filled((out, into, kernel, kernel), kind, device).contiguous(memory_format=layout)
        return lambda: torch.nn.functional.conv2d(x, weight, padding=kernel // 2)

    work = 2.0 * batch * into * out * kernel * kernel * side * side
    return Candidate(figure=f"convolution {dtype}", work=work, make=make)
