import pytest
from hypothesis import given
from hypothesis import strategies as st

from narrows.ledger.cost import cost
from tests.ledger.cost.calls import call, t

SMALL = st.integers(1, 8)
REST = ((1, 1), (1, 1), (1, 1))


@given(n=SMALL, group_in=SMALL, group_out=SMALL, groups=SMALL, size=SMALL, kernel=st.integers(1, 5))
def test_forward_and_gradients(n: int, group_in: int, group_out: int, groups: int, size: int, kernel: int) -> None:
    """A multiply-add for each output, each channel of its group and each tap. Each gradient costs the same."""
    image = t(n, group_in * groups, size + kernel - 1, size + kernel - 1)
    weight = t(group_out * groups, group_in, kernel, kernel)
    result = t(n, group_out * groups, size, size)
    flops = 2.0 * n * group_out * groups * size**2 * group_in * kernel**2
    found = cost(call("convolution", image, weight, None, *REST, False, (0, 0), groups, out=result))
    assert (found.flops, found.bytes_written) == (flops, result.bytes)
    assert found.bytes_read == image.bytes + weight.bytes
    back = call(
        "convolution_backward", result, image, weight, (1,), *REST, False, (0, 0), groups, (True, True, False),
        out=(image, weight, None),
    )  # fmt: skip
    assert cost(back).flops == 2 * flops
    assert cost(back).bytes_written == image.bytes + weight.bytes


@given(n=SMALL, into=SMALL, out=SMALL, size=SMALL, kernel=st.integers(1, 5))
def test_transposed(n: int, into: int, out: int, size: int, kernel: int) -> None:
    """A multiply-add for each input, each output channel and each tap."""
    image, weight = t(n, into, size), t(into, out, kernel)
    result = t(n, out, size + kernel - 1)
    flops = 2.0 * n * into * size * out * kernel
    found = cost(call("convolution", image, weight, None, (1,), (0,), (1,), True, (0,), 1, out=result))
    assert found.flops == flops
    assert cost(call("conv_transpose1d", image, weight, out=result)).flops == flops
    mask = (False, True, False)
    back = call("convolution_backward", result, image, weight, None, (1,), (0,), (1,), True, (0,), 1, mask)
    assert cost(back).flops == flops


@pytest.mark.parametrize(
    ("mask", "passes", "read"),
    [
        ((True, True, True), 2, 2 * 16 * 64 + 16 * 27 + 2 * 3 * 64),
        ((False, True, True), 1, 2 * 16 * 64 + 2 * 3 * 64),
        ((True, False, False), 1, 2 * 16 * 64 + 16 * 27),
        ((False, False, True), 0, 2 * 16 * 64),
    ],
)
def test_the_mask_says_which_gradients(mask: tuple[bool, ...], passes: int, read: int) -> None:
    arguments = (t(2, 16, 8, 8), t(2, 3, 8, 8), t(16, 3, 3, 3))
    found = cost(call("convolution_backward", *arguments, (16,), *REST, False, (0, 0), 1, mask))
    assert found.flops == passes * 2 * 2 * 16 * 64 * 27
    assert found.bytes_read == 4 * read


@pytest.mark.parametrize("name", ["conv2d", "cudnn_convolution", "mkldnn_convolution", "_slow_conv2d_forward"])
def test_every_backend_costs_the_same(name: str) -> None:
    found = cost(call(name, t(2, 3, 8, 8), t(16, 3, 3, 3), out=t(2, 16, 8, 8)))
    assert (found.flops, found.kind, found.by_shape) == (2 * 2 * 16 * 64 * 27, "convolution", True)


def test_time_batch_channel() -> None:
    assert cost(call("conv_tbc", t(8, 2, 3), t(5, 3, 4), t(4), out=t(4, 2, 4))).flops == 2 * 32 * 15


def test_the_dtype_is_the_images() -> None:
    half = cost(
        call("conv2d", t(1, 1, 2, 2, dtype="bfloat16"), t(1, 1, 1, 1, dtype="bfloat16"), t(1), out=t(1, 1, 2, 2))
    )
    assert half.dtype == "bfloat16"
