"""A message-passing network that predicts at what temperature a molecule melts, from its structure alone."""

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rdkit import Chem, RDLogger
from torch import nn
from torch.utils.data import DataLoader

WORKLOAD = {
    "field": "drug design, chemistry",
    "model": "message-passing network, 3 rounds, 64 wide",
    "data": "measured melting points (Bradley's open data set, in the package chemicals), structures from PubChem",
    "size": "3,735 molecules of up to 10 atoms, hydrogen not counted",
    "licence": "CC0",
    "bottleneck": "overhead: small, sparse, irregular ops",
    "score": "mean absolute error",
    "better": "lower",
    "needs": ["chemicals", "rdkit"],
}
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "narrows"
PATIENCE = 5
"""Epochs without a lower error on the validation molecules, after which training ends."""
LARGEST = 10
"""Atoms, hydrogen not counted, of the molecules that are looked at."""
ELEMENTS = ["C", "N", "O", "F", "P", "S", "Cl", "Br", "I"]
KINDS = [Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE, Chem.BondType.AROMATIC]
MEAN, SPREAD = 340.0, 90.0
"""Kelvin; what the network gives is scaled by them."""


@dataclass
class Graph:
    """Molecules side by side: their atoms one after the other, and each bond twice, once in each direction."""

    atoms: torch.Tensor
    """(atoms, features)"""
    bonds: torch.Tensor
    """(bonds, features)"""
    ends: torch.Tensor
    """(2, bonds): from which atom to which."""
    owner: torch.Tensor
    """(atoms,): the molecule of each."""
    count: int
    """Of molecules."""


def features(atom) -> list[float]:
    """The element, neighbours, hydrogens, charge, and whether it is aromatic, in a ring."""
    kind = [float(atom.GetSymbol() == each) for each in ELEMENTS]
    bound = [float(atom.GetDegree() == n) for n in range(1, 5)] + [float(atom.GetTotalNumHs() == n) for n in range(4)]
    return [*kind, *bound, float(atom.GetFormalCharge()), float(atom.GetIsAromatic()), float(atom.IsInRing())]


def graph(smiles: str) -> Graph:
    """Raises `ValueError` for what is no molecule, or not one of this kind."""
    molecule = Chem.MolFromSmiles(smiles)
    if molecule is None or not molecule.GetNumAtoms():
        raise ValueError("it cannot be read")
    if any(atom.GetSymbol() not in ELEMENTS for atom in molecule.GetAtoms()):
        raise ValueError(f"it has other elements than H, {', '.join(ELEMENTS)}")
    if "." in smiles or not molecule.GetNumBonds():
        raise ValueError("its atoms are not bound into one molecule")
    atoms = torch.tensor([features(atom) for atom in molecule.GetAtoms()])
    bonds, ends = [], []
    for bond in molecule.GetBonds():
        kind = [float(bond.GetBondType() == each) for each in KINDS] + [float(bond.IsInRing())]
        pair = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        bonds += [kind, kind]
        ends += [pair, pair[::-1]]
    return Graph(atoms, torch.tensor(bonds), torch.tensor(ends).T, torch.zeros(len(atoms), dtype=torch.int64), 1)


def side_by_side(graphs: list[Graph]) -> Graph:
    starts = np.cumsum([0, *(len(each.atoms) for each in graphs)]).tolist()
    return Graph(
        torch.cat([each.atoms for each in graphs]),
        torch.cat([each.bonds for each in graphs]),
        torch.cat([each.ends + start for each, start in zip(graphs, starts, strict=False)], dim=1),
        torch.repeat_interleave(torch.arange(len(graphs)), torch.tensor([len(each.atoms) for each in graphs])),
        len(graphs),
    )


def collate(examples: list[tuple[Graph, float]]) -> tuple[Graph, torch.Tensor]:
    return side_by_side([each for each, _ in examples]), torch.tensor([melts for _, melts in examples])


class Round(nn.Module):
    """Each atom adds up messages from its neighbours and changes by what it learns."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.message, self.bond = nn.Linear(width, width), nn.Linear(5, width)
        self.change = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, width))
        self.norm = nn.LayerNorm(width)

    def forward(self, h, bonds, ends):
        """h: (atoms, width)"""
        messages = torch.relu(self.message(h)[ends[0]] + self.bond(bonds))
        heard = torch.zeros_like(h).index_add(0, ends[1], messages)
        return self.norm(h + self.change(torch.cat([h, heard], dim=1)))


class MessagePassing(nn.Module):
    """`one_by_one`: a batch is a Python loop over its molecules."""

    def __init__(self, width: int = 64, rounds: int = 3, *, one_by_one: bool = False) -> None:
        super().__init__()
        self.first = nn.Linear(len(ELEMENTS) + 11, width)
        self.rounds = nn.ModuleList([Round(width) for _ in range(rounds)])
        self.head = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Dropout(0.1), nn.Linear(width, 1))
        self.one_by_one = one_by_one

    def forward(self, batch: Graph):
        """-> (molecules,), in kelvin"""
        pooled = torch.cat([self.pooled(each) for each in apart(batch)]) if self.one_by_one else self.pooled(batch)
        return MEAN + SPREAD * self.head(pooled).squeeze(1)

    def pooled(self, batch: Graph):
        """The sum and the mean of each molecule's atoms: (molecules, 2 width)"""
        h = torch.relu(self.first(batch.atoms))
        for each in self.rounds:
            h = each(h, batch.bonds, batch.ends)
        total = h.new_zeros(batch.count, h.shape[1]).index_add(0, batch.owner, h)
        atoms = torch.bincount(batch.owner, minlength=batch.count)[:, None]
        return torch.cat([total / LARGEST, total / atoms], dim=1)


def apart(batch: Graph):
    """Its molecules, one after the other."""
    for number in range(batch.count):
        mine = batch.owner == number
        between = mine[batch.ends[0]]
        ends = batch.ends[:, between] - mine.nonzero()[0]
        yield Graph(batch.atoms[mine], batch.bonds[between], ends, torch.zeros_like(batch.owner[mine]), 1)


def the_data() -> list[tuple[Graph, float]]:
    """Cleaned: one entry for each structure (their mean, where isomers differ), and none of salts, metals and the like."""
    from chemicals.identifiers import pubchem_db
    from chemicals.phase_change import Tm_ON_data

    melts: dict[str, list[float]] = {}
    smiles = {}
    for number, kelvin in Tm_ON_data["Tm"].items():
        found = pubchem_db.search_CAS(number)
        if found and len(found.smiles) < 3 * LARGEST:
            structure = found.InChI_key[:14]  # what is bound to what; the rest of the key tells mirror images apart
            melts.setdefault(structure, []).append(kelvin)
            smiles[structure] = found.smiles
    examples = []
    for structure, text in smiles.items():
        try:
            made = graph(text)
        except ValueError:
            continue
        if len(made.atoms) <= LARGEST:
            examples.append((made, float(np.mean(melts[structure]))))
    return examples


def mean_error(model: nn.Module, loader: DataLoader) -> float:
    model.eval()
    with torch.no_grad():
        errors = torch.cat([(model(batch) - melts).abs() for batch, melts in loader])
    model.train()
    return errors.mean().item()


def train(options: argparse.Namespace) -> None:
    epochs = options.epochs or (3 if options.slow else 25)
    torch.manual_seed(0)
    examples = the_data()
    order = torch.randperm(len(examples)).tolist()
    parts = np.split(order, [len(order) // 5, len(order) * 3 // 10])
    test, valid, rest = ([examples[i] for i in part] for part in parts)
    print(f"{len(examples)} molecules, {len(rest)} to learn from")
    loader = DataLoader(rest, batch_size=64, shuffle=True, drop_last=True, collate_fn=collate)
    valid_loader, test_loader = (DataLoader(part, batch_size=256, collate_fn=collate) for part in (valid, test))
    model = MessagePassing(one_by_one=options.slow)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    best, since = float("inf"), 0
    options.model.parent.mkdir(parents=True, exist_ok=True)
    for epoch in range(epochs):
        for batch, melts in loader:
            loss = nn.functional.smooth_l1_loss(model(batch) / SPREAD, melts / SPREAD)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        seen = mean_error(model, valid_loader)
        print(f"epoch {epoch + 1}/{epochs}  loss {loss.item():.3f}  validation {seen:.1f} K")
        since = 0 if seen < best else since + 1
        if seen < best:
            best = seen
            torch.save(model.state_dict(), options.model)
        if since == PATIENCE:
            break

    score = mean_error(load(options.model), test_loader)
    (x, y), (seen_x, seen_y) = (composition(part) for part in (test, rest))
    weights = np.linalg.lstsq(seen_x, seen_y, rcond=None)[0]
    baseline = float(np.abs(x @ weights - y).mean())
    print(
        f"mean absolute error {score:.1f}  (baseline {baseline:.1f}: least squares on how many atoms of each kind there are)"
    )


def composition(examples: list[tuple[Graph, float]]) -> tuple[np.ndarray, np.ndarray]:
    """How many atoms there are of each element, hydrogen included, and a one: (n, elements + 2); and (n,) kelvin."""
    rows = []
    for each, _ in examples:
        hydrogens = each.atoms[:, len(ELEMENTS) + 4 :][:, :4] @ torch.arange(4.0)
        rows.append([*each.atoms[:, : len(ELEMENTS)].sum(0).tolist(), hydrogens.sum().item(), 1.0])
    return np.array(rows), np.array([melts for _, melts in examples])


def load(path: Path) -> MessagePassing:
    model = MessagePassing()
    model.load_state_dict(torch.load(path))
    return model.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=None, help="at most")
    parser.add_argument("--slow", action="store_true", help="with a classic mistake: a Python loop over the molecules")
    parser.add_argument("--infer", metavar="SMILES", help="when a molecule melts: 'c1ccccc1O' is phenol")
    parser.add_argument("--model", type=Path, default=CACHE / "molecules.pt", help="where the trained network is kept")
    options = parser.parse_args()
    RDLogger.DisableLog("rdApp.*")  # it writes of each formula that it cannot read
    if options.infer is None:
        return train(options)
    try:
        asked = graph(options.infer)
    except ValueError as error:
        parser.error(f"--infer takes a molecule as SMILES: {error}")
    if not options.model.exists():
        print("there is no trained network yet: training one first", file=sys.stderr)
        train(options)
    with torch.inference_mode():
        kelvin = load(options.model)(asked).item()
    print(f"melts at about {kelvin - 273.15:.0f} °C ({kelvin:.0f} K)")


if __name__ == "__main__":
    main()
