import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

from narrows.remedies import sequence_packing
from tests import fakes
from tests.fakes import boundaries, process
from tests.remedies.harness import run

SCRIPT = """
import os, torch, transformers
transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
torch.manual_seed(1)
shape = dict(vocab_size=40, num_hidden_layers=2, hidden_size=32, num_attention_heads=2)
if "{model}" == "Llama":
    net = transformers.LlamaForCausalLM(transformers.LlamaConfig(**shape, intermediate_size=64, attn_implementation="{how}"))
else:
    config = transformers.GPT2Config(vocab_size=40, n_layer=2, n_embd=32, n_head=2, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0,
                                     attn_implementation="{how}")
    net = transformers.GPT2LMHeadModel(config)
lengths = torch.randint(3, 20, (16,)).tolist()
data = [torch.randint(1, 40, (n,)).tolist() for n in lengths]
rows = []

def collate(batch):
    ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(x["input_ids"]) for x in batch], batch_first=True)
    mask = (ids != 0).long()
    return {"input_ids": ids, "attention_mask": mask, "labels": ids.masked_fill(ids == 0, -100)}

class Trainer(transformers.Trainer):
    def compute_loss(self, model, inputs, *args, **kwargs):
        loss = super().compute_loss(model, inputs, *args, **kwargs)
        print(f"{(loss[0] if isinstance(loss, tuple) else loss).item():.5f}")
        return loss

net.register_forward_pre_hook(lambda m, args, kwargs: rows.append(list(kwargs["input_ids"].shape)), with_kwargs=True)
told = transformers.TrainingArguments(
    output_dir="out", per_device_train_batch_size=4, max_steps=4, report_to=[], save_strategy="no", use_cpu=True,
    disable_tqdm=True, logging_strategy="no", remove_unused_columns=False,
)
Trainer(net, told, train_dataset=[{"input_ids": x} for x in data], data_collator=collate).train()
print(rows)
"""
PLAIN = {"model": "Llama", "how": "sdpa"}
PADDED = {"denormal": [0, 1], "padding": [[100, 40, "attention_mask"]], "rectified": []}


def script(**changes: str) -> str:
    text = SCRIPT
    for name, value in {**PLAIN, **changes}.items():
        text = text.replace("{" + name + "}", value)
    return text


def seen(output: str) -> tuple[list[float], list[list[int]]]:
    """Losses, and the shapes that the model was given."""
    *losses, shapes = output.splitlines()
    return [float(line) for line in losses if line[:1].isdigit()], [list(s) for s in eval(shapes)]


def a_job(tmp_path: Path, text: str, inner: str = "LlamaForCausalLM", padded: int = 40) -> fakes.Process:
    (tmp_path / "train.py").write_text(text)
    model = {"class": inner, "inner": inner, "where": [str(tmp_path / "train.py"), 1, "main"]}
    values = {**PADDED, "padding": [[100, padded, "attention_mask"]]}
    return process(boundaries(forward=4.0, backward=8.0), model=model, values=values)


@pytest.mark.parametrize(
    "changes",
    [{"text": "import transformers"}, {"inner": "BertForSequenceClassification"}, {"padded": 5}],
    ids=["a loop of its own", "answers of samples", "little padding"],
)
def test_it_is_not_tried_where_it_says_nothing(tmp_path: Path, changes: dict[str, object]) -> None:
    job = a_job(tmp_path, **{"text": "Trainer(net).train()", **changes})  # type: ignore[arg-type]
    assert sequence_packing.candidates(fakes.view(job)) == []


def test_it_is_tried_where_a_trainer_pads_text(tmp_path: Path) -> None:
    (found,) = sequence_packing.candidates(fakes.view(a_job(tmp_path, "Trainer(net).train()")))
    assert found.seconds == pytest.approx(0.4 * 0.012)


@pytest.mark.torch
@pytest.mark.parametrize(
    ("mask", "labels"),
    [
        ([[1, 1, 1], [1, 1, 1]], [[5, 6, 7], [8, 9, 4]]),
        ([[1, 0, 1], [1, 1, 1]], [[5, -100, 7], [8, 9, 4]]),
        ([[0, 1, 1], [1, 1, 1]], [[-100, 6, 7], [8, 9, 4]]),
    ],
    ids=["nothing is padded", "a hole in a sample", "padding that has a target"],
)
def test_what_it_must_not_touch(mask: list[list[int]], labels: list[list[int]]) -> None:
    torch = pytest.importorskip("torch")
    batch = {"attention_mask": torch.tensor(mask), "labels": torch.tensor(labels), "input_ids": torch.tensor(labels)}
    assert sequence_packing.packed(torch, batch) is batch
    other = {**batch, "attention_mask": torch.tensor([[1, 1, 0], [1, 1, 1]]), "pixel_values": torch.zeros(2)}
    assert sequence_packing.packed(torch, other) is other


@pytest.mark.torch
def test_samples_become_one_row() -> None:
    torch = pytest.importorskip("torch")
    ids = torch.tensor([[5, 6, 0], [7, 8, 9]])
    batch = {"attention_mask": (ids > 0).long(), "input_ids": ids, "labels": ids.masked_fill(ids == 0, -100)}
    row = sequence_packing.packed(torch, batch)
    assert row["input_ids"].tolist() == [[5, 6, 7, 8, 9]]
    assert row["labels"].tolist() == [[-100, 6, -100, 8, 9]]
    assert row["position_ids"].tolist() == [[0, 1, 0, 1, 2]]


def test_a_loss_of_the_trainers_own_stays() -> None:
    assert sequence_packing.plain(SimpleNamespace(label_smoother=None))
    assert not sequence_packing.plain(SimpleNamespace(label_smoother=object()))
    assert not sequence_packing.plain(SimpleNamespace(label_smoother=None, compute_loss_func=len))


@pytest.mark.torch
@pytest.mark.parametrize(
    "changes",
    [{}, {"model": "GPT2", "how": "eager"}],
    ids=["Llama", "GPT-2, attention written out"],
)
def test_the_loss_is_that_of_the_padded_batch(tmp_path: Path, changes: dict[str, str]) -> None:
    _skip()
    plain = run(tmp_path / "plain", script(**changes))
    found = run(tmp_path / "job", script(**changes), ("sequence-packing", True))
    losses, rows = seen(plain.output)
    assert seen(found.output)[0] == pytest.approx(losses, abs=1e-3)
    assert all(rows_of == 4 for rows_of, _ in rows)
    assert all(rows_of == 1 for rows_of, _ in seen(found.output)[1][1:])
    assert [a["remedy"] for a in found.applied] == ["sequence-packing"]


def _skip() -> None:
    if importlib.util.find_spec("transformers") is None or importlib.util.find_spec("accelerate") is None:
        pytest.skip("no transformers")
