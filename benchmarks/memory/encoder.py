"""A Transformer encoder that classifies sequences of tokens."""

import argparse

import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader, TensorDataset

VOCABULARY, LENGTH, CLASSES = 8000, 128, 5


class EncoderBlock(nn.Module):
    def __init__(self, dim, heads, dropout=0.1):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        y = functional.scaled_dot_product_attention(q, k, v)
        x = x + self.dropout(self.proj(y.transpose(1, 2).reshape(b, t, d)))
        return x + self.dropout(self.mlp(self.norm2(x)))


class Encoder(nn.Module):
    def __init__(self, dim=256, heads=8, layers=6, recompute=False):
        super().__init__()
        self.recompute = recompute
        self.tokens, self.positions = nn.Embedding(VOCABULARY, dim), nn.Parameter(0.02 * torch.randn(1, LENGTH, dim))
        self.layers = nn.ModuleList([EncoderBlock(dim, heads) for _ in range(layers)])
        self.norm, self.head = nn.LayerNorm(dim), nn.Linear(dim, CLASSES)

    def forward(self, tokens):
        x = self.tokens(tokens) + self.positions
        for layer in self.layers:
            x = checkpoint(layer, x, use_reentrant=False) if self.recompute else layer(x)
        return self.head(self.norm(x).mean(1))


def get_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--checkpoint", action="store_true")
    return parser.parse_args()


def make_model(args):
    return Encoder(recompute=args.checkpoint)


def make_optimizer(model):
    return torch.optim.AdamW(model.parameters(), lr=3e-4)


def make_loader(args):
    data = TensorDataset(torch.randint(VOCABULARY, (1024, LENGTH)), torch.randint(CLASSES, (1024,)))
    return DataLoader(data, batch_size=args.batch, shuffle=True, drop_last=True)


def train_step(model, optimizer, batch, args):
    tokens, labels = batch
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.bf16):
        logits = model(tokens)
        loss = functional.cross_entropy(logits, labels)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss


if __name__ == "__main__":
    args = get_args()
    torch.manual_seed(0)
    model, loader = make_model(args), make_loader(args)
    optimizer = make_optimizer(model)
    for step, batch in zip(range(args.steps), loader, strict=False):
        loss = train_step(model, optimizer, batch, args)
        print(f"step {step}: loss {loss.item():.3f}")
