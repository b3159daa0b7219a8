"""Trains every built-in workload and writes `docs/workloads.md`.

    python benchmarks/workloads.py [--only NAME[,NAME]] [--no-train] [--no-diagnose]

First `narrows workload --all`: score, baseline and seconds. Then `narrows diagnose` runs once on each and once on its
`--slow` variant, and what it found stands beside the bottleneck that the workload is known for. Half an hour on two
cores, on which nothing else may run. With the options the other rows of the page stay as they are.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from provenance import provenance

from narrows.gallery import table
from narrows.gallery.catalogue import find, installed, names
from narrows.gallery.play import play
from narrows.job.failure import Failure

PAGE = Path(__file__).parent.parent / "docs" / "workloads.md"
DOES, LIMITS = "## How well each does", "## What limits each"
FOUND = ("workload", "known for", "found (share of the step)", "findings", "with --slow", "its findings", "unexplained")
DIFFERENT = """\
Where that is not what the workload is known for:

- `@alexnet`, `@resnet`: what activations take of memory is no part of a step's time; `narrows fit` shows it.
- `@digits`: its loader is right, so input is hidden; `--slow` shows it.
- `@fcnn-keras`: each epoch of `fit` is one step, so that what an epoch begins with is input.
- `@forecast`: torch's LSTM loops over time inside of one op, and reads its weights anew for each step: bandwidth. The loop in
  Python, which the field is known for, is what `--slow` does.
- `@gan`: gradients that vanish or explode are findings of a training that goes wrong, as `--slow` does.
- `@translate`: texts of like length are batched together, so little is padding; `--slow` pads all to the longest.
"""


def diagnosed(name: str, folder: Path, *more: str) -> tuple[str, str, float]:
    """(what is found first, the findings, the share of the step that is unexplained)."""
    report = folder / f"{name}.json"
    report.unlink(missing_ok=True)
    subprocess.run(
        [sys.executable, "-m", "narrows", "diagnose", "--quiet", "--seconds", "25", "--json", report, "--out", folder,
         f"@{name}", "--model", folder / f"{name}.pt", *more],
        capture_output=True, check=False, cwd=folder,
    )  # fmt: skip
    found = json.loads(report.read_text()) if report.exists() else {}
    if not found.get("verdict") or not found.get("ledger"):
        return "no steady steps were seen", "-", 0.0
    rows = sorted(found["ledger"], key=lambda row: -row["share"])
    said = ", ".join(f"{row['cause']} {row['share']:.0%}" for row in rows[:3] if row["share"] > 0.1)
    unknown = next((row["share"] for row in rows if row["cause"] == "unexplained"), 0.0)
    return said, ", ".join(f["id"] for f in found["findings"]) or "-", unknown


def limits(name: str, folder: Path) -> tuple[str, ...]:
    plain, slow = diagnosed(name, folder), diagnosed(name, folder, "--slow")
    return f"@{name}", find(name).bottleneck, *plain[:2], *slow[:2], f"{max(plain[2], slow[2]):.1%}"


def trained(name: str, folder: Path) -> tuple[str, ...]:
    run = play(find(name), ["--model", str(folder / f"{name}.pt")], show=print, bar=False)
    return table.cells(table.Row(workload=find(name), run=run))


def kept(title: str) -> dict[str, tuple[str, ...]]:
    """Rows of the page as it is, by workload."""
    part = PAGE.read_text().partition(title)[2].partition("\n## ")[0] if PAGE.exists() else ""
    rows = [
        tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in re.findall(r"^\| @.*$", part, re.M)
    ]
    return {row[0].strip("@ "): row for row in rows}


def write(does: dict[str, tuple[str, ...]], found: dict[str, tuple[str, ...]], made_by: Sequence[str]) -> None:
    def rows(known: dict[str, tuple[str, ...]], width: int) -> Sequence[tuple[str, ...]]:
        return [known[name] for name in names() if len(known.get(name, ())) == width]

    PAGE.write_text("\n".join([
        "# The built-in workloads", "",
        *made_by, "",
        "Each is an ordinary script in `src/narrows/workloads/`, on data "
        "that come with a package: `pip install 'narrows[workloads]'` has them all.", "",
        table.markdown(table.LISTED, [table.facts(find(name)) for name in names()]),
        DOES, "", "As `narrows workload --all` prints it.", "",
        table.markdown(table.HEADS, rows(does, len(table.HEADS))),
        LIMITS, "", "As `narrows diagnose @NAME` finds it, and `narrows diagnose @NAME --slow`, which has a classic mistake.", "",
        table.markdown(FOUND, rows(found, len(FOUND))),
        DIFFERENT,
    ]))  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=lambda text: text.split(","), default=[], metavar="NAME[,NAME]")
    parser.add_argument("--no-train", action="store_true")
    parser.add_argument("--no-diagnose", action="store_true")
    options = parser.parse_args()
    does, found = kept(DOES), kept(LIMITS)
    made_by = provenance(PAGE, "python benchmarks/workloads.py", options.only)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for name in options.only or names():
            try:
                installed(name)
            except Failure as error:
                print(error, file=sys.stderr)
                continue
            if not options.no_train:
                does[name] = trained(name, Path(folder))
            if not options.no_diagnose:
                found[name] = limits(name, Path(folder))
                print(found[name], flush=True)
            write(does, found, made_by)


if __name__ == "__main__":
    main()
