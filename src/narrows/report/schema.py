"""The JSON Schema of a report, made from its types: `python -m narrows.report.schema` writes the file that is shipped."""

import json
from pathlib import Path
from typing import Any

import msgspec

from narrows.report.model import Report

PATH = Path(__file__).parent / "report.schema.json"


def made() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(msgspec.json.schema(Report)))
    return found


if __name__ == "__main__":
    PATH.write_text(json.dumps(made(), indent=1) + "\n")
