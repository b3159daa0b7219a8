WILD = {"cause": "host", "note": "answers post-processed in Python; raw logits returned instead", "inference": True}
import json, queue
import torch
from torch import nn

torch.manual_seed(0)
labels = [f"class_{i}" for i in range(1000)]
model = nn.Sequential(nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 1000)).eval()
requests = queue.Queue()
for i in range(1500):
    requests.put([float((i * k) % 17) for k in range(256)])

def answer(logits):
    p = torch.softmax(logits, -1).tolist()
    return [json.dumps(sorted(zip(row, labels), reverse=True)[:50]) for row in p]

def serve():
    done = 0
    with torch.inference_mode():
        while not requests.empty():
            batch = torch.tensor([requests.get() for _ in range(4)])
            logits = model(batch)
            replies = [logits]
            done += len(replies)
    print("served", done)

serve()
