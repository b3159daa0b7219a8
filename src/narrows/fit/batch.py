"""Where a job's batch comes from, and the same job with another one, its script unedited."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from narrows.edits.text import Source, parse
from narrows.job.command import Command
from narrows.trials.script import files, read

_BATCH = re.compile(r"(^|_)(batch(_?size)?|bs|bsz)$|^(train_)?(micro_)?batch", re.IGNORECASE)
"""Names that people give it."""


@dataclass(frozen=True, kw_only=True)
class Changed:
    """The job with another batch."""

    command: Command
    told: Mapping[str, str] = field(default_factory=dict)
    """Settings of the probe."""
    files: Mapping[str, str] = field(default_factory=dict)
    """New texts, laid over the job's own files."""


@dataclass(frozen=True, kw_only=True)
class Batch:
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


def find(command: Command, loader: Mapping[str, int | None], seen: int, name: str) -> Batch | None:
    """`loader`: what the loader of the job's batches said of itself. `seen`: the leading dimension of the model's input.
    `name`: the one that the user gave. None if it is not there, or not clear."""
    if name:
        named = [*_options(command, name), *_names(command, name)]
        return named[0] if named else None
    size = loader.get("batch_size")
    if size:
        length = loader.get("batches")
        return Batch(now=size, name="DataLoader", kind="loader", dataset=length * size if length else None)
    options = list(_options(command, ""))
    if options:
        return options[0]
    names = [each for each in _names(command, "") if each.now == seen]
    # By its name; else the only number of the script that is the model's leading dimension.
    named = [each for each in names if _is(each.name, "")] or names
    return named[0] if len({each.name for each in named}) == 1 else None


def _options(command: Command, name: str) -> Iterator[Batch]:
    """Of the command line, and those that the script would take, with their default."""
    words = command.words
    for i, word in enumerate(words):
        key, _, value = word.partition("=")
        bare = key.lstrip("-").replace("-", "_")
        value = value or (words[i + 1] if i + 1 < len(words) else "")
        if ("=" in word or word.startswith("-")) and value.isdigit() and _is(bare, name):
            yield Batch(now=int(value), name=key, kind="option")
    for _, source in _sources(command):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
                flags = [str(a.value) for a in node.args if isinstance(a, ast.Constant)]
                default = next((k.value for k in node.keywords if k.arg == "default"), None)
                for flag in flags:
                    if (
                        flag.startswith("--")
                        and _is(flag.lstrip("-").replace("-", "_"), name)
                        and _number(default) is not None
                    ):
                        yield Batch(now=_number(default) or 0, name=flag, kind="option")


def _names(command: Command, name: str) -> Iterator[Batch]:
    """Numbers that the script gives a name, or this name: at its top, as a default of a function, in a class."""
    for file, source in _sources(command):
        for node in ast.walk(source.tree):
            for target, value in _assigned(node):
                number = _number(value)
                if number is not None and (not name or _is(target, name)):
                    span = (source.start(value), source.end(value))
                    yield Batch(now=number, name=target, kind="name", file=file, source=source, spans=(span,))


def _assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
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


def _sources(command: Command) -> Iterator[tuple[str, Source]]:
    for path in files(command.words):
        text = read(path)
        source = parse(text) if text is not None else None
        if source is not None:
            yield str(path), source


def _is(found: str, name: str) -> bool:
    return found == name.lstrip("-").replace("-", "_") if name else _BATCH.search(found) is not None


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
