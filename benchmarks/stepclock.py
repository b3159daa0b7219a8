"""Times the steps of a script, independently of narrows: `python stepclock.py [--enough SECONDS] OUT script.py [args]`.

Stamps each optimizer update (or, if there is none, each outermost model call) and writes to OUT the seconds between
stamps over the last two thirds of the run: the median of the means of 15 stretches, so that bursts count, and a
stall of the machine does not. With `--enough` it ends a script that makes updates as soon as these two thirds are so
long and have 24 steps; what a script compiles in its first steps is then in the first third.
"""

import json
import runpy
import statistics
import sys
import time

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

FEWEST = 24
updates: list[float] = []
calls: list[float] = []


def clocked(original):
    """The call of a module, stamped if it is an outermost one. Closures, as the script takes this module's name."""
    compiling = torch.compiler.is_compiling
    inside = False

    def call(self, *args, **kwargs):
        nonlocal inside
        # Asked first: a compiler that read what changes would compile anew each time.
        if compiling() or inside or updates:
            return original(self, *args, **kwargs)
        inside = True
        try:
            return original(self, *args, **kwargs)
        finally:
            inside = False
            calls.append(time.perf_counter())

    return call


def update(*_):
    updates.append(time.perf_counter())
    first = len(updates) // 3
    if enough and len(updates) - first > FEWEST and updates[-1] - updates[first] >= enough:
        raise SystemExit(0)


torch.nn.Module.__call__ = clocked(torch.nn.Module.__call__)
register_optimizer_step_post_hook(update)
words = sys.argv[1:]
enough = float(words[1]) if words[0] == "--enough" else 0.0
out, script, *rest = words[2:] if enough else words
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
