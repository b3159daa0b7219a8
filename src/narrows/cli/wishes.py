"""What people write on the command line, as values; nonsense is refused with an example."""

import re

from narrows.job.failure import Failure
from narrows.memory.size import parse
from narrows.remedies import CLASSES, ON_REQUEST

UNITS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600}


def duration(text: str) -> float:
    """Seconds. Raises `Failure` with 2."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|)", text.strip().lower())
    if found is None:
        raise Failure(f"{text!r} is no length of time; write it as 90s, 10m or 2h", 2)
    return float(found[1]) * UNITS[found[2]]


def classes(text: str) -> frozenset[str]:
    """Classes of remedies: those that are always tried, and the ones asked for."""
    asked = names(text)
    for name in asked:
        if name not in CLASSES:
            raise Failure(f"{name!r} is no class of remedies; --allow takes: {', '.join(ON_REQUEST)}", 2)
    return frozenset(CLASSES) - frozenset(ON_REQUEST) | asked


def names(text: str) -> frozenset[str]:
    """Words with commas between them."""
    return frozenset(word.strip() for word in text.split(",") if word.strip())


def size(text: str) -> int:
    """Bytes; 0 where nothing was asked for. Raises `Failure` with 2."""
    try:
        return parse(text) if text else 0
    except ValueError as error:
        raise Failure(str(error), 2) from None
