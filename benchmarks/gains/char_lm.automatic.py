"""`@char-lm` with Accelerate and its mixed precision."""

import argparse
import math
import pydoc_data.topics

import bf16
import torch
from accelerate import Accelerator
from torch import nn
from torch.nn import functional


class Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).reshape(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(attended.transpose(1, 2).reshape(batch, length, width))
        return x + self.mlp(self.norm2(x))


class Decoder(nn.Module):
    def __init__(self, letters: int, *, context: int, width: int = 128, heads: int = 4, layers: int = 4) -> None:
        super().__init__()
        self.letters = nn.Embedding(letters, width)
        self.positions = nn.Embedding(context, width)
        self.blocks = nn.Sequential(*[Block(width, heads) for _ in range(layers)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, letters)

    def forward(self, indices):
        positions = torch.arange(indices.shape[1], device=indices.device)
        return self.head(self.norm(self.blocks(self.letters(indices) + self.positions(positions))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--context", type=int, default=128)
    parser.add_argument("--slow", action="store_true", help="with a classic mistake: everything in double precision")
    options = parser.parse_args()
    steps = options.steps or (120 if options.slow else 300)
    if options.slow:
        torch.set_default_dtype(torch.float64)

    torch.manual_seed(0)
    text = "\n".join(topic for _, topic in sorted(pydoc_data.topics.topics.items()))
    letters = sorted(set(text))
    index = {letter: i for i, letter in enumerate(letters)}
    data = torch.tensor([index[letter] for letter in text])
    model = Decoder(len(letters), context=options.context)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    accelerator = Accelerator(mixed_precision="bf16" if bf16.FAST else "no", cpu=True)
    model, optimizer = accelerator.prepare(model, optimizer)

    def batch():
        starts = torch.randint(len(data) - options.context - 1, (options.batch,)).tolist()
        rows = torch.stack([data[s : s + options.context + 1] for s in starts])
        return rows[:, :-1], rows[:, 1:]

    for step in range(steps):
        inputs, targets = batch()
        logits = model(inputs)
        loss = functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if (step + 1) % 50 == 0:
            print(f"step {step + 1}/{steps}  loss {loss.item():.3f}")

    model.eval()
    written = torch.tensor([[index["\n"]]])
    with torch.no_grad():
        for _ in range(80):
            chances = functional.softmax(model(written[:, -options.context :])[:, -1], dim=-1)
            written = torch.cat([written, torch.multinomial(chances, 1)], dim=1)
    print("".join(letters[i] for i in written[0].tolist()).strip())
    print(f"loss {loss.item():.3f}  (guessing letters at random: {math.log(len(letters)):.3f})")


if __name__ == "__main__":
    main()
