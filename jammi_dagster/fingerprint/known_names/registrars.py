"""Functions that give the classes of a library another attribute: a method, an accessor or a namespace.

They are named after the class that grows: `pandas.api.extensions.register_dataframe_accessor("geo")`,
`pandas_flavor.register_series_method`, `polars.api.register_expr_namespace("text")`.
"""

from __future__ import annotations

import re

REGISTRARS = frozenset({"pandas", "pandas_flavor", "polars", "xarray"})
REGISTRAR = re.compile(
    r"register_(?:xarray_)?((?:dataframe|series)(?:_groupby)?|index|expr|lazyframe|dataset|dataarray|datatree)"
    r"_(method|accessor|namespace)"
)
METHOD = "method"  # the registered function gives its own name; the others take a name as their argument

_PANDAS = ("core/base.py", "core/arraylike.py", "core/accessor.py", "core/ops/*.py")
_XARRAY = ("core/*.py", "computation/*.py", "accessors/*.py")
# Files of the class that grows, with all attributes of its own, by library.
CLASS_FILES: dict[str, dict[str, tuple[str, ...]]] = {
    "pandas": {
        "dataframe": ("core/frame.py", "core/generic.py", "core/indexing.py", *_PANDAS),
        "series": ("core/series.py", "core/generic.py", "core/indexing.py", *_PANDAS),
        "index": ("core/indexes/*.py", *_PANDAS),
        "dataframe_groupby": ("core/groupby/*.py", *_PANDAS),
        "series_groupby": ("core/groupby/*.py", *_PANDAS),
    },
    "polars": {name: (f"{name}/*.py",) for name in ("dataframe", "lazyframe", "series", "expr")},
    "xarray": dict.fromkeys(("dataset", "dataarray", "datatree"), _XARRAY),
}

# Methods of tables that look up a method of theirs by a text, with the arguments that may hold it: by position, and by
# name (None: by any name).
LOOKUPS: dict[str, tuple[int, frozenset[str] | None]] = {
    "agg": (0, None),
    "aggregate": (0, None),
    "apply": (0, frozenset({"func"})),
    "transform": (0, frozenset({"func"})),
    "pivot_table": (3, frozenset({"aggfunc"})),
    "crosstab": (4, frozenset({"aggfunc"})),
    "NamedAgg": (1, frozenset({"aggfunc"})),
}
NOT_LOOKED_UP = frozenset({"args", "axis", "by_row", "engine", "engine_kwargs", "include_groups", "raw"})
# Attributes that are methods of texts: nobody names a text of his own so.
TEXT_METHODS = frozenset({"endswith", "join", "lower", "replace", "split", "startswith", "strip", "upper"})

# Attributes that lead to any attribute of an object.
ANY_ATTRIBUTE = frozenset({"__dict__", "__getattr__", "__getattribute__"})
