"""A line through runs, by nearness."""

import pytest

from narrows.fit.line import STEEP, line


def test_one_point_says_by_how_much_the_model_is_off() -> None:
    assert line([(100.0, 130.0)], 500.0).at(200.0) == 230.0


def test_points_on_a_line_are_on_it() -> None:
    found = line([(100.0, 130.0), (200.0, 210.0), (400.0, 370.0)], 300.0)
    assert [found.at(x) for x in (100.0, 300.0, 800.0)] == pytest.approx([130.0, 290.0, 690.0])


def test_those_that_are_near_count_most() -> None:
    """It takes 1.2 times what is modelled where it is large, and no more than that where it is small."""
    points = [(100.0, 100.0), (900.0, 1080.0), (1000.0, 1200.0), (1100.0, 1320.0)]
    assert line(points, 1000.0).at(1000.0) == pytest.approx(1200.0, rel=1e-3)
    assert line(points, 100.0).at(100.0) == pytest.approx(100.0, rel=1e-2)


@pytest.mark.parametrize(("other", "slope"), [(990.0, STEEP[0]), (1100.0, STEEP[1])])
def test_noise_between_neighbours_is_no_slope(other: float, slope: float) -> None:
    assert line([(1000.0, 1000.0), (1010.0, other)], 1000.0).slope == slope
