"""Damage to artifacts: each kind gives other bytes for the bytes of a Parquet file with columns `aa` and `bb`."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

TABLE = pa.table({"aa": list(range(1000)), "bb": [1000 - i for i in range(1000)]})
BYTES_OF_A_VALUE = 2_000  # within the pages of the first column


def flipped(data: bytes) -> bytes:
    """One bit of a page."""
    return data[:BYTES_OF_A_VALUE] + bytes([data[BYTES_OF_A_VALUE] ^ 1]) + data[BYTES_OF_A_VALUE + 1 :]


def swapped(data: bytes) -> bytes:
    """The names of the two columns, in the footer."""
    return data.replace(b"\x02aa", b"\x02zz").replace(b"\x02bb", b"\x02aa").replace(b"\x02zz", b"\x02bb")


def truncated(data: bytes) -> bytes:
    """The end is missing."""
    return data[:-20]


def replaced(data: bytes) -> bytes:
    """Another file of the same size."""
    return b"PAR1" + b"x" * (len(data) - 8) + b"PAR1"


DAMAGES: list[Callable[[bytes], bytes]] = [flipped, swapped, truncated, replaced]
