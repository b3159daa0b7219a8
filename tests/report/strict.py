"""Words that fail on a key which a language does not have, where the real ones would show the key."""

from narrows.report.language import Words


class Strict(Words):
    def __init__(self, real: Words) -> None:
        super().__init__(real.lang, real.words, real.fallback)

    def __call__(self, key: str, **values: object) -> str:
        assert key in self.words, f"{self.lang} has no {key!r}"
        return super().__call__(key, **values)
