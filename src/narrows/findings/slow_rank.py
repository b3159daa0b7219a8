"""The other ranks wait for this one."""

from collections.abc import Iterator

from narrows.findings.amounts import amounts
from narrows.findings.view import Text, View
from narrows.ledger.ranks import Waits
from narrows.report.model import Cause, Finding

TEXT: Text = {
    "en": (
        "Ranks wait for the slowest one",
        "Rank {rank} is the slowest in {often:.0%} of the steps, which would be {ms:.2f} ms shorter if it were as fast as the "
        "next: it spends {more:.2f} ms more than the others {doing}.",
        "Look at what this rank does more of there: its data, its machine, work done on one rank only.",
    ),
    "zh": (
        "其他进程在等最慢的一个",
        "{often:.0%} 的步里最慢的是进程 {rank}；若它与次慢的一样快，每一步可缩短 {ms:.2f} 毫秒：它{doing}比其他进程多花 {more:.2f} 毫秒。",
        "看看这个进程在那里多做了什么：数据、机器，或只在一个进程上做的工作。",
    ),
}
DOING = {
    "en": {
        "next": "waiting for its batches", "iter": "starting its loader", "transfer": "copying to or from a device",
        "tail": "in the loop after the update", "prepare": "in the loop before the model call",
        "loss": "between the model call and the backward", "post": "in the loop before the update",
        "forward": "in the model's forward", "backward": "in the backward", "optimizer": "in the update",
        "evaluate": "in evaluating", "save": "in saving", "graph": "in the step's graph", "trainer": "in the trainer",
        "callback": "in callbacks", "": "nowhere in particular",
    },
    "zh": {
        "next": "在等待批次时", "iter": "在启动加载器时", "transfer": "在与设备之间拷贝时", "tail": "在更新之后的循环里",
        "prepare": "在模型调用之前的循环里", "loss": "在模型调用与反向之间", "post": "在更新之前的循环里",
        "forward": "在模型的前向里", "backward": "在反向里", "optimizer": "在更新里", "evaluate": "在评估时",
        "save": "在保存时", "graph": "在单步的图里", "trainer": "在训练器里", "callback": "在回调里", "": "在各处",
    },
}  # fmt: skip
"""By the state in which it spends more."""
SMALLEST = 0.05
"""Share of the step. Ranks that do the same differ by a few percent on a machine that does other things, too."""


def find(view: View) -> Iterator[Finding]:
    if view.together is None:
        return
    slowest = view.together.slowest
    given = amounts(view)
    # What it has more data for is `data-imbalance`: the same data would only make another one the slowest.
    cost = slowest.cost - (given.explains(slowest.rank) if given is not None else 0.0)
    if view.share(cost) > SMALLEST:
        more = slowest.excess
        yield view.finding(
            "slow-rank",
            TEXT,
            cause=_cause(view, slowest),
            seconds=cost,
            where=view.place(*more.where) if more is not None and more.where is not None else None,
            ms=1e3 * cost,
            rank=slowest.rank,
            often=slowest.slowest,
            more=1e3 * more.seconds if more is not None else 0.0,
            doing=(DOING.get(view.lang) or DOING["en"])[more.state if more is not None else ""],
        )


def _cause(view: View, slowest: Waits) -> Cause:
    """The row that gets smaller: that of what this rank does more of, if the ledger is its own."""
    more = slowest.excess
    if more is None or slowest.rank != view.process.rank:
        return "communication"
    here = [e for e in view.entries if e.state == more.state]
    here = [e for e in here if e.where == more.where] or here
    largest = max(here, key=lambda entry: entry.seconds, default=None)
    return largest.cause if largest is not None else "communication"
