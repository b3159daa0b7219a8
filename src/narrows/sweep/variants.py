"""The settings of a sweep: every combination of what was asked for. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product


@dataclass(frozen=True, kw_only=True)
class Variant:
    environment: tuple[tuple[str, str], ...] = ()
    arguments: tuple[tuple[str, str], ...] = ()

    @property
    def setting(self) -> dict[str, str]:
        return dict((*self.environment, *self.arguments))

    def words(self, job: Sequence[str]) -> list[str]:
        """The job with these arguments: in the place of those that it has, else at its end. A launcher's own are reached in
        the same way (`--nproc-per-node`)."""
        made = list(job)
        for name, value in self.arguments:
            places = [i for i, word in enumerate(made) if word == name or word.startswith(f"{name}=")]
            if not places:
                made += [name, value]
            elif made[places[-1]] == name:
                made[places[-1] + 1 : places[-1] + 2] = [value]
            else:
                made[places[-1]] = f"{name}={value}"
        return made


def variants(environment: Sequence[str], arguments: Sequence[str]) -> list[Variant]:
    """Of `NAME=1,2` and `--batch 32,64` (or `--batch=32,64`), each given as often as there are names; the last one varies
    fastest. Raises `ValueError` in a sentence."""
    made = [_values(text, r"(\w+)=(.+)", "OMP_NUM_THREADS=1,2") for text in environment]
    more = [_values(text, r"(-[^\s=]+)[\s=]\s*(.+)", "--batch 32,64") for text in arguments]
    names = [name for name, _ in (*made, *more)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{twice[0]} is given twice; write all of its values with commas between them")
    found = []
    for chosen in product(*[[(name, value) for value in values] for name, values in (*made, *more)]):
        found.append(Variant(environment=chosen[: len(made)], arguments=chosen[len(made) :]))
    return found


def _values(text: str, pattern: str, example: str) -> tuple[str, list[str]]:
    found = re.fullmatch(pattern, text.strip())
    values = [value.strip() for value in found[2].split(",")] if found else []
    if found is None or not all(values):
        raise ValueError(f"{text!r} are no values to go through; write them as {example}")
    return found[1], values
