"""What could help a job: the settings of each remedy that it names."""

from collections.abc import Sequence

from narrows import remedies
from narrows.findings.view import View
from narrows.remedies import estimates
from narrows.trials.arm import Value
from narrows.trials.option import Option
from narrows.trials.wish import Wish

WORTH_TRYING = 0.02
"""Share of the step."""
SETTINGS = 3
"""Most settings of one remedy that are tried at first."""


def options(wish: Wish, view: View) -> list[Option]:
    """What could help this job, the largest predicted saving first."""
    found: list[Option] = []
    for name in remedies.names():
        if not _asked(wish, name) or not _for(view, name):
            continue
        candidates = sorted(remedies.load(name).candidates(view), key=lambda c: -c.seconds)[:SETTINGS]
        found.extend(named(name, each.value, each.seconds) for each in candidates)
    return sorted((o for o in found if o.seconds >= WORTH_TRYING * view.step), key=lambda o: -o.seconds)


def room(wish: Wish, view: View) -> list[Option]:
    """What could make the job need less memory: of its class what names this job, of the others all that ever does, where
    they find something to change."""
    found: list[Option] = []
    for name in remedies.names():
        module = remedies.load(name)
        offers = _asked(wish, name) and hasattr(module, "ROOM") and _for(view, name)
        if offers and remedies.possible(module, view.process):
            known = {each.value: each.seconds for each in module.candidates(view)}
            values = known if module.CLASS == "memory" else dict.fromkeys(module.ROOM, 0.0) | known
            found.extend(named(name, value, seconds) for value, seconds in values.items())
    return found


def _asked(wish: Wish, name: str) -> bool:
    module = remedies.load(name)
    named = name in wish.only or not (wish.only or getattr(module, "NAMED", False))
    return module.CLASS in wish.classes and named and name not in wish.skip


def _for(view: View, name: str) -> bool:
    """The remedy is one for such jobs."""
    ranks = not getattr(remedies.load(name), "RANKS", False) or estimates.ranks(view) > 1
    return ranks and remedies.suits(name, view.framework)


def further(option: Option) -> Sequence[Option]:
    """Settings beyond one that helped, of a remedy that is a number (its `beyond(value)`)."""
    module = remedies.load(option.remedy)
    more = module.beyond(option.value) if hasattr(module, "beyond") else ()
    return [named(option.remedy, value, option.seconds) for value in more]


def named(name: str, value: Value, seconds: float = 0.0) -> Option:
    """A remedy by its name, with what it wants in the job's environment."""
    module = remedies.load(name)
    environment = module.environment(value) if hasattr(module, "environment") else {}
    return Option(remedy=name, value=value, kind=module.CLASS, seconds=seconds, environment=environment)
