from pathlib import Path
from typing import Any

import pytest

from narrows.findings.view import View
from narrows.remedies import length_bucketing
from tests import fakes
from tests.fakes import boundaries, op, process, tensor, window
from tests.remedies.answering import answering
from tests.remedies.harness import run

SCRIPT = """
import random, time, torch
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset, RandomSampler
torch.manual_seed(3)
sizes = torch.randint(1, 60, (203,)).tolist()


class Set(Dataset):
    def __len__(self):
        return 203

    def __getitem__(self, index):
        torch.rand(1), random.random()
        {sample}
        return "a name", torch.full((sizes[index],), index + 1), index


def collate(batch):
    {collate}
    return pad_sequence([tokens for _, tokens, _ in batch], batch_first=True), torch.tensor([i for _, _, i in batch])


class Own(RandomSampler):
    pass


loader = DataLoader(Set(), batch_size=4, collate_fn=collate, {order}, drop_last={drop})
for epoch in range(2):
    seen, tokens, last = [], 0, None
    for x, index in loader:
        seen += index.tolist()
        tokens += x.numel()
        last = index.tolist()
    print(seen, tokens)
    print(sorted(seen), last, len(loader), loader.batch_size, torch.rand(1).item(), random.random())
"""
PLAIN = {"sample": "", "collate": "", "order": "shuffle=True", "drop": "False"}
LOADER = {"workers": 0, "batch_size": 8, "batches": 100}
PADDED = {"denormal": [0, 1], "padding": [[100, 60, "padding_idx"]], "rectified": []}


def script(**changes: str) -> str:
    text = SCRIPT
    for name, value in {**PLAIN, **changes}.items():
        text = text.replace("{" + name + "}", value)
    return text


def job(*lengths: int, loader: dict[str, Any] = LOADER, values: dict[str, Any] = PADDED) -> View:
    ops = [window("ops", ops=(op("mm", tensor(8, n), tensor(n, 8), out=tensor(8, 8), ms=4.0),)) for n in lengths]
    return fakes.view(process(boundaries(forward=5.0, backward=5.0), *ops, loader=loader, values=values))


def test_it_is_not_tried_without_padding_or_where_every_batch_is_as_long() -> None:
    assert length_bucketing.candidates(job(30, 50, values={**PADDED, "padding": [[100, 9, "padding_idx"]]})) == []
    assert length_bucketing.candidates(job(30, 50, values={**PADDED, "padding": []})) == []
    assert length_bucketing.candidates(job(50, 50)) == []


@pytest.mark.parametrize("loader", [{}, {**LOADER, "batch_size": None}, {**LOADER, "batch_size": 1}])
def test_it_is_not_tried_without_a_loader_that_makes_batches(loader: dict[str, Any]) -> None:
    assert length_bucketing.candidates(job(30, 50, loader=loader)) == []


def test_it_is_not_tried_where_nothing_learns() -> None:
    assert length_bucketing.candidates(answering(forward=5.0, loader=LOADER, values=PADDED)) == []


def test_it_saves_most_of_the_padding() -> None:
    (found,) = length_bucketing.candidates(job(30, 50))
    assert found.value == 50
    assert found.seconds == pytest.approx(0.8 * 0.6 * 0.010)


@pytest.mark.torch
@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"sample": "time.sleep(0.002)"}, "a sample takes"),
        ({"collate": "batch = [(n, torch.cat([t, t.new_zeros(60 - len(t))]), i) for n, t, i in batch]"}, "not as long"),
        ({"order": "sampler=Own(Set())"}, "an order of the job's own"),
        ({"sample": "return 1, 2, index", "collate": "return torch.ones(1, 1), torch.tensor([i for *_, i in batch])"},
         "no sequence"),
        ({"order": "shuffle=False"}, ""),
    ],
)  # fmt: skip
def test_batches_stay_where_it_cannot_help(tmp_path: Path, changes: dict[str, str], why: str) -> None:
    pytest.importorskip("torch")
    text = script(**changes)
    plain, found = run(tmp_path / "plain", text), run(tmp_path / "job", text, ("length-bucketing", 5))
    assert found.output == plain.output
    assert found.applied == ()
    assert [why in e["why"] for e in found.not_applied] == ([True] if why else [])


@pytest.mark.torch
@pytest.mark.parametrize("drop", ["False", "True"])
def test_every_sample_comes_once_in_batches_with_little_padding(tmp_path: Path, drop: str) -> None:
    pytest.importorskip("torch")
    text = script(drop=drop)
    plain, found = run(tmp_path / "plain", text), run(tmp_path / "job", text, ("length-bucketing", 20))
    before, after = plain.output.splitlines(), found.output.splitlines()
    for epoch in (0, 2):
        (order, tokens), (again, fewer) = before[epoch].rsplit(" ", 1), after[epoch].rsplit(" ", 1)
        assert order != again
        assert int(fewer) < 0.75 * int(tokens)
    # All else, the samples of a smaller batch at the end and random numbers after the epoch too, is what it was.
    assert [line.split("] ")[0] for line in after[1::2]] == [line.split("] ")[0] for line in before[1::2]]
    if drop == "False":
        assert [line.split("] ")[1:] for line in after[1::2]] == [line.split("] ")[1:] for line in before[1::2]]
    assert after[0] != after[2]
    assert [e["batch_size"] for e in found.applied] == [4]
    assert found.not_applied == ()
