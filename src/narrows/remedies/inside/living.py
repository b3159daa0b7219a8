"""The objects of some classes that a job has. Standard library only.

They are looked for among all objects of the process, which takes a tenth of a second or more (an epoch of a small job takes
no longer): so only once, and again after one of these classes has made another.
"""

import functools
import weakref
from typing import Any

from . import within


class Living:
    def __init__(self, *kinds: type) -> None:
        """Made before the job makes any of them."""
        self.kinds, self.fresh = kinds, True
        self.known: weakref.WeakSet[Any] = weakref.WeakSet()
        for kind in kinds:
            self._notice(kind)

    def of(self, kind: type) -> list[Any]:
        """One of the classes that it was made for, or a class below one of them."""
        if self.fresh:
            self.fresh = False
            self.known.update(within.alive(self.kinds))
        return [each for each in self.known if isinstance(each, kind)]

    def _notice(self, kind: Any) -> None:
        original = kind.__init__

        @functools.wraps(original)
        def __init__(made: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
            original(made, *args, **kwargs)
            self.fresh = True

        kind.__init__ = __init__
