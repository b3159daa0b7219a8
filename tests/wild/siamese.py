WILD = {"cause": "input", "note": "triplets mined by a Python loop in each step; fixed ones instead"}
import random
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

random.seed(0); torch.manual_seed(0)
digits = load_digits()
X = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16.0
y = digits.target.tolist()

class Embed(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
                                  nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32 * 16, 64))
    def forward(self, x):
        return F.normalize(self.conv(x), dim=1)

def make_triplets(n):
    anchors, positives, negatives = [], [], []
    while len(anchors) < n:
        a = random.randrange(len(y))
        same = [i for i in range(len(y)) if y[i] == y[a] and i != a]
        other = [i for i in range(len(y)) if y[i] != y[a]]
        anchors.append(X[a]); positives.append(X[random.choice(same)]); negatives.append(X[random.choice(other)])
    return torch.stack(anchors), torch.stack(positives), torch.stack(negatives)

def train_one_step(model, optimizer, triplet):
    a, p, n = triplet
    optimizer.zero_grad()
    loss = F.triplet_margin_loss(model(a), model(p), model(n), margin=0.5)
    loss.backward()
    optimizer.step()
    return loss

model = Embed()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for step in range(250):
    triplets = make_triplets(64)
    loss = train_one_step(model, optimizer, triplets)
    if step % 50 == 0:
        print(f"{step}: {loss.item():.3f}")
