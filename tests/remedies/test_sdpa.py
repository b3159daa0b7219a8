import importlib.util
from pathlib import Path

import pytest

from narrows.remedies import sdpa
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.harness import run

SCRIPT = """
import torch
import transformers
torch.manual_seed(0)
config = transformers.BertConfig(
    hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, vocab_size=50,
    attn_implementation="{how}",
)
net = transformers.BertForSequenceClassification(config).eval()
with torch.no_grad():
    for _ in range(4):
        output = net(torch.arange(8)[None] % 50)
print(net.config._attn_implementation, *(round(x, 4) for x in output.logits.flatten().tolist()))
"""
SCORES = tensor(8, 12, 128, 128)
SOFTMAX = op("_softmax", SCORES, -1, False, out=SCORES, ms=4.0)


def model(tmp_path: Path, text: str) -> dict[str, object]:
    (tmp_path / "train.py").write_text(text)
    return {"class": "BertModel", "where": [str(tmp_path / "train.py"), 1, "main"]}


def test_it_is_not_tried_on_a_script_without_transformers(tmp_path: Path) -> None:
    job = process(boundaries(forward=6.0), window("ops", ops=(SOFTMAX,)), model=model(tmp_path, "import torch"))
    assert sdpa.candidates(fakes.view(job)) == []


def test_it_is_not_tried_where_attention_is_one_op(tmp_path: Path) -> None:
    attention = op("_scaled_dot_product_flash_attention_for_cpu", SCORES, SCORES, SCORES, out=SCORES, ms=1.0)
    work = window("ops", ops=(SOFTMAX, attention))
    job = process(boundaries(forward=6.0), work, model=model(tmp_path, "import transformers"))
    assert sdpa.candidates(fakes.view(job)) == []


def test_it_is_tried_where_scores_are_written(tmp_path: Path) -> None:
    job = process(boundaries(forward=6.0), window("ops", ops=(SOFTMAX,)), model=model(tmp_path, "import transformers"))
    (found,) = sdpa.candidates(fakes.view(job))
    assert 0.002 < found.seconds < 0.003


@pytest.mark.torch
def test_eager_attention_is_replaced(tmp_path: Path) -> None:
    if importlib.util.find_spec("transformers") is None:
        pytest.skip("no transformers")
    script = SCRIPT.replace("{how}", "eager")
    plain, found = run(tmp_path / "plain", script), run(tmp_path / "job", script, ("sdpa", True))
    assert (plain.output.split()[0], found.output.split()[0]) == ("eager", "sdpa")
    before, after = ([float(x) for x in each.output.split()[1:]] for each in (plain, found))
    assert after == pytest.approx(before, abs=1e-3)
    assert [e["model"] for e in found.applied] == ["BertForSequenceClassification"]


@pytest.mark.torch
def test_a_model_without_transformers_is_left_alone(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    found = run(tmp_path / "job", "import torch\ntorch.nn.Linear(2, 2)(torch.ones(1, 2))", ("sdpa", True))
    assert found.applied == found.not_applied == ()
