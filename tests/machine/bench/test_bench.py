"""What measures, run as it is run: by path, in a process of its own, for the shortest time."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import narrows.machine
from narrows.machine.ceilings import measure

pytest.importorskip("torch")
pytestmark = [pytest.mark.torch, pytest.mark.alone]
BENCH = str(Path(narrows.machine.__file__).parent / "bench")


def test_every_ceiling_is_measured() -> None:
    found = measure(sys.executable, 1, seconds=0.2, largest=1)
    assert found is not None
    assert {"float32", "bfloat16", "float64"} <= set(found.ceilings.flops)
    assert "float32" in found.ceilings.convolution
    assert [size for size, _ in found.ceilings.bandwidth_by_size] == [1 << n for n in range(14, 21)]
    rates = [*found.ceilings.flops.values(), *(rate for _, rate in found.ceilings.bandwidth_by_size)]
    assert all(rate > 0 for rate in rates)
    assert found.ceilings.dispatch_seconds > 0
    assert 0 < found.ceilings.page_release_seconds < 1e-4
    assert 0 <= found.ceilings.page_touch_seconds < 1e-4
    assert 0 <= found.busy


def test_it_imports_torch_and_nothing_of_narrows() -> None:
    code = f"""
import runpy, sys
sys.argv = [{BENCH!r}, "--ops", "--threads", "1"]
try:
    runpy.run_path({BENCH!r}, run_name="__main__")
except SystemExit as ended:
    assert not ended.code, ended.code
assert "torch" in sys.modules
found = [name for name in sys.modules if name.split(".")[0] in ("narrows", "msgspec", "rich", "typer")]
assert not found, found
assert not [path for path in sys.path if path.endswith("narrows/machine")]
"""
    done = subprocess.run([sys.executable, "-c", code], input="[]", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_without_a_framework_it_says_so_with_its_status(tmp_path: Path) -> None:
    for name in ("torch", "tensorflow"):
        (tmp_path / f"{name}.py").write_text(f"raise ImportError('no {name} here')")
    done = subprocess.run(
        [sys.executable, BENCH], capture_output=True, text=True, env={"PYTHONPATH": str(tmp_path)}, check=False
    )
    assert (done.returncode, done.stdout) == (3, "")


def test_ops_answer_line_by_line() -> None:
    call = {"id": "a", "name": "relu", "overload": "default", "args": [["T", [64, 64], "float32", "c"]]}
    words = [sys.executable, BENCH, "--ops", "--threads", "1"]
    done = subprocess.run(words, input=json.dumps([call]), capture_output=True, text=True, check=False)
    name, seconds = json.loads(done.stdout)
    assert name == "a"
    assert 0 < seconds < 1
