"""From the words after the command's own options to something that can be run."""

import os
import re
import shutil
import sys
from dataclasses import dataclass

from narrows.gallery import catalogue
from narrows.job.failure import Failure

SECRET_NAME = re.compile(r"token|secret|passw|api[-_]?key|credential|private[-_]?key|access[-_]?key|auth", re.I)
SECRET_VALUE = re.compile(
    r"^(hf_|sk-|sk_|ghp_|gho_|github_pat_|glpat-|xox[abp]-|AKIA|ASIA|AIza|eyJ)[A-Za-z0-9_\-./=]{8,}$"
)
IN_URL = re.compile(r"(://[^/\s:@]+:)[^/\s@]+@")
MASK = "***"


@dataclass(frozen=True, kw_only=True)
class Command:
    words: tuple[str, ...]
    """What is executed."""
    typed: tuple[str, ...]
    """What the user typed."""
    python: str
    """The interpreter that the job most likely uses: measurements of the machine are made with it."""


def resolve(typed: list[str]) -> Command:
    """Raises `Failure` with 127 for what is not there and 126 for what cannot be executed, as shells do."""
    words = typed[1:] if typed[:1] == ["--"] else list(typed)
    if not words:
        raise Failure("no job was given; put narrows in front of a command, as in: narrows diagnose python train.py", 2)
    first = words[0]
    if first.startswith("@"):
        words = [sys.executable, str(catalogue.installed(first[1:]).script), *words[1:]]
    elif first == "-m":
        words = [sys.executable, *words]
    elif first.endswith(".py") and not os.access(first, os.X_OK):
        if not os.path.exists(first):
            raise Failure(f"there is no file {first}", 127)
        words = [sys.executable, *words]
    elif first.endswith(".py") and os.path.isfile(first):
        words = [sys.executable, *words]
    found = shutil.which(words[0])
    if found is None:
        if os.path.exists(words[0]) and os.sep in words[0]:
            raise Failure(f"{words[0]} is there, but it cannot be executed", 126)
        raise Failure(f"there is no command {words[0]}", 127)
    return Command(words=tuple(words), typed=tuple(typed), python=_interpreter(found))


def _interpreter(path: str) -> str:
    """The command itself if it is a Python; that of its first line if it is a script (torchrun); else this one."""
    if re.match(r"python[0-9.]*$|pypy", os.path.basename(path)):
        return path
    try:
        with open(path, "rb") as file:
            line = file.readline(256)
    except OSError:
        return sys.executable
    if line.startswith(b"#!"):
        words = line[2:].decode(errors="replace").split()
        if words and "python" in os.path.basename(words[0]) and os.access(words[0], os.X_OK):
            return words[0]
    return sys.executable


def mask(words: list[str]) -> list[str]:
    """The command with what looks like a secret replaced, for reports."""
    masked, hide = [], False
    for word in words:
        name, equals, value = word.partition("=")
        if hide and not word.startswith("-"):
            masked.append(MASK)
        elif equals and SECRET_NAME.search(name):
            masked.append(f"{name}={MASK}")
        elif SECRET_VALUE.match(word) or (equals and SECRET_VALUE.match(value)):
            masked.append(f"{name}={MASK}" if equals else MASK)
        else:
            masked.append(IN_URL.sub(rf"\1{MASK}@", word))
        hide = not equals and word.startswith("-") and bool(SECRET_NAME.search(word))
    return masked
