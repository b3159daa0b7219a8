"""An LSTM or a temporal convolutional network that forecasts how much the price of oil will move next week."""

import argparse
import os
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

WORKLOAD = {
    "field": "finance, time series",
    "model": "LSTM, 2 layers, 32 wide, or a temporal convolutional network",
    "data": "daily price of WTI crude oil, 1986 to 2019 (U.S. Energy Information Administration, in the package arch)",
    "size": "8,321 prices",
    "licence": "public domain",
    "bottleneck": "overhead: the loop over time steps",
    "score": "RMSE of log volatility",
    "better": "lower",
    "needs": ["arch"],
}
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "narrows"
WINDOW, AHEAD = 64, 5
"""Trading days that are looked back on, and a week: the days that are forecast."""
SMALL = 0.002
"""The return at which its logarithm is cut off: prices have two decimals, and some days have none at all."""
PATIENCE = 4
"""Epochs without a lower error on the validation years, after which training ends."""


def log_volatility(returns: np.ndarray) -> np.ndarray:
    """Of each run of `AHEAD` days, the logarithm of the mean absolute return: (n,) -> (n - AHEAD + 1,)."""
    days = np.lib.stride_tricks.sliding_window_view(np.abs(returns), AHEAD)
    return np.log(days.mean(axis=1) + SMALL)


def features(prices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n,) prices -> (m, 3) of each day: its return, the size of that, and the week's volatility; and (m,) of the last alone."""
    returns = np.diff(np.log(prices))
    week = log_volatility(returns)
    day = returns[AHEAD - 1 :]
    return np.stack([day / 0.02, np.log(np.abs(day) + SMALL) + 4, week + 4], axis=1).astype(np.float32), week


def examples(prices: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Windows (k, WINDOW, 3), the log volatility of the week after each, and of the week at its end (both (k, 1))."""
    rows, week = features(prices)
    windows = np.lib.stride_tricks.sliding_window_view(rows, WINDOW, axis=0).transpose(0, 2, 1)
    last, after = week[WINDOW - 1 : -AHEAD], week[WINDOW - 1 + AHEAD :]
    windows = np.ascontiguousarray(windows[: len(after)])
    return torch.from_numpy(windows), torch.tensor(after).float()[:, None], torch.tensor(last).float()[:, None]


class Recurrent(nn.Module):
    """Two layers of LSTM; `by_step`: each time step is a Python call of its own, as in many a tutorial."""

    def __init__(self, width: int = 32, *, by_step: bool = False) -> None:
        super().__init__()
        self.lstm = nn.LSTM(3, width, num_layers=2, batch_first=True)
        self.head = nn.Linear(width, 1)
        self.by_step = by_step

    def forward(self, x):
        """x: (batch, days, 3) -> (batch, 1)"""
        hidden = self.unrolled(x) if self.by_step else self.lstm(x)[0][:, -1]
        return self.head(hidden) - 4

    def unrolled(self, x):
        """The same, cell by cell: i, f, g, o = W x + b + V h + c, then c = f c + i g and h = o tanh(c)."""
        for layer in range(self.lstm.num_layers):
            weights = [
                getattr(self.lstm, f"{name}_l{layer}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            ]
            hidden = cell = x.new_zeros(len(x), self.lstm.hidden_size)
            seen = []
            for day in range(x.shape[1]):
                hidden, cell = torch.lstm_cell(x[:, day], (hidden, cell), *weights)
                seen.append(hidden)
            x = torch.stack(seen, dim=1)
        return x[:, -1]


class Causal(nn.Module):
    """A residual block of a convolution that looks back only, with holes between its taps."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.pad = 2 * dilation
        self.conv = nn.Conv1d(width, width, 3, dilation=dilation)
        self.drop = nn.Dropout(0.1)

    def forward(self, x):
        return x + self.drop(torch.relu(self.conv(nn.functional.pad(x, (self.pad, 0)))))


class Temporal(nn.Module):
    """Its five blocks look back 2 (1 + 2 + 4 + 8 + 16) = 62 days."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.first = nn.Conv1d(3, width, 1)
        self.blocks = nn.Sequential(*(Causal(width, 2**n) for n in range(5)))
        self.head = nn.Linear(width, 1)

    def forward(self, x):
        """x: (batch, days, 3) -> (batch, 1)"""
        return self.head(self.blocks(self.first(x.transpose(1, 2)))[:, :, -1]) - 4


def make_model(kind: str, *, slow: bool = False) -> nn.Module:
    return Temporal() if kind == "tcn" else Recurrent(by_step=slow)


def rmse(model: nn.Module, windows: torch.Tensor, after: torch.Tensor) -> float:
    model.eval()
    with torch.no_grad():
        errors = [model(x) - y for x, y in zip(windows.split(512), after.split(512), strict=True)]
    model.train()
    return torch.cat(errors).square().mean().sqrt().item()


def train(options: argparse.Namespace) -> None:
    from arch.data import wti

    epochs = options.epochs or (2 if options.slow else 25)
    torch.manual_seed(0)
    prices = wti.load()["DCOILWTICO"].dropna()  # the markets' holidays
    years = {"train": prices[:"2006"], "valid": prices["2007":"2010"], "test": prices["2011":]}
    parts = {name: examples(part.to_numpy()) for name, part in years.items()}
    loader = DataLoader(TensorDataset(*parts["train"][:2]), batch_size=128, shuffle=True, drop_last=True)
    model = make_model(options.kind, slow=options.slow)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    best, since = float("inf"), 0
    options.model.parent.mkdir(parents=True, exist_ok=True)
    for epoch in range(epochs):
        for windows, after in loader:
            loss = nn.functional.mse_loss(model(windows), after)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        seen = rmse(model, *parts["valid"][:2])
        print(f"epoch {epoch + 1}/{epochs}  loss {loss.item():.3f}  validation {seen:.3f}")
        since = 0 if seen < best else since + 1
        if seen < best:
            best = seen
            torch.save({"kind": options.kind, "state": model.state_dict()}, options.model)
        if since == PATIENCE:
            break

    windows, after, last = parts["test"]
    persistence = (last - after).square().mean().sqrt().item()
    score = rmse(load(options.model), windows, after)
    print(f"RMSE of log volatility {score:.3f}  (baseline {persistence:.3f}: next week moves as much as this one)")


def load(path: Path) -> nn.Module:
    saved = torch.load(path)
    model = make_model(saved["kind"])
    model.load_state_dict(saved["state"])
    return model.eval()


def read(text: str) -> np.ndarray:
    """Prices, one after the other. Raises `ValueError`."""
    prices = np.array([float(word) for word in text.replace(",", " ").split()])
    if len(prices) < 2 * AHEAD:
        raise ValueError(f"there are {len(prices)}")
    if not (np.isfinite(prices) & (prices > 0)).all():
        raise ValueError("one is not positive")
    return prices


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=None, help="at most")
    parser.add_argument("--kind", choices=["lstm", "tcn"], default="lstm", help="of the network")
    parser.add_argument("--slow", action="store_true", help="with a classic mistake: a Python loop over the time steps")
    parser.add_argument(
        "--infer", metavar="PRICES", help="forecast from daily prices, the latest one last: '51.2 50.9 ...'"
    )
    parser.add_argument("--model", type=Path, default=CACHE / "forecast.pt", help="where the trained network is kept")
    options = parser.parse_args()
    if options.infer is None:
        return train(options)
    try:
        prices = read(options.infer)
    except ValueError as error:
        parser.error(f"--infer takes {2 * AHEAD} daily prices or more: {error}")
    if not options.model.exists():
        print("there is no trained network yet: training one first", file=sys.stderr)
        train(options)
    rows, week = features(prices)
    with torch.inference_mode():
        ahead = load(options.model)(torch.from_numpy(rows[None, -WINDOW:])).item()
    now, then = (np.exp(value) - SMALL for value in (week[-1], ahead))
    print(f"next week: moves of {then:.1%} a day  (this week: {now:.1%})")


if __name__ == "__main__":
    main()
