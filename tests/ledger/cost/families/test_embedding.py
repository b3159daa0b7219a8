import pytest

from narrows.ledger.cost import cost
from tests.ledger.cost.calls import call, ids, t

TABLE = t(1000, 8)


def test_a_lookup_reads_its_rows() -> None:
    found = cost(call("embedding", TABLE, ids(2, 3), out=t(2, 3, 8)))
    assert (found.flops, found.bytes_read, found.bytes_written) == (0, 6 * 32 + 6 * 8, 6 * 32)
    assert (found.dtype, found.kind) == ("float32", "embedding")


def test_more_lookups_than_rows_read_the_table_once() -> None:
    assert cost(call("embedding", t(2, 8), ids(100), out=t(100, 8))).bytes_read == 2 * 32 + 800


def test_a_dense_gradient_writes_the_whole_table_and_then_its_rows() -> None:
    found = cost(call("embedding_dense_backward", t(2, 3, 8), ids(2, 3), 1000, -1, False, out=TABLE))
    assert found.bytes_read == 6 * 32 + 6 * 8
    assert found.bytes_written == 32_000 + 6 * 32
    assert found.flops == 48


def test_a_sparse_gradient_does_not() -> None:
    sparse = t(1000, 8, layout="s")
    found = cost(call("embedding_sparse_backward", t(6, 8), ids(6), 1000, -1, False, out=sparse))
    assert (found.bytes_written, found.by_shape) == (6 * 32 + 48, True)
    either = call("embedding_backward", t(6, 8), ids(6), 1000, -1, False, True, out=sparse)
    assert cost(either).bytes_written == 6 * 32 + 48


@pytest.mark.parametrize(("weights", "flops"), [(None, 48), (t(6), 96)])
def test_bags(weights: object, flops: float) -> None:
    out = (t(2, 8), ids(6), ids(2), ids(0))
    found = cost(call("_embedding_bag", TABLE, ids(6), ids(2), False, 0, False, weights, out=out))
    assert found.flops == flops
    assert found.bytes_read == 6 * 32 + 48 + 16 + (24 if weights else 0)
    assert found.bytes_written == 64 + 48 + 16


def test_gradients_of_bags() -> None:
    dense = call("_embedding_bag_dense_backward", t(2, 8), ids(6), ids(6), ids(2), ids(0), 1000, False, 0, None)
    assert cost(dense).bytes_written == 32_000 + 6 * 32
    assert cost(dense).flops == 48
    sparse = call("_embedding_bag_sparse_backward", t(2, 8), ids(6), ids(2), ids(6), ids(2), 1000, False, 0, None)
    assert (cost(sparse).bytes_written, cost(sparse).flops) == (6 * 32 + 48, 0)
    either = call(
        "_embedding_bag_backward", t(2, 8), ids(6), ids(2), ids(6), ids(2), ids(0), 1000, False, 0, True, None
    )
    assert cost(either).bytes_written == 6 * 32 + 48


def test_gradients_of_sample_weights_and_renorm() -> None:
    weights = call("_embedding_bag_per_sample_weights_backward", t(2, 8), TABLE, ids(6), ids(2), ids(6), 0, out=t(6))
    assert (cost(weights).flops, cost(weights).bytes_read) == (96, 64 + 48 + 16 + 48 + 192)
    renorm = cost(call("embedding_renorm_", TABLE, ids(6), 1.0, 2.0, out=TABLE))
    assert (renorm.flops, renorm.bytes_read, renorm.bytes_written) == (96, 48 + 192, 0)
