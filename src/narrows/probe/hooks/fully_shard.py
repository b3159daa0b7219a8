"""What FSDP2 does around its collectives: flattening what is sent, copying out what came, keeping account of its units.

All of it is there for the exchange only, so its time is that of the exchange.
"""

from typing import Any

from .. import imports
from .distributed import timed

_PARTS = ("pre_forward", "post_forward", "pre_backward", "post_backward", "finalize_backward")
"""Of each unit. The class is torch's own: one that has them no longer is left as it is, and what it does is overhead."""


def install(torch: Any) -> None:
    if not torch.distributed.is_available():
        return
    compiling = torch.compiler.is_compiling

    def watch(module: Any) -> None:
        units = module.FSDPParamGroup
        for name in _PARTS:
            original = getattr(units, name, None)
            if original is not None:
                setattr(units, name, timed(original, compiling))

    imports.when("torch.distributed.fsdp._fully_shard._fsdp_param_group", watch)
