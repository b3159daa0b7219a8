import pytest

from narrows.ledger.cost import cost
from tests.ledger.cost.calls import call, t

X, C = t(2, 4, 3), t(4)


def test_layer_norm() -> None:
    found = cost(call("native_layer_norm", t(6, 4), (4,), C, C, 1e-5, out=(t(6, 4), t(6, 1), t(6, 1))))
    assert (found.flops, found.kind) == (8 * 24, "normalisation")
    assert (found.bytes_read, found.bytes_written) == (4 * (24 + 8), 4 * (24 + 12))


def test_batch_norm_in_training_updates_its_statistics() -> None:
    found = cost(call("native_batch_norm", X, C, C, C, C, True, 0.1, 1e-5, out=(X, C, C)))
    assert found.flops == 8 * 24
    assert (found.bytes_read, found.bytes_written) == (4 * (24 + 16), 4 * (24 + 16))
    update = cost(call("_batch_norm_with_update", X, C, C, C, C, 0.1, 1e-5, out=(X, C, C, t(0))))
    assert (update.flops, update.bytes_written) == (8 * 24, 4 * (24 + 16))


@pytest.mark.parametrize(
    "op",
    [
        call("native_batch_norm", X, C, C, C, C, False, 0.1, 1e-5, out=(X, t(0), t(0))),
        call("batch_norm", X, C, C, C, C, False, 0.1, 1e-5, True, out=X),
        call("_native_batch_norm_legit_no_training", X, C, C, C, C, 0.1, 1e-5, out=(X, t(0), t(0))),
    ],
)
def test_batch_norm_with_running_statistics(op: object) -> None:
    found = cost(op)  # type: ignore[arg-type]
    assert (found.flops, found.bytes_written) == (4 * 24, 96)


def test_batch_norm_without_running_statistics() -> None:
    op = call("_native_batch_norm_legit", X, C, C, True, 0.1, 1e-5, overload="no_stats", out=(X, C, C))
    assert (cost(op).flops, cost(op).bytes_written) == (8 * 24, 4 * 32)


def test_backward() -> None:
    mask = (True, True, True)
    assert (
        cost(call("native_layer_norm_backward", X, X, (3,), C, C, t(3), t(3), mask, out=(X, t(3), t(3)))).flops == 336
    )
    trained = call("native_batch_norm_backward", X, X, C, C, C, C, C, True, 1e-5, mask, out=(X, C, C))
    fixed = call("native_batch_norm_backward", X, X, C, C, C, t(0), t(0), False, 1e-5, mask, out=(X, C, C))
    assert (cost(trained).flops, cost(fixed).flops) == (336, 168)


@pytest.mark.parametrize(
    ("op", "flops"),
    [
        (call("native_group_norm", X, C, C, 2, 4, 3, 2, 1e-5, out=(X, t(2, 2), t(2, 2))), 192),
        (call("_fused_rms_norm", X, (3,), t(3), None, out=(X, t(2, 4, 1))), 96),
        (call("_fused_rms_norm_backward", X, X, (3,), t(2, 4, 1), t(3), (True, True), out=(X, t(3))), 240),
        (call("batch_norm_stats", X, 1e-5, out=(C, C)), 96),
        (call("batch_norm_backward_reduce", X, X, C, C, C, True, True, True, out=(C, C, C, C)), 168),
        (call("_weight_norm_interface", t(4, 3), t(4, 1), 0, out=(t(4, 3), t(4, 1))), 36),
        (call("renorm", t(4, 3), 2, 0, 1.0, out=t(4, 3)), 36),
    ],
)  # fmt: skip
def test_the_others(op: object, flops: float) -> None:
    found = cost(op)  # type: ignore[arg-type]
    assert (found.flops, found.by_shape) == (flops, True)


def test_gathered_statistics_do_not_read_the_input() -> None:
    op = call("batch_norm_gather_stats_with_counts", X, t(2, 4), t(2, 4), C, C, 0.1, 1e-5, t(2), out=(C, C))
    assert cost(op).bytes_read == 4 * (8 + 8 + 4 + 4 + 2)
