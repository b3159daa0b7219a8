import pytest

from narrows.ledger.cost import cost
from tests.ledger.cost.calls import call, t

SMALL, LARGE = t(2, 3, 4, 4), t(2, 3, 8, 8)


@pytest.mark.parametrize(
    ("op", "flops", "kind"),
    [
        (call("upsample_nearest2d", SMALL, (8, 8), out=LARGE), 0, "copy"),
        (call("upsample_bilinear2d", SMALL, (8, 8), False, out=LARGE), 7 * 384, "elementwise"),
        (call("upsample_bilinear2d_backward", LARGE, (8, 8), (2, 3, 4, 4), False, out=SMALL), 8 * 384, "elementwise"),
        (call("grid_sampler_2d", SMALL, t(2, 8, 8, 2), 0, 0, False, out=LARGE), 7 * 384, "elementwise"),
        (call("grid_sampler_2d", SMALL, t(2, 8, 8, 2), 1, 0, False, out=LARGE), 384, "elementwise"),
        (call("grid_sampler_2d_backward", LARGE, SMALL, t(2, 8, 8, 2), 0, 0, False, (True, True),
              out=(SMALL, t(2, 8, 8, 2))), 16 * 384, "elementwise"),
    ],
)  # fmt: skip
def test_taps(op: object, flops: float, kind: str) -> None:
    found = cost(op)  # type: ignore[arg-type]
    assert (found.flops, found.kind, found.by_shape) == (flops, kind, True)
