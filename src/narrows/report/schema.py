"""The JSON Schema of a report, made from its types: `python -m narrows.report.schema` writes the file that is shipped."""

import inspect
import json
from pathlib import Path
from typing import Any

import msgspec

from narrows.report.model import Report

PATH = Path(__file__).parent / "report.schema.json"


def made() -> dict[str, Any]:
    """Descriptions are docstrings, which msgspec hands on as they are written up to 0.22, and cleaned from 0.23 on."""
    found: dict[str, Any] = json.loads(json.dumps(msgspec.json.schema(Report)))
    for each in found["$defs"].values():
        if "description" in each:
            each["description"] = inspect.cleandoc(each["description"])
    return found


if __name__ == "__main__":
    PATH.write_text(json.dumps(made(), indent=1) + "\n")
