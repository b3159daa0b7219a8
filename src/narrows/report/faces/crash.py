"""What every face says of a job that ran out of memory: one sentence first, then who held the rest, then what asked."""

from narrows.report.capacity import OutOfMemory
from narrows.report.faces.summary import named_parts
from narrows.report.format import size
from narrows.report.language import Words
from narrows.report.model import Report


def sentences(report: Report, say: Words) -> list[str]:
    """None for a job that did not end so."""
    crash = report.out_of_memory
    if crash is None:
        return []
    return [text for text in (_first(crash, say), _held(crash, say), _asker(crash, say)) if text]


def _first(crash: OutOfMemory, say: Words) -> str:
    head = say("oom.at", where=crash.where) if crash.where else say("oom")
    kind = say(f"oom.kind.{crash.limit_kind}") if crash.limit_kind else ""
    if crash.killed and not crash.limit_bytes:
        return say("oom.killed.only", head=head)
    if crash.killed:
        key = "oom.killed.after" if crash.updates else "oom.killed"
        return say(key, head=head, kind=kind, limit=size(crash.limit_bytes), updates=crash.updates)
    values = {"head": head, "asked": size(crash.asked_bytes), "limit": size(crash.limit_bytes), "kind": kind}
    if crash.asked_bytes is None:
        return say("oom.limit" if crash.limit_bytes else "oom.only", **values)
    if crash.limit_bytes is None:
        return say("oom.asked", **values)
    if crash.missed_bytes is None:
        return say("oom.asked.limit", **values)
    return say("oom.missed", missed=size(crash.missed_bytes), **values)


def _held(crash: OutOfMemory, say: Words) -> str:
    if not crash.held_bytes:
        return ""
    said = say("oom.peak" if crash.killed else "oom.held", held=size(crash.held_bytes))
    if crash.parts is not None:
        said = say("label", label=said) + say("list").join(f"{a} {b}" for a, b in named_parts(crash.parts, say))
    if crash.idle_bytes:
        said += say("list") + say("oom.idle", idle=size(crash.idle_bytes))
    return said + say("stop")


def _asker(crash: OutOfMemory, say: Words) -> str:
    beside = say("list").join(t for t in (crash.op, say(f"phase.{crash.state}") if crash.state else None) if t)
    if not crash.what:
        return say("label", label=say("oom.line")) + beside if beside else ""
    text = say("aside", text=crash.what, aside=beside) if beside else crash.what
    return say("label", label=say("oom.line")) + text
