"""Two towers, one for images and one for text, trained by contrast (as CLIP is) to find an icon by its description."""

import argparse
import importlib.util
import json
import os
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

WORKLOAD = {
    "field": "image and text",
    "model": "two-tower contrastive model: CNN and bag of words",
    "data": "Material Design icons and their names (Pictogrammers, by way of QtAwesome)",
    "size": "about 7,000 icons with names of 1 to 6 words",
    "licence": "Apache 2.0",
    "bottleneck": "compute, input; the batch gives each pair what it is told from",
    "score": "recall",
    "better": "higher",
    "needs": ["qtawesome", "PIL"],
}
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "narrows"
PATIENCE = 4
"""Epochs without a better recall on the validation icons, after which training ends."""
SIZE = 32
"""Pixels."""
FIRST = 10
"""An icon is recalled if it is among the first 10 that its name finds among all test icons."""
LONGEST = 8


def words_of(name: str) -> list[str]:
    """Of `clock-time-eight-outline`, or of what somebody asks for."""
    return re.findall(r"[a-z]+|\d", name.lower())[:LONGEST]


class Font:
    """The icons are the letters of a font: names, and how each is drawn."""

    def __init__(self) -> None:
        folder = Path(next(iter(importlib.util.find_spec("qtawesome").submodule_search_locations))) / "fonts"
        (charmap,) = folder.glob("materialdesignicons6-webfont-charmap-*.json")
        (font,) = folder.glob("materialdesignicons6-webfont-*.ttf")
        self.letters = {name: chr(int(code, 16)) for name, code in json.loads(charmap.read_text()).items()}
        self.names = sorted(name for name in self.letters if not name.startswith("blank"))
        self.font = ImageFont.truetype(font, SIZE - 4)

    def draw(self, name: str):
        """(1, SIZE, SIZE), 0 to 1."""
        image = Image.new("L", (SIZE, SIZE))
        ImageDraw.Draw(image).text((SIZE / 2, SIZE / 2), self.letters[name], fill=255, font=self.font, anchor="mm")
        return torch.from_numpy(np.asarray(image, dtype=np.float32) / 255)[None]


class Vocabulary:
    """Words that at least two names have; 0 is none, 1 any other."""

    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.index = {word: i + 2 for i, word in enumerate(words)}

    def encode(self, name: str):
        found = [self.index.get(word, 1) for word in words_of(name)]
        return torch.tensor(found + [0] * (LONGEST - len(found)))


class Icons(Dataset):
    """Images and names; in training the images are moved by up to two pixels, and words of the names are left out.

    The slow variant draws each icon whenever it is asked for, as one who decodes images anew in each epoch.
    """

    def __init__(self, font: Font, names: list[str], vocabulary: Vocabulary, *, augment: bool, slow: bool = False):
        self.font, self.names, self.augment = font, names, augment
        self.texts = [vocabulary.encode(name) for name in names]
        self.images = None if slow else [font.draw(name) for name in names]

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int):
        image = self.font.draw(self.names[index]) if self.images is None else self.images[index]
        text = self.texts[index]
        if self.augment:
            dx, dy = torch.randint(-2, 3, (2,)).tolist()
            image = torch.roll(image, (dy, dx), dims=(1, 2))
            if (text > 0).sum() > 1:
                text = text.where(torch.rand(LONGEST) > 0.1, 0)
        return image, text


class TwoTowers(nn.Module):
    def __init__(self, words: int, *, width: int = 128) -> None:
        super().__init__()

        def stage(inputs: int, outputs: int) -> list[nn.Module]:
            return [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]

        self.image = nn.Sequential(
            *stage(1, 32), *stage(32, 64), *stage(64, 128), *stage(128, 128),
            nn.Flatten(), nn.Dropout(0.2), nn.Linear(128 * (SIZE // 16) ** 2, width),
        )  # fmt: skip
        self.text = nn.EmbeddingBag(words + 2, width, mode="sum", padding_idx=0)
        self.mix = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))
        self.temperature = nn.Parameter(torch.tensor(2.66))

    def of_images(self, images):
        return functional.normalize(self.image(images), dim=1)

    def of_texts(self, texts):
        summed = self.text(texts)
        return functional.normalize(summed + self.mix(summed), dim=1)

    def forward(self, images, texts):
        """How well each text fits each image: cosines over the temperature, (texts, images)."""
        return self.of_texts(texts) @ self.of_images(images).T * self.temperature.exp()


def contrastive(logits):
    """InfoNCE, both ways (Radford et al., 2021): each text against all images of the batch, each image against all texts."""
    right = torch.arange(len(logits))
    return (functional.cross_entropy(logits, right) + functional.cross_entropy(logits.T, right)) / 2


@torch.no_grad()
def recall(model: TwoTowers, icons: Icons) -> float:
    """How many names find their icon, among all of them, within the FIRST."""
    model.eval()
    images, texts = (torch.stack(side) for side in zip(*icons, strict=True))
    scores = model(images, texts)
    model.train()
    return ((scores > scores.diagonal()[:, None]).sum(dim=1) < FIRST).float().mean().item()


def train(options: argparse.Namespace) -> None:
    epochs = options.epochs or (3 if options.slow else 12)
    torch.manual_seed(0)
    font = Font()
    names = [font.names[i] for i in torch.randperm(len(font.names)).tolist()]
    tenth = len(names) // 10
    counts = Counter(word for name in names[2 * tenth :] for word in words_of(name))
    vocabulary = Vocabulary(sorted(word for word, count in counts.items() if count > 1))
    test = Icons(font, names[:tenth], vocabulary, augment=False)
    valid = Icons(font, names[tenth : 2 * tenth], vocabulary, augment=False)
    icons = Icons(font, names[2 * tenth :], vocabulary, augment=True, slow=options.slow)
    loader = DataLoader(icons, batch_size=options.batch, shuffle=True, drop_last=True)
    model = TwoTowers(len(vocabulary.words))
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=epochs * len(loader))
    best, since = 0.0, 0
    options.model.parent.mkdir(parents=True, exist_ok=True)
    for epoch in range(epochs):
        for images, texts in loader:
            loss = contrastive(model(images, texts))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        seen = recall(model, valid)
        print(f"epoch {epoch + 1}/{epochs}  loss {loss.item():.3f}  recall {seen:.3f}")
        since = 0 if seen > best else since + 1
        if seen > best:
            best = seen
            torch.save({"words": vocabulary.words, "state": model.state_dict()}, options.model)
        if since == PATIENCE:
            break

    score = recall(load(options.model)[0], test)
    print(f"recall {score:.3f}  (baseline {FIRST / len(test):.3f}: {FIRST} of the {len(test)} test icons by chance)")


def load(path: Path) -> tuple[TwoTowers, Vocabulary]:
    saved = torch.load(path)
    model = TwoTowers(len(saved["words"]))
    model.load_state_dict(saved["state"])
    return model.eval(), Vocabulary(saved["words"])


@torch.inference_mode()
def search(path: Path, text: str) -> list[tuple[str, float]]:
    """The five icons, of all, that fit the text best, and the cosines."""
    model, vocabulary = load(path)
    font = Font()
    images = torch.stack([font.draw(name) for name in font.names])
    cosines = (model.of_texts(vocabulary.encode(text)[None]) @ model.of_images(images).T)[0]
    return [(font.names[i], cosine) for cosine, i in zip(*map(torch.Tensor.tolist, cosines.topk(5)), strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=None, help="at most")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--slow", action="store_true", help="with a classic mistake: images are drawn in each epoch")
    parser.add_argument("--infer", metavar="TEXT", help="find icons for this text, as in 'folder with a lock'")
    parser.add_argument("--model", type=Path, default=CACHE / "multimodal.pt", help="where the trained model is kept")
    options = parser.parse_args()
    if options.infer is None:
        return train(options)
    if not words_of(options.infer):
        parser.error("--infer takes English words")
    if not options.model.exists():
        print("there is no trained model yet: training one first", file=sys.stderr)
        train(options)
    print("; ".join(f"{name} {cosine:.2f}" for name, cosine in search(options.model, options.infer)))


if __name__ == "__main__":
    main()
