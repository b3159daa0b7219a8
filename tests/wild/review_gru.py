WILD = {"cause": "input", "note": "tokenising with regular expressions in collate_fn; batches tokenised once instead"}
"""Sentiment of product reviews: a GRU over word ids, tokenised in the collate function."""
import argparse
import html
import random
import re
import time

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=500)
args = parser.parse_args()

random.seed(0)
torch.manual_seed(0)

MAX_LEN = 64
WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|[0-9]+|[!?.,]")
TAG = re.compile(r"<[^>]+>")
SPACES = re.compile(r"\s+")


def make_reviews(n):
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(random.choices(letters, k=random.randint(2, 9))) for _ in range(5000)]
    reviews = []
    for _ in range(n):
        text = []
        for w in random.choices(words, k=random.randint(200, 450)):
            r = random.random()
            if r < 0.02:
                w = "<br />" + w
            elif r < 0.06:
                w = w.capitalize() + ","
            elif r < 0.08:
                w = w + "&amp;"
            text.append(w)
        reviews.append((" ".join(text), random.randint(0, 1)))
    return reviews, words


class Reviews(Dataset):
    def __init__(self, reviews):
        self.reviews = reviews

    def __len__(self):
        return len(self.reviews)

    def __getitem__(self, i):
        return self.reviews[i]


reviews, words = make_reviews(2048)
vocab = {w: i + 2 for i, w in enumerate(words)}


def tokenize(text):
    text = TAG.sub(" ", html.unescape(text)).lower()
    text = SPACES.sub(" ", text)
    return [t.strip("'") for t in WORD.findall(text) if len(t) > 1]


def collate(samples):
    ids = torch.zeros(len(samples), MAX_LEN, dtype=torch.long)
    for row, (text, _) in enumerate(samples):
        tokens = [vocab.get(t, 1) for t in tokenize(text)][:MAX_LEN]
        ids[row, : len(tokens)] = torch.tensor(tokens)
    return ids, torch.tensor([label for _, label in samples])


class Classifier(nn.Module):
    def __init__(self, n_words):
        super().__init__()
        self.embed = nn.Embedding(n_words, 64, padding_idx=0)
        self.gru = nn.GRU(64, 64, batch_first=True)
        self.head = nn.Linear(64, 2)

    def forward(self, ids):
        out, _ = self.gru(self.embed(ids))
        return self.head(out.mean(1))


loader = DataLoader(Reviews(reviews), batch_size=64, shuffle=True, drop_last=True, collate_fn=collate)
model = Classifier(len(words) + 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
criterion = nn.CrossEntropyLoss()

step, warm = 0, int(args.steps * 0.3)
start = time.perf_counter()
while step < args.steps:
    for ids, labels in loader:
        optimizer.zero_grad()
        loss = criterion(model(ids), labels)
        loss.backward()
        optimizer.step()

        step += 1
        if step == warm:
            start = time.perf_counter()
        if step >= args.steps:
            break
print(f"STEPTIME {(time.perf_counter() - start) / (args.steps - warm):.6f}")
