"""Runs a job with a recipe: its remedies are applied inside the job, and nothing is measured."""

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from narrows import remedies
from narrows.job.command import resolve
from narrows.job.environment import environment
from narrows.job.run import run
from narrows.machine import hardware
from narrows.spool.read import read as read_spool
from narrows.trials import recipe as recipes
from narrows.trials.recipe import Ingredient, Recipe


def apply(path: Path, words: list[str], say: Callable[[str], None]) -> int:
    """The exit code of the job. Raises `Failure`. What of the recipe does not hold here is said."""
    recipe = recipes.read(path)
    command = resolve(words)
    usable = [each for each in recipe.remedies if _known(each, say)]
    elsewhere(recipe, say)
    spool = Path(tempfile.mkdtemp(prefix="narrows-"))
    try:
        told = environment(spool, plan="off")
        told["NARROWS_REMEDIES"] = json.dumps([(each.remedy, each.value) for each in usable])
        for each in usable:
            module = remedies.load(each.remedy)
            if hasattr(module, "environment"):
                told.update(module.environment(each.value))
        outcome = run(command, told)
        for process in read_spool(spool):
            version = process.first("remedies").get("torch", recipe.torch)
            if version != recipe.torch:
                say(f"the recipe was measured with torch {recipe.torch}, and this is {version}: its gains may not hold")
            for event in process.events.get("not_applied", ()):
                say(f"{event['remedy']} could not be applied: {event['why']}")
        return outcome.exit_code
    finally:
        shutil.rmtree(spool, ignore_errors=True)


def _known(each: Ingredient, say: Callable[[str], None]) -> bool:
    try:
        remedies.load(each.remedy)
    except KeyError:
        say(f"this narrows has no remedy {each.remedy}: it is left out")
        return False
    return True


def elsewhere(recipe: Recipe, say: Callable[[str], None]) -> None:
    """Say where this machine is not the one that the recipe was measured on."""
    here = hardware.cpu_name(), hardware.cores()
    if here != (recipe.machine, recipe.cores):
        say(
            f"the recipe was measured on {recipe.machine} with {recipe.cores} cores, and this is {here[0]} with "
            f"{here[1]}: its gains may not hold"
        )
