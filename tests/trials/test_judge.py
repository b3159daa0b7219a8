"""What the rounds say of an option."""

import math
from dataclasses import replace

from narrows.trials.arm import Measured
from narrows.trials.bench import Own
from narrows.trials.judge import follows, judge
from narrows.trials.option import arm
from narrows.trials.rounds import Rounds
from tests.trials.machine import LOSSES, option

BASE = Measured(seconds=10.0, losses=LOSSES, peak_bytes=100, applied=frozenset({"a"}))
FASTER = replace(BASE, seconds=5.0)
OWN = Own(first=BASE, again=(BASE,), other=(BASE,))


def why(*runs: Measured) -> str:
    faster = option("a")
    found = Rounds(pairs={arm([faster]).name: [(BASE, run) for run in runs]}, failed={}, interrupted=False)
    return judge(faster, [], found, OWN, 1000).why


def test_what_is_faster_with_the_same_losses_is_kept() -> None:
    assert why(FASTER, FASTER) == "kept"


def test_a_loss_that_is_no_number_in_any_run_is_refused() -> None:
    broken = replace(FASTER, losses=(*LOSSES[:-1], math.nan))
    assert why(broken, FASTER) == why(FASTER, broken) == "parity"
    assert follows([option("a")], [(BASE, FASTER), (BASE, broken)], OWN).word == "not finite"


def test_a_run_that_takes_too_much_memory_is_refused() -> None:
    large = replace(FASTER, peak_bytes=950)
    assert why(large, FASTER) == why(FASTER, large) == "memory"
