"""Objects: results that are not tables, stored as artifacts like any other.

The rooms: `formats.py` has the formats, each a pair of functions from an object to bytes and back; `json_values.py` the
strict JSON of Python's own types; `files.py` files and folders; `chunks.py` the bytes of an object as a table of one
column, so that funnel, digests, sidecars, recovery and reuse know tables alone (ADR 25); `not_made.py` stands for an
output that a function left out.

Not done here: which format an asset has (see `adapters/assets/formats.py`).
"""

from jammi_dagster.objects.chunks import is_object, media_type_of
from jammi_dagster.objects.copies import copies_folder
from jammi_dagster.objects.formats import (
    ACCEPTED,
    VERSIONS,
    ObjectFormat,
    encoded,
    format_named,
    load_object,
    reads_code,
    register_format,
    registered_format,
)
from jammi_dagster.objects.json_values import UNIONS, fits, may_be_json
from jammi_dagster.objects.not_made import NOT_MADE_TYPE, not_made

__all__ = [
    "ACCEPTED",
    "NOT_MADE_TYPE",
    "UNIONS",
    "VERSIONS",
    "ObjectFormat",
    "copies_folder",
    "encoded",
    "fits",
    "format_named",
    "is_object",
    "load_object",
    "may_be_json",
    "media_type_of",
    "not_made",
    "reads_code",
    "register_format",
    "registered_format",
]
