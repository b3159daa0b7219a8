"""Breaking and padding of lines, in cells."""

import pytest
from hypothesis import given
from hypothesis import strategies as some
from rich.cells import cell_len

from narrows.report.faces.lines import clean, padded, short, wrapped


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one two three", 8, ["one two", "three"]),
        ("", 8, [""]),
        ("/a/path/that/is/long", 8, ["/a/path/", "that/is/", "long"]),
        ("每一步在等待", 6, ["每一步", "在等待"]),
        ("每一步，在等待", 6, ["每一", "步，在", "等待"]),
        ("在等待（很久）了", 8, ["在等待", "（很久）", "了"]),
        ("it takes 1.15 s here", 13, ["it takes", "1.15 s here"]),
        ("a\nb\tc\x1b[2J", 40, ["a b c�[2J"]),
    ],
)
def test_wrapped(text: str, width: int, lines: list[str]) -> None:
    assert wrapped(text, width) == lines


@given(some.text(), some.integers(4, 30))
def test_nothing_is_lost_and_nothing_sticks_out(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert all(cell_len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(clean(text).split())


@given(some.text(), some.integers(12, 60))
def test_short_fits(text: str, width: int) -> None:
    assert cell_len(short(text, width)) <= width


def test_short_keeps_both_ends() -> None:
    assert short("python " + "x" * 50 + " --lr 1e-3", 30) == "python xxxxxxxxxx... --lr 1e-3"


def test_padded_counts_cells() -> None:
    assert padded("计算", 6) == "计算  "
    assert padded("1 s", 6, right=True) == "   1 s"
