"""`tabular_mlp.py --slow` whose rows are normalised once, all together, and taken by batches."""

import argparse
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from torch import nn

from narrows.workloads.tabular_mlp import CACHE, PATIENCE, applications, make_model, normalised, statistics_of

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--slow", action="store_true", help="which is what this is the copy of")
parser.add_argument("--model", type=Path, default=CACHE / "tabular-mlp.pt")
options = parser.parse_args()
torch.manual_seed(0)
data, good = applications()
rest, _ = train_test_split(np.arange(len(good)), test_size=0.2, random_state=0, stratify=good)
train_part, valid = train_test_split(rest, test_size=0.2, random_state=0, stratify=good[rest])
statistics = statistics_of(data.iloc[train_part])
x_all, y_all = normalised(data.iloc[train_part], statistics), torch.tensor(good[train_part])
valid_x, valid_y = normalised(data.iloc[valid], statistics), torch.tensor(good[valid])
model = make_model(valid_x.shape[1], "relu")
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05, fused=True)
loss_function = nn.BCEWithLogitsLoss()
best, since = float("inf"), 0
options.model.parent.mkdir(parents=True, exist_ok=True)
for epoch in range(options.epochs):
    for rows in torch.randperm(len(x_all)).split(64):
        x, y = x_all[rows], y_all[rows]
        loss = loss_function(model(x).squeeze(1), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        logits = model(valid_x).squeeze(1)
    model.train()
    seen, auc = loss_function(logits, valid_y).item(), roc_auc_score(good[valid], logits)
    print(f"epoch {epoch + 1}/{options.epochs}  loss {loss.item():.3f}  validation {seen:.3f}  AUC {auc:.3f}")
    since = 0 if seen < best else since + 1
    if seen < best:
        best = seen
        torch.save({"activation": "relu", "statistics": statistics, "state": model.state_dict()}, options.model)
    if since == PATIENCE:
        break
