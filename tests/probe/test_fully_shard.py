"""What FSDP2 does around its collectives is timed with them; a torch that has other parts is left as it is."""

from collections.abc import Callable, Iterator
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from narrows.probe import state  # noqa: E402
from narrows.probe.hooks import fully_shard  # noqa: E402


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any], None]]:
    """What is called with the module once the job has imported it."""
    told: list[Callable[[Any], None]] = []
    monkeypatch.setattr(fully_shard.imports, "when", lambda name, then: told.append(then))
    fully_shard.install(torch)
    state.restart()
    yield told[0]
    state.restart()


def test_a_units_work_in_the_model_is_part_of_the_exchange(watch: Callable[[Any], None]) -> None:
    class Units:
        def pre_forward(self) -> int:
            return state.now_in

        def post_backward(self) -> int:
            return self.pre_forward()

        def reshard(self) -> int:
            return state.now_in

    watch(SimpleNamespace(FSDPParamGroup=Units))
    for inside in (state.FORWARD, state.BACKWARD):
        state.enter(inside)
        assert Units().pre_forward() == Units().post_backward() == state.WAIT
        assert Units().reshard() == inside, "no part of a step by itself"
        assert state.now_in == inside


def test_a_torch_without_these_parts_is_left_as_it_is(watch: Callable[[Any], None]) -> None:
    class Units:
        def unshard(self) -> None: ...

    before = dict(vars(Units))
    watch(SimpleNamespace(FSDPParamGroup=Units))
    assert dict(vars(Units)) == before


def test_this_torch_has_them() -> None:
    units = import_module("torch.distributed.fsdp._fully_shard._fsdp_param_group").FSDPParamGroup
    assert all(hasattr(units, name) for name in fully_shard._PARTS)
