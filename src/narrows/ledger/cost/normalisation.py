"""Normalisations, softmax and losses: a few operations an element, and at least two passes over memory."""

from narrows.ledger.cost import Cost, formula, inputs, outputs, plain
from narrows.spool.record import Op


@formula("native_layer_norm", "layer_norm", "native_batch_norm", "_native_batch_norm_legit",
         "_native_batch_norm_legit_no_training", "_native_batch_norm_legit_functional", "cudnn_batch_norm",
         "miopen_batch_norm", "batch_norm", "_batch_norm_with_update", "_batch_norm_no_update", "native_group_norm",
         "group_norm", "rms_norm", "_fused_rms_norm", "instance_norm")  # fmt: skip
def _forward(op: Op) -> Cost:
    return plain(op, kind="normalisation", flops=5.0 * inputs(op)[0].elements)


@formula("native_layer_norm_backward", "native_batch_norm_backward", "cudnn_batch_norm_backward",
         "miopen_batch_norm_backward", "batch_norm_backward", "native_group_norm_backward",
         "_fused_rms_norm_backward")  # fmt: skip
def _backward(op: Op) -> Cost:
    return plain(op, kind="normalisation", flops=8.0 * inputs(op)[0].elements)


@formula("_softmax", "_log_softmax", "softmax", "log_softmax", "_safe_softmax", "logsumexp", "_softmax_backward_data",
         "_log_softmax_backward_data", "_masked_softmax", "_masked_softmax_backward")  # fmt: skip
def _softmax(op: Op) -> Cost:
    return plain(op, kind="softmax", flops=4.0 * inputs(op)[0].elements)


@formula("nll_loss_forward", "nll_loss2d_forward", "nll_loss", "nll_loss_nd")
def _likelihood(op: Op) -> Cost:
    target = inputs(op)[1]
    return plain(op, kind="reduction", flops=float(target.elements), read=3.0 * target.bytes,
                 dtype=inputs(op)[0].dtype)  # fmt: skip


@formula("nll_loss_backward", "nll_loss2d_backward")
def _likelihood_backward(op: Op) -> Cost:
    return plain(op, kind="elementwise", read=3.0 * inputs(op)[2].bytes, written=float(outputs(op)[0].bytes),
                 dtype=outputs(op)[0].dtype)  # fmt: skip


@formula("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy", "kl_div",
         "binary_cross_entropy_with_logits", "soft_margin_loss", "margin_ranking_loss", "cross_entropy_loss",
         "triplet_margin_loss", "cosine_embedding_loss", "poisson_nll_loss", "_ctc_loss", "ctc_loss",
         "mse_loss_backward", "l1_loss_backward", "smooth_l1_loss_backward", "huber_loss_backward",
         "binary_cross_entropy_backward", "_ctc_loss_backward", "soft_margin_loss_backward",
         "multilabel_margin_loss_forward")  # fmt: skip
def _loss(op: Op) -> Cost:
    return plain(op, kind="reduction", flops=4.0 * inputs(op)[0].elements)
