"""Times the steps of a script, independently of narrows: `python stepclock.py OUT script.py [args]`.

Stamps each optimizer update (or, if there is none, each outermost model call) and writes to OUT the mean seconds
between stamps over the second half of the run, so that bursts count and start-up does not.
"""

import json
import runpy
import sys
import time

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

updates: list[float] = []
calls: list[float] = []
inside = False
original = torch.nn.Module.__call__


def call(self, *args, **kwargs):
    global inside
    if inside or updates:
        return original(self, *args, **kwargs)
    inside = True
    try:
        return original(self, *args, **kwargs)
    finally:
        inside = False
        calls.append(time.perf_counter())


torch.nn.Module.__call__ = call
register_optimizer_step_post_hook(lambda *_: updates.append(time.perf_counter()))
out, script, *rest = sys.argv[1:]
sys.argv = [script, *rest]
sys.path[0] = script.rpartition("/")[0] or "."
try:
    runpy.run_path(script, run_name="__main__")
finally:
    stamps = updates if len(updates) > 2 else calls
    half = stamps[len(stamps) // 2 :]
    with open(out, "w") as file:
        json.dump((half[-1] - half[0]) / (len(half) - 1), file)
