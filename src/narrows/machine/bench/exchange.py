"""What collectives between processes of this machine take, by kind and size: `bench --ranks N --backend gloo`.

This process is rank 0 and starts the others, which end when it does. A call is timed in chunks, back to back, so that
a rank that enters one a little later than the others does not make it look short; the best chunk counts, as for any
ceiling.
"""

import datetime
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist

SIZES = tuple(1 << n for n in range(10, 25, 2))
"""1 KiB .. 16 MiB."""
TRY = 0.05
"""Seconds for one kind at one size, in each pass."""
PASSES = 2
"""Over all sizes, so that a burst of somebody else's work spoils no size in all of them."""
CHUNKS = 4
MOST_CALLS = 250
"""In a chunk."""
PATIENCE = datetime.timedelta(seconds=60)

Call = Callable[[], object]


def kinds(size: int, ranks: int, rank: int, device: str) -> dict[str, tuple[Call, int]]:
    """By kind: a call that moves so many bytes, and how many messages that is in turn. Bytes are those of a call's
    larger side on one rank."""
    each = max(1, size // 4 // ranks)
    whole = torch.ones(each * ranks, device=device)
    part = torch.ones(each, device=device)

    def there_and_back() -> None:
        if rank == 0:
            dist.send(whole, 1)
            dist.recv(whole, 1)
        elif rank == 1:
            dist.recv(whole, 0)
            dist.send(whole, 0)

    # The newer names since torch 2.13, which warns of the older ones.
    gather = getattr(dist, "all_gather_single", None) or dist.all_gather_into_tensor
    scatter = getattr(dist, "reduce_scatter_single", None) or dist.reduce_scatter_tensor
    return {
        "all-reduce": (lambda: dist.all_reduce(whole, dist.ReduceOp.MAX), 1),
        "all-gather": (lambda: gather(whole, part), 1),
        "reduce-scatter": (lambda: scatter(part, whole, dist.ReduceOp.MAX), 1),
        "point-to-point": (there_and_back, 2),
    }


def answer(ranks: int, backend: str) -> dict[str, Any]:
    """Of rank 0: `{kind: [[bytes, seconds of a call], ...]}`."""
    with tempfile.TemporaryDirectory(prefix="narrows-") as folder:
        store = os.path.join(folder, "store")
        words = [
            sys.executable,
            os.path.dirname(os.path.abspath(__file__)),
            "--ranks",
            str(ranks),
            "--backend",
            backend,
        ]
        others = [
            subprocess.Popen([*words, "--rank", str(rank), "--store", store], stdin=subprocess.DEVNULL, stdout=2)
            for rank in range(1, ranks)
        ]
        try:
            return measure(ranks, 0, backend, store)
        finally:
            for other in others:
                try:
                    other.wait(5)
                except subprocess.TimeoutExpired:
                    other.kill()
                    other.wait()


def measure(ranks: int, rank: int, backend: str, store: str) -> dict[str, Any]:
    """What every rank runs."""
    if rank:
        threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    torch.set_num_threads(1)
    device = f"cuda:{rank}" if backend == "nccl" else "cpu"
    if backend == "nccl":
        torch.cuda.set_device(device)
    dist.init_process_group(backend, init_method=f"file://{store}", rank=rank, world_size=ranks, timeout=PATIENCE)
    found: dict[str, dict[int, float]] = {}
    for size in SIZES * PASSES:
        moved = max(1, size // 4 // ranks) * ranks * 4
        for kind, (call, messages) in kinds(size, ranks, rank, device).items():
            best = found.setdefault(kind, {})
            best[moved] = min(_timed(call, device) / messages, best.get(moved, float("inf")))
    dist.destroy_process_group()
    return {kind: sorted(best.items()) for kind, best in found.items()}


def _timed(call: Call, device: str) -> float:
    """Seconds of a call, in the best chunk; all ranks make as many calls as rank 0 says."""
    _chunk(call, 2, device)
    calls = torch.tensor([TRY / CHUNKS / max(1e-9, _chunk(call, 2, device))], device=device)
    dist.broadcast(calls, 0)
    count = max(1, min(MOST_CALLS, int(calls.item())))
    return min(_chunk(call, count, device) for _ in range(CHUNKS))


def _chunk(call: Call, count: int, device: str) -> float:
    dist.barrier()
    began = time.perf_counter()
    for _ in range(count):
        call()
    if device != "cpu":
        torch.cuda.synchronize()
    return (time.perf_counter() - began) / count


def _end_with(parent: int) -> None:
    """Whoever started this may be killed: then nobody waits for it in a collective."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)
