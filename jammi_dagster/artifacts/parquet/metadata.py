"""Schema metadata, cleared of everything that is not data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

_PANDAS = b"pandas"
_NOT_DATA = ("attributes", "creator", "pandas_version")


def canonical_metadata(metadata: Mapping[bytes, bytes] | None) -> dict[bytes, bytes] | None:
    """Sort the metadata by key, and keep of pandas' entry only the part that `to_pandas` needs for index and types."""
    if not metadata:
        return None
    found = dict(sorted(metadata.items()))
    if _PANDAS in found:
        found[_PANDAS] = _canonical_pandas(found[_PANDAS])
    return found


def described(schema: pa.Schema, key: bytes) -> dict[str, Any]:
    """Return the JSON object that a schema carries under a key; an empty one for anything else."""
    try:
        form = json.loads((schema.metadata or {}).get(key, b"{}"))
    except ValueError:
        return {}
    return form if isinstance(form, dict) else {}


def _canonical_pandas(raw: bytes) -> bytes:
    """Remove the versions of pandas and pyarrow, `DataFrame.attrs`, a default index and the number of categories.

    The format is pandas' developer documentation, "Storing pandas DataFrame objects in Apache Parquet format".
    """
    try:
        value = json.loads(raw)
        for key in _NOT_DATA:
            value.pop(key, None)
        value["index_columns"] = [index for index in value["index_columns"] if not _is_default(index)]
        for column in value["columns"]:
            if column["pandas_type"] == "categorical":  # both depend on categories without rows
                column["numpy_type"] = "int32"
                column["metadata"].pop("num_categories", None)
            if column["numpy_type"].endswith(">[pyarrow]"):  # a name that pandas does not read
                column["numpy_type"] = "object"
    except (ValueError, KeyError, TypeError, AttributeError):  # not pandas' own entry: keep it as it is
        return raw
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _is_default(index: Any) -> bool:
    return isinstance(index, dict) and (
        index["kind"] == "range" and index["name"] is None and index["start"] == 0 and index["step"] == 1
    )
