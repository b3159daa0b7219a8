"""A job whose script stands in the working directory."""

from pathlib import Path

from narrows.job.command import Command


def command(text: str, *arguments: str) -> Command:
    Path("train.py").write_text(text)
    words = ("python", "train.py", *arguments)
    return Command(words=words, typed=words, python="python")
