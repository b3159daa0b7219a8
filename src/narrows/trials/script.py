"""The user's own files of a job: its main script, and what that imports from beside it."""

import ast
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from narrows.edits.text import parse

MOST = 200
"""Files."""


def files(words: Sequence[str]) -> list[Path]:
    """Of a command, the main script first; empty where that is not a Python file (`python -c`, a program).

    Only files beneath the working directory: what is installed elsewhere is not the user's.
    """
    main = _main(words)
    if main is None:
        return []
    # A module that is run by name finds others from the working directory, a script from its own.
    roots = [main.parent, Path.cwd()]
    found = [main]
    for file in found:
        text = read(file)
        made = parse(text) if text is not None else None
        for module in _imported(made.tree, file, roots) if made else ():
            if module.resolve() not in [each.resolve() for each in found] and len(found) < MOST and _own(module):
                found.append(module)
    return found


def _main(words: Sequence[str]) -> Path | None:
    for i, word in enumerate(words):
        if word == "-c":
            return None
        if word == "-m" and i + 1 < len(words):
            # A launcher (`-m torch.distributed.run`) is not there, and names the script further on.
            path = Path(*words[i + 1].split("."))
            for file in (path.with_suffix(".py"), path / "__main__.py"):
                if file.is_file():
                    return file
        elif i and word.endswith(".py") and os.path.isfile(word):
            return Path(word)
    return None


def _imported(tree: ast.Module, file: Path, roots: Sequence[Path]) -> Iterator[Path]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _modules(alias.name, roots)
        elif isinstance(node, ast.ImportFrom):
            # One dot is the folder of the file itself.
            where = [file.resolve().parents[node.level - 1]] if node.level else roots
            yield from _modules(node.module or "", where)
            for alias in node.names:
                yield from _modules(f"{node.module}.{alias.name}" if node.module else alias.name, where)


def _modules(dotted: str, roots: Sequence[Path]) -> Iterator[Path]:
    """The module's file, and those of the packages that it is in."""
    parts = [part for part in dotted.split(".") if part]
    for root in roots:
        for count in range(1, len(parts) + 1):
            path = root.joinpath(*parts[:count])
            yield from (each for each in (path.with_suffix(".py"), path / "__init__.py") if each.is_file())


def _own(file: Path) -> bool:
    inside = file.resolve().is_relative_to(Path.cwd())
    return inside and "site-packages" not in file.resolve().parts


def read(file: Path) -> str | None:
    """None if it cannot be read, or is not in UTF-8."""
    try:
        text = file.read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        return None
    declared = re.match(r"(?:[^\n]*\n)?[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", text)
    return text if declared is None or declared[1].lower().replace("_", "-") in ("utf-8", "utf8") else None
