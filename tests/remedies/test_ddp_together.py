"""What remedies change of a DistributedDataParallel, seen in two ranks."""

from pathlib import Path

import pytest

from tests.remedies.ranks import run

SCRIPT = """
torch.manual_seed(2)
net = DDP(torch.nn.Sequential(torch.nn.Linear(32, 300), torch.nn.Tanh(), torch.nn.Linear(300, 4)), **{options})
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
other = torch.optim.SGD([torch.nn.Parameter(torch.ones(3))], lr=0.1)
draw = torch.Generator().manual_seed(rank)
for step in range(30):
    x = torch.randn(64, 32, generator=draw)
    loss = (net(x) - x[:, :4]).square().mean()
    optimizer.zero_grad(set_to_none=step % 2 == 0)
    for p in net.parameters():
        if p.grad is not None: p.grad.detach_()
    loss.backward()
    optimizer.step()
print(net.bucket_bytes_cap >> 20, net.gradient_as_bucket_view, net.find_unused_parameters, net.static_graph)
print([hook.__name__ for hook, _ in net._comm_hooks])
print(sum(v.numel() for s in optimizer.state.values() for v in s.values() if v.dim()))
print(sum(p.numel() for p in net.parameters()), all(p.grad is not None for p in net.parameters()))
print(*(round(x, 6) for p in net.parameters() for x in p.detach().flatten()[:3].tolist()))
"""
UNUSED = "{'find_unused_parameters': True, 'bucket_cap_mb': 7}"
EXACT = (("ddp-buckets", 1), ("ddp-bucket-view", True), ("ddp-find-unused-off", True), ("zero-1", True))


def weights(output: str) -> list[float]:
    return [float(x) for x in output.splitlines()[4].split()]


@pytest.mark.torch
def test_ranks_learn_the_same_and_keep_less(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    script = SCRIPT.replace("{options}", UNUSED)
    plain, found = run(tmp_path / "plain", script), run(tmp_path / "job", script, *EXACT)
    assert [rank.output.splitlines()[0] for rank in (*plain, *found)] == ["7 False True False"] * 2 + [
        "1 True False False"
    ] * 2
    assert [weights(rank.output) for rank in found] == [pytest.approx(weights(rank.output), abs=2e-5) for rank in plain]
    assert weights(found[0].output) == weights(found[1].output)
    states = [int(rank.output.splitlines()[2]) for rank in found]
    count, gradients = found[0].output.splitlines()[3].split()
    assert gradients == "True"
    assert sum(states) == 2 * int(count)
    assert 0 < min(states) < max(states) < 2 * int(count)
    assert [{e["remedy"] for e in rank.applied} for rank in found] == [{name for name, _ in EXACT}] * 2


@pytest.mark.torch
def test_a_compressed_exchange_is_close_and_the_same_on_all_ranks(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("numpy")  # PowerSGD draws its first factors with it
    script = SCRIPT.replace("{options}", UNUSED)
    found = run(tmp_path / "job", script, ("ddp-compress", "powersgd-2"), ("ddp-static-graph", True))
    assert [rank.output.splitlines()[:2] for rank in found] == [["7 False False True", "['powerSGD_hook']"]] * 2
    assert weights(found[0].output) == weights(found[1].output)


HOOKS = """
from torch.distributed.algorithms.ddp_comm_hooks import default_hooks
for hook in (None, default_hooks.fp16_compress_hook):
    torch.manual_seed(0)
    net = DDP(torch.nn.Linear(300, 1))
    if hook:
        net.register_comm_hook(None, hook)
    for part in range(4):
        net(torch.ones(1, 300) * (0.1 + rank)).sum().backward()
    print(net.module.weight.grad[0, 0].item() / 4, [hook.__name__ for hook, _ in net._comm_hooks])
"""


@pytest.mark.torch
def test_half_of_the_bits_round_and_a_hook_of_the_script_stays(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    found = run(tmp_path / "job", HOOKS, ("ddp-compress", "bf16"), ("ddp-no-sync", 2))
    ours, theirs = zip(*(rank.output.splitlines() for rank in found), strict=True)
    assert ours == (ours[0],) * 2
    assert 1e-5 < abs(float(ours[0].split()[0]) / 0.6 - 1) < 0.01
    assert "lambda" in ours[0]
    assert all("['fp16_compress_hook']" in line for line in theirs)
    assert [[e["remedy"] for e in rank.not_applied] for rank in found] == [["ddp-compress"]] * 2
