"""An output that a function left out, as the object that stands in for it: so that this too can be reused."""

from __future__ import annotations

import pyarrow as pa

from jammi_dagster.objects.chunks import table_of

NOT_MADE = "not made"
NOT_MADE_TYPE = "application/x-jammi-not-made"


def not_made() -> pa.RecordBatchReader:
    """Return the table of no bytes that stands for an output that was not made."""
    return table_of((), {"format": NOT_MADE, "media_type": NOT_MADE_TYPE})
