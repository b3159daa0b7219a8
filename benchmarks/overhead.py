"""What narrows costs: the steady step of a job under plain Python, narrows, torch.profiler and scalene, in turn.

    python benchmarks/overhead.py [--rounds 12] [--write]

The job times its own steps, the same way in all cases: the first quartile of the means of stretches of the second
half of its run, when the deep windows are over. A stretch of a short job is 1024 steps, as long as the cycle in which
narrows times some steps and only counts others. It uses one thread, and a quartile rather than the median, because
this is about differences of 1%, and on a shared machine threads that wait for each other differ by 30% from run to
run. Two runs of plain Python differ by 2% from one process to the next, so it takes many; the other profilers, which cost
more than that, run in every third round. Scalene is left out where it is not installed. `--write` puts the table into
README.md.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parent.parent
JOBS = {"0.5 ms": (112, 2, 12288, 1024), "2 ms": (248, 3, 6144, 1024), "10 ms": (480, 4, 640, 16)}
"""step: (width, layers, steps, steps of a stretch)"""
EVERY = 3
"""Of the rounds, those in which the other profilers run."""
NAMES = {"narrows": "narrows", "profiler": "torch.profiler", "scalene": "scalene"}
JOB = """
import json, sys, time, statistics, contextlib
import torch
width, layers, steps, stretch = map(int, sys.argv[1:5])
out, profile = sys.argv[5], sys.argv[6] == "profiler"
shorter = 4 if profile else 1  # the profiler keeps every op
torch.manual_seed(0)
torch.set_num_threads(1)
net = torch.nn.Sequential(*[m for _ in range(layers) for m in (torch.nn.Linear(width, width), torch.nn.ReLU())])
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
x, y = torch.randn(128, width), torch.randn(128, width)
times = []
wrap = torch.profiler.profile() if profile else contextlib.nullcontext()
with wrap:
    for step in range(steps // shorter):
        began = time.perf_counter()
        loss = torch.nn.functional.mse_loss(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        times.append(time.perf_counter() - began)
with open(out, "w") as file:
    late = times[len(times) // 2:]
    stretch //= shorter
    means = [statistics.fmean(late[i:i + stretch]) for i in range(0, len(late) - stretch + 1, stretch)]
    json.dump(statistics.quantiles(means, n=4)[0], file)
"""


def measure(kind: str, job: tuple[int, int, int, int]) -> float:
    folder = Path(tempfile.mkdtemp())
    (folder / "job.py").write_text(JOB)
    out = folder / "seconds"
    command = [sys.executable, str(folder / "job.py"), *map(str, job), str(out), kind]
    if kind == "narrows":
        command = [sys.executable, "-m", "narrows", "diagnose", "--quiet", "--out", str(folder), *command]
    if kind == "scalene":
        command = [
            sys.executable,
            "-m",
            "scalene",
            "run",
            "--cpu-only",
            "-o",
            str(folder / "scalene.json"),
            *command[1:],
        ]
    subprocess.run(command, check=True, capture_output=True, cwd=folder, env={**os.environ, "NO_COLOR": "1"})
    return json.loads(out.read_text())


def interval(values: list[float]) -> tuple[float, float]:
    rng = random.Random(0)
    medians = sorted(statistics.median(rng.choices(values, k=len(values))) for _ in range(2000))
    return medians[50], medians[1949]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    others = [kind for kind in ("narrows", "profiler", "scalene") if kind != "scalene" or find_spec("scalene")]
    lines = [f"| step | plain | {' | '.join(NAMES[kind] for kind in others)} |", f"|---|{'---:|' * (1 + len(others))}"]
    for name, job in JOBS.items():
        found: dict[str, list[float]] = {kind: [] for kind in ("plain", *others)}
        for turn in range(options.rounds):
            kinds = list(found) if turn % EVERY == 0 else ["plain", "narrows"]
            for kind in kinds if turn % 2 == 0 else kinds[::-1]:
                found[kind].append(measure(kind, job))
        cells = [f"{1e3 * statistics.median(found['plain']):.2f} ms"]
        for kind in others:
            plain = found["plain"] if kind == "narrows" else found["plain"][::EVERY]
            ratios = [b / a - 1 for a, b in zip(plain, found[kind], strict=True)]
            low, high = interval(ratios)
            cells.append(f"{statistics.median(ratios):+.1%} ({low:+.1%} to {high:+.1%})")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
    if options.write:
        path = ROOT / "README.md"
        head, _, rest = path.read_text().partition("<!-- overhead:begin -->\n")
        _, _, tail = rest.partition("<!-- overhead:end -->")
        body = "\n".join(lines)
        path.write_text(f"{head}<!-- overhead:begin -->\n{body}\n<!-- overhead:end -->{tail}")


if __name__ == "__main__":
    main()
