"""A small GPT, trained from a stream of random tokens; no DataLoader."""

import argparse

import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--batch", type=int, default=12)
parser.add_argument("--steps", type=int, default=6)
parser.add_argument("--bf16", action="store_true")
parser.add_argument("--checkpoint", action="store_true")
args = parser.parse_args()

batch_size, block_size, vocab_size = args.batch, 256, 4096
n_layer, n_head, n_embd = 6, 6, 192

torch.manual_seed(1337)
data = torch.randint(vocab_size, (500_000,))


def get_batch():
    ix = torch.randint(len(data) - block_size, (batch_size,)).tolist()
    x = torch.stack([data[i : i + block_size] for i in ix])
    y = torch.stack([data[i + 1 : i + 1 + block_size] for i in ix])
    return x, y


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(n_embd), nn.LayerNorm(n_embd)
        self.c_attn, self.c_proj = nn.Linear(n_embd, 3 * n_embd), nn.Linear(n_embd, n_embd)
        self.mlp = nn.Sequential(nn.Linear(n_embd, 4 * n_embd), nn.GELU(), nn.Linear(4 * n_embd, n_embd))

    def forward(self, x):
        b, t, c = x.size()
        q, k, v = self.c_attn(self.ln_1(x)).split(n_embd, dim=2)
        q, k, v = (a.view(b, t, n_head, c // n_head).transpose(1, 2) for a in (q, k, v))
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.c_proj(y.transpose(1, 2).contiguous().view(b, t, c))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    def __init__(self, recompute=False):
        super().__init__()
        self.recompute = recompute
        self.wte, self.wpe = nn.Embedding(vocab_size, n_embd), nn.Embedding(block_size, n_embd)
        self.h = nn.ModuleList([Block() for _ in range(n_layer)])
        self.ln_f, self.lm_head = nn.LayerNorm(n_embd), nn.Linear(n_embd, vocab_size, bias=False)
        self.lm_head.weight = self.wte.weight

    def forward(self, idx, targets):
        x = self.wte(idx) + self.wpe(torch.arange(idx.size(1)))
        for block in self.h:
            x = checkpoint(block, x, use_reentrant=False) if self.recompute else block(x)
        logits = self.lm_head(self.ln_f(x))
        return logits, functional.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1))


def make_model(args):
    return GPT(args.checkpoint)


def make_optimizer(model):
    return torch.optim.AdamW(model.parameters(), lr=6e-4, betas=(0.9, 0.95))


def train_step(model, optimizer, batch, args):
    x, y = batch
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.bf16):
        _logits, loss = model(x, y)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss


if __name__ == "__main__":
    model = make_model(args)
    optimizer = make_optimizer(model)
    for it in range(args.steps):
        loss = train_step(model, optimizer, get_batch(), args)
        print(f"iter {it}: loss {loss.item():.4f}")
