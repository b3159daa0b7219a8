"""How a job without numbers is fed: its data are real for as long as the loader makes them."""

import functools
from typing import Any


def install(torch: Any, kind: Any) -> None:
    """Data are made as ever, in this process; of samples without numbers one stands for all of its batch."""
    from torch.utils._python_dispatch import (  # type: ignore[import-not-found,unused-ignore]
        _disable_current_modes,
    )
    from torch.utils.data import DataLoader  # type: ignore[import-not-found,unused-ignore]
    from torch.utils.data._utils.fetch import _MapDatasetFetcher  # type: ignore[import-not-found,unused-ignore]
    from torch.utils.data.dataloader import _BaseDataLoaderIter  # type: ignore[import-not-found,unused-ignore]

    def real(call: Any) -> Any:
        @functools.wraps(call)
        def called(*args: Any, **kwargs: Any) -> Any:
            with _disable_current_modes():
                return call(*args, **kwargs)

        return called

    original = DataLoader.__init__

    @functools.wraps(original)
    def alone(self: Any, *args: Any, **kwargs: Any) -> None:
        for name in ("num_workers", "prefetch_factor", "persistent_workers", "multiprocessing_context", "timeout"):
            kwargs.pop(name, None)
        original(self, *args[:5], **kwargs)

    DataLoader.__init__ = alone
    DataLoader.__iter__ = real(DataLoader.__iter__)
    _BaseDataLoaderIter.__next__ = real(_BaseDataLoaderIter.__next__)
    torch.load = real(torch.load)

    def holds_fake(sample: Any) -> bool:
        if isinstance(sample, dict):
            return any(map(holds_fake, sample.values()))
        return isinstance(sample, kind) or (isinstance(sample, (list, tuple)) and any(map(holds_fake, sample)))

    fetcher = _MapDatasetFetcher
    fetch = fetcher.fetch

    @functools.wraps(fetch)
    def fetch_one(self: Any, indices: Any) -> Any:
        if isinstance(indices, list) and self.auto_collation:
            sample = self.dataset[indices[0]]
            if holds_fake(sample):
                return self.collate_fn([sample] * len(indices))
        return fetch(self, indices)

    fetcher.fetch = fetch_one
