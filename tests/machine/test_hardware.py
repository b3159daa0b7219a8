import os
from pathlib import Path

import pytest

from narrows.machine import hardware


def put(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture(autouse=True)
def eight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)


def test_the_processor_says_its_name(tmp_path: Path) -> None:
    text = "processor\t: 0\nmodel name\t: A CPU\nflags\t\t: fma avx2\n\nprocessor\t: 1\nmodel name\t: Another\n"
    root = put(tmp_path, {"proc/cpuinfo": text})
    assert hardware.cpu_name(root) == "A CPU"
    assert hardware.cpu_facts(root)["flags"] == "fma avx2"


def test_without_proc_there_is_still_a_name(tmp_path: Path) -> None:
    assert hardware.cpu_name(tmp_path)
    assert hardware.cpu_facts(tmp_path) == {}


def test_cores_are_those_of_the_affinity(tmp_path: Path) -> None:
    assert hardware.cores(tmp_path) == 8


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"sys/fs/cgroup/cpu.max": "max 100000"}, 8),
        ({"sys/fs/cgroup/cpu.max": "250000 100000"}, 2),
        ({"sys/fs/cgroup/cpu.max": "50000 100000"}, 1),
        ({"sys/fs/cgroup/cpu.max": "rubbish"}, 8),
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/cpu.max": "300000 100000"}, 3),
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": "300000 100000",
          "sys/fs/cgroup/a/cpu.max": "200000 100000"}, 2),
        ({"proc/self/cgroup": "4:cpu,cpuacct:/x\n", "sys/fs/cgroup/cpu/x/cpu.cfs_quota_us": "400000",
          "sys/fs/cgroup/cpu/x/cpu.cfs_period_us": "100000"}, 4),
        ({"proc/self/cgroup": "4:cpu:/\n", "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1",
          "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, 8),
    ],
)  # fmt: skip
def test_a_control_group_limits_the_cores(tmp_path: Path, files: dict[str, str], cores: int) -> None:
    assert hardware.cores(put(tmp_path, files)) == cores


@pytest.mark.parametrize(
    ("files", "limited"),
    [
        ({}, False),
        ({"sys/fs/cgroup/memory.max": "max"}, False),
        ({"sys/fs/cgroup/memory.max": "1048576"}, True),
        ({"proc/self/cgroup": "3:memory:/j\n", "sys/fs/cgroup/memory/j/memory.limit_in_bytes": "1048576"}, True),
        ({"proc/self/cgroup": "3:memory:/j\n",
          "sys/fs/cgroup/memory/j/memory.limit_in_bytes": "9223372036854771712"}, False),
    ],
)  # fmt: skip
def test_a_control_group_limits_the_memory(tmp_path: Path, files: dict[str, str], limited: bool) -> None:
    assert (hardware.memory_bytes(put(tmp_path, files)) == 1 << 20) is limited
    assert hardware.group_bytes(tmp_path) == (1 << 20 if limited else 0)


def test_a_machine_that_does_not_say_how_much_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "physical_bytes", lambda: 0)
    assert hardware.memory_bytes(tmp_path) == 0
    assert hardware.memory_bytes(put(tmp_path, {"sys/fs/cgroup/memory.max": "1048576"})) == 1 << 20


def test_the_driver_names_its_devices(tmp_path: Path) -> None:
    text = "Model: \t\t NVIDIA H100 80GB HBM3\nIRQ: 1\n"
    root = put(tmp_path, {"proc/driver/nvidia/gpus/0000:01:00.0/information": text})
    assert hardware.gpu_names(root) == ["NVIDIA H100 80GB HBM3"]
    assert hardware.gpu_names(tmp_path / "none") == []


def test_the_identity_is_a_file_name_and_changes_with_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = hardware.identity(tmp_path)
    assert before == hardware.identity(tmp_path)
    assert "/" not in before
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5")
    assert hardware.identity(tmp_path) != before
