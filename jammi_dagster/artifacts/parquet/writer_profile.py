"""Writer profiles: the settings of a Parquet file. Equal data under an equal profile gives equal bytes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterProfile:
    """The settings that decide the bytes of a file, besides its data.

    A row group ends before the row that would take it beyond `row_limit` rows or `byte_limit` logical bytes (see
    `groups.LogicalSize`); a single larger row is a group of its own. `name` changes when a rule of this package that
    decides bytes changes.
    """

    name: str = "jammi-2"
    version: str = "2.6"
    compression: str = "snappy"
    compression_level: int | None = None
    data_page_version: str = "1.0"
    data_page_size: int = 1 << 20
    dictionary_pagesize_limit: int = 1 << 20
    row_limit: int = 1 << 18
    byte_limit: int = 64 << 20

    def to_dict(self) -> dict[str, Any]:
        """Return everything that decides the bytes, as JSON values: the settings, and the build of Arrow."""
        build = pa.cpp_build_info
        return asdict(self) | {"arrow": build.version, "arrow_build": build.package_kind}

    def options(self) -> dict[str, Any]:
        """Return the arguments for `pyarrow.parquet.ParquetWriter`."""
        settings = asdict(self)
        for own in ("name", "row_limit", "byte_limit"):
            del settings[own]
        always = ("use_dictionary", "write_statistics", "store_schema", "write_page_checksum")
        return settings | dict.fromkeys(always, True)


DEFAULT_PROFILE = WriterProfile()
