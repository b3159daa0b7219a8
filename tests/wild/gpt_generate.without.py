"""Batch completion service: a small GPT-2 generates, the raw ids are returned."""
import argparse
import random
import re
import time
from collections import Counter
from dataclasses import dataclass, field

import torch
from transformers import GPT2Config, GPT2LMHeadModel

BLOCKED = [re.compile(p) for p in (r"\bzx\w*", r"\b\w*qq\w*\b", r"(\w)\1{2,}", r"\d{6,}")]


@dataclass
class Request:
    number: int
    prompt: list
    max_new: int = 12


@dataclass
class Answer:
    number: int
    text: str
    novelty: float
    distinct: float
    flags: list = field(default_factory=list)


class Vocabulary:
    def __init__(self, size, seed=0):
        rng = random.Random(seed)
        letters = "abcdefghijklmnopqrstuvwxyz"
        self.pieces = [
            (" " if rng.random() < 0.7 else "") + "".join(rng.choices(letters, k=rng.randint(1, 6)))
            for _ in range(size)
        ]

    def decode(self, ids):
        text = ""
        for i in ids:
            text += self.pieces[i]
        return re.sub(r"\s+", " ", text).strip()


def edit_distance(a, b):
    previous = list(range(len(b) + 1))
    for i, ca in enumerate(a, 1):
        row = [i]
        for j, cb in enumerate(b, 1):
            row.append(min(previous[j] + 1, row[-1] + 1, previous[j - 1] + (ca != cb)))
        previous = row
    return previous[-1]


def postprocess(request, ids, vocabulary):
    prompt = vocabulary.decode(ids[: len(request.prompt)])
    text = vocabulary.decode(ids[len(request.prompt) :])
    flags = [p.pattern for p in BLOCKED if p.search(text)]
    for p in BLOCKED:
        text = p.sub("***", text)
    grams = Counter(text[i : i + 3] for i in range(len(text) - 2))
    distinct = len(grams) / max(sum(grams.values()), 1)
    novelty = edit_distance(prompt, text) / max(len(prompt), len(text), 1)
    return Answer(request.number, text.capitalize() + ".", novelty, distinct, flags)


def incoming(size, batch, rng):
    number = 0
    while True:
        requests = []
        for _ in range(batch):
            requests.append(Request(number, [rng.randrange(size) for _ in range(24)]))
            number += 1
        yield requests


def build_model(size):
    config = GPT2Config(vocab_size=size, n_positions=128, n_embd=96, n_layer=3, n_head=4, bos_token_id=0, eos_token_id=0)
    model = GPT2LMHeadModel(config).eval()
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0
    return model


@torch.inference_mode()
def answer(model, requests, vocabulary):
    prompts = torch.tensor([r.prompt for r in requests])
    out = model.generate(
        prompts,
        attention_mask=torch.ones_like(prompts),
        max_new_tokens=requests[0].max_new,
        do_sample=True,
        top_k=50,
    )
    return out.tolist()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--steps", type=int, default=220)
    ap.add_argument("--batch", type=int, default=24)
    args = ap.parse_args()
    torch.manual_seed(0)
    size = 2000
    vocabulary = Vocabulary(size)
    model = build_model(size)

    warm = int(args.steps * 0.3)
    answers = []
    start = time.perf_counter()
    for step, requests in enumerate(incoming(size, args.batch, random.Random(1)), 1):
        answers.append(answer(model, requests, vocabulary))
        if step == warm:
            start = time.perf_counter()
        if step == args.steps:
            break
    print(f"STEPTIME {(time.perf_counter() - start) / (args.steps - warm):.6f}")


if __name__ == "__main__":
    main()
