"""narrows: what limits a deep-learning job, how far it is from what its machine could do, and the proof."""

__version__ = "0.1.0"
