"""Packed sequences in a job without numbers. How many sequences go on at each place stays a tensor with numbers: torch's
recurrent layers, and what packs and unpacks, read its memory themselves."""

from typing import Any

from .values import Values


def packed(torch: Any, values: Values) -> Any:
    """Of `pack_padded_sequence`: each sequence is as long as is known, else as long as it can be."""

    def pack(x: Any, lengths: Any, batch_first: bool) -> Any:
        batch, most = x.shape[:2] if batch_first else (x.shape[1], x.shape[0])
        known = values.get(lengths)
        with values.off():
            if known is None:
                known = torch.full((batch,), most)
            places = torch.arange(int(known.max()))
            sizes = (known.unsqueeze(0) > places.unsqueeze(1)).sum(1)
            total = int(sizes.sum())
        return x.new_empty((total, *x.shape[2:])), sizes

    return pack


def install(torch: Any, values: Values) -> None:
    """torch's own writes the lengths that it gives back into memory that is not there. This makes the same of the rest, op
    for op."""
    original = torch._VF._pad_packed_sequence

    def pad(data: Any, sizes: Any, batch_first: bool, padding_value: float, total_length: int) -> Any:
        known = values.get(sizes)
        if known is None:
            return original(data, sizes, batch_first, padding_value, total_length)
        counts = values.known(known.tolist, (), {})
        padded = data.new_full((max(total_length, len(counts)), counts[0], *data.shape[1:]), padding_value)
        at = begin = 0
        for place, count in enumerate(counts):
            if place + 1 == len(counts) or counts[place + 1] != count:
                many = place + 1 - begin
                piece = data.narrow(0, at, many * count).view(many, count, *data.shape[1:])
                padded.narrow(0, begin, many).narrow(1, 0, count).copy_(piece)
                at, begin = at + many * count, place + 1
        lengths = [sum(count > sequence for count in counts) for sequence in range(counts[0])]
        with values.off():
            ends = torch.tensor(lengths)
        return padded.transpose(0, 1) if batch_first else padded, ends

    torch._VF._pad_packed_sequence = pad
