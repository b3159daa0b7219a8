"""Trials of one round: beside each other, taking turns, or, where they cannot be, one after the other."""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType

from narrows.trials.arm import Arm, Unproven
from narrows.trials.child import Trial
from narrows.trials.rounds import Result
from narrows.trials.setting import Setting, remove
from narrows.trials.turns import Turns

ENDS = (signal.SIGTERM, signal.SIGHUP)


def together(how: Setting, arms: Sequence[Arm]) -> list[Result]:
    """What each arm measured, or why it says nothing. Raises `KeyboardInterrupt`; no process is left either way."""
    if how.most < 2:
        return [_round(how, [arm])[0] for arm in arms]
    return _round(how, arms)


def _round(how: Setting, arms: Sequence[Arm]) -> list[Result]:
    trials = [Trial(how, arm, how.folder / f"trial{number}") for number, arm in enumerate(arms)]
    # Alone, a trial is one turn, without holding it.
    pace = how.pace if len(trials) > 1 else replace(how.pace, turn=how.pace.seconds, least=how.pace.boundaries)
    try:
        with interruptible():
            Turns(trials, pace).play()
            for trial in trials:
                trial.ask()
            for trial in trials:
                trial.wait()
        return [_result(trial) for trial in trials]
    finally:
        for trial in trials:
            trial.kill()
            remove(trial.folder)


def _result(trial: Trial) -> Result:
    try:
        return trial.result()
    except Unproven as why:
        return why


def interrupt(number: int, frame: FrameType | None) -> None:
    """A handler. From then on this process is deaf: a terminal that closes and a `timeout` say it several times, and what
    follows is the cleaning up and the report."""
    for each in ENDS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[None]:
    """Whatever asks narrows to end, ends the trials first: nobody else would let a held process go."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, interrupt) for number in ENDS}
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is interrupt:  # it was not told to end, in here or further in
                signal.signal(number, handler)
