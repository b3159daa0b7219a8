"""Where a line stands, as the user names it. Pure."""

from pathlib import Path


def place(where: tuple[str, int] | None, cwd: str) -> str | None:
    """`train.py:41`, from where the user was."""
    return None if where is None else named(*where, cwd)


def named(file: str, line: int, cwd: str) -> str:
    path = Path(file)
    return f"{path.relative_to(cwd) if path.is_relative_to(cwd) else path}:{line}"
