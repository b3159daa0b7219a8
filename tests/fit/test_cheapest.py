from collections.abc import Sequence

from narrows.fit.cheapest import Chosen, Way, cheapest

A, A2, B, C = ("a", True), ("a", 2), ("b", True), ("c", True)


def never(ways: Sequence[Way]) -> int | None:
    raise AssertionError(ways)


def test_a_job_that_fits_needs_nothing() -> None:
    assert cheapest({A: 50}, {}, 100, 100, never) is None


def test_nothing_that_saves_is_no_set() -> None:
    assert cheapest({}, {}, 100, 90, never) is None
    assert cheapest({A: 100}, {}, 100, 90, never) is None


def test_of_those_that_are_enough_the_cheapest_in_time() -> None:
    chosen = cheapest({A: 50, A2: 80, B: 60}, {A: 1.3, A2: 1.1, B: 1.2}, 100, 85, never)
    assert chosen == Chosen(ways=(A2,), needed=80)


def test_one_that_is_enough_comes_before_several() -> None:
    chosen = cheapest({A: 60, B: 90, C: 90}, {A: 2.0, B: 1.0, C: 1.0}, 100, 80, never)
    assert chosen == Chosen(ways=(A,), needed=60)


def test_several_where_none_is_enough_and_of_one_remedy_one_setting() -> None:
    asked: list[tuple[Way, ...]] = []

    def need(ways: Sequence[Way]) -> int | None:
        asked.append(tuple(ways))
        return {(B, A): 40, (B, A2): 55, (B, C): None}[tuple(ways)]

    chosen = cheapest({A: 70, A2: 80, B: 75, C: 90}, {A: 1.5, A2: 1.2, B: 1.02, C: 1.0}, 100, 60, need)
    assert chosen == Chosen(ways=(B, A2), needed=55)
    assert asked == [(B, A), (B, A2), (B, C)]


def test_if_all_is_not_enough_the_least_that_was_found() -> None:
    def need(ways: Sequence[Way]) -> int | None:
        return 70

    assert cheapest({A: 80, B: 90}, {}, 100, 50, need) == Chosen(ways=(A, B), needed=70)


def test_what_adds_nothing_is_not_added() -> None:
    def need(ways: Sequence[Way]) -> int | None:
        return 80

    assert cheapest({A: 80, B: 90}, {}, 100, 50, need) == Chosen(ways=(A,), needed=80)
