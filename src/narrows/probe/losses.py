"""How the loss went: means over stretches of the job that get longer as it does, so that they are never many."""

from . import job

MOST = 512
_seen: list[tuple[int, float]] = []
"""(update, mean of the losses since the one before)."""
_stride = 1
_sum, _count = 0.0, 0


def note(update: int, value: float) -> None:
    global _stride, _sum, _count
    if not _seen:
        job.at_end.append(_tell)
    _sum, _count = _sum + value, _count + 1
    if _count < _stride and _seen:
        return
    _seen.append((update, _sum / _count))
    _sum, _count = 0.0, 0
    if len(_seen) >= MOST:
        _seen[:] = [(b[0], (a[1] + b[1]) / 2) for a, b in zip(_seen[::2], _seen[1::2], strict=True)]
        _stride *= 2


def _tell() -> None:
    job.spool.event("losses", seen=[[update, value] for update, value in _seen if value - value == 0.0])
