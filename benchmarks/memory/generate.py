"""A decoder that continues batches of prompts; its cache of keys and values grows by a token at a time."""

import argparse

import torch
from torch import nn
from torch.nn import functional

VOCABULARY, PROMPT, NEW = 8192, 64, 128


class Block(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def forward(self, x, cache):
        b, t, d = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        if cache is not None:
            k, v = torch.cat([cache[0], k], dim=2), torch.cat([cache[1], v], dim=2)
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=cache is None)
        x = x + self.proj(y.transpose(1, 2).reshape(b, t, d))
        return x + self.mlp(self.norm2(x)), (k, v)


class Decoder(nn.Module):
    def __init__(self, dim=384, heads=6, layers=6):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(VOCABULARY, dim), nn.Embedding(PROMPT + NEW, dim)
        self.blocks = nn.ModuleList([Block(dim, heads) for _ in range(layers)])
        self.norm, self.head = nn.LayerNorm(dim), nn.Linear(dim, VOCABULARY, bias=False)

    def forward(self, tokens, caches):
        past = 0 if caches[0] is None else caches[0][0].shape[2]
        x = self.tokens(tokens) + self.positions(torch.arange(past, past + tokens.shape[1]))
        for i, block in enumerate(self.blocks):
            x, caches[i] = block(x, caches[i])
        return self.head(self.norm(x[:, -1]))


def get_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=2, help="batches of prompts")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--checkpoint", action="store_true", help="ignored: nothing is kept for a backward pass")
    return parser.parse_args()


def make_model(args):
    return Decoder().eval()


def make_batches(args):
    while True:
        yield torch.randint(VOCABULARY, (args.batch, PROMPT))


@torch.inference_mode()
def generate(model, prompts, args):
    caches = [None] * len(model.blocks)
    written, token = [prompts], prompts
    for _ in range(NEW):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.bf16):
            logits = model(token, caches)
        token = logits.float().softmax(-1).multinomial(1)
        written.append(token)
    return torch.cat(written, dim=1)


if __name__ == "__main__":
    args = get_args()
    torch.manual_seed(0)
    model = make_model(args)
    for step, prompts in zip(range(args.steps), make_batches(args), strict=False):
        out = generate(model, prompts, args)
        print(f"prompts {step}: {out[0, -8:].tolist()}")
