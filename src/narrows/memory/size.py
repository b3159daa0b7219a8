"""Sizes of memory as people write them."""

import re

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_SIZE = re.compile(r"\s*([0-9]+(?:[.,][0-9]+)?|[.][0-9]+)\s*([kmgt]i?)?b?(?:ytes)?\s*", re.IGNORECASE)


def parse(text: str) -> int:
    """Bytes. `16GiB` is 16 times 2 to the 30th, `16GB` 16 times 10 to the 9th, `16G` as GNU tools have it, GiB. Raises
    `ValueError` with a sentence."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a size; write it like 16GiB, 16GB or 16000MiB")
    unit = (found[2] or "").lower()
    if unit and len(unit) == 1 and not text.strip().lower().endswith(("b", "bytes")):
        unit += "i"
    size = int(float(found[1].replace(",", ".")) * UNITS[unit])
    if size <= 0:
        raise ValueError(f"{text!r} is no room at all; write a size like 16GiB")
    return size
