"""A recurrent layer is run one time step after the other from Python."""

import statistics
from collections.abc import Iterator

from narrows.findings.view import Text, View
from narrows.report.model import Finding

TEXT: Text = {
    "en": (
        "A Python loop over time steps",
        "{calls:.0f} calls of {op} in each step, each on one time step.",
        "Use the layer that takes the whole sequence (nn.LSTM instead of nn.LSTMCell, nn.GRU, nn.RNN).",
    ),
    "zh": (
        "在 Python 里逐时间步循环",
        "每一步调用 {calls:.0f} 次 {op}，每次只处理一个时间步。",
        "使用能处理整个序列的层（用 nn.LSTM 代替 nn.LSTMCell，nn.GRU、nn.RNN 同理）。",
    ),
}


CELLS = (
    "_thnn_fused_lstm_cell",
    "_thnn_fused_gru_cell",
    "lstm_cell",
    "gru_cell",
    "rnn_tanh_cell",
    "rnn_relu_cell",
)
GATES = ("tanh", "sigmoid")


def find(view: View) -> Iterator[Finding]:
    late = view.steps.timed(view.steady.first)
    # A rollout calls the whole model many times, with something between the calls: that is no loop over time.
    times = max(1.0, statistics.median(step.forwards for step in late)) if late else 1.0
    inside = [k for k in view.kernels if k.state in ("forward", "evaluate")]
    cells = [k for k in inside if k.name in CELLS]
    if not cells:
        # Cells written by hand, or decomposed: the same small gate and product, many times over.
        gates = [k for k in inside if k.name in GATES and k.calls >= 16 * times]
        products = [k for k in inside if k.cost.kind == "matmul" and k.calls >= 16 * times]
        cells = gates if gates and products else []
    calls = max((k.calls for k in cells), default=0.0) / times
    spent = sum(e.seconds for e in view.entries if e.cause == "overhead" and e.state in ("forward", "backward"))
    if calls >= 8 and view.share(spent) > 0.1:
        yield view.finding(
            "time-loop",
            TEXT,
            cause="overhead",
            seconds=spent,
            where=view.at(view.process.first("model").get("where")),
            remedies=["compile"],
            calls=calls,
            op=cells[0].name,
        )
