"""A compiled region must run while a dispatch mode of ours is open, `fullgraph=True` or not."""

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from narrows.probe import job  # noqa: E402
from narrows.probe.windows import eager  # noqa: E402


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
    assert eager.wanted() is eager._nothing
