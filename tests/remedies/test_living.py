import gc

import pytest

from narrows.remedies.inside.living import Living


def test_all_are_found_and_those_that_are_gone_are_not() -> None:
    class Kind:
        pass

    class Below(Kind):
        pass

    class Other:
        pass

    before = Kind()
    living = Living(Kind, Other)
    below, other = Below(), Other()
    assert set(living.of(Kind)) == {before, below}
    assert living.of(Below) == [below]
    assert living.of(Other) == [other]
    del below
    assert living.of(Kind) == [before]


def test_they_are_looked_for_again_only_after_one_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    class Kind:
        def __init__(self, number: int) -> None:
            self.number = number

    looks, everything = [], gc.get_objects
    monkeypatch.setattr(gc, "get_objects", lambda: looks.append(1) or everything())
    living = Living(Kind)
    first = Kind(1)
    assert [living.of(Kind), living.of(Kind)] == [[first], [first]]
    assert len(looks) == 1
    second = Kind(number=2)
    assert {each.number for each in living.of(Kind)} == {first.number, second.number}
    assert len(looks) == 2
