"""Where a job's batch, or the length of its sequences, comes from, and the same job with another one, its script unedited."""

import ast
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from narrows.edits.text import Source, parse
from narrows.job.command import Command
from narrows.trials.script import files, read

What = Literal["batch", "sequence"]
_NAMES: Mapping[What, re.Pattern[str]] = {
    "batch": re.compile(r"(^|_)(batch(_?size)?|bs|bsz)$|^(train_)?(micro_)?batch", re.IGNORECASE),
    "sequence": re.compile(
        r"(^|[_.])(seq(uence)?(_?(len(gths?)?|size))?|(block|window|context|chunk)_?size|window|length|lookback|bptt|time_?steps"
        r"|(context|ctx|max)_?(seq(uence)?_?)?len(gth)?|context_?window|context|n_?ctx|max_?seq(uence)?|n_?positions"
        r"|max_position_embeddings)$",
        re.IGNORECASE,
    ),
}
"""Names that people give it."""
NEAR = 1
"""Tokens by which what the model is given may be shorter or longer: a target is its input moved on by one."""


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


def batch(command: Command, loader: Mapping[str, int | None], seen: int, name: str) -> Size | None:
    """`loader`: what the loader of the job's batches said of itself. `seen`: the leading dimension of the model's input.
    `name`: the one that the user gave. None if it is not there, or not clear."""
    if name:
        return next(named(command, "batch", name), None)
    size = loader.get("batch_size")
    if size:
        length = loader.get("batches")
        return Size(what="batch", now=size, name="DataLoader", kind="loader", dataset=length * size if length else None)
    options = list(_options(command, "batch", ""))
    if options:
        return options[0]
    names = [each for each in _names(command, "batch", _assigned) if each.now == seen]
    # By its name; else the only number of the script that is the model's leading dimension.
    like = [each for each in names if _is(each.name, "batch", "")]
    return _clear(like or [each for each in names if not _is(each.name, "sequence", "")])


def sequence(command: Command, shapes: Collection[Sequence[int]], name: str) -> Size | None:
    """`shapes`: of what the model is given. Where no name is given, one that looks like it counts only if its number is
    one of their dimensions: the second, else the first, else any. None if it is not there, or not clear."""
    every = named(command, "sequence", name)
    if name:
        return next(every, None)
    found: dict[int, list[Size]] = {}
    for each in every:
        if (order := _order(each.now, shapes)) is not None:
            found.setdefault(order, []).append(each)
    return _whole(found[min(found)]) if found else None


def _whole(found: Sequence[Size]) -> Size | None:
    """One name for one number, wherever a file says it: a model has its length as a default, too."""
    first = _clear(found)
    if first is None or first.kind != "name":
        return first
    same = [each for each in found if (each.file, each.kind, each.now) == (first.file, first.kind, first.now)]
    return replace(first, spans=tuple(span for each in same for span in each.spans))


def _order(now: int, shapes: Collection[Sequence[int]]) -> int | None:
    """How likely the number is the length, 0 the most; None if it is no dimension."""
    found = [
        ((1, 0).index(at) if at < 2 else 2) + (0 if size == now else 3)
        for shape in shapes
        for at, size in enumerate(shape)
        if abs(size - now) <= NEAR
    ]
    return min(found, default=None)


def went(before: Collection[Sequence[int]], after: Collection[Sequence[int]], now: int, asked: int) -> bool:
    """Whether a dimension that was `now` went with what was asked for, and the others stayed."""
    late = {tuple(shape) for shape in after}
    return any(
        (*shape[:at], size + asked - now, *shape[at + 1 :]) in late
        for shape in map(tuple, before)
        for at, size in enumerate(shape)
        if abs(size - now) <= NEAR
    )


def _clear(found: Sequence[Size]) -> Size | None:
    return found[0] if len({each.name for each in found}) == 1 else None


def named(command: Command, what: What, name: str) -> Iterator[Size]:
    """Those with that name; without one, those that look like it."""
    yield from _options(command, what, name)
    for where in (_assigned, _passed):
        yield from (each for each in _names(command, what, where) if _is(each.name, what, name))


def _options(command: Command, what: What, name: str) -> Iterator[Size]:
    """Of the command line, and those that the script would take, with their default."""
    words = command.words
    for i, word in enumerate(words):
        key, _, value = word.partition("=")
        bare = key.lstrip("-").replace("-", "_")
        value = value or (words[i + 1] if i + 1 < len(words) else "")
        if ("=" in word or word.startswith("-")) and value.isdigit() and _is(bare, what, name):
            yield Size(what=what, now=int(value), name=key, kind="option")
    for _, source in _sources(command):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
                flags = [str(a.value) for a in node.args if isinstance(a, ast.Constant)]
                default = next((k.value for k in node.keywords if k.arg == "default"), None)
                for flag in flags:
                    if (
                        flag.startswith("--")
                        and _is(flag.lstrip("-").replace("-", "_"), what, name)
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


def _is(found: str, what: What, name: str) -> bool:
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
