"""Forecasts: windows that never look ahead, the recurrence against PyTorch's own, and what comes of prices."""

import sys

import numpy as np
import pytest

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")
forecast = pytest.importorskip("narrows.workloads.forecast")


def prices(count: int = 200) -> np.ndarray:
    return 50 * np.exp(np.cumsum(0.02 * np.random.default_rng(0).standard_normal(count)))


def test_volatility_is_the_logarithm_of_the_mean_absolute_return() -> None:
    found = forecast.log_volatility(np.array([0.01, -0.02, 0.03, -0.04, 0.05, 0.0]))
    assert found == pytest.approx(np.log([0.03 + forecast.SMALL, 0.028 + forecast.SMALL]))


def test_a_window_ends_where_the_week_that_is_forecast_begins() -> None:
    seen = prices()
    windows, after, last = forecast.examples(seen)
    assert windows.shape == (len(after), forecast.WINDOW, 3)
    moves = np.abs(np.diff(np.log(seen)))
    assert last[0].item() == pytest.approx(float(np.log(moves[forecast.WINDOW - 1 :][:5].mean() + forecast.SMALL)))
    assert after[0].item() == pytest.approx(float(np.log(moves[forecast.WINDOW + 4 :][:5].mean() + forecast.SMALL)))
    assert after[-1].item() == pytest.approx(float(np.log(moves[-5:].mean() + forecast.SMALL)))
    seen[-5:] *= np.array([1.1, 1.3, 0.9, 1.2, 2.0])  # only the last forecast's week
    again, changed, _ = forecast.examples(seen)
    assert torch.equal(again[-1], windows[-1])
    assert changed[-1] != after[-1]


def test_the_loop_over_time_steps_gives_what_the_layer_gives() -> None:
    torch.manual_seed(0)
    model = forecast.make_model("lstm")
    slow = forecast.make_model("lstm", slow=True)
    slow.load_state_dict(model.state_dict())
    x = torch.randn(3, 20, 3)
    torch.testing.assert_close(slow(x), model(x))


def test_the_convolutions_look_back_and_not_ahead() -> None:
    torch.manual_seed(0)
    model = forecast.make_model("tcn").eval()
    x = torch.randn(1, 3, 80)
    before = model.blocks(model.first(x))
    x[..., 70:] += 1
    after = model.blocks(model.first(x))
    torch.testing.assert_close(after[..., :70], before[..., :70])
    assert not torch.allclose(after[..., 70:], before[..., 70:])


@pytest.mark.parametrize(
    ("wrong", "why"),
    [("1 2 3", "there are 3"), ("1 2 3 4 5 6 7 8 9 x", "'x'"), ("1 2 3 4 5 6 7 8 9 -10", "one is not positive")],
)
def test_what_is_no_series_of_prices_is_said_in_a_sentence(wrong: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        forecast.read(wrong)


@pytest.mark.parametrize("kind", ["lstm", "tcn"])
def test_it_answers_with_what_moves_are_to_be_expected(kind: str, tmp_path, monkeypatch, capsys) -> None:
    kept = tmp_path / "model.pt"
    torch.save({"kind": kind, "state": forecast.make_model(kind).state_dict()}, kept)
    asked = " ".join(f"{price:.2f}" for price in prices(30))
    monkeypatch.setattr(sys, "argv", ["forecast.py", "--model", str(kept), "--infer", asked])
    forecast.main()
    assert capsys.readouterr().out.startswith("next week: moves of ")
