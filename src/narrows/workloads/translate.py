"""An encoder-decoder Transformer that translates the labels and messages of web sites from English into German."""

import argparse
import ast
import importlib.util
import os
import re
import sys
from collections import Counter
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from tokenizers.trainers import BpeTrainer
from torch import nn
from torch.nn import functional

WORKLOAD = {
    "field": "machine translation",
    "model": "encoder-decoder Transformer, 2 + 2 layers, 128 wide, with byte-pair encoding",
    "data": "the German message catalogues of Django and Wagtail (gettext)",
    "size": "about 2,200 short texts in both languages",
    "licence": "BSD 3-clause",
    "bottleneck": "padding",
    "score": "chrF",
    "better": "higher",
    "needs": ["django", "tokenizers", "wagtail"],
}
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "narrows"
PATIENCE = 6
"""Epochs without a lower loss on the validation texts, after which training ends."""
SPECIAL = ["[PAD]", "[START]", "[END]"]
PAD, START, END = range(3)
LONGEST, TOKENS = 64, 1300
"""Tokens of a text, at most; different ones."""


def catalogue(text: str):
    """Pairs (English, German) of a gettext catalogue (.po), without what is unsure (fuzzy), plural or not translated."""
    for entry in re.split(r"\n\s*\n", text):
        fields, last = {}, None
        for line in entry.splitlines():
            if found := re.match(r'(msg\w+(?:\[\d\])?)\s+(".*")$', line):
                last = found[1]
                fields[last] = ast.literal_eval(found[2])
            elif line.startswith('"') and last:
                fields[last] += ast.literal_eval(line)
        if "#, fuzzy" not in entry and fields.get("msgid") and fields.get("msgstr"):
            yield fields["msgid"], fields["msgstr"]


def cleaned(text: str) -> str:
    """Without HTML; what is filled in later, such as %(count)s or {name}, becomes @."""
    text = re.sub(r"<[^>]*>", " ", text)
    return " ".join(re.sub(r"%\(\w+\)[sd]|%[sd]|\{\w*\}", "@", text).split())


def the_pairs() -> list[tuple[str, str]]:
    """All different pairs, in an order that depends on nothing but the catalogues."""
    found = {}
    for package in ("django", "wagtail"):
        for path in sorted(Path(importlib.util.find_spec(package).origin).parent.rglob("locale/de/LC_MESSAGES/*.po")):
            for source, target in catalogue(path.read_text(encoding="utf-8")):
                source, target = cleaned(source).lower(), cleaned(target)
                if re.search("[a-z]", source) and len(source) < 200:
                    found.setdefault(re.sub(r"\W", "", source), (source, target))
    return [found[key] for key in sorted(found)]


def tokenizer_of(texts: list[str]) -> Tokenizer:
    """Byte-pair encoding (Sennrich et al., 2016) of the bytes of words: nothing is unknown, and all can be undone."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        texts, BpeTrainer(vocab_size=TOKENS, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False)
    )
    return made


def encode(tokenizer: Tokenizer, text: str) -> list[int]:
    return [START, *tokenizer.encode(text).ids[: LONGEST - 2], END]


class Translator(nn.Module):
    def __init__(self, *, width: int = 128, heads: int = 4, layers: int = 2, dropout: float = 0.2) -> None:
        super().__init__()
        self.tokens = nn.Embedding(TOKENS, width, padding_idx=PAD)
        self.positions = nn.Embedding(LONGEST, width)
        nn.init.normal_(self.tokens.weight, std=width**-0.5)
        nn.init.normal_(self.positions.weight, std=width**-0.5)
        self.dropout = nn.Dropout(dropout)
        shape = {"dim_feedforward": 4 * width, "dropout": dropout, "batch_first": True, "norm_first": True}
        encoder = nn.TransformerEncoderLayer(width, heads, **shape)
        self.encoder = nn.TransformerEncoder(encoder, layers, nn.LayerNorm(width), enable_nested_tensor=False)
        self.decoder = nn.TransformerDecoder(
            nn.TransformerDecoderLayer(width, heads, **shape), layers, nn.LayerNorm(width)
        )

    def embed(self, indices):
        scale = self.tokens.embedding_dim**0.5
        return self.dropout(scale * (self.tokens(indices) + self.positions.weight[: indices.shape[1]]))

    def encode(self, source):
        return self.encoder(self.embed(source), src_key_padding_mask=source == PAD)

    def decode(self, target, memory, source):
        """Logits of the tokens after each of `target`: (batch, length, tokens). The embedding serves as head, too."""
        future = torch.ones(target.shape[1], target.shape[1], dtype=torch.bool).triu(1)
        decoded = self.decoder(
            self.embed(target), memory, tgt_mask=future, tgt_key_padding_mask=target == PAD,
            memory_key_padding_mask=source == PAD,
        )  # fmt: skip
        return functional.linear(decoded, self.tokens.weight)

    def forward(self, source, target):
        return self.decode(target, self.encode(source), source)


def padded(rows: list[list[int]], length: int | None = None):
    """(rows, longest of them or `length`)."""
    length = length or max(map(len, rows))
    return torch.tensor([row + [PAD] * (length - len(row)) for row in rows])


def batches(pairs, size: int, *, slow: bool):
    """Batches in random order, of texts that are about as long as each other, so that little is padding."""
    order = torch.randperm(len(pairs)).tolist()
    if not slow:
        order.sort(key=lambda i: (len(pairs[i][1]), len(pairs[i][0])))
    for at in (size * torch.randperm((len(order) + size - 1) // size)).tolist():
        rows = [pairs[i] for i in order[at : at + size]]
        yield tuple(padded(list(side), LONGEST if slow else None) for side in zip(*rows, strict=True))


@torch.inference_mode()
def translate(model: Translator, tokenizer: Tokenizer, texts: list[str]) -> list[str]:
    """Greedy: at each place the likeliest token."""
    source = padded([encode(tokenizer, cleaned(text).lower()) for text in texts])
    memory = model.encode(source)
    target = torch.full((len(texts), 1), START)
    ended = torch.zeros(len(texts), dtype=torch.bool)
    while not ended.all() and target.shape[1] < LONGEST:
        token = model.decode(target, memory, source)[:, -1].argmax(1).masked_fill(ended, PAD)
        target = torch.cat([target, token[:, None]], dim=1)
        ended |= token == END
    return [text.strip() for text in tokenizer.decode_batch(target.tolist())]


def chrf(answers: list[str], references: list[str]) -> float:
    """Popovic, 2015: F2 of the letters' n-grams, n = 1..6, over the whole corpus; 0 to 100. Spaces do not count."""
    precisions, recalls = [], []
    for n in range(1, 7):
        both, said, meant = 0, 0, 0
        for answer, reference in zip(answers, references, strict=True):
            a, b = ("".join(text.split()) for text in (answer, reference))
            a, b = (Counter(text[i : i + n] for i in range(len(text) - n + 1)) for text in (a, b))
            both, said, meant = both + (a & b).total(), said + a.total(), meant + b.total()
        precisions.append(both / max(said, 1))
        recalls.append(both / max(meant, 1))
    p, r = sum(precisions) / 6, sum(recalls) / 6
    return 500 * p * r / max(4 * p + r, 1e-9)


def train(options: argparse.Namespace) -> None:
    epochs = options.epochs or (4 if options.slow else 16)
    torch.manual_seed(0)
    pairs = the_pairs()
    pairs = [pairs[i] for i in torch.randperm(len(pairs)).tolist()]
    tenth = len(pairs) // 10
    test, valid, rest = pairs[:tenth], pairs[tenth : 2 * tenth], pairs[2 * tenth :]
    texts = [text for pair in rest for text in pair]
    tokenizer = tokenizer_of(texts)
    rest, valid = ([tuple(encode(tokenizer, text) for text in pair) for pair in part] for part in (rest, valid))
    model = Translator()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.98), weight_decay=0.01)

    def loss_of(source, target, smoothing: float = 0.1):
        logits, right = model(source, target[:, :-1]).flatten(0, 1), target[:, 1:].flatten()
        return functional.cross_entropy(logits, right, ignore_index=PAD, label_smoothing=smoothing)

    @torch.no_grad()
    def validate() -> float:
        model.eval()
        seen = loss_of(*map(padded, map(list, zip(*valid, strict=True))), smoothing=0.0).item()
        model.train()
        return seen

    best, since = float("inf"), 0
    options.model.parent.mkdir(parents=True, exist_ok=True)
    for epoch in range(epochs):
        for source, target in batches(rest, options.batch, slow=options.slow):
            loss = loss_of(source, target)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        seen = validate()
        print(f"epoch {epoch + 1}/{epochs}  loss {loss.item():.3f}  validation {seen:.3f}")
        since = 0 if seen < best else since + 1
        if seen < best:
            best = seen
            torch.save({"tokenizer": tokenizer.to_str(), "state": model.state_dict()}, options.model)
        if since == PATIENCE:
            break

    sources, references = zip(*test, strict=True)
    answers = translate(*load(options.model), sources)
    print(f"{sources[0]} -> {answers[0]}")
    score, copied = chrf(answers, references), chrf(sources, references)
    print(f"chrF {score:.1f}  (baseline {copied:.1f}: copying the English text)")


def load(path: Path) -> tuple[Translator, Tokenizer]:
    saved = torch.load(path)
    model = Translator()
    model.load_state_dict(saved["state"])
    return model.eval(), Tokenizer.from_str(saved["tokenizer"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=None, help="at most")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--slow", action="store_true", help="with a classic mistake: all is padded to the longest")
    parser.add_argument("--infer", metavar="TEXT", help="translate this text")
    parser.add_argument("--model", type=Path, default=CACHE / "translate.pt", help="where the trained model is kept")
    options = parser.parse_args()
    if options.infer is None:
        return train(options)
    if not re.search("[A-Za-z]", options.infer):
        parser.error("--infer takes an English text")
    if not options.model.exists():
        print("there is no trained model yet: training one first", file=sys.stderr)
        train(options)
    print(translate(*load(options.model), [options.infer])[0])


if __name__ == "__main__":
    main()
