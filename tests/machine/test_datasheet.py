from pathlib import Path

import pytest

from narrows.machine import datasheet


@pytest.mark.parametrize(
    ("name", "sheet"),
    [
        ("NVIDIA A100-SXM4-80GB", "A100 SXM 80GB"),
        ("NVIDIA A100 80GB PCIe", "A100 PCIe 80GB"),
        ("NVIDIA A100-SXM4-40GB", "A100 40GB"),
        ("NVIDIA H100 80GB HBM3", "H100 SXM"),
        ("NVIDIA H100 PCIe", "H100 PCIe"),
        ("NVIDIA H200", "H200 SXM"),
        ("NVIDIA H200 NVL", "H200 NVL"),
        ("NVIDIA L4", "L4"),
        ("Tesla T4", "T4"),
        ("Tesla V100-SXM2-16GB", "V100 SXM2"),
        ("Tesla V100-PCIE-32GB", "V100 PCIe"),
        ("NVIDIA GeForce RTX 3090", "GeForce RTX 3090"),
        ("NVIDIA GeForce RTX 4090", "GeForce RTX 4090"),
    ],
)
def test_devices_are_found_by_the_name_the_driver_gives(name: str, sheet: str) -> None:
    found = datasheet.device(name)
    assert found is not None
    assert found.name == sheet
    assert found.source.startswith("https://")


@pytest.mark.parametrize(
    "name",
    ["NVIDIA L40S", "NVIDIA GeForce RTX 3090 Ti", "NVIDIA GeForce RTX 4090 D", "NVIDIA GeForce RTX 4090 Laptop GPU",
     "NVIDIA T400", "NVIDIA H100 NVL", "AMD Instinct MI300X", ""],
)  # fmt: skip
def test_what_only_looks_like_one_is_not_taken_for_it(name: str) -> None:
    assert datasheet.device(name) is None


def test_rates_are_plausible() -> None:
    for _, sheet in datasheet.DEVICES:
        assert sheet.flops["float16"] >= sheet.flops["float32"]
        assert 1e11 < (sheet.bandwidth or 0) < 1e13


def test_of_an_unknown_machine_nothing_is_said(tmp_path: Path) -> None:
    assert datasheet.here(2, tmp_path) is None
