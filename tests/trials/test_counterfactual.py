from pathlib import Path

import pytest

from narrows.ledger.account import account
from narrows.spool.record import Process
from narrows.trials.counterfactual import plans
from tests.fakes import CEILINGS, boundaries, line, op, process, tensor, window

MM = op("mm", tensor(1024, 1024), tensor(1024, 1024), out=tensor(1024, 1024), ms=6.0)
SOURCE = """\
for batch in loader:
    out = net(batch)
    loss = out.sum()
    loss.backward()
    optimizer.step()
    log(loss)
    count = count + 1
"""


def job(path: Path, **states: float) -> Process:
    path.write_text(SOURCE)
    file = str(path)
    bits = [[file, "<module>", 1, number, bit] for number, bit in ((1, 8), (2, 1), (4, 4), (5, 2))]
    lines = (line(6, 4.0, file=file), line(7, 0.001, file=file))
    return process(
        boundaries(**states), window("ops", ops=(MM,)), window("lines", lines=lines), sites={"sites": bits},
        loader={"workers": 0},
    )  # fmt: skip


def plans_of(found: Process) -> dict[str, tuple[str, ...]]:
    made = plans(found, account(found, lambda _: 5e-6, CEILINGS))
    return {plan.cause: plan.left_out for plan in made}


def test_the_largest_comes_first_and_names_what_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    found = plans_of(job(path, forward=6.0, tail=4.0, next=8.0))
    assert list(found) == ["input", "host"]
    assert found["input"] == ("loader",)
    assert found["host"] == (f"{path}:6",)


def test_a_small_row_is_not_proven(tmp_path: Path) -> None:
    assert list(plans_of(job(tmp_path / "train.py", forward=6.0, tail=4.0, next=0.1))) == ["host"]


def test_the_sync_and_saving_are_left_out_by_the_probe(tmp_path: Path) -> None:
    found = plans_of(job(tmp_path / "train.py", forward=6.0, wait=4.0, save=3.0))
    assert found["communication"] == ("sync",)
    assert found["host"][0] == "save"


@pytest.mark.parametrize("source", ["for", None])
def test_a_source_that_cannot_be_read_is_left_as_it_is(tmp_path: Path, source: str | None) -> None:
    path = tmp_path / "train.py"
    found = job(path, forward=6.0, tail=4.0)
    path.unlink() if source is None else path.write_text(source)
    assert all(":" not in item for left_out in plans_of(found).values() for item in left_out)
