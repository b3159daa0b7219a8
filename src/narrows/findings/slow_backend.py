"""What lies on a device is exchanged through the host, by gloo."""

from collections.abc import Iterator

from narrows.findings.exchange import synced
from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Gloo exchanges what lies on devices",
        "{mib:.1f} MiB of gradients on {device} go through the host's memory in each step: the group's backend is {backend}.",
        'Use init_process_group("nccl") (or no backend at all: torch then takes NCCL for CUDA and gloo for the CPU), one device'
        " for each rank.",
    ),
    "zh": (
        "用 gloo 交换加速卡上的数据",
        "每一步有 {mib:.1f} MiB 的梯度在 {device} 上，却要经过主机内存：进程组的后端是 {backend}。",
        '使用 init_process_group("nccl")（或不写后端：torch 会对 CUDA 用 NCCL、对 CPU 用 gloo），每个进程一张卡。',
    ),
}


def find(view: View) -> Iterator[Finding]:
    """Two ranks on one device have no other way: NCCL refuses that."""
    devices = len(view.process.last("torch").get("devices") or ())
    for event in view.process.events.get("parallel", ()):
        if event.get("device") == "cuda" and event["backend"] == "gloo" and devices >= len(view.ranks_here) > 1:
            yield view.finding(
                "slow-backend",
                TEXT,
                cause="communication",
                seconds=synced(view),
                where=view.at(event["where"]),
                basis="modelled",
                mib=event["bytes"] / (1 << 20),
                device=event["device"],
                backend=event["backend"],
            )
            return
