"""The peak memory of a script, measured: `python truth.py [--plain] [--updates 4] SCRIPT [ARGS...]`.

Runs the script unchanged, its output sent to standard error, and ends it once each of its optimizers has made so many
updates; a script without updates runs to its end. Then prints a line of JSON:

    {"tensors": bytes, "resident": bytes, "steps": updates of each optimizer, "seconds": in all, "step_seconds": median}

`tensors` is the peak of what PyTorch's CPU allocator had given out, from the profiler's record of every allocation and
release since before the script's first line. It leaves out what the allocator does not give out: arrays of numpy,
scratch memory inside oneDNN and MKL, and what other threads than the script's allocate. Its trace is in memory too, so
`resident`, the peak of the process's resident memory, is to be taken with `--plain`: without the profiler, so without
`tensors`. `python truth.py --check` compares the measurement with cases computed by hand.
"""

import argparse
import json
import os
import resource
import runpy
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

MB = 10**6
CASES = {
    # a 4, b 8, c 8; b goes; d 4.
    "a = torch.zeros(MB)\nb = torch.ones(2 * MB)\nc = a.double()\ndel b\nd = a + 1": 20 * MB,
    # w, y and z 4 each; in the backward pass z's gradient 4 is still there while y's 4 is made; no third at once.
    "w = torch.nn.Parameter(torch.zeros(MB))\ny = w.exp()\nz = y.exp()\nz.sum().backward()": 20 * MB,
    # Adam in its second step: w, its gradient, two moments; then the denominator's root and its quotient.
    "w = torch.nn.Parameter(torch.zeros(MB))\no = torch.optim.Adam([w])\n"
    "for _ in range(6):\n    o.zero_grad()\n    w.sum().backward()\n    o.step()": 24 * MB,
}
"""Scripts, and their peaks but for scalars."""


def resident() -> int:
    """Bytes. From /proc where there is one: ru_maxrss starts at what the process that started this one had."""
    status = Path("/proc/self/status")
    if status.exists():
        for row in status.read_text().splitlines():
            if row.startswith("VmHWM:"):
                return int(row.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


class Ender:
    """Counts the updates of each optimizer and ends the script when all have made enough."""

    def __init__(self, enough: int) -> None:
        self.enough = enough
        self.updates: dict[int, int] = {}
        self.stamps: list[float] = []
        """When all optimizers have made an update more."""

    @property
    def steps(self) -> int:
        return min(self.updates.values(), default=0)

    def __call__(self, optimizer: torch.optim.Optimizer, *_: object) -> None:
        before = self.steps
        self.updates[id(optimizer)] = self.updates.get(id(optimizer), 0) + 1
        if self.steps > before:
            self.stamps.append(time.perf_counter())
            if self.steps >= self.enough:
                raise SystemExit(0)


def run(script: str, arguments: list[str]) -> None:
    sys.argv = [script, *arguments]
    sys.path[0] = os.path.dirname(script) or "."
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        if end.code not in (None, 0):
            raise


def peak(events: list) -> int:
    """The highest running sum of the allocator's events."""
    total = highest = 0
    for _, size in sorted(((e.start_ns(), e.nbytes()) for e in events), key=lambda e: e[0]):
        total += size
        highest = max(highest, total)
    return highest


def measure(script: str, arguments: list[str], *, plain: bool, updates: int) -> dict:
    ender = Ender(updates)
    hook = register_optimizer_step_post_hook(ender)
    began = time.perf_counter()
    tensors = None
    if plain:
        run(script, arguments)
    else:
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profiler:
            run(script, arguments)
    seconds = time.perf_counter() - began
    hook.remove()
    highest = resident()
    if not plain:
        cpu = torch._C._autograd.DeviceType.CPU
        events = profiler.profiler.kineto_results.events()
        tensors = peak([e for e in events if e.name() == "[memory]" and e.device_type() == cpu])
    gaps = [after - before for before, after in zip(ender.stamps, ender.stamps[1:], strict=False)]
    return {
        "tensors": tensors,
        "resident": highest,
        "steps": ender.steps,
        "seconds": round(seconds, 3),
        "step_seconds": round(statistics.median(gaps), 4) if gaps else None,
    }


def check() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for i, (text, expected) in enumerate(CASES.items()):
            script = Path(folder) / f"case{i}.py"
            script.write_text(f"import torch\nMB = 10**6\n{text}\n")
            found = measure(str(script), [], plain=False, updates=4)["tensors"]
            print(f"by hand {expected}, measured {found}: {'ok' if 0 <= found - expected < 1000 else 'WRONG'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plain", action="store_true", help="without the profiler: only `resident` and the steps")
    parser.add_argument("--updates", type=int, default=4, help="of each optimizer; at least 2 where they alternate")
    parser.add_argument("--check", action="store_true", help="against cases computed by hand")
    parser.add_argument("script", nargs="?")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if options.check:
        return check()
    if options.script is None:
        parser.error("which script?")
    real = os.dup(1)
    os.dup2(2, 1)
    found = measure(options.script, options.arguments, plain=options.plain, updates=options.updates)
    with open(real, "w") as out:
        print(json.dumps(found), file=out)


if __name__ == "__main__":
    main()
