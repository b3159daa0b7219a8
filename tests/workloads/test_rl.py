"""Policy gradient: the advantages against their formula, the moments that a simulator needs to begin anew, an answer."""

import sys

import numpy as np
import pytest

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")
pytest.importorskip("gymnasium")
rl = pytest.importorskip("narrows.workloads.rl")


def test_advantages_are_the_discounted_sums_of_surprises() -> None:
    rewards, values = np.ones((3, 1)), np.array([[1.0], [2.0], [3.0], [4.0]])
    no = np.zeros((3, 1), dtype=bool)
    surprises = [1 + rl.DISCOUNT * values[t + 1, 0] - values[t, 0] for t in range(3)]
    fade = rl.DISCOUNT * rl.TRACE
    by_hand = [
        surprises[0] + fade * surprises[1] + fade**2 * surprises[2],
        surprises[1] + fade * surprises[2],
        surprises[2],
    ]
    assert rl.advantages(rewards, values, no, no)[:, 0] == pytest.approx(by_hand)


def test_nothing_is_expected_of_a_pole_that_fell_and_something_of_an_episode_that_was_cut_off() -> None:
    rewards, values = np.ones((2, 2)), np.full((3, 2), 10.0)
    ended = np.array([[True, True], [False, False]])
    fell = np.array([[True, False], [False, False]])
    found = rl.advantages(rewards, values, fell, ended)
    assert found[0, 0] == pytest.approx(1 - 10)
    assert found[0, 1] == pytest.approx(1 + rl.DISCOUNT * 10 - 10)


@pytest.mark.parametrize(("carts", "moments"), [(4, 60), (1, 240)])
def test_a_rollout_leaves_out_the_calls_in_which_a_simulator_begins_anew(carts: int, moments: int) -> None:
    torch.manual_seed(0)
    observations, actions, gained, returns = rl.Rollout(carts, moments).play(rl.Agent())
    assert len(observations) == len(actions) == len(gained) == len(returns)
    assert carts * moments * 0.9 < len(actions) < carts * moments, "poles fall after some 20 moments"
    assert (observations[:, 2].abs() < 0.21).all(), "no action is asked for after an end"


def test_a_policy_that_follows_the_pole_is_better_than_one_that_pushes_to_one_side() -> None:
    def one_side(observations):
        return np.zeros(len(observations), dtype=int)

    def follows(observations):
        return (observations[:, 2] + observations[:, 3] > 0).astype(int)

    assert rl.mean_return(one_side, seed=0) < 12 < 100 < rl.mean_return(follows, seed=0)


@pytest.mark.parametrize(("wrong", "why"), [("1 2 3", "there are 3"), ("1 2 3 x", "'x'"), ("", "there are 0")])
def test_what_is_no_moment_is_said_in_a_sentence(wrong: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        rl.read(wrong)


def test_it_answers_with_a_push(tmp_path, monkeypatch, capsys) -> None:
    kept = tmp_path / "model.pt"
    torch.save(rl.Agent().state_dict(), kept)
    monkeypatch.setattr(sys, "argv", ["rl.py", "--model", str(kept), "--infer", "0 0 0.1 0"])
    rl.main()
    assert capsys.readouterr().out.startswith("push ")
