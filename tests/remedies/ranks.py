"""Runs a script as two ranks with remedies in it, as a launcher does, and gives what each of them said."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from narrows.job.environment import environment
from narrows.spool.read import read
from tests.remedies.harness import Ran

BEGIN = """
import os, torch, torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel as DDP
torch.set_num_threads(1)
dist.init_process_group("gloo", init_method="file://" + os.path.abspath("meet"), rank=int(os.environ["RANK"]), world_size=2)
rank = dist.get_rank()
def sums(net):
    return [round(p.detach().double().pow(2).sum().item(), 5) for p in net.parameters()]
"""
PARALLEL = {"class": "DistributedDataParallel", "find_unused": False, "static_graph": False, "bucket_view": False,
            "bucket_bytes": 25 << 20, "bytes": 32 << 20, "backend": "gloo", "where": None}  # fmt: skip
"""The event of a model of 32 MiB."""


def run(folder: Path, script: str, *remedies: tuple[str, Any]) -> list[Ran]:
    """By rank. Fails the test if one of them fails."""
    folder.mkdir(parents=True)
    (folder / "job.py").write_text(BEGIN + script + "\ndist.destroy_process_group()\n")
    started = []
    for rank in ("0", "1"):
        spool = folder / f"spool{rank}"
        spool.mkdir()
        told = {**environment(spool, plan="none", seed=0), "NARROWS_REMEDIES": json.dumps(remedies)}
        told |= {"RANK": rank, "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
        started.append(
            subprocess.Popen(
                [sys.executable, "job.py"], cwd=folder, env={**os.environ, **told}, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True,
            )
        )  # fmt: skip
    try:
        said = [each.communicate(timeout=200) for each in started]
    finally:
        for each in started:
            each.kill()
    assert [each.returncode for each in started] == [0, 0], said
    return [_ran(folder / f"spool{rank}", output) for rank, (output, _) in enumerate(said)]


def _ran(spool: Path, output: str) -> Ran:
    events = [p.events for p in read(spool)]
    return Ran(
        output=output,
        applied=tuple(dict(e) for p in events for e in p.get("applied", ())),
        not_applied=tuple(dict(e) for p in events for e in p.get("not_applied", ())),
    )
