"""No remedy asks for devices when torch is imported: a process that has asked cannot fork one that uses CUDA, and what
the script sets later (`CUDA_VISIBLE_DEVICES`) would come too late."""

from pathlib import Path

import pytest

from narrows.remedies import names, suits
from tests.remedies.harness import run

pytestmark = pytest.mark.torch

SCRIPT = """
import sys
asked = []
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch.cuda.memory":  # the last that torch.cuda imports
            watch(sys.modules["torch.cuda"])
sys.meta_path.insert(0, Watch())
def watch(cuda):
    for name in ("is_available", "device_count", "_lazy_init"):
        getattr(cuda, name)  # there is something to watch
        setattr(cuda, name, lambda *args, name=name: asked.append(name) or 0)
import torch
print(torch.cuda.is_available.__name__, *asked)
"""


def test_none_asks(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    every = [(name, True) for name in names() if suits(name, "torch")]
    found = run(tmp_path / "job", SCRIPT, *every)
    assert len(every) > 40
    assert found.output.split() == ["<lambda>"]
