"""Short forms for records of calls."""

from typing import Any

from narrows.spool.record import Op, Tensor


def t(*shape: int, dtype: str = "float32", layout: str = "c") -> Tensor:
    return Tensor(shape=shape, dtype=dtype, layout=layout)


def ids(*shape: int) -> Tensor:
    """Indices."""
    return t(*shape, dtype="int64")


def call(name: str, *arguments: Any, out: Any = (), overload: str = "", **keywords: Any) -> Op:
    return Op(
        name=name,
        overload=overload,
        arguments=arguments,
        keywords=keywords,
        outputs=out if isinstance(out, tuple) else (out,),
        state="forward",
        count=1,
        ns=1,
        fastest_ns=1,
    )
