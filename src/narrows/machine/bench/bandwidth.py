"""Candidates for the bandwidth of memory and of the caches above it.

A rate is the bytes that one call reads and writes, counted once each, over its time, for a call that moves that many
bytes in all: what an op's own bytes are compared with. An op that works in place moves each byte twice and needs half
the room, so it competes for the same figure. Nothing is allocated while the clock runs.
"""

import os
from collections.abc import Callable
from typing import Any

import torch

from .contest import Call, Candidate, alone

COPY, READ, AT = "bandwidth copy", "bandwidth read", "bandwidth at "
SMALLEST = 1 << 14
SKEW = 528
"""Elements between two operands of one buffer: offsets that agree in their low 12 bits look dependent to a CPU."""


def sizes(largest: int, device: str) -> list[int]:
    """Powers of two from 16 KiB to `largest` bytes, or to an eighth of the free memory if that is less."""
    if device == "cuda":
        largest = min(2 * largest, torch.cuda.mem_get_info()[0] // 8)
    else:
        largest = min(largest, _free_memory() // 8)
    found = [SMALLEST]
    while found[-1] * 2 <= largest:
        found.append(found[-1] * 2)
    return found


def candidates(sizes: list[int], device: str) -> list[Candidate]:
    pool = torch.ones(sizes[-1] // 4 + 4 * SKEW, device=device)
    found = [Candidate(figure=f"{AT}{s}", work=float(s), make=_op(op, pool, s)) for op in OPS for s in sizes]
    found.append(Candidate(figure=COPY, work=float(sizes[-1]), make=_op(_copy, pool, sizes[-1])))
    found.append(Candidate(figure=READ, work=float(sizes[-1]), make=_op(_sum, pool, sizes[-1])))
    found.append(Candidate(figure=READ, work=float(sizes[-1]), make=_op(_dot, pool, sizes[-1])))
    few = [c for c in found if not c.figure.startswith(AT)] + found[: 2 * len(sizes)]
    return alone(few) + found


def _op(op: Callable[[Any, int], Call], pool: Any, size: int) -> Callable[[], Call]:
    return lambda: op(pool, size // 4)


# Each takes a buffer of float32 and a count of elements to move in all.
def _part(pool: Any, number: int, count: int) -> Any:
    begin = number * (count + SKEW)
    return pool[begin : begin + count]


def _copy(pool: Any, count: int) -> Call:
    a, b = _part(pool, 0, count // 2), _part(pool, 1, count // 2)
    return lambda: b.copy_(a)


def _scale(pool: Any, count: int) -> Call:
    a = _part(pool, 0, count // 2)
    return lambda: a.mul_(1.0)


def _product(pool: Any, count: int) -> Call:
    a, b, c = (_part(pool, i, count // 3) for i in range(3))
    return lambda: torch.mul(a, b, out=c)


def _accumulate(pool: Any, count: int) -> Call:
    a, b = _part(pool, 0, count // 3), _part(pool, 1, count // 3)
    return lambda: a.mul_(b)


def _fill(pool: Any, count: int) -> Call:
    a = _part(pool, 0, count)
    return lambda: a.fill_(1.0)


def _sum(pool: Any, count: int) -> Call:
    a, out = _part(pool, 0, count), torch.empty((), device=pool.device)
    return lambda: torch.sum(a, 0, out=out)


def _dot(pool: Any, count: int) -> Call:
    a, b = _part(pool, 0, count // 2), _part(pool, 1, count // 2)
    return lambda: torch.dot(a, b)


OPS = (_scale, _accumulate, _copy, _sum, _product, _fill, _dot)


def _free_memory() -> int:
    """Bytes, roughly: the limit of a control group is the parent's business (`--largest`)."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
    except (OSError, ValueError):
        return 4 << 30  # macOS does not say
