from pathlib import Path

import pytest

from narrows.remedies import attention_backend, estimates
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.harness import run

SCRIPT = """
import torch
from torch.nn import functional
torch.manual_seed(0)
q = torch.randn(2, 4, 16, 8, requires_grad=True)
net = torch.nn.Linear(8, 8)
with torch.profiler.profile() as profile:
    out = functional.scaled_dot_product_attention(net(q), q, q, is_causal=True)
    out.sum().backward()
names = {event.key for event in profile.key_averages()}
print(any("flash" in name for name in names), *(round(x, 4) for x in q.grad.flatten()[:5].tolist()))
"""
FORWARD, BACKWARD = estimates.FLASH, estimates.FLASH + "_backward"


def attention(length: int, ms: float) -> fakes.Op:
    q = tensor(16, 4, length, 32)
    return op(BACKWARD, q, q, q, q, q, tensor(16, 4, length), 0.0, True, out=(q, q, q), state="backward", ms=ms)


def test_it_is_not_tried_where_there_is_no_attention() -> None:
    work = op("mm", tensor(64, 64), tensor(64, 64), out=tensor(64, 64), ms=8.0)
    assert (
        attention_backend.candidates(fakes.view(process(boundaries(backward=10.0), window("ops", ops=(work,))))) == []
    )


def test_it_is_not_tried_where_the_scores_would_be_many() -> None:
    """The op is as fast as the machine: 2048 x 2048 scores would only be written in vain."""
    job = process(boundaries(backward=60.0), window("ops", ops=(attention(2048, 50.0),)))
    assert attention_backend.candidates(fakes.view(job)) == []


def test_it_is_tried_where_the_op_is_slow() -> None:
    job = process(boundaries(backward=12.0), window("ops", ops=(attention(128, 10.0),)))
    (found,) = attention_backend.candidates(fakes.view(job))
    assert found.value == "math"
    assert 0.004 < found.seconds < 0.010


@pytest.mark.torch
def test_the_same_gradients_by_other_ops(tmp_path: Path) -> None:
    plain, found = run(tmp_path / "plain", SCRIPT), run(tmp_path / "job", SCRIPT, ("attention-backend", "math"))
    assert (plain.output.split()[0], found.output.split()[0]) == ("True", "False")
    before, after = ([float(x) for x in each.output.split()[1:]] for each in (plain, found))
    assert after == pytest.approx(before, abs=1e-3)
    assert [event["remedy"] for event in found.applied] == ["attention-backend"]
