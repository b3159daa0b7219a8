"""Trains every built-in workload and writes `docs/workloads.md`.

    python benchmarks/workloads.py [--no-diagnose]

First `narrows workload --all`: score, baseline and seconds. Then `narrows diagnose` runs once on each, and what it found
stands beside the bottleneck that the workload is known for. Some half an hour on two cores.
"""

import argparse
import datetime
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from narrows.gallery import table
from narrows.gallery.catalogue import find, installed, names
from narrows.job.failure import Failure
from narrows.machine import hardware

PAGE = Path(__file__).parent.parent / "docs" / "workloads.md"


def diagnosed(name: str, folder: Path) -> tuple[str, str, str]:
    """(workload, what is found first, the share of the step that is unexplained)."""
    report = folder / f"{name}.json"
    subprocess.run(
        [sys.executable, "-m", "narrows", "diagnose", "--quiet", "--json", report, "--out", folder, f"@{name}",
         "--model", folder / f"{name}.pt"],
        capture_output=True, check=False, cwd=folder,
    )  # fmt: skip
    found = json.loads(report.read_text()) if report.exists() else {}
    if not found.get("verdict") or not found.get("ledger"):
        return f"@{name}", "no steady steps were seen", "-"
    rows = sorted(found["ledger"], key=lambda row: -row["share"])
    said = ", ".join(f"{row['cause']} {row['share']:.0%}" for row in rows[:3] if row["share"] > 0.1)
    unknown = next((row["share"] for row in rows if row["cause"] == "unexplained"), 0.0)
    return f"@{name}", said, f"{unknown:.1%}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-diagnose", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        trained = Path(folder) / "trained.md"
        subprocess.run([sys.executable, "-m", "narrows", "workload", "--all", "--markdown", trained], check=False)
        lines = [
            "# The built-in workloads", "",
            f"`python benchmarks/workloads.py` made this page, on {hardware.cpu_name()} with {hardware.cores()} cores, torch "
            f"{torch.__version__}, {datetime.date.today()}. Each is an ordinary script in `src/narrows/workloads/`, on data "
            "that come with a package: `pip install 'narrows[workloads]'` has them all.", "",
            table.markdown(table.LISTED, [table.facts(find(name)) for name in names()]),
            "## How well each does", "", "As `narrows workload --all` prints it.", "", trained.read_text(),
        ]  # fmt: skip
        if not options.no_diagnose:
            rows = []
            for name in names():
                try:
                    installed(name)
                except Failure:
                    continue
                rows.append((*diagnosed(name, Path(folder)), find(name).bottleneck))
                print(rows[-1], flush=True)
            lines += [
                "## What limits each", "",
                "As `narrows diagnose @NAME` finds it, beside what the field is known for.", "",
                table.markdown(("workload", "found (share of the step)", "unexplained", "known for"), rows),
            ]  # fmt: skip
        PAGE.write_text("\n".join(lines))


if __name__ == "__main__":
    main()
