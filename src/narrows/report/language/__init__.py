"""The words of a report: one file for each language."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass

LANGUAGES = ("en", "zh")


@dataclass(frozen=True)
class Words:
    lang: str
    words: Mapping[str, str]
    fallback: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """The text for a key, its `{names}` filled in."""
        text = self.words.get(key, self.fallback.get(key, key))
        return text.format(**values) if values else text


def words(lang: str) -> Words:
    """Raises `ValueError` for a language that there is not."""
    if lang not in LANGUAGES:
        raise ValueError(f"there is no report in {lang!r}; there are: {', '.join(LANGUAGES)}")
    english: Mapping[str, str] = importlib.import_module(f"{__name__}.en").WORDS
    return Words(lang, importlib.import_module(f"{__name__}.{lang}").WORDS, english)
