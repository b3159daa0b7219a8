from pathlib import Path

import pytest

from narrows.machine.processor import peak, per_cycle

AVX512 = "fma avx2 avx512f avx512_vnni"


def facts(vendor: str, family: int, model: int, flags: str = AVX512, **more: str) -> dict[str, str]:
    return {"vendor_id": vendor, "cpu family": str(family), "model": str(model), "flags": flags, **more}


@pytest.mark.parametrize(
    ("given", "float32"),
    [
        (facts("AuthenticAMD", 23, 1, "fma avx2"), 16),
        (facts("AuthenticAMD", 23, 0x31, "fma avx2"), 32),
        (facts("AuthenticAMD", 25, 17), 32),
        (facts("AuthenticAMD", 26, 2), 64),
        (facts("GenuineIntel", 6, 0x8F), 64),
        (facts("GenuineIntel", 6, 0x9E, "fma avx2"), 32),
        (facts("GenuineIntel", 6, 0x55, **{"model name": "Intel Xeon Platinum 8259CL"}), 64),
        (facts("GenuineIntel", 6, 0x55, **{"model name": "Intel Xeon Silver 4114"}), None),
        (facts("AuthenticAMD", 26, 0x24), None),
        (facts("Somebody", 6, 0x8F), None),
        ({}, None),
    ],
)
def test_operations_per_cycle_are_known_or_not_said(given: dict[str, str], float32: int | None) -> None:
    assert per_cycle(given).get("float32") == float32


def test_matrix_units_and_narrow_types() -> None:
    found = per_cycle(facts("GenuineIntel", 6, 0x8F, AVX512 + " amx_bf16 amx_int8 avx512_fp16 avx512_bf16"))
    assert found == {"float64": 32, "float32": 64, "bfloat16": 1024, "float16": 128, "int8": 2048}


def test_the_peak_is_cores_by_clock_by_operations(tmp_path: Path) -> None:
    found = peak(facts("AuthenticAMD", 25, 17, **{"cpu MHz": "2500.0"}), 4, tmp_path)
    assert found is not None
    assert found.flops["float32"] == 4 * 2.5e9 * 32
    assert "2.50 GHz" in found.how


def test_the_highest_clock_is_taken_where_the_system_knows_it(tmp_path: Path) -> None:
    path = tmp_path / "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq"
    path.parent.mkdir(parents=True)
    path.write_text("3700000\n")
    found = peak(facts("AuthenticAMD", 25, 17, **{"cpu MHz": "2500.0"}), 1, tmp_path)
    assert found is not None
    assert found.flops["float64"] == 3.7e9 * 16


def test_without_a_clock_there_is_no_peak(tmp_path: Path) -> None:
    assert peak(facts("AuthenticAMD", 25, 17), 4, tmp_path) is None


def test_in_a_virtual_machine_the_clock_is_not_believed(tmp_path: Path) -> None:
    given = facts("AuthenticAMD", 25, 17, AVX512 + " hypervisor", **{"cpu MHz": "2500.0"})
    assert peak(given, 4, tmp_path) is None
