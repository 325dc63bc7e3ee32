"""Test whether an MPEG transport stream is cut: the only lengths that it states are those of its blocks."""

from __future__ import annotations

from pathlib import Path

# First byte of every packet.
_SYNC = 0x47
# Sizes of a packet in bytes: plain, with a time code before it (Blu-ray, camcorders), with an error
# correction behind it.
_SIZES = (188, 192, 204)
# Number of bytes at the end of the file that are read. A block of sound, with the pictures between its
# packets, is shorter.
_TAIL_BYTES = 1 << 23


def ends_within_sound(path: Path, pid: int) -> bool:
    """Return whether the file ends within a packet, or within the last block of the stream `pid`."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(5 * max(_SIZES))
        found = next(
            (
                (start, step)
                for step in _SIZES
                for start in range(min(step, len(head)))
                if all(head[at] == _SYNC for at in range(start, len(head), step))
            ),
            None,
        )
        if found is None:
            return False
        start, step = found
        # A time code or an error correction belongs to its packet; the last packet may lack the correction.
        if (size - start) % step not in ({0} if step == 188 else {0, 188, step - 4}):
            return True
        skipped = max(0, (size - _TAIL_BYTES - start) // step) * step
        file.seek(start + skipped)
        tail = file.read()
    due = 0
    for at in range(0, len(tail) - 187, step):
        if tail[at] != _SYNC or (tail[at + 1] & 0x1F) << 8 | tail[at + 2] != pid:
            continue
        payload = _payload(tail[at : at + 188])
        if tail[at + 1] & 0x40 and payload[:3] == b"\0\0\1":
            stated = int.from_bytes(payload[4:6], "big")
            # A length of zero means that the block ends where the next one begins.
            due = stated + 6 - len(payload) if stated else 0
        else:
            due -= len(payload)
    return due > 0


def _payload(packet: bytes) -> bytes:
    """Return the payload of a packet of 188 bytes; empty if it has none."""
    control = packet[3] >> 4 & 3
    if not control & 1:
        return b""
    return packet[5 + packet[4] :] if control & 2 else packet[4:]
