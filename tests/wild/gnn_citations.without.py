"""Node classification on a citation graph, full batch; node features come from the paper records."""
import argparse
import math
import random
import time

import torch
from torch import nn
from torch.nn import functional as F

FIELDS = ["cs", "bio", "math", "phys", "econ", "chem"]


def make_graph(nodes, edges, seed=0):
    rng = random.Random(seed)
    papers = [
        {
            "year": rng.randint(1980, 2024),
            "field": rng.choice(FIELDS),
            "pages": rng.randint(2, 40),
            "keywords": rng.sample(range(20), 4),
        }
        for _ in range(nodes)
    ]
    src = torch.randint(0, nodes, (edges,))
    dst = torch.randint(0, nodes, (edges,))
    return papers, src, dst


def node_features(papers):
    rows = []
    for paper in papers:
        row = [(paper["year"] - 2000) / 10.0, math.log(paper["pages"])]
        row += [1.0 if paper["field"] == f else 0.0 for f in FIELDS]
        bag = [0.0] * 20
        for k in paper["keywords"]:
            bag[k] = 1.0
        rows.append(row + bag)
    return torch.tensor(rows)


class Conv(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.own, self.neighbours = nn.Linear(cin, cout), nn.Linear(cin, cout)

    def forward(self, x, src, dst, degree):
        total = torch.zeros_like(x).index_add(0, dst, x[src])
        return self.own(x) + self.neighbours(total / degree)


class GNN(nn.Module):
    def __init__(self, cin, hidden, classes):
        super().__init__()
        self.c1, self.c2 = Conv(cin, hidden), Conv(hidden, hidden)
        self.head = nn.Linear(hidden, classes)

    def forward(self, x, src, dst, degree):
        x = F.relu(self.c1(x, src, dst, degree))
        x = F.relu(self.c2(x, src, dst, degree))
        return self.head(x)


def train_epoch(model, optimizer, x, src, dst, degree, labels, mask):
    logits = model(x, src, dst, degree)
    loss = F.cross_entropy(logits[mask], labels[mask])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--steps", type=int, default=350)
    ap.add_argument("--nodes", type=int, default=6000)
    ap.add_argument("--edges", type=int, default=60000)
    args = ap.parse_args()
    torch.manual_seed(0)

    papers, src, dst = make_graph(args.nodes, args.edges)
    degree = torch.bincount(dst, minlength=args.nodes).clamp(min=1).float()[:, None]
    labels = torch.randint(0, 8, (args.nodes,))
    mask = torch.rand(args.nodes) < 0.3
    model = GNN(28, 32, 8)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)

    x = node_features(papers)
    warm = int(args.steps * 0.3)
    start = time.perf_counter()
    for epoch in range(args.steps):
        if epoch == warm:
            start = time.perf_counter()
        train_epoch(model, optimizer, x, src, dst, degree, labels, mask)
    print(f"STEPTIME {(time.perf_counter() - start) / (args.steps - warm):.6f}")


if __name__ == "__main__":
    main()
