"""Where a line stands, as the user names it. Pure."""

from pathlib import Path


def place(where: tuple[str, int] | None, cwd: str) -> str | None:
    """`train.py:41`, from where the user was."""
    return None if where is None else named(*where, cwd)


def near(text: str, cwd: str) -> str:
    """The same, of one that is written as `/all/of/the/path/train.py:41`."""
    file, _, line = text.rpartition(":")
    return named(file, int(line), cwd) if file and line.isdigit() else text


def named(file: str, line: int, cwd: str) -> str:
    path = Path(file)
    return f"{path.relative_to(cwd) if path.is_relative_to(cwd) else path}:{line}"
