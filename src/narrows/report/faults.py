"""What went wrong in a job of several ranks, in sentences: with which rank, after how many steps, and where."""

from collections.abc import Sequence

from msgspec.structs import replace

from narrows.job.facts import Facts
from narrows.ledger import faults
from narrows.report.language import Words
from narrows.report.parallel import Fate
from narrows.spool.place import near
from narrows.spool.record import Process

WELL = ("finished", "stopped")


def told(facts: Facts, processes: Sequence[Process], say: Words) -> tuple[list[Fate], str]:
    """(how each rank ended, what the job ended with); nothing where all went well."""
    found = [replace(f, where=near(f.where, facts.cwd) if f.where else f.where) for f in faults.fates(processes)]
    tries = faults.attempts(found)
    if facts.ended == "ok" and tries:
        # What `multiprocessing` starts ends without a last word, and Ray's workers, whose loop is over, stand until it ends them.
        idle = all(f.how == "stood" and f.state == "tail" for f in tries[-1])
        well = {id(f) for f in tries[-1] if f.how == "ended" or idle}
        found = [replace(f, how="finished", state=None, where=None) if id(f) in well else f for f in found]
        tries = faults.attempts(found)
    if not tries or (len(tries) == 1 and all(f.how in WELL for f in found) and not faults.uneven(found)):
        return [], ""
    return found, headline(tries[-1], say, killed_for_memory=facts.memory_kills > 0)


def warnings(facts: Facts, processes: Sequence[Process], found: Sequence[Fate], fault: str, say: Words) -> list[str]:
    """What is said though the job did not fail of it: it was started again, stopped while a rank hung, or ended unevenly;
    and in what ranks differ that ought to be the same."""
    made = [say("fault.again", fault=headline(each, say) or say("fate.ended", steps=each[0].steps))
            for each in faults.attempts(found)[:-1] if each]  # fmt: skip
    if fault and facts.ended in ("ok", "stopped"):
        made.append(say("fault.stop", fault=fault))
    last = faults.attempts(found)[-1:]
    if last and all(f.how in WELL for f in last[0]) and faults.uneven(last[0]):
        steps = {f.rank: str(f.steps) for f in last[0]}
        made.append(say("fault.uneven", steps=_by_rank(steps, say)))
    ranks = [each[-1] for each in faults.rank_processes(processes)]
    made.extend(say(f"fault.{what}", said=_by_rank(said, say)) for what, said in faults.differences(ranks).items())
    return made


def headline(found: Sequence[Fate], say: Words, *, killed_for_memory: bool = False) -> str:
    """Of one start of the ranks: what the others ended for."""
    those = faults.culprits(found)
    lost = next((f for f in found if f.how in ("lost", "stood")), None)
    if not those:
        if lost is None:
            return ""
        if lost.how == "lost":
            return say("fault.cut", rank=lost.rank, how=sentence(lost, say))
        places = {f.rank: sentence(f, say) for f in found}
        return say("fault.apart", places=_by_rank(places, say))
    first = those[0]
    if first.how == "finished" and lost is not None:
        return say("fault.early", rank=first.rank, steps=first.steps, other=lost.rank, how=sentence(lost, say))
    if first.how == "ended":
        return say("list").join(say("fault.busy", rank=f.rank, steps=f.steps) for f in those)
    said = say("list").join(say("fault.rank", rank=f.rank, how=sentence(f, say)) for f in those)
    if first.how == "stood":
        return say("fault.waits", fault=said)
    return say("fault.memory", fault=said) if first.signal == "SIGKILL" and killed_for_memory else said


def sentence(fate: Fate, say: Words) -> str:
    """How it ended, without its number."""
    at = say("fate.at", where=fate.where) if fate.where else ""
    state = say(f"state.{fate.state}") if fate.state else ""
    return say(f"fate.{fate.how}", steps=fate.steps, at=at, error=fate.error, signal=fate.signal, state=state)


def _by_rank(said: dict[int, str], say: Words) -> str:
    return say("list").join(say("fault.said", rank=rank, said=text) for rank, text in said.items() if text)
