"""A compiled region must run while a dispatch mode of ours is open, `fullgraph=True` or not."""

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from narrows.probe import job  # noqa: E402
from narrows.probe.windows import branches, eager  # noqa: E402


class Plain(TorchDispatchMode):
    supports_higher_order_operators = True

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        return func(*args, **(kwargs or {}))


def test_a_whole_graph_runs_under_a_mode_and_is_compiled_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "torch", torch)
    from torch._dynamo import eval_frame

    graphs: list[object] = []

    def backend(graph: torch.fx.GraphModule, inputs: object) -> object:
        graphs.append(graph)
        return graph.forward

    fast = torch.compile(lambda x: x + 1, backend=backend, fullgraph=True)
    before = eval_frame._stance
    done = eager.wanted(mode := Plain())
    try:
        with mode:
            assert torch.equal(fast(torch.ones(3)), torch.full((3,), 2.0))
    finally:
        done()
    assert eval_frame._stance is before
    assert not graphs
    fast(torch.ones(3))
    assert len(graphs) == 1


def test_a_job_that_never_imported_dynamo_is_not_made_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "torch", torch)
    monkeypatch.setattr(eager.sys, "modules", {})
    assert eager._stance() is eager._nothing


class Branches(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = torch.nn.Linear(4, 4), torch.nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cond(x.sum() > 0, self.one, self.other, (x,))


def gradients(model: torch.nn.Module) -> list[torch.Tensor | None]:
    model.zero_grad()
    model(torch.ones(2, 4)).sum().backward()
    return [p.grad for p in model.parameters()]


@pytest.mark.parametrize("compiled", [False, True])
def test_the_weights_in_both_branches_learn_as_they_do_without_a_mode(
    monkeypatch: pytest.MonkeyPatch, compiled: bool
) -> None:
    monkeypatch.setattr(job, "torch", torch)
    model, before = Branches(), torch.cond
    called = torch.compile(model, backend="eager") if compiled else model
    should = gradients(called)
    done = eager.wanted(mode := Plain())
    try:
        with mode:
            seen = gradients(called)
    finally:
        done()
    assert torch.cond is before
    assert all(gradient is not None for gradient in should)  # of the other branch: zeros
    for one, other in zip(seen, should, strict=True):
        torch.testing.assert_close(one, other)


def test_where_all_is_to_be_seen_the_branch_is_called() -> None:
    model, mode = Branches(), Plain()
    done = branches.called(torch)
    with mode:
        seen = gradients(model)
    done()
    assert [gradient is not None for gradient in seen] == [True, True, False, False]


def test_what_is_no_tensor_with_a_number_goes_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(torch, "cond", lambda *given: asked.append(given[0]))
    done = branches.called(torch)
    torch.cond(True, str, str, ())
    torch.cond(torch.ones(2), str, str, ())
    done()
    assert len(asked) == 2
