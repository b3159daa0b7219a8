"""The copy is what `copy.deepcopy` makes; tensors that nothing else shares are cloned instead."""

import copy
import io
from collections import OrderedDict
from types import SimpleNamespace
from typing import Any

import pytest

from narrows.remedies.inside.snapshot import snapshot

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch


def state() -> dict[str, Any]:
    net = torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.BatchNorm1d(2))
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(3, 4)).sum().backward()
    optimizer.step()
    return {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "step": 3, "who": ("a", None, b"c", 1.5)}


def saved(value: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def test_a_checkpoint_is_written_as_it_would_be_and_no_longer_follows_the_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    value = state()
    before = saved(value)
    copies: list[object] = []
    original = torch.Tensor.__deepcopy__
    monkeypatch.setattr(torch.Tensor, "__deepcopy__", lambda self, memo: copies.append(self) or original(self, memo))
    made = snapshot(torch, value)
    assert copies == []
    value["net"]["0.weight"].fill_(7)
    value["optimizer"]["param_groups"][0]["lr"] = 9
    assert saved(made) == before
    assert (type(made["net"]), made["net"]._metadata) == (OrderedDict, value["net"]._metadata)


def shares(a: Any, b: Any) -> bool:
    return bool(a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr())


def test_what_shares_memory_shares_it_in_the_copy() -> None:
    whole = torch.arange(8.0)
    for first, second in ((whole, whole), (whole, whole[2:4]), (whole, whole.view(2, 4)), (whole[:2], whole[4:])):
        for each in ((first, second), (second, first)):
            a, b = snapshot(torch, list(each))
            assert shares(a, b)
            assert not shares(a, first)
            assert torch.equal(a, each[0])
            assert torch.equal(b, each[1])


def test_what_may_hide_tensors_is_copied_as_a_whole() -> None:
    whole = torch.arange(8.0)
    made = snapshot(torch, {"weights": whole, "kept": SimpleNamespace(weights=whole.view(2, 4))})
    assert shares(made["weights"], made["kept"].weights)


@pytest.mark.parametrize("odd", ["gradient", "note", "part", "transposed", "conjugate", "sparse"])
def test_odd_tensors_are_what_they_were(odd: str) -> None:
    tensor = torch.randn(3, 4)
    if odd == "note":
        tensor.note = "mine"
    made = {
        "gradient": lambda: tensor.requires_grad_(), "note": lambda: tensor, "part": lambda: tensor[1:],
        "transposed": tensor.t, "conjugate": lambda: torch.complex(tensor, tensor).conj(), "sparse": tensor.to_sparse,
    }[odd]()  # fmt: skip
    (ours,), (theirs,) = snapshot(torch, [made]), copy.deepcopy([made])
    assert torch.equal(ours.detach().to_dense(), theirs.detach().to_dense())
    assert vars(ours) == vars(theirs)
    assert (ours.layout, ours.requires_grad, ours.is_conj()) == (theirs.layout, theirs.requires_grad, theirs.is_conj())
    if odd != "sparse":
        assert ours.stride() == theirs.stride()
        assert ours.untyped_storage().nbytes() == theirs.untyped_storage().nbytes()


def test_a_list_may_hold_itself() -> None:
    value: list[Any] = [torch.ones(2)]
    value.append(value)
    made = snapshot(torch, value)
    assert made[1] is made
    assert not shares(made[0], value[0])
