"""New values from nothing: a result is written, and what it is modelled on (`zeros_like`) is not read."""

from narrows.ledger.cost.registry import Work, formula
from narrows.spool.record import Op

_CREATION = """
    zeros ones full zeros_like ones_like full_like new_zeros new_ones new_full zero fill fill_diagonal arange
    range linspace logspace eye scalar_tensor tril_indices triu_indices hann_window hamming_window
    blackman_window bartlett_window kaiser_window fft_fftfreq fft_rfftfreq _efficientzerotensor vander
    _new_zeros_with_same_feature_meta _cudnn_init_dropout_state
""".split()


@formula(*_CREATION, kind="copy")
def _create(op: Op) -> Work:
    return Work(read=0.0)
