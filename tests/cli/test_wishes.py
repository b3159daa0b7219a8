import pytest

from narrows.cli.wishes import classes, duration, names
from narrows.job.failure import Failure


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("2h", 7200), ("1.5 min", 90), ("45", 45)])
def test_lengths_of_time(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "ten", "-5s", "10x"])
def test_nonsense_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(Failure, match="10m"):
        duration(text)


def test_classes() -> None:
    assert classes("") == {"exact", "numerics"}
    assert classes("memory, training") == {"exact", "numerics", "memory", "training"}
    with pytest.raises(Failure, match="no class"):
        classes("everything")
    assert names("a, b,,") == {"a", "b"}
