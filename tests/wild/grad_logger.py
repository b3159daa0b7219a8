WILD = {"cause": "host", "note": "a CSV row and a JSON dump of all gradient statistics in each step"}
"""Sequence-to-one LSTM forecaster that logs a CSV row and all gradient norms at each step."""
import argparse
import csv
import json
import os
import tempfile
import time

import torch
from torch import nn


class Forecaster(nn.Module):
    def __init__(self, series=8, hidden=32):
        super().__init__()
        self.mix = nn.ModuleList(nn.Sequential(nn.Linear(series, hidden), nn.LayerNorm(hidden), nn.GELU(), nn.Linear(hidden, series)) for _ in range(6))
        self.lstm = nn.LSTM(series, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)

    def forward(self, x):
        for layer in self.mix:
            x = x + layer(x)
        out, _ = self.lstm(x)
        return self.head(out[:, -1]).squeeze(-1)


class RunLogger:
    def __init__(self, folder):
        self.csv_file = open(os.path.join(folder, "steps.csv"), "w", newline="")
        self.writer = csv.writer(self.csv_file)
        self.writer.writerow(["step", "time", "loss", "lr", "grad_norm", "weight_norm"])
        self.json_file = open(os.path.join(folder, "grads.jsonl"), "w")

    def log(self, step, loss, model, optimizer):
        grads = {}
        weights = 0.0
        for name, p in model.named_parameters():
            grads[name] = {
                "norm": p.grad.norm().item(),
                "mean": p.grad.mean().item(),
                "max": p.grad.abs().max().item(),
                "std": p.grad.std(correction=0).item(),
            }
            weights += p.detach().pow(2).sum().item()
        total = sum(g["norm"] ** 2 for g in grads.values()) ** 0.5
        self.writer.writerow([step, time.time(), loss.item(), optimizer.param_groups[0]["lr"], total, weights**0.5])
        self.csv_file.flush()
        json.dump({"step": step, "grads": grads}, self.json_file)
        self.json_file.write("\n")
        self.json_file.flush()

    def close(self):
        self.csv_file.close()
        self.json_file.close()


def sample(series, batch, length):
    start = torch.randint(0, series.shape[0] - length - 1, (batch,))
    index = start[:, None] + torch.arange(length)
    return series[index], series[start + length, 0]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--steps", type=int, default=4000)
    args = ap.parse_args()
    torch.manual_seed(0)
    series = torch.randn(50_000, 8).cumsum(0)
    series = (series - series.mean(0)) / series.std(0)

    model = Forecaster()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, args.steps)
    with tempfile.TemporaryDirectory() as folder:
        logger = RunLogger(folder)
        warm = int(args.steps * 0.3)
        began = time.perf_counter()
        for step in range(args.steps):
            if step == warm:
                began = time.perf_counter()
            x, y = sample(series, 16, 10)
            loss = nn.functional.l1_loss(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            logger.log(step, loss, model, optimizer)
        took = time.perf_counter() - began
        logger.close()
    print(f"STEPTIME {took / (args.steps - warm):.6f}")


if __name__ == "__main__":
    main()
