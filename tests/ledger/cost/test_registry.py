import pytest

from narrows.ledger.cost import registry


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("mm", "matmul"),
        ("add_", "elementwise"),  # the in-place form of add
        ("copy_", "copy"),  # a name of its own
        ("__iand__", "elementwise"),
        ("_foreach_add_", "elementwise"),
    ],
)
def test_find(name: str, kind: str) -> None:
    found = registry.find(name)
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize("name", ["mystery", "mystery_", "library::mm", ""])
def test_find_nothing(name: str) -> None:
    assert registry.find(name) is None


def test_loading_twice_registers_once() -> None:
    before = registry.names()
    registry.load()
    assert registry.names() == before
