import pytest

from narrows.memory.size import parse


@pytest.mark.parametrize(
    "text", ["", "much", "16 apples", "GiB", "-3GiB", "0", "1e9", "16 GiB 3", "16ytes", "16Gytes", "9" * 400],
)  # fmt: skip
def test_nonsense_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="16GiB"):
        parse(text)


@pytest.mark.parametrize("text", ["16,000MiB", "1,500 GiB", "16,000,000", "16.000,5MiB"])
def test_commas_that_may_be_of_thousands_are_not_taken_for_a_fraction(text: str) -> None:
    with pytest.raises(ValueError, match="16GiB"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [("16GiB", 16 << 30), ("16GB", 16 * 10**9), ("16000MiB", 16000 << 20), ("1.5 gib", 3 << 29), ("512M", 512 << 20),
     ("1024", 1024), ("2 bytes", 2), ("7kB", 7000), ("1,5GiB", 3 << 29), ("1.125GiB", 9 << 27), ("1 byte", 1), ("3Mbyte", 3 * 10**6)],
)  # fmt: skip
def test_as_people_write_them(text: str, size: int) -> None:
    assert parse(text) == size
