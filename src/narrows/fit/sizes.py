"""Where a job's batch, or the length of its sequences, may come from, and the same job with another one, its script unedited."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from narrows.edits.text import Source, parse
from narrows.job.command import Command
from narrows.trials.script import files, read

What = Literal["batch", "sequence"]
_NAMES: Mapping[What, re.Pattern[str]] = {
    "batch": re.compile(r"(^|[_.])(batch(_?size)?|bs|bsz)$|^(train_)?(micro_)?batch", re.IGNORECASE),
    "sequence": re.compile(
        r"(^|[_.])(seq(uence)?(_?(len(gths?)?|size))?|(block|window|context|chunk)_?size|window|length|lookback|bptt|time_?steps"
        r"|(context|ctx|max)_?(seq(uence)?_?)?len(gth)?|context_?window|context|n_?ctx|max_?seq(uence)?|n_?positions"
        r"|max_position_embeddings)$",
        re.IGNORECASE,
    ),
}
"""Names that people give it."""


@dataclass(frozen=True, kw_only=True)
class Changed:
    """The job with another size."""

    command: Command
    told: Mapping[str, str] = field(default_factory=dict)
    """Settings of the probe."""
    files: Mapping[str, str] = field(default_factory=dict)
    """New texts, laid over the job's own files."""


@dataclass(frozen=True, kw_only=True)
class Size:
    what: What
    now: int
    name: str
    """As the user knows it: `DataLoader`, `--batch-size`, `batch_size`."""
    kind: str
    """`loader`, `option` or `name`."""
    dataset: int | None = None
    """Samples of an epoch, where a loader says it: no batch is larger."""
    file: str = ""
    source: Source | None = None
    spans: tuple[tuple[int, int], ...] = ()
    """Of a name: bytes in the file where its value stands."""
    guessed: bool = False
    """Its number alone speaks for it, not its name."""

    def of(self, command: Command, size: int) -> Changed:
        if self.kind == "loader":
            return Changed(command=command, told={"batch": f"{self.now}:{size}"})
        if self.kind == "option":
            return Changed(command=replace(command, words=_with_option(command.words, self.name, size)))
        assert self.source is not None
        data = self.source.data
        for start, end in sorted(self.spans, reverse=True):
            data = data[:start] + str(size).encode() + data[end:]
        return Changed(command=command, files={self.file: data.decode()})


def named(command: Command, what: What, name: str) -> Iterator[Size]:
    """Those with that name; without one, those that look like it."""
    yield from _options(command, what, name)
    for where in (_assigned, _passed):
        yield from (each for each in _names(command, what, where) if is_named(each.name, what, name))


def assigned(command: Command, what: What) -> Iterator[Size]:
    """Whatever they are called."""
    return _names(command, what, _assigned)


def _options(command: Command, what: What, name: str) -> Iterator[Size]:
    """Of the command line, and those that the script would take, with their default."""
    words = command.words
    for i, word in enumerate(words):
        key, _, value = word.partition("=")
        bare = key.lstrip("-+").replace("-", "_")  # Hydra's have a plus where they are new
        value = value or (words[i + 1] if i + 1 < len(words) else "")
        if ("=" in word or word.startswith("-")) and value.isdigit() and is_named(bare, what, name):
            yield Size(what=what, now=int(value), name=key, kind="option")
    for _, source in _sources(command):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
                flags = [str(a.value) for a in node.args if isinstance(a, ast.Constant)]
                default = next((k.value for k in node.keywords if k.arg == "default"), None)
                for flag in flags:
                    if (
                        flag.startswith("--")
                        and is_named(flag.lstrip("-").replace("-", "_"), what, name)
                        and _number(default) is not None
                    ):
                        yield Size(what=what, now=_number(default) or 0, name=flag, kind="option")


def _names(command: Command, what: What, where: Callable[[ast.AST], Iterator[tuple[str, ast.expr]]]) -> Iterator[Size]:
    """Numbers that the script gives a name."""
    for file, source in _sources(command):
        for node in ast.walk(source.tree):
            for target, value in where(node):
                number = _number(value)
                if number is not None:
                    span = (source.start(value), source.end(value))
                    yield Size(what=what, now=number, name=target, kind="name", file=file, source=source, spans=(span,))


def _assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """At the script's top, as a default of a function, in a class."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = zip(target.elts, node.value.elts, strict=False)
                yield from ((t.id, v) for t, v in pairs if isinstance(t, ast.Name))
            elif isinstance(target, (ast.Name, ast.Attribute)):
                yield (target.id if isinstance(target, ast.Name) else target.attr), node.value
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        yield node.target.id, node.value
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        positional = [*node.args.posonlyargs, *node.args.args]
        yield from zip((a.arg for a in positional[::-1]), node.args.defaults[::-1], strict=False)
        yield from ((a.arg, d) for a, d in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if d)


def _passed(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """By keyword, or in a dict."""
    if isinstance(node, ast.Call):
        yield from ((each.arg, each.value) for each in node.keywords if each.arg)
    elif isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        yield from ((str(key.value), value) for key, value in pairs if isinstance(key, ast.Constant))


def _sources(command: Command) -> Iterator[tuple[str, Source]]:
    for path in files(command.words):
        text = read(path)
        source = parse(text) if text is not None else None
        if source is not None:
            yield str(path), source


def is_named(found: str, what: What, name: str = "") -> bool:
    """As the user called it; without a name, as people do."""
    return found == name.lstrip("-").replace("-", "_") if name else _NAMES[what].search(found) is not None


def _number(node: ast.expr | None) -> int | None:
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _with_option(words: Sequence[str], name: str, size: int) -> tuple[str, ...]:
    made = list(words)
    for i, word in enumerate(made):
        if word.partition("=")[0] == name:
            if "=" in word:
                made[i] = f"{name}={size}"
            else:
                made[i + 1] = str(size)
            return tuple(made)
    return (*made, name, str(size))
