"""A compiled region must run while a dispatch mode of ours is open, `fullgraph=True` or not."""

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from narrows.probe import job  # noqa: E402
from narrows.probe.windows import branches, eager  # noqa: E402


class Plain(TorchDispatchMode):
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
    done = eager.wanted()
    try:
        with Plain():
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


def test_the_weights_in_a_branch_learn_while_a_mode_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "torch", torch)
    model, x, before = Branches(), torch.ones(2, 4), torch.cond
    done = eager.wanted()
    try:
        with Plain():
            model(x).sum().backward()
            model(-x).square().sum().backward()
    finally:
        done()
    assert torch.cond is before
    seen = [p.grad for p in model.parameters()]
    model.zero_grad()
    model.one(x).sum().backward()
    model.other(-x).square().sum().backward()
    for one, other in zip(seen, model.parameters(), strict=True):
        torch.testing.assert_close(one, other.grad)


def test_what_is_no_tensor_with_a_number_goes_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(torch, "cond", lambda *given: asked.append(given[0]))
    done = branches.called(torch)
    torch.cond(True, str, str, ())
    torch.cond(torch.ones(2), str, str, ())
    done()
    assert len(asked) == 2
