import signal
from collections.abc import Iterator

import pytest

from narrows.trials.trial import ENDS as NUMBERS
from narrows.trials.trial import interruptible


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = [signal.getsignal(number) for number in NUMBERS]
    yield
    for number, handler in zip(NUMBERS, before, strict=True):
        signal.signal(number, handler)


def test_what_was_there_before_is_there_again() -> None:
    before = [signal.getsignal(number) for number in NUMBERS]
    with interruptible():
        assert [signal.getsignal(number) for number in NUMBERS] != before
    assert [signal.getsignal(number) for number in NUMBERS] == before


def test_an_interrupt_leaves_them_as_they_were() -> None:
    before = [signal.getsignal(number) for number in NUMBERS]
    with pytest.raises(KeyboardInterrupt), interruptible():
        raise KeyboardInterrupt
    assert [signal.getsignal(number) for number in NUMBERS] == before


def test_it_stays_deaf_when_it_leaves_what_lies_around() -> None:
    with pytest.raises(KeyboardInterrupt), interruptible(), interruptible():
        signal.raise_signal(signal.SIGTERM)
    assert [signal.getsignal(each) for each in NUMBERS] == [signal.SIG_IGN, signal.SIG_IGN]


@pytest.mark.parametrize("number", NUMBERS)
def test_who_is_told_to_end_cleans_up_undisturbed_however_often_it_is_told(number: int) -> None:
    with pytest.raises(KeyboardInterrupt), interruptible():
        signal.raise_signal(number)
    for again in NUMBERS:
        signal.raise_signal(again)  # would end this process, or raise
    with pytest.raises(KeyboardInterrupt), interruptible():
        raise KeyboardInterrupt
    assert [signal.getsignal(each) for each in NUMBERS] == [signal.SIG_IGN, signal.SIG_IGN]
