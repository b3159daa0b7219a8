"""How often a remedy that does nothing is "proven": the A/A test of `narrows optimize`, with real processes.

    python benchmarks/nothing.py [--repetitions 40] [JOB ...]

The option is put before the very code that proves what the search has gathered; here it changes nothing. At most one
in twenty may be kept. Some 40 minutes on two quiet cores. What was seen stands in `docs/nothing.md`, if no job was
named. The same on a fake machine, 400 times, is a test: `tests/trials/test_search.py`.
"""

import argparse
import math
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from provenance import provenance

from narrows.job.command import resolve
from narrows.trials.arm import AS_IT_IS, Arm
from narrows.trials.bench import Bench
from narrows.trials.gain import Gain
from narrows.trials.looked import looked
from narrows.trials.optimize import look_at
from narrows.trials.option import Option
from narrows.trials.proof import prove
from narrows.trials.setting import setting
from narrows.trials.trial import together
from narrows.trials.wish import Wish

PAGE = Path(__file__).parent.parent / "docs" / "nothing.md"
SCRIPT = """
import torch
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(256, 512), torch.nn.ReLU(), torch.nn.Linear(512, 10))
optimizer = torch.optim.AdamW(net.parameters())
x, y = torch.randn(128, 256), torch.randint(0, 10, (128,))
for step in range(100000):
    loss = torch.nn.functional.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


def page(seen: Sequence[Gain], kept: int, made_by: Sequence[str]) -> str:
    ratios = [each.ratio for each in seen]
    holds = sum(each.low <= 1 <= each.high for each in seen)
    above, below = sum(each.low > 1 for each in seen), sum(each.high < 1 for each in seen)
    pairs = statistics.median(each.pairs for each in seen)
    return "\n".join([
        "# What a remedy that does nothing gains", "",
        *made_by, "",
        "The proof of `narrows optimize`, with real processes, of a remedy that changes nothing: a small net of two layers, "
        "as many times as is said, each with fresh pairs. At most one in twenty may be kept.", "",
        "| repetitions | kept | ratios, median | lowest | highest | intervals around 1 | above | below | pairs, median |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
        f"| {len(seen)} | {kept}{'' if kept <= len(seen) / 20 else ' **miss**'} | {statistics.median(ratios):.3f} "
        f"| {min(ratios):.3f} | {max(ratios):.3f} | {holds} | {above} | {below} | {pairs:.0f} |",
        "",
    ])  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=40)
    parser.add_argument("job", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        script = Path(folder) / "train.py"
        script.write_text(SCRIPT)
        words = tuple(options.job or [sys.executable, str(script)])
        wish = Wish(words=words, out=Path(folder), recipe=Path(folder), budget=0, classes=frozenset())
        job = looked(look_at(wish, AS_IT_IS))
        how = setting(resolve(list(words)), job)
        assert how is not None
        # Named, or it would be the original itself.
        nothing = Option(remedy="nothing", value=True, kind="exact", seconds=0.0, environment={"NARROWS_NOTHING": "1"})
        bench = Bench(
            run=lambda arms: together(how, [AS_IT_IS if not a.name else Arm(name=a.name) for a in arms]),
            deadline=math.inf,  # all looks that there may be
            memory_bytes=job.memory_bytes,
        )  # fmt: skip
        own, kept, every = bench.own(), 0, list[Gain]()
        for number in range(options.repetitions):
            proven = prove([nothing], bench, own)
            if proven.interrupted:
                raise SystemExit(130)
            kept += bool(proven.kept)
            seen = proven.combined
            every += [seen] if seen else []
            text = f"{seen.ratio:.3f} ({seen.low:.3f} to {seen.high:.3f}, {seen.pairs})" if seen else str(proven.why)
            print(f"{number + 1}: {text} {'KEPT' if proven.kept else ''}", flush=True)
    print(f"kept {kept} of {options.repetitions}")
    if not options.job:
        command = f"python benchmarks/nothing.py --repetitions {options.repetitions}"
        PAGE.write_text(page(every, kept, provenance(PAGE, command)))


if __name__ == "__main__":
    main()
