"""Candidates for the peak of a matrix product, by dtype: 2 m n k operations for (m, k) by (k, n)."""

from collections.abc import Callable
from typing import Any

import torch

from .contest import Call, Candidate, alone

DTYPES = ("float32", "bfloat16", "float16", "float64")
SHAPES = (
    (256, 256, 256),
    (512, 512, 512),
    (2048, 512, 512),
    (64, 4096, 1024),  # skinny: a small batch
    (1024, 1024, 1024),
    (2048, 1024, 1024),
    (2048, 2048, 2048),
    (4096, 4096, 4096),
)
DEVICE_SHAPES = ((4096, 4096, 4096), (8192, 8192, 8192), (8192, 4096, 8192), (16384, 8192, 4096))


def candidates(device: str) -> list[Candidate]:
    """Plain, with a transposed weight (as a linear layer has it), and batched (as attention has it)."""
    found = []
    for dtype in DTYPES:
        for m, n, k in DEVICE_SHAPES if device == "cuda" else SHAPES:
            for transposed in (False, True):
                found.append(_product(f"product {dtype}", (m, n, k), getattr(torch, dtype), device, transposed))
        found.append(_batched(f"product {dtype}", 64, 128, getattr(torch, dtype), device))
    if device == "cuda":
        found += [_tf32(shape) for shape in DEVICE_SHAPES]
    sizes = (1024, 4096, 8192) if device == "cuda" else (256, 1024, 2048)
    found += [_int8(size, device, transposed) for size in sizes for transposed in (False, True)]
    # In ascending order of work, as `race` wants them; the sort is stable, so figures stay in their order.
    found.sort(key=lambda c: c.work)
    few = alone([c for c in found if c.work < 6e8])
    return few + found


def filled(shape: tuple[int, ...], dtype: Any, device: str) -> Any:
    """Random numbers: a device draws less power, and so clocks higher, on constants. Filled from a short run of
    them, which takes a tenth of the time that drawing all of them does."""
    count = 1
    for size in shape:
        count *= size
    few = (torch.rand(min(count, 1 << 16), device=device) - 0.5).to(dtype)
    return few.repeat(-(-count // few.numel()))[:count].view(shape)


def _product(figure: str, shape: tuple[int, int, int], dtype: Any, device: str, transposed: bool) -> Candidate:
    m, n, k = shape

    def make() -> Call:
        a = filled((m, k), dtype, device)
        b = filled((n, k), dtype, device).t() if transposed else filled((k, n), dtype, device)
        out = torch.empty(m, n, dtype=dtype, device=device)
        return lambda: torch.mm(a, b, out=out)

    return Candidate(figure=figure, work=2.0 * m * n * k, make=make)


def _batched(figure: str, batch: int, size: int, dtype: Any, device: str) -> Candidate:
    def make() -> Call:
        a = filled((batch, size, size), dtype, device)
        out = torch.empty_like(a)
        return lambda: torch.bmm(a, a, out=out)

    return Candidate(figure=figure, work=2.0 * batch * size**3, make=make)


def _tf32(shape: tuple[int, int, int]) -> Candidate:
    """float32 in and out, products in the tensor cores' 19 bits."""
    plain = _product("product tf32", shape, torch.float32, "cuda", False)

    def make() -> Call:
        return _with_precision("high", plain.make())

    return Candidate(figure=plain.figure, work=plain.work, make=make)


def _with_precision(precision: str, call: Callable[[], object]) -> Call:
    def set_and_call() -> object:
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision(precision)
        try:
            return call()
        finally:
            torch.set_float32_matmul_precision(before)

    return set_and_call


def _int8(size: int, device: str, transposed: bool) -> Candidate:
    """8-bit integers in, 32-bit sums out."""

    def make() -> Call:
        a = torch.randint(-8, 8, (size, size), dtype=torch.int8, device=device)
        b = a.t() if transposed else a
        return lambda: torch._int_mm(a, b)

    return Candidate(figure="product int8", work=2.0 * size**3, make=make)
