import pytest

from narrows.ledger.cost import cost
from tests.ledger.cost.calls import call, ids, t

Q, K, V = t(2, 4, 8, 16), t(2, 4, 10, 16), t(2, 4, 10, 6)
SCORES = 2 * 4 * 8 * 10
FORWARD = 2 * SCORES * (16 + 6)
BACKWARD = 2 * SCORES * (3 * 16 + 2 * 6)


@pytest.mark.parametrize(
    ("name", "rest"),
    [
        ("scaled_dot_product_attention", (None, 0.0, True)),
        ("_scaled_dot_product_flash_attention", (0.0, True)),
        ("_scaled_dot_product_flash_attention_for_cpu", (0.0, True)),
        ("_scaled_dot_product_efficient_attention", (None, True, 0.0, True)),
        ("_scaled_dot_product_cudnn_attention", (None, True, 0.0, True)),
        ("_scaled_dot_product_fused_attention_overrideable", (None, 0.0, True)),
    ],
)
def test_forward_and_a_causal_half(name: str, rest: tuple[object, ...]) -> None:
    assert cost(call(name, Q, K, V)).flops == FORWARD
    assert cost(call(name, Q, K, V, *rest)).flops == FORWARD / 2
    assert cost(call(name, Q, K, V, *rest[:-1], False)).flops == FORWARD


def test_the_plain_form_computes_all_scores_and_masks_them() -> None:
    assert cost(call("_scaled_dot_product_attention_math", Q, K, V, None, 0.0, True)).flops == FORWARD


@pytest.mark.parametrize(
    ("name", "between"),
    [
        ("_scaled_dot_product_flash_attention_backward", (t(1), t(1), None, None, 8, 10, 0.0)),
        ("_scaled_dot_product_flash_attention_for_cpu_backward", (t(1), t(1), 0.0)),
        ("_scaled_dot_product_efficient_attention_backward", (None, t(1), t(1), ids(), ids(), 0.0, (True,) * 4)),
        ("_scaled_dot_product_cudnn_attention_backward", (t(1), t(1), ids(), ids(), None, None, None, 8, 10, 0.0)),
    ],
)
def test_backward_and_a_causal_half(name: str, between: tuple[object, ...]) -> None:
    assert cost(call(name, t(2, 4, 8, 6), Q, K, V, *between, False)).flops == BACKWARD
    assert cost(call(name, t(2, 4, 8, 6), Q, K, V, *between, True)).flops == BACKWARD / 2


def test_bytes_are_those_of_arguments_and_results_not_of_the_scores() -> None:
    found = cost(call("_scaled_dot_product_flash_attention_for_cpu", Q, K, V, out=(t(2, 4, 8, 6), t(2, 4, 8))))
    assert found.bytes_read == Q.bytes + K.bytes + V.bytes
    assert found.bytes_written == 4 * (2 * 4 * 8 * 6 + 2 * 4 * 8)


def test_grouped_queries_count_by_the_heads_of_the_query() -> None:
    found = cost(call("scaled_dot_product_attention", t(2, 8, 5, 4), t(2, 2, 5, 4), t(2, 2, 5, 4)))
    assert found.flops == 2 * 2 * 8 * 25 * 8


@pytest.mark.parametrize(("name", "lengths"), [("_flash_attention_forward", 2), ("_efficient_attention_forward", 3)])
def test_heads_next_to_last(name: str, lengths: int) -> None:
    nothing = (None,) * lengths
    q, k, v = t(2, 8, 4, 16), t(2, 10, 4, 16), t(2, 10, 4, 6)
    assert cost(call(name, q, k, v, *nothing, 8, 10, 0.0, False)).flops == FORWARD


def test_packed_sequences_are_taken_to_be_of_one_length() -> None:
    """3 sequences of 4 tokens, 2 heads of 8."""
    packed = t(12, 2, 8)
    found = cost(call("_flash_attention_forward", packed, packed, packed, ids(4), ids(4), 4, 4, 0.0, True))
    assert found.flops == 0.5 * 2 * 3 * 2 * 16 * 16
