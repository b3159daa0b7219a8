"""A BERT-style encoder that reads long documents, source files, and tells which project they belong to."""

import argparse
import importlib.util
import os
import random
import re
import sys
from collections import Counter
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

WORKLOAD = {
    "field": "long documents",
    "model": "BERT-style encoder, 2 layers, 128 wide, from scratch",
    "data": "source files of Python, PyTorch, NumPy, SciPy, scikit-learn, SymPy and NetworkX, as installed",
    "size": "up to 120 files of each, of 500 words and more",
    "licence": "PSF licence, BSD 3-clause",
    "bottleneck": "compute and memory that grow with the square of the length",
    "score": "accuracy",
    "better": "higher",
    "needs": [],
}
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "narrows"
PROJECTS = ["python", "torch", "numpy", "scipy", "sklearn", "sympy", "networkx"]
GIVEAWAYS = (
    r"c? ?python|(?:py)? ?torch|(?:num|sci|sym) ?py|sklearn|scikit.learn|network ?x|(?<![a-z])(?:np|nx)(?![a-z])"
)
"""What would name the answer is taken out."""
FILES, WORDS = 120, 4000
"""Of each project; of the vocabulary."""
LOOK, PATIENCE = 40, 3
"""Steps between two looks at the validation files, and looks without a lower loss after which training ends."""
PAD, UNKNOWN, CLS = range(3)


def words_of(text: str) -> list[str]:
    """Parts of identifiers, words and punctuation, in lower case, without import lines and giveaways."""
    text = re.sub(r"^\s*(?:from|import) .*$", " ", text, flags=re.MULTILINE)
    text = re.sub(GIVEAWAYS, " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower())
    return re.findall(r"[a-z]+|\d|[^\w\s]", text)


def documents(length: int) -> list[tuple[list[str], int]]:
    """(words, number of the project) of files that are long enough, the same ones in each run."""
    found = []
    for label, project in enumerate(PROJECTS):
        folder = Path(os.__file__ if project == "python" else importlib.util.find_spec(project).origin).parent
        paths = [
            path for path in sorted(folder.rglob("*.py"))
            if not {"tests", "test", "testing", "site-packages", "_vendor"} & set(path.relative_to(folder).parts)
            and path.stat().st_size > 6 * length
        ]  # fmt: skip
        for path in random.Random(0).sample(paths, min(FILES, len(paths))):
            found.append((words_of(path.read_text(encoding="utf-8", errors="ignore")[: 24 * length]), label))
    return found


class Attention(nn.Module):
    def __init__(self, width: int, heads: int, by_hand: bool) -> None:
        super().__init__()
        self.heads, self.by_hand = heads, by_hand
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x, mask):
        """x: (batch, length, width); mask: (batch, 1, 1, length), False at padding."""
        batch, length, width = x.shape
        q, k, v = self.qkv(x).reshape(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        if self.by_hand:
            scores = q @ k.transpose(2, 3) / q.shape[3] ** 0.5  # (batch, heads, length, length), kept for the backward
            attended = functional.softmax(scores.masked_fill(~mask, -torch.inf), dim=3) @ v
        else:
            attended = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(attended.transpose(1, 2).reshape(batch, length, width))


class Block(nn.Module):
    def __init__(self, width: int, heads: int, by_hand: bool) -> None:
        super().__init__()
        self.attention = Attention(width, heads, by_hand)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x, mask):
        x = x + self.attention(self.norm1(x), mask)
        return x + self.mlp(self.norm2(x))


class Encoder(nn.Module):
    """As BERT, but with normalisation before each layer, which trains without a long warm-up."""

    def __init__(
        self, *, length: int, by_hand: bool = False, width: int = 128, heads: int = 4, layers: int = 2
    ) -> None:
        super().__init__()
        self.words = nn.Embedding(WORDS, width, padding_idx=PAD)
        self.positions = nn.Embedding(length, width)
        for table in (self.words, self.positions):
            nn.init.normal_(table.weight, std=0.02)
        self.blocks = nn.ModuleList([Block(width, heads, by_hand) for _ in range(layers)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, len(PROJECTS))

    def forward(self, indices):
        """(batch, length), CLS first -> logits (batch, projects)."""
        mask = (indices != PAD)[:, None, None]
        x = self.words(indices) + self.positions.weight[: indices.shape[1]]
        for block in self.blocks:
            x = block(x, mask)
        return self.head(self.norm(x[:, 0]))


def encode(words: list[str], index: dict[str, int], length: int, start: int = 0):
    """(length,): CLS, then the words from `start`, then padding."""
    found = [index.get(word, UNKNOWN) for word in words[start : start + length - 1]]
    return torch.tensor([CLS, *found] + [PAD] * (length - 1 - len(found)))


def windows(words: list[str], index: dict[str, int], length: int):
    """(up to 3, length): the document in windows."""
    starts = range(0, max(len(words) - length // 2, 1), length - 1)
    return torch.stack([encode(words, index, length, start) for start in starts[:3]])


@torch.inference_mode()
def chances(model: Encoder, words: list[str], index: dict[str, int], length: int):
    """(projects,): softmax, then the mean over the windows."""
    return functional.softmax(model(windows(words, index, length)), dim=1).mean(dim=0)


def train(options: argparse.Namespace) -> None:
    steps = options.steps or (40 if options.slow else 240)
    torch.manual_seed(0)
    random.seed(0)
    length = options.length
    found = documents(length)
    random.shuffle(found)
    part = len(found) // 6
    test, valid, rest = found[:part], found[part : 2 * part], found[2 * part :]
    counts = Counter(word for words, _ in rest for word in words)
    vocabulary = [word for word, _ in counts.most_common(WORDS - 3)]
    index = {word: i + 3 for i, word in enumerate(vocabulary)}
    model = Encoder(length=length, by_hand=options.slow)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-3, total_steps=steps, cycle_momentum=False)
    held_out = torch.stack([encode(words, index, length) for words, _ in valid])
    held_out_labels = torch.tensor([label for _, label in valid])

    def batch():
        """Random windows of random documents."""
        chosen = random.choices(rest, k=options.batch)
        starts = [random.randrange(max(len(words) - length, 1)) for words, _ in chosen]
        rows = [encode(words, index, length, start) for (words, _), start in zip(chosen, starts, strict=True)]
        return torch.stack(rows), torch.tensor([label for _, label in chosen])

    @torch.no_grad()
    def validate() -> tuple[float, float]:
        logits = torch.cat([model(rows) for rows in held_out.split(options.batch)])
        right = (logits.argmax(1) == held_out_labels).float().mean().item()
        return functional.cross_entropy(logits, held_out_labels).item(), right

    best, since = float("inf"), 0
    options.model.parent.mkdir(parents=True, exist_ok=True)
    for step in range(steps):
        inputs, labels = batch()
        loss = functional.cross_entropy(model(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if (step + 1) % LOOK == 0 or step + 1 == steps:
            seen, right = validate()
            print(f"step {step + 1}/{steps}  loss {loss.item():.3f}  validation {seen:.3f}  accuracy {right:.3f}")
            since = 0 if seen < best else since + 1
            if seen < best:
                best = seen
                torch.save({"length": length, "words": vocabulary, "state": model.state_dict()}, options.model)
            if since == PATIENCE:
                break

    model, index, length = load(options.model)
    score = sum(chances(model, words, index, length).argmax().item() == label for words, label in test) / len(test)
    ((commonest, _),) = Counter(label for _, label in rest).most_common(1)
    guess = sum(label == commonest for _, label in test) / len(test)
    print(f"accuracy {score:.3f}  (baseline {guess:.3f}: always the commonest project)")


def load(path: Path) -> tuple[Encoder, dict[str, int], int]:
    saved = torch.load(path)
    model = Encoder(length=saved["length"])
    model.load_state_dict(saved["state"])
    return model.eval(), {word: i + 3 for i, word in enumerate(saved["words"])}, saved["length"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=None, help="at most")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--length", type=int, default=512, help="words that are read at once")
    parser.add_argument(
        "--slow", action="store_true", help="with a classic mistake: attention by hand, all scores kept"
    )
    parser.add_argument("--infer", type=Path, metavar="FILE", help="tell which project this source file belongs to")
    parser.add_argument("--model", type=Path, default=CACHE / "bert-long.pt", help="where the trained model is kept")
    options = parser.parse_args()
    if options.infer is None:
        return train(options)
    try:
        words = words_of(options.infer.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        parser.error(f"--infer takes a text file: {error}")
    if not words:
        parser.error(f"--infer takes a text file, and {options.infer} has no words")
    if not options.model.exists():
        print("there is no trained model yet: training one first", file=sys.stderr)
        train(options)
    model, index, length = load(options.model)
    found = chances(model, words, index, length)
    print(f"{PROJECTS[found.argmax().item()]}  ({found.max().item():.1%} sure)")


if __name__ == "__main__":
    main()
