"""Makes the README's picture from a real run: `python benchmarks/picture.py RUN docs/report.svg`."""

import io
import sys
from pathlib import Path

from rich.console import Console

from narrows.report.build import build
from narrows.report.faces import terminal
from narrows.report.language import words

run, out = sys.argv[1:3]
console = Console(record=True, width=88, file=io.StringIO(), highlight=False, force_terminal=True)
report = build(Path(run), "en")
terminal.render(report, console, words("en"))
console.save_svg(out, title="narrows diagnose " + " ".join(report.job.command))
