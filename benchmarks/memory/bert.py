"""A small BERT of Hugging Face's transformers, randomly initialised, that learns to classify sequences."""

import argparse

import torch
from torch.utils.data import DataLoader, Dataset
from transformers import BertConfig, BertForSequenceClassification

VOCABULARY, LENGTH = 8000, 128


class Sentences(Dataset):
    def __init__(self, n=1024):
        self.ids = torch.randint(VOCABULARY, (n, LENGTH))
        self.labels = torch.randint(2, (n,))

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, i):
        return {"input_ids": self.ids[i], "attention_mask": torch.ones(LENGTH).long(), "labels": self.labels[i]}


def get_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--checkpoint", action="store_true")
    return parser.parse_args()


def make_model(args):
    config = BertConfig(
        vocab_size=VOCABULARY, hidden_size=256, num_hidden_layers=6, num_attention_heads=4, intermediate_size=1024,
        max_position_embeddings=LENGTH, num_labels=2, attn_implementation="sdpa",
    )  # fmt: skip
    model = BertForSequenceClassification(config)
    if args.checkpoint:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return model.train()


def make_optimizer(model):
    return torch.optim.AdamW(model.parameters(), lr=5e-5)


def make_loader(args):
    return DataLoader(Sentences(), batch_size=args.batch, shuffle=True, drop_last=True)


def train_step(model, optimizer, batch, args):
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.bf16):
        outputs = model(**batch)
    outputs.loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return outputs.loss


if __name__ == "__main__":
    args = get_args()
    torch.manual_seed(0)
    model, loader = make_model(args), make_loader(args)
    optimizer = make_optimizer(model)
    for step, batch in zip(range(args.steps), loader, strict=False):
        loss = train_step(model, optimizer, batch, args)
        print(f"step {step}: loss {loss.item():.3f}")
