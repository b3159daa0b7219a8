import pytest

from narrows.job.facts import Counterfactual
from narrows.report.language import words
from narrows.report.model import Row
from narrows.report.proofs import proofs, warnings

SAY = words("en")


def found(*savings: float, failed: str | None = None) -> Counterfactual:
    return Counterfactual(
        cause="host", left_out=["save", "/home/me/train.py:41"], pairs=[(1.0, 1.0 - s) for s in savings], failed=failed
    )


def told(each: Counterfactual | None, share: float) -> list[str]:
    every = [each] if each else []
    row = Row(cause="host", seconds=share, share=share, floor_seconds=0.0, basis="measured")
    return warnings(every, proofs(every, 1.0, "/home/me", SAY), [row], 1.0, SAY)


def test_a_proof_is_the_median_saving_of_the_jobs_own_step() -> None:
    (proof,) = proofs([found(0.5, 0.4, 0.6, 0.5, 0.45, 0.55)], 0.02, "/home/me", SAY)
    assert proof.saved_seconds == pytest.approx(0.01)
    assert proof.ci95_seconds == pytest.approx((0.008, 0.012))
    assert proof.pairs == 6
    assert proof.what == "torch.save does nothing, without train.py:41"


def test_few_pairs_prove_nothing() -> None:
    assert proofs([found(0.5, 0.5, 0.5, 0.5, 0.5)], 0.02, "/", SAY) == []


def test_a_row_that_its_proof_contradicts_is_said() -> None:
    apart = told(found(*[0.6] * 6), 0.3)
    assert "60% shorter" in apart[0]
    assert "30%" in apart[0]
    assert told(found(*[0.35] * 6), 0.3) == []


def test_what_could_not_be_proven_is_said_and_that_there_was_nothing() -> None:
    assert "could not be proven" in told(found(failed="shield"), 0.3)[0]
    assert "nothing to prove" in told(None, 0.3)[0]
