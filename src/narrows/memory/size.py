"""Sizes of memory as people write them."""

import re

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_NUMBER = r"[0-9]{1,15}(?:[.][0-9]+|,[0-9]{1,2}|,[0-9]{4,})?|[.][0-9]+"
"""A comma before three digits may be one of thousands or one before a fraction, so it is not read."""
_SIZE = re.compile(rf"\s*({_NUMBER})\s*([kmgt]i?)?(b|bytes?)?\s*", re.IGNORECASE)


def parse(text: str) -> int:
    """Bytes. `16GiB` is 16 times 2 to the 30th, `16GB` 16 times 10 to the 9th, `16G` as GNU tools have it, GiB. Raises
    `ValueError` with a sentence."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a size; write it like 16GiB, 16GB or 16000MiB")
    unit = (found[2] or "").lower()
    if len(unit) == 1 and not found[3]:
        unit += "i"
    size = int(float(found[1].replace(",", ".")) * UNITS[unit])
    if size <= 0:
        raise ValueError(f"{text!r} is no room at all; write a size like 16GiB")
    return size
