"""What the job may take: what was asked for, its device, or the narrowest that this machine sets."""

import resource

import pytest

from narrows.fit.limit import Limit, limit
from narrows.machine import hardware

GIB = 1 << 30


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Of 16 GiB, without limits of its own."""
    monkeypatch.setattr(hardware, "physical_bytes", lambda: 16 * GIB)
    monkeypatch.setattr(hardware, "group_bytes", lambda: 0)
    monkeypatch.setattr(resource, "getrlimit", lambda number: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return monkeypatch


def test_what_was_asked_for_comes_first() -> None:
    assert limit(5, device=7) == Limit(bytes=5, kind="asked")


def test_a_job_on_a_device_is_limited_by_it() -> None:
    assert limit(0, device=7) == Limit(bytes=7, kind="device")


def test_else_the_machine_or_less() -> None:
    assert limit(0).bytes <= hardware.memory_bytes()


def test_the_machine(machine: pytest.MonkeyPatch) -> None:
    assert limit(0) == Limit(bytes=16 * GIB, kind="machine")


@pytest.mark.parametrize(("group", "kind"), [(4, "cgroup"), (32, "machine")])
def test_a_container_may_have_less(machine: pytest.MonkeyPatch, group: int, kind: str) -> None:
    machine.setattr(hardware, "group_bytes", lambda: group * GIB)
    assert limit(0) == Limit(bytes=min(group, 16) * GIB, kind=kind)  # type: ignore[arg-type]


def test_a_machine_that_does_not_say_what_it_has(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(hardware, "physical_bytes", lambda: 0)
    assert limit(0) == Limit(bytes=0, kind="machine")
    machine.setattr(hardware, "group_bytes", lambda: GIB)
    assert limit(0) == Limit(bytes=GIB, kind="cgroup")


def test_ranks_share_their_machine_and_what_was_asked_for(machine: pytest.MonkeyPatch) -> None:
    assert limit(0, ranks=4) == Limit(bytes=4 * GIB, kind="machine", ranks=4)
    assert limit(8 * GIB, ranks=4) == Limit(bytes=2 * GIB, kind="asked", ranks=4)
    machine.setattr(hardware, "group_bytes", lambda: 8 * GIB)
    assert limit(0, ranks=4) == Limit(bytes=2 * GIB, kind="cgroup", ranks=4)


def test_each_rank_has_a_device_and_a_limit_of_addresses_of_its_own(machine: pytest.MonkeyPatch) -> None:
    assert limit(0, device=8 * GIB, ranks=4) == Limit(bytes=8 * GIB, kind="device")
    assert limit(5 * GIB, device=8 * GIB, ranks=4) == Limit(bytes=5 * GIB, kind="asked")
    machine.setattr(resource, "getrlimit", lambda number: (3 * GIB, 3 * GIB) if number == resource.RLIMIT_AS
                    else (resource.RLIM_INFINITY, resource.RLIM_INFINITY))  # fmt: skip
    assert limit(0, ranks=4) == Limit(bytes=3 * GIB, kind="address_space")
