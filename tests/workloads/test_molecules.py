"""Molecules: what becomes of SMILES, message passing that does not mix molecules up, and the loop over them."""

import sys

import numpy as np
import pytest

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")
pytest.importorskip("chemicals")
pytest.importorskip("rdkit")
molecules = pytest.importorskip("narrows.workloads.molecules")

SOME = ["CCO", "c1ccccc1O", "CC(=O)O", "ClC#CBr"]


def batch():
    return molecules.side_by_side([molecules.graph(each) for each in SOME])


def test_a_molecule_is_its_atoms_and_each_bond_in_both_directions() -> None:
    ethanol = molecules.graph("CCO")
    assert ethanol.atoms[:, :3].tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 1]]
    assert sorted(map(tuple, ethanol.ends.T.tolist())) == [(0, 1), (1, 0), (1, 2), (2, 1)]
    assert ethanol.bonds[:, 0].tolist() == [1.0] * 4
    assert molecules.graph("C#N").bonds.argmax(1).tolist() == [2, 2]


def test_hydrogens_are_counted_in_the_composition() -> None:
    counts, melts = molecules.composition([(molecules.graph("CCO"), 159.0), (molecules.graph("c1ccccc1Cl"), 228.0)])
    assert counts[:, [0, 2, 6, -2, -1]].tolist() == [[2, 1, 0, 6, 1], [6, 0, 1, 5, 1]]
    assert melts.tolist() == [159.0, 228.0]


def test_messages_are_the_sum_over_neighbours() -> None:
    torch.manual_seed(0)
    each = molecules.Round(8)
    some = batch()
    h = torch.randn(len(some.atoms), 8)
    heard = torch.zeros_like(h)
    for (source, target), kind in zip(some.ends.T.tolist(), some.bonds, strict=True):
        heard[target] += torch.relu(each.message(h[source]) + each.bond(kind))
    torch.testing.assert_close(each(h, some.bonds, some.ends), each.norm(h + each.change(torch.cat([h, heard], dim=1))))


def test_a_batch_gives_what_its_molecules_give_alone_and_in_a_loop() -> None:
    torch.manual_seed(0)
    model = molecules.MessagePassing().eval()
    loop = molecules.MessagePassing(one_by_one=True).eval()
    loop.load_state_dict(model.state_dict())
    together = model(batch())
    torch.testing.assert_close(together, torch.cat([model(molecules.graph(each)) for each in SOME]))
    torch.testing.assert_close(together, loop(batch()))


def test_the_order_of_the_atoms_does_not_matter() -> None:
    torch.manual_seed(0)
    model = molecules.MessagePassing().eval()
    torch.testing.assert_close(model(molecules.graph("OC(C)=O")), model(molecules.graph("CC(=O)O")))


def test_the_data_are_one_entry_for_each_structure_without_what_is_no_single_organic_molecule(monkeypatch) -> None:
    monkeypatch.setattr(molecules, "LARGEST", 4)
    data = molecules.the_data()
    assert len(data) > 100
    assert all(1 < len(each.atoms) <= 4 for each, _ in data)
    melts = np.array([kelvin for _, kelvin in data])
    assert 60 < melts.min() < melts.max() < 800


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("", "cannot be read"),
        ("C(C", "cannot be read"),
        ("[Fe]C", "other elements"),
        ("[Cl-].CC", "one molecule"),
        ("C", "one"),
    ],
)
def test_what_is_no_molecule_is_said_in_a_sentence(wrong: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        molecules.graph(wrong)


def test_it_answers_with_a_temperature(tmp_path, monkeypatch, capsys) -> None:
    kept = tmp_path / "model.pt"
    torch.save(molecules.MessagePassing().state_dict(), kept)
    monkeypatch.setattr(sys, "argv", ["molecules.py", "--model", str(kept), "--infer", "c1ccccc1O"])
    molecules.main()
    assert capsys.readouterr().out.startswith("melts at about ")
