"""Packed sequences: a trace without numbers takes what the run takes."""

from pathlib import Path

import pytest

from tests.probe.memory.running import HEAD, peak, run

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

PACKED = (
    HEAD
    + """
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader
data = [[1] * (2 + 3 * i % 7) for i in range(256)]
def collate(rows):
    rows = [torch.tensor(row) for row in rows]
    return pad_sequence(rows, batch_first=True), torch.tensor([len(row) for row in rows])
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(50, 32)
        self.rnn = nn.{kind}(32, 64, batch_first=True, bidirectional=True)
        self.head = nn.Linear(128, 1)
    def forward(self, tokens, lengths):
        packed = pack_padded_sequence(self.words(tokens), lengths, batch_first=True, enforce_sorted=False)
        packed, _ = self.rnn(packed)
        out, ends = pad_packed_sequence(packed, batch_first=True)
        assert out.shape[0] == len(ends) == 32
        if {known}:
            assert ends.tolist() == lengths.tolist() and out.shape[1] == max(ends.tolist())
        return self.head(out).squeeze(-1).mean(1)
model = Net()
"""
)
LOOP = """
optimizer = torch.optim.Adam(model.parameters())
for tokens, lengths in DataLoader(data, batch_size=32, collate_fn=collate):
    loss = model(tokens, lengths).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
UNKNOWN = """
optimizer = torch.optim.Adam(model.parameters())
for step in range(9):
    tokens = torch.randint(1, 50, (32, 8))
    loss = model(tokens, (tokens > 0).sum(1)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
INFERENCE = """
with torch.inference_mode():
    for tokens, lengths in DataLoader(data, batch_size=32, collate_fn=collate):
        model(tokens, lengths)
"""


@pytest.mark.parametrize(
    ("kind", "loop"), [("LSTM", LOOP), ("GRU", UNKNOWN), ("LSTM", INFERENCE)],
    ids=["lengths that are known", "as long as they can be", "inference"],
)  # fmt: skip
def test_a_trace_says_the_same(tmp_path: Path, kind: str, loop: str) -> None:
    script = PACKED.format(kind=kind, known=loop is not UNKNOWN) + loop
    real, traced = (peak(run(tmp_path / how, script, how)) for how in ("real", "fake"))
    assert traced == pytest.approx(real, rel=0.01)
