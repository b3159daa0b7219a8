"""What ops take with no more threads than cores: which are asked about, and what ranks beside each other say."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from narrows.machine.apart import apart, largest, name
from narrows.spool.record import Op
from tests.fakes import op, tensor
from tests.machine.conftest import Interpreter

Make = Callable[[str], Interpreter]
ANSWER = """
for call in json.load(sys.stdin):
    print(json.dumps([call["id"], call["args"][0][1][0] * 1e-6]), flush=True)
"""


def mm(rows: int, ms: float) -> Op:
    made = op("mm", tensor(rows, 8), tensor(8, 8), ms=ms)
    return replace(
        made, raw=("aten.mm.default", [["T", [rows, 8], "float32", "c"], ["T", [8, 8], "float32", "c"]], {}, 0)
    )


def test_those_that_took_the_most_time_come_first_and_the_rest_is_not_worth_it() -> None:
    every = [mm(1, 0.1), mm(2, 60.0), mm(3, 30.0), mm(2, 20.0), mm(4, 0.1)]
    assert [each.raw[1][0][1] for each in largest(every)] == [[2, 8], [3, 8]]
    assert largest([]) == []


def test_ranks_are_asked_beside_each_other_with_their_share_of_the_threads(interpreter: Make) -> None:
    fake = interpreter(ANSWER)
    every = [mm(2, 60.0), mm(300, 30.0)]
    assert apart(fake.path, 3, 2, every) == pytest.approx({name(every[0]): 2e-6, name(every[1]): 3e-4})
    assert len(fake.asked()) == 2
    assert all(
        {"--ops", "--whole"} < set(words) and words[words.index("--threads") + 1] == "3" for words in fake.asked()
    )


def test_what_cannot_be_called_again_is_not_there(interpreter: Make) -> None:
    fake = interpreter("print(json.dumps([json.load(sys.stdin)[0]['id'], None]))")
    assert apart(fake.path, 1, 1, [mm(2, 1.0)]) == {}
    assert apart(fake.path, 1, 1, []) == {}


def test_names_tell_sizes_apart() -> None:
    assert name(mm(2, 1.0)) == name(mm(2, 5.0)) != name(mm(3, 1.0))
    json.loads(name(mm(2, 1.0)))
