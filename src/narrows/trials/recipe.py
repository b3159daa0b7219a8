"""The recipe: the proven remedies as a file that a person can read, and `narrows run` applies."""

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

from narrows.job.failure import Failure
from narrows.trials.arm import Value

VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Ingredient:
    remedy: str
    value: Value
    evidence: str = ""
    """One sentence: what was measured."""
    by_hand: str = ""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    command: tuple[str, ...]
    remedies: tuple[Ingredient, ...]
    evidence: str
    machine: str
    cores: int
    torch: str
    narrows: str


def write(path: Path, recipe: Recipe) -> None:
    """Raises `Failure` if the file cannot be written."""
    lines = [
        "# A recipe of narrows. `narrows run --recipe " + path.name + " JOB` applies it; the script stays as it is.",
        f"# {recipe.evidence}",
        f"version = {VERSION}",
        f"job = {json.dumps(list(recipe.command), ensure_ascii=False)}",
        "",
        "[measured_on]",
        f"machine = {_text(recipe.machine)}",
        f"cores = {recipe.cores}",
        f"torch = {_text(recipe.torch)}",
        f"narrows = {_text(recipe.narrows)}",
    ]
    for each in recipe.remedies:
        lines += ["", "[[remedy]]", f"name = {_text(each.remedy)}", f"value = {json.dumps(each.value)}"]
        lines += [f"# {each.evidence}"] if each.evidence else []
        lines += [f"# by hand: {line}" for line in each.by_hand.splitlines() if line.strip()]
    try:
        path.write_text("\n".join(lines) + "\n")
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror}") from None


def _text(text: str) -> str:
    # A JSON string is a TOML basic string, but for the escape of what lies beyond 16 bits.
    return json.dumps(text, ensure_ascii=False)


def read(path: Path) -> Recipe:
    """Raises `Failure` with 2 in one sentence if it is not a recipe."""
    try:
        found = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise Failure(f"there is no recipe {path}", 2) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Failure(f"{path} is not a recipe: {error}", 2) from None
    try:
        if found["version"] != VERSION:
            raise Failure(f"{path} is of recipe version {found['version']}, and this narrows reads {VERSION}", 2)
        where = found["measured_on"]
        return Recipe(
            command=tuple(map(str, found["job"])),
            remedies=tuple(
                Ingredient(remedy=str(each["name"]), value=_value(each["value"])) for each in found.get("remedy", [])
            ),
            evidence="",
            machine=str(where["machine"]),
            cores=int(where["cores"]),
            torch=str(where["torch"]),
            narrows=str(where["narrows"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Failure(f"{path} is not a recipe: {error!r} is missing or not what it should be", 2) from None


def _value(value: object) -> Value:
    if isinstance(value, (bool, int, str)):
        return value
    raise TypeError("value")
