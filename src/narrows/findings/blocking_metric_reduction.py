"""The loop exchanges a few numbers in each step, and waits for them."""

from collections.abc import Iterator

from narrows.findings.collective_in_loop import MANY
from narrows.findings.exchange import places
from narrows.findings.view import SMALL, Text, View
from narrows.report.model import Finding
from narrows.spool.record import GAPS

TEXT: Text = {
    "en": (
        "A metric is reduced over the ranks in each step",
        "{name} of {bytes:.0f} bytes at this line takes {ms:.2f} ms of each step, and the loop reads values each step: all"
        " ranks meet there once more.",
        "Keep the sum as a tensor of its own rank, and reduce and read it every 50 steps, or at the end of the epoch.",
    ),
    "zh": (
        "每一步都在进程之间汇总指标",
        "这一行的 {name} 只有 {bytes:.0f} 字节，却占每一步 {ms:.2f} 毫秒，而且循环每一步都读取数值：所有进程要在这里再会合一次。",
        "让每个进程自己用张量累计，每 50 步或每轮结束时再汇总和读取。",
    ),
}
FEW = 1024
"""Bytes: 128 numbers in double precision."""
EACH = 0.9
"""Calls in a step; what is done every tenth step is not meant."""


def find(view: View) -> Iterator[Finding]:
    # A norm for clipping is exchanged as well, but read by the optimizer and not by the loop.
    reads = sum(k.calls for k in view.kernels if k.name == "_local_scalar_dense" and k.state in GAPS)
    if reads < EACH:
        return
    updated = sum(o.get("gradient_bytes") or 0 for o in view.process.events.get("optimizer", ()))
    for place in places(view):
        are_gradients = updated and place.bytes >= updated / 2  # a tiny model, averaged by hand
        if are_gradients or not 0 < place.largest <= FEW or not EACH <= place.calls < MANY:
            continue
        # Who is late is waited for at the next exchange instead: what goes is what a call takes when nobody is.
        saved = min(place.seconds, place.rest + place.quick)
        if view.share(saved) > SMALL:
            yield view.finding(
                "blocking-metric-reduction",
                TEXT,
                cause="communication",
                seconds=saved,
                where=view.place(*place.where),
                name=", ".join(place.names),
                bytes=place.bytes,
                ms=1e3 * place.seconds,
            )
