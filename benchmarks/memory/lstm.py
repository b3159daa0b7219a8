"""A word-level language model: two layers of LSTM, the state carried from one stretch of text to the next."""

import argparse

import torch
from torch import nn

WORDS, BPTT = 10_000, 35


class WordLSTM(nn.Module):
    def __init__(self, width=256, hidden=512):
        super().__init__()
        self.embedding = nn.Embedding(WORDS, width)
        self.dropout = nn.Dropout(0.2)
        self.lstm = nn.LSTM(width, hidden, num_layers=2, dropout=0.2)
        self.decoder = nn.Linear(hidden, WORDS)

    def forward(self, words, state=None):
        out, state = self.lstm(self.dropout(self.embedding(words)), state)
        return self.decoder(self.dropout(out)), state


def get_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--checkpoint", action="store_true", help="ignored: there are no repeated blocks to recompute")
    return parser.parse_args()


def make_model(args):
    return WordLSTM()


def make_optimizer(model):
    return torch.optim.SGD(model.parameters(), lr=1.0)


def make_batches(args):
    text = torch.randint(WORDS, (40 * BPTT * args.batch,))
    columns = text.view(args.batch, -1).t().contiguous()
    while True:
        for i in range(0, len(columns) - BPTT - 1, BPTT):
            yield columns[i : i + BPTT], columns[i + 1 : i + 1 + BPTT]


state = None


def train_step(model, optimizer, batch, args):
    global state
    words, following = batch
    model.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.bf16):
        out, state = model(words, state)
        loss = nn.functional.cross_entropy(out.flatten(0, 1), following.flatten())
    loss.backward()
    state = tuple(s.detach() for s in state)
    nn.utils.clip_grad_norm_(model.parameters(), 0.25)
    optimizer.step()
    return loss


if __name__ == "__main__":
    args = get_args()
    torch.manual_seed(0)
    model = make_model(args)
    optimizer = make_optimizer(model)
    for step, batch in zip(range(args.steps), make_batches(args), strict=False):
        loss = train_step(model, optimizer, batch, args)
        print(f"step {step}: loss {loss.item():.3f}")
