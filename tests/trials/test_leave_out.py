import sys
import types
from typing import Any

import pytest

from narrows.probe import once
from narrows.trials.leave_out import Cut, leave_out


def cut(costs: dict[int, float], stays: tuple[int, ...] = ()) -> Cut:
    return Cut(costs=costs, stays=stays, least=0.5)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a source as the job would, with the probe's part under its name in there."""
    monkeypatch.setattr(once, "_runs", {})
    monkeypatch.setattr(once, "_kept", {})
    package = types.ModuleType("_narrows_probe")
    package.__path__ = []  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "_narrows_probe", package)
    monkeypatch.setitem(sys.modules, "_narrows_probe.once", once)

    def execute(source: str) -> dict[str, Any]:
        scope: dict[str, Any] = {"calls": []}
        exec(compile(source, "job.py", "exec"), scope)
        return scope

    return execute


LOOP = """\
for i in range(10):
    x = i * 2
    calls.append(x)
"""


def test_a_statement_runs_a_few_times_and_then_its_name_stays(run: Any) -> None:
    source, lines = leave_out(LOOP, cut({2: 1.0}, (1,)))
    assert lines == [2]
    assert run(source)["calls"] == [0, 2, 4, 6, *[6] * 6]


def test_a_function_finds_its_name_when_it_is_called_again(run: Any) -> None:
    source, _ = leave_out(
        "def step(i):\n    x = i * 2\n    return x\ncalls.extend(step(i) for i in range(6))\n", cut({2: 1.0})
    )
    assert run(source)["calls"] == [0, 2, 4, 6, 6, 6]


def test_a_compound_statement_goes_as_a_whole() -> None:
    _, lines = leave_out("for i in r:\n    for p in q:\n        f(p)\n    model(i)\n", cut({2: 0.3, 3: 0.3}, (1, 4)))
    assert lines == [2]


def test_what_holds_a_line_that_stays_is_looked_into() -> None:
    _, lines = leave_out("with c:\n    log()\n    model(x)\n", cut({2: 1.0}, (3,)))
    assert lines == [2]


@pytest.mark.parametrize("body", ["return f()", "yield f()", "x = yield f()", "await f()"])
def test_what_decides_where_the_program_goes_stays(body: str) -> None:
    kind = "async def" if "await" in body else "def"
    source, lines = leave_out(f"{kind} g():\n    {body}\n", cut({2: 1.0}))
    assert lines == []
    assert "_narrows_probe" not in source


def test_a_break_of_its_own_loop_goes_with_it_and_of_another_stays() -> None:
    own = "for i in r:\n    for p in q:\n        break\n"
    assert leave_out(own, cut({2: 1.0}, (1,)))[1] == [2]
    assert leave_out("for i in r:\n    if i:\n        break\n", cut({2: 1.0}, (1,)))[1] == []


def test_what_costs_nothing_stays() -> None:
    source, lines = leave_out(LOOP, cut({2: 0.1}))
    assert lines == []
    assert "_narrows_probe" not in source


def test_a_source_that_does_not_parse_is_refused() -> None:
    with pytest.raises(SyntaxError):
        leave_out("for", cut({1: 1.0}))
