"""Ops of real training and inference steps: all but a few have a formula."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch")
nn = torch.nn
functional = nn.functional
pytestmark = pytest.mark.torch

ENOUGH = 0.99


class Perceptron(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(20, 32), nn.GELU(), nn.Dropout(0.1), nn.Linear(32, 32), nn.SiLU(), nn.LayerNorm(32),
            nn.Linear(32, 5),
        )  # fmt: skip

    def forward(self, x: Any) -> Any:
        return self.net(x)


class Convolutions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(2),
            nn.Conv2d(8, 8, 3, groups=4), nn.GroupNorm(2, 8), nn.LeakyReLU(), nn.AvgPool2d(2),
            nn.ConvTranspose2d(8, 8, 2, stride=2), nn.Upsample(scale_factor=2, mode="bilinear"), nn.Hardswish(),
            nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, 5),
        )  # fmt: skip

    def forward(self, x: Any) -> Any:
        return self.net(x)


class Transformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Embedding(50, 16)
        self.block = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
        self.head = nn.Linear(16, 5)

    def forward(self, x: Any) -> Any:
        return self.head(self.block(self.tokens(x)).mean(1))


class Decoder(nn.Module):
    """Rotary positions, RMS norm and a gated layer, by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Embedding(50, 16)
        self.norm = nn.RMSNorm(16)
        self.qkv = nn.Linear(16, 48)
        self.gate, self.up, self.down = nn.Linear(16, 32), nn.Linear(16, 32), nn.Linear(32, 16)
        self.head = nn.Linear(16, 5)

    def forward(self, x: Any) -> Any:
        h = self.tokens(x)
        q, k, v = self.qkv(self.norm(h)).view(*x.shape, 3, 4, 4).permute(2, 0, 3, 1, 4).unbind(0)
        angle = torch.arange(x.shape[1])[:, None] * torch.logspace(0, -2, 2)
        q, k = (torch.cat((z[..., :2] * angle.cos(), z[..., 2:] * angle.sin()), -1) for z in (q, k))
        h = h + functional.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)
        h = h + self.down(functional.silu(self.gate(h)) * self.up(h))
        return self.head(h[:, -1])


class Recurrent(nn.Module):
    def __init__(self, kind: str) -> None:
        super().__init__()
        self.tokens = nn.Embedding(50, 16)
        self.layers = getattr(nn, kind)(16, 12, 2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(24, 5)

    def forward(self, x: Any) -> Any:
        return self.head(self.layers(self.tokens(x))[0][:, -1])


class Recommender(nn.Module):
    def __init__(self, *, sparse: bool = False) -> None:
        super().__init__()
        self.users = nn.Embedding(100, 8, sparse=sparse)
        self.bags = nn.EmbeddingBag(50, 8, mode="sum", sparse=sparse)
        self.head = nn.Linear(16, 5)

    def forward(self, x: Any) -> Any:
        return self.head(torch.cat((self.users(x[:, 0]), self.bags(x)), 1))


def numbers(*shape: int) -> Callable[[], Any]:
    return lambda: torch.randn(*shape)


def tokens(*shape: int) -> Callable[[], Any]:
    return lambda: torch.randint(0, 50, shape)


MODELS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "perceptron": (Perceptron, numbers(8, 20)),
    "convolutions": (Convolutions, numbers(4, 3, 16, 16)),
    "transformer": (Transformer, tokens(4, 6)),
    "decoder": (Decoder, tokens(4, 6)),
    "lstm": (lambda: Recurrent("LSTM"), tokens(4, 6)),
    "gru": (lambda: Recurrent("GRU"), tokens(4, 6)),
    "rnn": (lambda: Recurrent("RNN"), tokens(4, 6)),
    "recommender": (Recommender, tokens(4, 6)),
}
OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, foreach=False),
    "sgd-foreach": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, foreach=True),
    "sgd-fused": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, fused=True),
    "adam-foreach": lambda p: torch.optim.Adam(p, foreach=True, amsgrad=True),
    "adam-fused": lambda p: torch.optim.Adam(p, fused=True),
    "adamw": lambda p: torch.optim.AdamW(p, foreach=False),
    "adagrad": lambda p: torch.optim.Adagrad(p, fused=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, foreach=True),
    "adafactor": lambda p: torch.optim.Adafactor(p),
}


def check(ops: Any) -> None:
    from narrows.ledger.cost import cost

    unknown = Counter(op.name for op in ops if not cost(op).by_shape)
    assert ops
    assert 1 - unknown.total() / len(ops) >= ENOUGH, unknown


def train(model: Any, inputs: Any, make: Callable[[Any], Any]) -> Any:
    from tests.ledger.cost.recorder import Recorder

    optimizer = make(list(model.parameters()))
    target = torch.randint(0, 5, (len(inputs),))
    with Recorder() as recorder:
        for _ in range(2):
            optimizer.zero_grad()
            functional.cross_entropy(model(inputs), target).backward()
            if not any(p.grad.is_sparse for p in model.parameters()):
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    return recorder.ops


@pytest.mark.parametrize("optimizer", ["sgd", "adam-foreach", "adam-fused"])
@pytest.mark.parametrize("name", MODELS)
def test_training_step(name: str, optimizer: str) -> None:
    make, inputs = MODELS[name]
    check(train(make(), inputs(), OPTIMIZERS[optimizer]))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_optimizers(optimizer: str) -> None:
    check(train(Perceptron(), torch.randn(8, 20), OPTIMIZERS[optimizer]))


@pytest.mark.parametrize("mode", ["inference_mode", "no_grad"])
@pytest.mark.parametrize("name", MODELS)
def test_inference(name: str, mode: str) -> None:
    from tests.ledger.cost.recorder import Recorder

    make, inputs = MODELS[name]
    model, x = make().eval(), inputs()
    with getattr(torch, mode)(), Recorder() as recorder:
        model(x).softmax(-1).topk(2)
    check(recorder.ops)


@pytest.mark.parametrize("name", ["perceptron", "convolutions", "transformer"])
def test_mixed_precision(name: str) -> None:
    make, inputs = MODELS[name]
    model, x = make(), inputs()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        check(train(model, x, OPTIMIZERS["sgd"]))


def test_sparse_gradients_are_not_priced_as_if_they_were_dense() -> None:
    """What is known of a sparse gradient is its kind, and no more bytes than its op surely moves."""
    from narrows.ledger.cost import cost

    ops = train(Recommender(sparse=True), torch.randint(0, 50, (4, 6)), OPTIMIZERS["sgd"])
    unknown = [cost(op) for op in ops if not cost(op).by_shape]
    assert unknown
    assert all(found.flops == 0 for found in unknown)


def test_the_layers_of_a_recurrent_net_cost_their_products() -> None:
    """By hand: 6 tokens of 4 samples, 2 directions, 4 gates of 12; the second layer reads both directions."""
    from narrows.ledger.cost import cost

    per_token = 2 * (4 * 12 * (16 + 12) + 4 * 12 * (24 + 12))
    products = 2 * 24 * per_token
    gates = 10 * 24 * 2 * 2 * 4 * 12
    ops = train(Recurrent("LSTM"), torch.randint(0, 50, (4, 6)), OPTIMIZERS["sgd"])
    layers = [cost(op) for op in ops if op.name == "mkldnn_rnn_layer"]
    if not layers:
        pytest.skip("this build has no oneDNN recurrent layers")
    assert sum(layer.flops for layer in layers) == 2 * (products + gates)  # two steps
