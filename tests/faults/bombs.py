"""Batches of one record, a great many zeros: they are small as they are sent, and whoever unpacks them needs room."""

import zlib

from tests.faults.rogue import CODECS, batch, signed

MEBIBYTE = 1 << 20
BLOCK = 1 << 17  # bytes that one block of zstd may stand for
WINDOW = b"\x28\xb5\x2f\xfd\x00\x38"  # begins a frame that looks back 128 KiB and doesn't say how long it is


def gzip_bomb(size: int) -> bytes:
    """Returns a batch whose record has so many bytes: whole MiB."""
    packer = zlib.compressobj(wbits=31)
    parts = [packer.compress(head(size))]
    parts += (packer.compress(bytes(MEBIBYTE)) for _ in range(size // MEBIBYTE))
    return batch(CODECS["gzip"][0], b"".join((*parts, packer.compress(b"\0"), packer.flush())), 1)


def zstd_bomb(size: int) -> bytes:
    """Returns the same, each of its blocks a byte and how often it comes."""
    first = head(size)
    parts = [WINDOW, block(0, len(first), first)]
    left = size + 1
    while left:
        run = min(left, BLOCK)
        left -= run
        parts.append(block(1 << 1 | (not left), run, b"\0"))
    return batch(CODECS["zstd"][0], b"".join(parts), 1)


def block(kind: int, size: int, data: bytes) -> bytes:
    return (kind | size << 3).to_bytes(3, "little") + data


def head(size: int) -> bytes:
    """Returns what stands before the value of a record without a key; behind it there are no headers, a zero."""
    inner = b"\0" + signed(0) + signed(0) + signed(-1) + signed(size)
    return signed(len(inner) + size + 1) + inner
