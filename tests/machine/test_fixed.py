import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from narrows.machine.fixed import call, call_signature, costs_of_calls, fixed_costs, measure, signature
from narrows.spool.record import Op
from tests.machine.conftest import Interpreter

Make = Callable[[str], Interpreter]
ANSWER = """
for call in json.load(sys.stdin):
    print(json.dumps([call["id"], len(call["args"]) * 1e-6]), flush=True)
"""


def made(name: str, *args: Any, **more: Any) -> dict[str, Any]:
    return {"id": more.pop("id", name), "name": name, "overload": "default", "args": list(args), "kw": more}


def tensor(*shape: int, dtype: str = "float32", layout: str = "c") -> list[Any]:
    return ["T", list(shape), dtype, layout]


def test_costs_are_by_the_id_of_the_call(interpreter: Make, tmp_path: Path) -> None:
    calls = [made("relu", tensor(3), id=7), made("mm", tensor(3, 3), tensor(3, 3), id=8)]
    assert costs_of_calls(interpreter(ANSWER).path, calls, 2, tmp_path / "cache") == {7: 1e-6, 8: 2e-6}


def test_calls_that_differ_in_size_alone_are_measured_once_and_kept(interpreter: Make, tmp_path: Path) -> None:
    fake = interpreter(ANSWER)
    for number in range(3):
        calls = [made("relu", tensor(3 + number), id=1), made("relu", tensor(9), id=2)]
        assert costs_of_calls(fake.path, calls, 2, tmp_path / "cache") == {1: 1e-6, 2: 1e-6}
    assert len(fake.asked()) == 1


def test_only_what_is_not_known_is_measured(interpreter: Make, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    costs_of_calls(interpreter(ANSWER).path, [made("relu", tensor(3))], 2, cache)
    second = interpreter("given = json.load(sys.stdin)\nprint(json.dumps([given[0]['id'], float(len(given))]))")
    found = costs_of_calls(second.path, [made("relu", tensor(3)), made("t", tensor(3, 3))], 2, cache)
    assert found == {"relu": 1e-6, "t": 1.0}


def test_what_cannot_be_called_is_none_and_not_tried_again(interpreter: Make, tmp_path: Path) -> None:
    fake = interpreter("print(json.dumps([json.load(sys.stdin)[0]['id'], None]))")
    for _ in range(2):
        assert costs_of_calls(fake.path, [made("odd")], 2, tmp_path / "cache") == {"odd": None}
    assert len(fake.asked()) == 1


def test_what_there_was_no_time_for_is_tried_again(interpreter: Make, tmp_path: Path) -> None:
    fake = interpreter("json.load(sys.stdin)")
    for _ in range(2):
        assert costs_of_calls(fake.path, [made("relu")], 2, tmp_path / "cache") == {"relu": None}
    assert len(fake.asked()) == 2


def test_a_call_that_kills_the_child_costs_only_itself(interpreter: Make) -> None:
    body = """
import os
for call in json.load(sys.stdin):
    if call["name"] == "deadly":
        os.kill(os.getpid(), 9)
    print(json.dumps([call["id"], 1e-6]), flush=True)
"""
    calls = {name: made(name) for name in ("relu", "deadly", "mm")}
    assert measure(interpreter(body).path, 1, calls) == {"relu": 1e-6, "deadly": None, "mm": 1e-6}


def test_without_torch_all_are_none(tmp_path: Path) -> None:
    assert costs_of_calls(str(tmp_path / "nothing"), [made("relu")], 2, tmp_path) == {"relu": None}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (made("mm", tensor(2, 3)), made("mm", tensor(5, 6)), True),
        (made("mm", tensor(2, 3)), made("mm", tensor(2, 3, 4)), False),
        (made("mm", tensor(2, 3)), made("mm", tensor(2, 3, dtype="bfloat16")), False),
        (made("mm", tensor(2, 3)), made("mm", tensor(2, 3, layout="n")), False),
        (made("cat", ["L", tensor(2)]), made("cat", ["L", tensor(2), tensor(2)]), False),
        (made("bn", tensor(2), True), made("bn", tensor(2), False), False),
        (made("bn", tensor(2), None), made("bn", tensor(2), tensor(2)), False),
        (made("sum", tensor(2), ["L", 1]), made("sum", tensor(2), ["L", 0]), True),
        (made("to", tensor(2), dtype=["D", "float64"]), made("to", tensor(2), dtype=["D", "int64"]), False),
    ],
)
def test_a_signature_has_what_the_cost_depends_on(one: dict[str, Any], other: dict[str, Any], same: bool) -> None:
    assert (call_signature(one) == call_signature(other)) is same


def test_ops_of_a_spool(interpreter: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    raw = ("aten.addmm.default", [tensor(3), tensor(2, 3), tensor(3, 3)], [["beta", 1]], 0)
    op = Op(
        name="addmm", overload="default", arguments=(), state="forward", count=1, ns=1, fastest_ns=1,
        raw=json.loads(json.dumps(raw)),
    )  # fmt: skip
    bare = Op(name="other", overload="", arguments=(), state="forward", count=1, ns=1, fastest_ns=1)
    assert call(op) == {"name": "addmm", "overload": "default", "args": raw[1], "kw": {"beta": 1}}
    fixed = fixed_costs(interpreter(ANSWER).path, 2, "9.9", [op, bare])
    assert fixed(op) == pytest.approx(3e-6)
    assert fixed(bare) is None
    assert signature(bare) == "other"
