WILD = {"cause": "communication", "launch": ["torchrun", "--nproc-per-node", "2"], "note": "a wide model and a small batch: gradients dominate; no_sync instead"}
import contextlib
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

dist.init_process_group("gloo")
torch.manual_seed(dist.get_rank())
torch.set_num_threads(1)
model = DistributedDataParallel(nn.Sequential(nn.Linear(512, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 10)))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
x, y = torch.randn(64, 512), torch.randint(0, 10, (64,))
for step in range(300):
    with contextlib.nullcontext():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
if dist.get_rank() == 0:
    print(loss.item())
dist.barrier()
dist.destroy_process_group()
