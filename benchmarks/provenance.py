"""The paragraph of a page that says which command made it, where and when; and which rows were made again elsewhere."""

import datetime
from collections.abc import Sequence
from pathlib import Path

import torch

from narrows.machine import hardware

AGAIN = "Again on "


def provenance(page: Path, command: str, only: Sequence[str] = ()) -> list[str]:
    """Lines of the paragraph. With `only` the rest of the page stays as it is, and so does what is said of it."""
    here = f"{hardware.cpu_name()} with {hardware.cores()} cores, torch {torch.__version__}, {datetime.date.today()}"
    before = page.read_text().splitlines() if only and page.exists() else []
    first = next((line for line in before if line.startswith("`python benchmarks")), None)
    if first is None:
        return [f"`{command}` made this page, on {here}."]
    names = ", ".join(f"`{name}`" for name in only)
    others = [line for line in before if line.startswith(AGAIN) and not line.endswith(f": {names}.")]
    return [first, *others, f"{AGAIN}{here}: {names}."]
