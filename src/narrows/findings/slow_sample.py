"""One function of the user takes most of the time in which batches are made."""

from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "Making each sample is slow",
        "{part:.0%} of the time in which batches are made is in {function}; its slowest line is `{source}`.",
        "Do it once beforehand (and cache it), for the whole batch at once, or with array operations instead of a Python loop.",
    ),
    "zh": (
        "生成样本很慢",
        "生成批数据的时间有 {part:.0%} 花在 {function}；最慢的一行是 `{source}`。",
        "提前做一次并缓存、整批一起做，或用数组运算代替 Python 循环。",
    ),
}


def find(view: View) -> Iterator[Finding]:
    spent = view.steady.seconds["next"]
    if view.share(spent) < 0.05:
        return
    lines = [(x.file, x.function, x.line, x.ns) for x in view.lines("sample")]
    lines += [
        (file, function, line, ns)
        for worker in view.workers
        for event in worker.events.get("samples", ())
        for file, function, _, line, _, ns in event["lines"]
    ]
    total = sum(line[3] for line in lines)
    if not total:
        return
    by_function: dict[tuple[str, str], int] = {}
    for file, function, _, ns in lines:
        by_function[file, function] = by_function.get((file, function), 0) + ns
    (file, function), most = max(by_function.items(), key=lambda item: item[1])
    by_line: dict[int, int] = {}
    for where, name, line, ns in lines:
        if (where, name) == (file, function):
            by_line[line] = by_line.get(line, 0) + ns
    slowest = max(by_line, key=lambda line: by_line[line])
    part = most / total
    if part > 0.2:
        yield view.finding(
            "slow-sample",
            TEXT,
            cause="input",
            seconds=spent * part,
            where=view.place(file, slowest),
            remedies=["cache-dataset", "loader-workers"],
            basis="modelled",
            part=part,
            function=function,
            source=view.source((file, slowest)),
        )
