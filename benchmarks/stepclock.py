"""Times the steps of a script, independently of narrows: `python stepclock.py OUT script.py [args]`.

Stamps each optimizer update (or, if there is none, each outermost model call) and writes to OUT the seconds between
stamps over the last two thirds of the run: the median of the means of 15 stretches, so that bursts count, and a
stall of the machine does not.
"""

import json
import runpy
import statistics
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
    late = stamps[len(stamps) // 3 :]
    size = max(1, (len(late) - 1) // 15)
    means = [(late[i + size] - late[i]) / size for i in range(0, len(late) - size, size)]
    with open(out, "w") as file:
        json.dump(statistics.median(means), file)
