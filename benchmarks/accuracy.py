"""Compares the ledger's shares with hand-made counterfactuals, over the scripts in `tests/wild/`.

For each pair the script and its copy without the cause run in turn, A B A B ..., each in a fresh process and
without narrows; the share that removing the cause saves is 1 - B/A. Then `narrows diagnose` runs on A, and its row
for that cause is the claim. Writes `docs/accuracy.md`.

    python benchmarks/accuracy.py [--pairs 3] [--only NAME] [--no-write]

With `--only` the other rows of the page stay as they are.
"""

import argparse
import ast
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
WILD = ROOT / "tests" / "wild"
CLOCK = ROOT / "benchmarks" / "stepclock.py"
AGREES = 0.10


def literal(path: Path) -> dict:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "WILD":
            return ast.literal_eval(node.value)
    raise ValueError(f"{path} has no WILD")


def seconds(script: Path, launch: list[str]) -> float:
    """The steady step of a script without narrows."""
    out = tempfile.mktemp()
    command = [*(launch or [sys.executable]), str(CLOCK), out, str(script)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tempfile.mkdtemp(), check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(Path(out).read_text())


def diagnose(script: Path, launch: list[str]) -> dict:
    out = tempfile.mktemp(suffix=".json")
    command = [sys.executable, "-m", "narrows", "diagnose", "--quiet", "--json", out, "--out", tempfile.mkdtemp(),
               *(launch or [sys.executable]), str(script)]  # fmt: skip
    subprocess.run(command, capture_output=True, cwd=tempfile.mkdtemp(), check=True)
    return json.loads(Path(out).read_text())


def claim(report: dict, wild: dict) -> float:
    """The row's share; or the finding's, where the copy removes one finding and not the whole cause."""
    if "finding" in wild:
        found = [f["seconds"] for f in report["findings"] if f["id"] == wild["finding"]]
        return sum(found) / report["step"]["median_seconds"]
    return next(r["share"] for r in report["ledger"] if r["cause"] == wild["cause"])


def interval(values: list[float]) -> tuple[float, float]:
    """95% bootstrap interval of the median."""
    rng = random.Random(0)
    medians = sorted(statistics.median(rng.choices(values, k=len(values))) for _ in range(2000))
    return medians[50], medians[1949]


def row(path: Path, pairs: int) -> dict:
    wild = literal(path)
    launch = wild.get("launch", [])
    without = path.with_suffix(".without.py")
    saved, reports = [], []
    for _ in range(pairs):
        a = seconds(path, launch)
        b = seconds(without, launch)
        saved.append(1 - b / a)
        reports.append(diagnose(path, launch))
    shares = [claim(report, wild) for report in reports]
    claimed, measured = statistics.median(shares), statistics.median(saved)
    last = reports[-1]
    low, high = interval(saved)
    return {
        "name": path.stem,
        "cause": wild["cause"],
        "claimed": claimed,
        "measured": measured,
        "low": low,
        "high": high,
        "off": claimed - measured,
        "verdict": last["verdict"]["cause"],
        "unexplained": max(r["share"] for report in reports for r in report["ledger"] if r["cause"] == "unexplained"),
        "sum": sum(r["seconds"] for r in last["ledger"]) / last["step"]["median_seconds"],
        "ledger": {r["cause"]: round(r["share"], 3) for r in last["ledger"]},
    }


def line(r: dict) -> str:
    miss = "" if abs(r["off"]) <= AGREES else " **miss**"
    return (
        f"| `{r['name']}` | {r['cause']} | {r['claimed']:.0%} | {r['measured']:.0%} | {r['low']:.0%} to {r['high']:.0%} | "
        f"{100 * r['off']:+.0f}{miss} | {r['verdict']} | {r['unexplained']:.1%} | {r['sum']:.3f} |"
    )


def kept(path: Path) -> dict[str, str]:
    """The rows of the page that is there, by script."""
    found = path.read_text().splitlines() if path.exists() else []
    return {text.split("`")[1]: text for text in found if text.startswith("| `")}


def table(lines: dict[str, str], pairs: int) -> str:
    names = sorted(name for name in lines if (WILD / f"{name}.py").exists())
    good = sum("**miss**" not in lines[name] for name in names)
    made = [
        "# How right the ledger is",
        "",
        f"`python benchmarks/accuracy.py --pairs {pairs}` made this page. Each script of `tests/wild/` was run beside a "
        "copy from which a cause was removed by hand, in turn and without narrows; *saved* is the share of the step "
        "that this saves, with its 95% interval. *Ledger* is what `narrows diagnose` said of the original.",
        "",
        f"**{good} of {len(names)} agree within {AGREES * 100:.0f} points.** Misses stay in the table.",
        "",
        "| script | cause removed | ledger | saved | 95% | difference | verdict | unexplained | rows / step |",
        "|---|---|---:|---:|---:|---:|---|---:|---:|",
        *(lines[name] for name in names),
        "",
        "What was removed:",
        "",
        *(f"- `{name}`: {literal(WILD / f'{name}.py')['note']}." for name in names),
    ]
    return "\n".join(made) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--only", action="append")
    parser.add_argument("--no-write", action="store_true")
    options = parser.parse_args()
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    rows = []
    for path in sorted(WILD.glob("*.py")):
        if ".without" in path.name or (options.only and path.stem not in options.only):
            continue
        try:
            rows.append(row(path, options.pairs))
        except Exception as error:
            print(f"{path.stem}: {error}", file=sys.stderr)
            continue
        last = rows[-1]
        print(f"{last['name']:18s} {last['cause']:13s} ledger {last['claimed']:6.1%} saved {last['measured']:6.1%} "
              f"off {100 * last['off']:+5.1f}  {last['ledger']}", flush=True)  # fmt: skip
    page = ROOT / "docs" / "accuracy.md"
    text = table({**(kept(page) if options.only else {}), **{r["name"]: line(r) for r in rows}}, options.pairs)
    if options.no_write:
        print(text)
    else:
        page.write_text(text)


if __name__ == "__main__":
    main()
