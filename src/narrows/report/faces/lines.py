"""Text for a terminal: what is unsafe to print taken out, and lines broken where the language allows it."""

import re

from rich.cells import cell_len

WIDE = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uff60"
CLOSING = "，。；：！？、）》」』”’％…"
UNIT = r"~?\d[\d.,]* (?:[mµ]?s|min|h|[KMGT]i?B|B)\b[,.;:)]*"
TOKEN = re.compile(rf"\s+|{UNIT}|（?[{WIDE}][{CLOSING}]*|（?[^\s{WIDE}]+[{CLOSING}]*")
"""A number stays with its unit. Chinese is broken after any character, but no line begins with a closing mark."""

UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control codes and what turns the reading direction: a job's name could drive the terminal with them."""


def clean(text: str) -> str:
    return UNSAFE.sub("�", text.replace("\t", " ").replace("\n", " "))


def wrapped(text: str, width: int) -> list[str]:
    """Lines no wider than `width` cells. A word that is wider than a whole line is cut."""
    lines: list[str] = []
    line = ""
    for token in TOKEN.findall(clean(text)):
        while cell_len(line.rstrip() if token.isspace() else line + token) > width:
            if line.strip():
                lines.append(line.rstrip())
                line = ""
            else:
                head = _head(token, width)
                lines.append(head)
                token = token[len(head) :]
        if line or not token.isspace():
            line += token
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def padded(text: str, width: int, *, right: bool = False) -> str:
    """To `width` cells, which are not characters: a Chinese one takes two."""
    space = " " * (width - cell_len(text))
    return space + text if right else text + space


def short(text: str, width: int) -> str:
    """Its beginning and its end, where it does not fit in one line."""
    text = clean(text)
    if cell_len(text) <= width:
        return text
    end = text[-(width // 3) :]
    while cell_len(end) > width // 3:
        end = end[1:]
    return f"{_head(text, width - cell_len(end) - 3)}...{end}"


def _head(text: str, width: int) -> str:
    """As many characters as fit, but one at least, so that whoever cuts in a loop comes to an end."""
    count = 1
    while count < len(text) and cell_len(text[: count + 1]) <= width:
        count += 1
    return text[:count]
