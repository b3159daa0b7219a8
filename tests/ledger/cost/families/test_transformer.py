from narrows.ledger.cost import cost
from tests.ledger.cost.calls import call, t

WIDTH = 8
QKV, PROJECTION = t(24, WIDTH), t(WIDTH, WIDTH)


def test_attention_with_its_projections() -> None:
    x = t(2, 5, WIDTH)
    op = call("_native_multi_head_attention", x, x, x, WIDTH, 2, QKV, t(24), PROJECTION, t(WIDTH), t(5, 5), out=(x,))
    assert cost(op).flops == 2 * 10 * (24 * 8 + 64) + 4 * 10 * 5 * 8


def test_a_whole_layer() -> None:
    x, norm = t(2, 5, WIDTH), (t(WIDTH), t(WIDTH))
    up, down = t(16, WIDTH), t(WIDTH, 16)
    op = call(
        "_transformer_encoder_layer_fwd", x, WIDTH, 2, QKV, t(24), PROJECTION, t(WIDTH), True, False, 1e-5, *norm,
        *norm, up, t(16), down, t(WIDTH), t(5, 5), 0, out=x,
    )  # fmt: skip
    assert cost(op).flops == 2 * 10 * (24 * 8 + 64 + 128 + 128) + 4 * 10 * 5 * 8


def test_choosing_a_kernel_moves_nothing() -> None:
    found = cost(call("_fused_sdp_choice", t(1, 2, 3, 4), t(1, 2, 3, 4), t(1, 2, 3, 4)))
    assert (found.kind, found.bytes_read) == ("view", 0)
