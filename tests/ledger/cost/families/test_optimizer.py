from narrows.ledger.cost import cost
from tests.ledger.cost.calls import call, t

LIST = (t(10), t(5, 4))
SIZE, COUNT = 120, 30
STEPS = (t(), t())


def test_adam_moves_parameters_and_moments_twice_and_gradients_once() -> None:
    found = cost(call("_fused_adamw_", *[LIST] * 4, (), STEPS, lr=1e-3, weight_decay=0.0, amsgrad=False))
    assert (found.flops, found.kind) == (22 * COUNT, "optimizer")
    assert (found.bytes_read, found.bytes_written) == (4 * SIZE + 8, 3 * SIZE)


def test_amsgrad_keeps_a_maximum_and_decay_takes_two_flops() -> None:
    found = cost(call("_fused_adam_", *[LIST] * 5, STEPS, weight_decay=0.1, amsgrad=True))
    assert found.flops == 25 * COUNT
    assert (found.bytes_read, found.bytes_written) == (5 * SIZE + 8, 4 * SIZE)


def test_a_gradient_scaler_writes_the_gradients() -> None:
    found = cost(call("_fused_adam_", *[LIST] * 4, (), STEPS, grad_scale=t(), found_inf=t()))
    assert found.bytes_written == 4 * SIZE


def test_sgd() -> None:
    plain = cost(call("_fused_sgd_", LIST, LIST, (), momentum=0.0, is_first_step=False))
    assert (plain.flops, plain.bytes_read, plain.bytes_written) == (2 * COUNT, 2 * SIZE, SIZE)
    heavy = cost(call("_fused_sgd_", LIST, LIST, LIST, momentum=0.9, nesterov=True, is_first_step=False))
    assert (heavy.flops, heavy.bytes_read, heavy.bytes_written) == (7 * COUNT, 3 * SIZE, 2 * SIZE)
    first = cost(call("_fused_sgd_", LIST, LIST, LIST, momentum=0.9, is_first_step=True))
    assert (first.bytes_read, first.bytes_written) == (2 * SIZE, 2 * SIZE)


def test_adagrad() -> None:
    found = cost(call("_fused_adagrad_", LIST, LIST, LIST, STEPS, lr=0.1))
    assert (found.flops, found.bytes_read, found.bytes_written) == (13 * COUNT, 3 * SIZE + 8, 2 * SIZE)


def test_a_scaler_unscales_in_place() -> None:
    found = cost(call("_amp_foreach_non_finite_check_and_unscale_", LIST, t(), t()))
    assert (found.flops, found.bytes_read, found.bytes_written) == (2 * COUNT, SIZE + 8, SIZE)


def test_moments_in_a_wider_dtype_decide_the_arithmetic() -> None:
    narrow = (t(10, dtype="bfloat16"),)
    assert cost(call("_fused_adam_", narrow, narrow, (t(10),), (t(10),), (), (t(),))).dtype == "float32"
