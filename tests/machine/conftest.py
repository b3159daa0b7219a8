"""Interpreters that are not: what measures is replaced by a script that says what it was asked."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CEILINGS: dict[str, Any] = {
    "flops": {"float32": 2e11, "bfloat16": 4e11},
    "convolution": {"float32": 1.8e11},
    "bandwidth": 3e10,
    "read_bandwidth": 2.5e10,
    "bandwidth_by_size": [[1 << 16, 5e10], [1 << 29, 3.5e10]],
    "dispatch_seconds": 2e-6,
    "page_touch_seconds": 5e-7,
    "page_release_seconds": 1e-7,
    "host_to_device": None,
    "device_to_host": None,
    "disk_read": 1e9,
    "collective": None,
    "busy": 0.0,
}


EXCHANGED = json.dumps({"all-reduce": [[1 << 10, 1e-4], [1 << 20, 1e-3]]})


class Interpreter:
    """A fake Python with torch 9.9. `asked()` is what it was run with, one list of words for each time."""

    def __init__(self, folder: Path, body: str) -> None:
        self.path, self.log = str(folder / "python"), folder / "asked"
        script = f"""#!{sys.executable} -S
import json, sys
with open({str(self.log)!r}, "a") as log:
    log.write(json.dumps(sys.argv[1:]) + chr(10))
if sys.argv[1] == "-c":
    print("9.9")
    sys.exit()
{body}
"""
        Path(self.path).write_text(script)
        Path(self.path).chmod(0o755)

    def asked(self) -> list[list[str]]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [words for words in map(json.loads, lines) if words[0] != "-c"]


@pytest.fixture
def interpreter(tmp_path: Path) -> Callable[[str], Interpreter]:
    return lambda body: Interpreter(tmp_path, body)


@pytest.fixture
def measuring(interpreter: Callable[[str], Interpreter]) -> Callable[..., Interpreter]:
    """One that measures these ceilings."""
    return lambda **other: interpreter(
        f"print('hello'); print({EXCHANGED!r} if '--ranks' in sys.argv else {json.dumps({**CEILINGS, **other})!r})"
    )
