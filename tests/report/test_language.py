"""Both languages fill in the same values."""

import string

import pytest

from narrows.report.language import LANGUAGES, words
from narrows.report.language.en import WORDS as ENGLISH
from narrows.report.language.zh import WORDS as CHINESE


def names(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", ENGLISH)
def test_a_text_uses_the_values_of_the_english_one(key: str) -> None:
    assert names(CHINESE[key]) <= names(ENGLISH[key])


def test_english_stands_in() -> None:
    say = words("zh")
    assert say("ledger") == "账本"
    assert type(say)(say.lang, {}, say.fallback)("ledger") == "Ledger"


def test_a_language_that_there_is_not() -> None:
    with pytest.raises(ValueError, match=", ".join(LANGUAGES)):
        words("tlh")
