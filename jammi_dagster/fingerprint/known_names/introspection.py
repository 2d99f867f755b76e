"""Names and attributes by which code reads docstrings and annotations, its own or those of others."""

from __future__ import annotations

DOCSTRING_READERS = frozenset({"__doc__", "getdoc"})
ANNOTATION_READERS = frozenset(
    [
        "__annotations__",
        "__annotate__",
        "get_type_hints",
        "get_annotations",
        "signature",
        "getfullargspec",
        "Signature",
    ]
)
