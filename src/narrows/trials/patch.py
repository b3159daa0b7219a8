"""Remedies as a patch of the user's own files, where their lines can be put into them without doubt."""

import difflib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from narrows import remedies as catalogue
from narrows.edits.text import mentions, parse
from narrows.trials.arm import Value
from narrows.trials.script import read


@dataclass(frozen=True, kw_only=True)
class Patch:
    text: str
    """A unified diff, for `git apply` or `patch -p1` in the working directory; empty if nothing is changed."""
    left: tuple[str, ...]
    """Names of remedies that it does not hold: their snippet is what there is."""


def patch(files: Sequence[Path], remedies: Sequence[tuple[str, Value]]) -> Patch:
    """The remedies put into these files, the main script first. The files stay as they are.

    A remedy is either made in all files that it concerns, or left: also where one of these is not in the working
    directory, is a link, or cannot be read as UTF-8. One that a file holds already is left too.
    """
    firsts: dict[Path, Path] = {}
    for file in files:
        firsts.setdefault(file.resolve(), file)
    unique = list(firsts.values())
    before = {file: read(file) for file in unique}
    texts = dict(before)
    done: list[str] = []
    # As in the job, where the remedy that is applied last is the first to see what the script asks for.
    for name, value in reversed(remedies):
        module = catalogue.load(name)
        made = _made(module, value, texts) if hasattr(module, "edit") else None
        if made is not None and made != texts:
            texts = made
            done.append(name)
    diffs = [_diff(file, before[file] or "", texts[file] or "") for file in unique if texts[file] != before[file]]
    return Patch(text="".join(diffs), left=tuple(name for name, _ in remedies if name not in done))


def _made(module: ModuleType, value: Value, texts: dict[Path, str | None]) -> dict[Path, str | None] | None:
    """The texts with the remedy; None if one of them does not allow it."""
    concerned = list(texts)
    if hasattr(module, "ONCE"):
        concerned = concerned[:1]
        if not all(_without(text, module.ONCE) for file, text in texts.items() if file not in concerned):
            return None
    made = dict(texts)
    for file in concerned:
        text = texts[file]
        made[file] = None if text is None else module.edit(text, value)
        if made[file] is None or (made[file] != text and not _writable(file)):
            return None
    return made


def _without(text: str | None, pattern: str) -> bool:
    made = parse(text) if text is not None else None
    return made is not None and not mentions(made.tree, pattern)


def _writable(file: Path) -> bool:
    """A patch may change it: it is a file beneath the working directory, of a name that needs no quotes."""
    relative = os.path.relpath(file)
    return not (relative.startswith(os.pardir + os.sep) or file.is_symlink() or re.search(r'[\x00-\x1f"\\]', relative))


def _diff(file: Path, before: str, after: str) -> str:
    name = Path(os.path.relpath(file)).as_posix()
    # What follows a tab is no part of the name, which may hold spaces.
    end = "\t" if " " in name else ""
    lines = difflib.unified_diff(_lines(before), _lines(after), f"a/{name}{end}", f"b/{name}{end}")
    return "".join(_whole(lines))


def _lines(text: str) -> list[str]:
    """As `patch` sees them, which knows no other end of a line."""
    return [line for line in re.split(r"(?<=\n)", text) if line]


def _whole(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
