"""Steps as a memory run tells them, made by hand."""

from narrows.memory.stream import Site, Storage, Stream


def site(
    state: str = "forward", module: str = "", op: str = "mm.default", line: int = 1, *, collective: bool = False
) -> Site:
    return Site(state=state, module=module, op=op, file="train.py", line=line, collective=collective, device="cpu")


def storage(size: int, state: str = "forward", module: str = "", *, kind: int = 0, op: str = "mm.default") -> Storage:
    return Storage(bytes=size, site=site(state, module, op), kind=kind)


def stream(begin: tuple[int, ...], events: tuple[int, ...], storages: dict[int, Storage], **more: object) -> Stream:
    return Stream(number=0, who=0, begin=begin, events=events, storages=storages, **more)  # type: ignore[arg-type]


def step(batch: int) -> Stream:
    """Weights of 100 (1), a batch (2), an activation (3) and a matrix of all against all (4), a gradient (5)."""
    return stream(
        (1,),
        (2, 3, 4, 5, -5, -4, -3),
        {
            1: storage(100, "tail", kind=1, op="empty.memory_format"),
            2: storage(10 * batch, "next", op="stack.default"),
            3: storage(20 * batch, "forward", "Net.body"),
            4: storage(batch * batch, "loss"),
            5: storage(100, "backward", kind=2),
        },
    )
