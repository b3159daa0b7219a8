"""`nn.DataParallel`: one process for all devices, which copies the model in each step."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "DataParallel instead of DistributedDataParallel",
        "One process drives {devices} devices: in each forward the model ({mib:.1f} MiB) is copied to all of them, and their"
        " Python takes turns.",
        "Start a process for each device (torchrun --nproc-per-node {devices}) and wrap the model in DistributedDataParallel.",
    ),
    "zh": (
        "用了 DataParallel 而不是 DistributedDataParallel",
        "一个进程驱动 {devices} 张卡：每次前向都要把模型（{mib:.1f} MiB）复制到每张卡，而且它们的 Python 代码轮流执行。",
        "为每张卡启动一个进程（torchrun --nproc-per-node {devices}），并用 DistributedDataParallel 包装模型。",
    ),
}
VAIN: Text = {
    "en": (
        "DataParallel has nothing to divide",
        "DataParallel has {devices} devices: it passes each batch on to the module inside.",
        "Leave it out.",
    ),
    "zh": (
        "DataParallel 无事可分",
        "DataParallel 有 {devices} 张卡：它只是把每一批转交给里面的模块。",
        "去掉它。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    """The Python of the replicas runs in threads of one interpreter, so of `n` devices' forwards all but one could run in
    other processes: what PyTorch's own notes name first (`torch.nn.DataParallel`, "use DistributedDataParallel")."""
    for event in view.process.events.get("model", ()):
        if not event.get("data_parallel"):
            continue
        devices = event.get("devices") or 0
        forward = sum(e.seconds for e in view.entries if e.state == "forward" and e.cause == "overhead")
        yield view.finding(
            "data-parallel",
            TEXT if devices > 1 else VAIN,
            cause="overhead",
            seconds=forward * (1 - 1 / devices) if devices > 1 else 0.0,
            where=view.at(event["where"]),
            basis="modelled",
            devices=devices,
            mib=event["bytes"] / (1 << 20),
        )
        return
