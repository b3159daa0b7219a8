"""Calls at their smallest size: recorded as the probe does it, from jobs of many kinds, and built again."""

import io
import json
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.torch, pytest.mark.alone, pytest.mark.filterwarnings("ignore")]

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from narrows.machine.bench import ops, small, special  # noqa: E402
from narrows.probe.windows.ops import describe  # noqa: E402


class Recorder(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.calls: dict[str, dict[str, Any]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        library, _, rest = str(func).partition(".")
        name, _, overload = rest.partition(".")
        made = {
            "name": name if library == "aten" else f"{library}::{name}",
            "overload": overload,
            "args": [describe(a, torch) for a in args],
            "kw": {k: describe(v, torch) for k, v in kwargs.items()},
        }
        self.calls.setdefault(json.dumps(made), made)
        return func(*args, **kwargs)


def train(model: nn.Module, x: Any, labels: Any = None, optimizer: Any = torch.optim.SGD, **options: Any) -> None:
    updates = optimizer(model.parameters(), **options)
    out = model(x)
    out = out[0] if isinstance(out, tuple) else out
    (out.square().mean() if labels is None else F.cross_entropy(out, labels)).backward()
    updates.step()


def perceptron() -> None:
    model = nn.Sequential(nn.Linear(8, 16), nn.LayerNorm(16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 4), nn.GELU())
    for optimizer in (torch.optim.AdamW, torch.optim.Adam):
        train(model, torch.randn(3, 8), torch.randint(4, (3,)), optimizer, fused=True)
    train(model, torch.randn(3, 8), torch.randint(4, (3,)), torch.optim.SGD, momentum=0.9, foreach=True)
    train(model, torch.randn(3, 8), torch.randint(4, (3,)), torch.optim.Adam, foreach=True)
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)


def convolutional() -> None:
    train(
        nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, 1),
            nn.Conv2d(16, 16, 3, groups=16), nn.AvgPool2d(2), nn.GroupNorm(4, 16), nn.Conv2d(16, 8, 1, stride=2),
            nn.ConvTranspose2d(8, 8, 3, stride=2), nn.Upsample(scale_factor=2), nn.PixelShuffle(2),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 4),
        ),
        torch.randn(2, 3, 24, 24), torch.randint(4, (2,)),
    )  # fmt: skip
    train(nn.Conv1d(4, 6, 5, dilation=2), torch.randn(2, 4, 30))
    train(nn.Conv3d(2, 3, 3), torch.randn(1, 2, 6, 6, 6))
    last = nn.Conv2d(3, 8, 7, 2, 3).to(memory_format=torch.channels_last)
    train(last, torch.randn(4, 3, 16, 16).to(memory_format=torch.channels_last))


def sequential() -> None:
    for kind in (nn.LSTM, nn.GRU, nn.RNN):
        train(kind(8, 12, 2, batch_first=True), torch.randn(3, 5, 8))
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu")
    train(nn.Sequential(nn.Embedding(10, 8), layer), torch.randint(10, (3, 5)))
    with torch.no_grad():
        layer.eval()(torch.randn(3, 5, 8))
    q = torch.randn(1, 2, 4, 8, requires_grad=True)
    F.scaled_dot_product_attention(q, q, q, is_causal=True).sum().backward()


def single() -> None:
    x, y = torch.randn(6, 8, requires_grad=True), torch.randn(6, 8)
    index = torch.randint(6, (6, 8))
    results = (
        x.softmax(1), torch.cat([x, y], 1), torch.stack([x, y, y]), x.index_select(0, index[0]), x.gather(0, index),
        x[index[0]], x[x > 0], x.select(1, 3), x[:, 2:7:2], x.view(4, 12), x.t().contiguous(), x.expand(3, 6, 8),
        x.repeat(2, 3), x.clone(), x.double(), torch.stack(x.unbind(1)), torch.cat(x.split([3, 5], 1), 1),
        torch.cat(x.split(3, 1), 1), x.mean(1), x.sum(0), x.std(0), torch.where(x > 0, x, y), F.pad(x, (1, 2)),
        F.glu(x), x.cumsum(1), x.amax(1), x.permute(1, 0).reshape(-1), torch.bmm(x[None], x.t()[None]),
        F.layer_norm(x, (8,)), x.scatter_add(0, index, y), F.mse_loss(x, y), torch.roll(x, 1, 0),
    )  # fmt: skip
    for result in results:
        result.float().sum().backward(retain_graph=True)
    z = torch.zeros(6, 8)
    z.bernoulli_(0.5).copy_(y).add_(1).mul_(2).zero_().fill_(3).clamp_(0, 1).unsqueeze_(0).squeeze_(0).lerp_(y, 0.5)
    torch.arange(50), torch.randperm(64), F.one_hot(index[0], 8), y.topk(3), y.argmax(1), (y > 0).sum().item()
    index // 2, index % (index + 1), torch.full((4,), 2.0), y.nonzero(), y.isfinite().all()


@pytest.mark.parametrize("job", [perceptron, convolutional, sequential, single])
def test_every_op_of_a_job_can_be_called_small(job: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ops, "CALLS", 6)
    monkeypatch.setattr(ops, "SUSPECT", 1e9)
    with Recorder() as recorder:
        job()
    calls = json.loads(json.dumps(list(recorder.calls.values())))
    with torch.no_grad():
        failed = [call for call in calls if ops.cost(call) is None]
    assert not [call for call in failed if not call["name"].startswith("profiler::")], failed
    assert len(calls) > 20


def names(job: Any) -> set[str]:
    with Recorder() as recorder:
        job()
    return {call["name"] for call in recorder.calls.values()}


def test_the_jobs_have_the_ops_that_matter() -> None:
    seen = names(perceptron) | names(convolutional) | names(sequential) | names(single)
    assert {
        "addmm", "convolution", "convolution_backward", "native_layer_norm_backward", "native_batch_norm_backward",
        "_log_softmax_backward_data", "nll_loss_backward", "embedding_dense_backward", "_fused_adamw_", "cat",
        "_foreach_add_", "max_pool2d_with_indices_backward", "_scaled_dot_product_flash_attention_for_cpu_backward",
        "mkldnn_rnn_layer_backward", "split_with_sizes", "_to_copy", "index_select",
    } <= seen  # fmt: skip


def test_lists_keep_their_length_and_tensors_their_rank() -> None:
    tensor = ["T", [64, 32], "float32", "c"]
    function = torch.ops.aten._foreach_add_.List
    args, _ = small.arguments(function, [["L", *[tensor] * 5], ["L", *[tensor] * 5]], {}, small.Sizes(1, 0))
    assert [len(a) for a in args] == [5, 5]
    assert args[0][0].shape == (1, 1)


def test_convolutions_keep_their_kernel() -> None:
    function = torch.ops.aten.convolution.default
    x, weight = ["T", [32, 64, 56, 56], "float32", "l"], ["T", [128, 64, 3, 3], "float32", "l"]
    rest = [None, ["L", 1, 1], ["L", 1, 1], ["L", 1, 1], False, ["L", 0, 0], 1]
    args, _ = special.builders["convolution"](function, [x, weight, *rest], {}, small.Sizes(1, 0))
    assert args[0].shape == (2, 2, 3, 3)
    assert args[1].shape == (2, 2, 3, 3)
    assert args[0].is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    "call",
    [
        {"name": "no_such_op", "overload": "default", "args": []},
        {"name": "other::op", "overload": "default", "args": []},
        {"name": "relu", "overload": "default", "args": [["?"]]},
        {"name": "mm", "overload": "default", "args": [["T", [2, 2], "float32", "s"], ["T", [2, 2], "float32", "c"]]},
        {"name": "mm", "overload": "default", "args": [["T", [2, 2], "float32", "c"]]},
    ],
)
def test_what_cannot_be_called_costs_none(call: dict[str, Any]) -> None:
    assert ops.cost(call) is None


def test_what_there_is_no_time_for_has_no_line() -> None:
    out = io.StringIO()
    before = torch.is_grad_enabled()
    try:
        ops.answer([{"id": 1, "name": "relu", "overload": "default", "args": []}], out, -1.0)
    finally:
        torch.set_grad_enabled(before)
    assert out.getvalue() == ""


def test_as_large_as_it_was() -> None:
    """And of random numbers: of equal ones, the maximum over a window could be foreseen."""
    with Recorder() as seen:
        torch.randn(300, 400) @ torch.randn(400, 500)
    (call,) = [each for each in seen.calls.values() if each["name"] == "mm"]
    call = json.loads(json.dumps(call))
    args, _ = small.arguments(torch.ops.aten.mm.default, call["args"], {}, small.Sizes(small.WHOLE, 0))
    assert [tuple(each.shape) for each in args] == [(300, 400), (400, 500)]
    assert all(0.2 < float(each.std()) < 0.4 and float(each.min()) >= 0 for each in args)
    whole, least = ops.cost(call, whole=True), ops.cost(call)
    assert whole is not None
    assert least is not None
    assert whole > least
