"""A small Transformer that learns to write like Python's own documentation, letter by letter."""

import argparse
import os
import pydoc_data.topics
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

WORKLOAD = {
    "field": "language model, text generation",
    "model": "decoder Transformer, 4 layers, 128 wide",
    "data": "the text of Python's documentation (pydoc_data.topics)",
    "size": "about 700,000 letters",
    "licence": "PSF licence",
    "bottleneck": "compute; in generation the key-value cache",
    "score": "loss",
    "better": "lower",
    "needs": [],
}
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "narrows"
LOOK, PATIENCE = 50, 3
"""Steps between two looks at the held-out text, and looks without a lower loss after which training ends."""


class Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x, past=None):
        """x: (batch, length, width). past: keys and values of what came before, in generation; returned with those of x."""
        batch, length, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).reshape(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        if past is not None:
            k, v = torch.cat([past[0], k], dim=2), torch.cat([past[1], v], dim=2)
        attended = functional.scaled_dot_product_attention(q, k, v, is_causal=past is None)
        x = x + self.out(attended.transpose(1, 2).reshape(batch, length, width))
        return x + self.mlp(self.norm2(x)), (k, v)


class Decoder(nn.Module):
    def __init__(self, letters: int, *, context: int, width: int = 128, heads: int = 4, layers: int = 4) -> None:
        super().__init__()
        self.letters = nn.Embedding(letters, width)
        self.positions = nn.Embedding(context, width)
        self.blocks = nn.ModuleList([Block(width, heads) for _ in range(layers)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, letters)

    def forward(self, indices, cache=None):
        """Logits of the next letters; in generation, with a cache (a list, filled here) of one letter at a time."""
        before = cache[0][0].shape[2] if cache else 0
        positions = torch.arange(before, before + indices.shape[1], device=indices.device)
        x = self.letters(indices) + self.positions(positions)
        for number, block in enumerate(self.blocks):
            x, kept = block(x, cache[number] if cache and before else None)
            if cache is not None:
                cache[number : number + 1] = [kept]
        return self.head(self.norm(x))


def letters_of(text: str):
    return sorted(set(text))


def the_text() -> str:
    return "\n".join(topic for _, topic in sorted(pydoc_data.topics.topics.items()))


def train(options: argparse.Namespace) -> None:
    steps = options.steps or (120 if options.slow else 300)
    if options.slow:
        torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    text = the_text()
    letters = letters_of(text)
    index = {letter: i for i, letter in enumerate(letters)}
    data = torch.tensor([index[letter] for letter in text])
    data, held_out = data[: len(data) * 9 // 10], data[len(data) * 9 // 10 :]
    model = Decoder(len(letters), context=options.context)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

    def batch(source):
        starts = torch.randint(len(source) - options.context - 1, (options.batch,)).tolist()
        rows = torch.stack([source[s : s + options.context + 1] for s in starts])
        return rows[:, :-1], rows[:, 1:]

    def loss_of(inputs, targets):
        return functional.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())

    generator = torch.get_rng_state()
    valid = [batch(held_out) for _ in range(8)]
    torch.set_rng_state(generator)

    @torch.no_grad()
    def validate() -> float:
        model.eval()
        seen = sum(loss_of(*each).item() for each in valid) / len(valid)
        model.train()
        return seen

    best, since = float("inf"), 0
    options.model.parent.mkdir(parents=True, exist_ok=True)
    for step in range(steps):
        loss = loss_of(*batch(data))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if (step + 1) % LOOK == 0 or step + 1 == steps:
            seen = validate()
            print(f"step {step + 1}/{steps}  loss {loss.item():.3f}  held out {seen:.3f}")
            since = 0 if seen < best else since + 1
            if seen < best:
                best = seen
                told = {"letters": letters, "context": options.context, "state": model.state_dict()}
                torch.save(told, options.model)
            if since == PATIENCE:
                break

    print(write(options.model, "\n", 80).strip())
    counts = torch.bincount(data, minlength=len(letters)) + 1
    targets = torch.cat([target.flatten() for _, target in valid])
    guess = functional.cross_entropy((counts / counts.sum()).log().repeat(len(targets), 1), targets).item()
    print(f"loss {best:.3f}  (baseline {guess:.3f}: guessing by the letters' frequencies)")


def write(path: Path, start: str, count: int) -> str:
    """Goes on from `start`, letter by letter, each from the chances that the model gives it."""
    saved = torch.load(path)
    letters = saved["letters"]
    model = Decoder(len(letters), context=saved["context"]).eval()
    model.load_state_dict(saved["state"])
    index = {letter: i for i, letter in enumerate(letters)}
    written = [index[letter] for letter in start if letter in index][-saved["context"] // 2 :]
    room = min(count, saved["context"] - len(written))
    with torch.inference_mode():
        cache: list = []
        logits = model(torch.tensor([written]), cache)
        for _ in range(room):
            chances = functional.softmax(logits[0, -1], dim=-1)
            written.append(torch.multinomial(chances, 1).item())
            if len(written) < saved["context"]:
                logits = model(torch.tensor([written[-1:]]), cache)
    return "".join(letters[i] for i in written)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=None, help="at most")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--context", type=int, default=128)
    parser.add_argument("--slow", action="store_true", help="with a classic mistake: everything in double precision")
    parser.add_argument("--infer", metavar="TEXT", help="go on from this text")
    parser.add_argument("--model", type=Path, default=CACHE / "char-lm.pt", help="where the trained model is kept")
    options = parser.parse_args()
    if options.infer is None:
        return train(options)
    if not any(letter in set(the_text()) for letter in options.infer):
        parser.error("--infer takes a text, with a letter that Python's documentation has, too")
    if not options.model.exists():
        print("there is no trained model yet: training one first", file=sys.stderr)
        train(options)
    torch.manual_seed(0)
    print(" ".join(write(options.model, options.infer, 100).split()))


if __name__ == "__main__":
    main()
