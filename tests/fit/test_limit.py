"""What the job may take: what was asked for, its device, or the narrowest that this machine sets."""

from narrows.fit.limit import Limit, limit
from narrows.machine import hardware


def test_what_was_asked_for_comes_first() -> None:
    assert limit(5, device=7) == Limit(bytes=5, kind="asked")


def test_a_job_on_a_device_is_limited_by_it() -> None:
    assert limit(0, device=7) == Limit(bytes=7, kind="device")


def test_else_the_machine_or_less() -> None:
    assert limit(0).bytes <= hardware.memory_bytes()
