"""Checkpoints are copied, and written by a thread while the loop goes on.

A file that is saved again and again, faster than it can be written, is not written each time: the thread rests between
two writes, and then writes what was saved last.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

from .candidate import Candidate
from .inside import looks, within
from .inside.snapshot import snapshot
from .inside.writer import Writer

if TYPE_CHECKING:
    from narrows.findings.view import View

NAME = "async-checkpoint"
CLASS = "exact"
TEXT = {
    "en": (
        "Checkpoints are written by a background thread, from a copy",
        "The same files; of saves to one file in quick succession the last one is written. A copy of one checkpoint is in "
        "memory until it is written. A job that is killed right after a save may leave that file incomplete or as it was "
        "before, and an error in writing shows when the file is looked at, at the next save, or at the end.",
    ),
    "zh": (
        "由后台线程从副本写检查点",
        "文件相同；短时间内多次保存到同一文件时，只写最后一次。写完之前，内存里多一份检查点副本。"
        "刚保存就被杀死的作业，文件可能不完整或仍是之前的内容；写入错误在查看该文件、下一次保存或结束时才出现。",
    ),
}
PART = 0.6
"""Of a save, what the thread takes over: the copy remains, and it shares Python's lock with the loop."""


def candidates(view: View) -> list[Candidate]:
    late = view.steps.timed(view.steady.first)
    spent = sum(s.state("save") for s in late) / len(late) / 1e9 if late else 0.0
    if view.cores < 2 or view.share(PART * spent) < 0.02:
        return []
    return [Candidate(value=True, seconds=PART * spent)]


def apply(torch: Any, value: bool) -> None:
    original = torch.save
    writer = Writer(original)
    noted: list[bool] = []

    @functools.wraps(original)
    def save(obj: Any, f: Any, *args: Any, **kwargs: Any) -> Any:
        if writer.forked:
            return original(obj, f, *args, **kwargs)
        path = os.path.abspath(os.fspath(f)) if isinstance(f, (str, os.PathLike)) else ""
        writer.ready(path)
        # What it complains of (a missing folder, a full disk) it should complain of here and now.
        if path and os.access(os.path.dirname(path), os.W_OK):
            try:
                mine = snapshot(torch, obj)
                if not os.path.exists(path):
                    open(path, "ab").close()  # it is there, as it would be
                writer.put((mine, path, args, kwargs))
            except Exception as problem:
                within.fault(NAME, problem)
                return original(obj, f, *args, **kwargs)
            if not noted:
                noted.append(True)
                within.note(NAME)
            return None
        return original(obj, f, *args, **kwargs)

    torch.save = torch.serialization.save = save
    looks.watch(torch, writer)


def by_hand(value: bool) -> str:
    return "threading.Thread(target=torch.save, args=(copy.deepcopy(state), path)).start()"
