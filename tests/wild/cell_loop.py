WILD = {"cause": "overhead", "note": "an LSTMCell called in a Python loop over time; one nn.LSTM instead"}
import torch
from torch import nn

class Forecaster(nn.Module):
    def __init__(self, features=8, hidden=32):
        super().__init__()
        self.cell = nn.LSTMCell(features, hidden)
        self.head = nn.Linear(hidden, 1)
        self.hidden = hidden
    def forward(self, series):
        h = series.new_zeros(series.shape[0], self.hidden)
        c = series.new_zeros(series.shape[0], self.hidden)
        for t in range(series.shape[1]):
            h, c = self.cell(series[:, t], (h, c))
        return self.head(h)

def main():
    torch.manual_seed(0)
    series = torch.randn(2048, 60, 8)
    target = series.cumsum(1)[:, -1, :1]
    model = Forecaster()
    optim = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    for epoch in range(8):
        for b in range(0, 2048, 32):
            optim.zero_grad()
            loss = ((model(series[b:b + 32]) - target[b:b + 32]) ** 2).mean()
            loss.backward()
            optim.step()
        print(epoch, float(loss))

if __name__ == "__main__":
    main()
