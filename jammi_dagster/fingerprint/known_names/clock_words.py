"""Texts that stand for the time of now where functions of some libraries get them."""

from __future__ import annotations

# Functions of these libraries ask the clock when one of their arguments is one of these words; None: all functions.
CLOCK_WORDS = frozenset({"now", "today"})
CLOCK_LIBRARIES: dict[str, frozenset[str] | None] = {
    **dict.fromkeys(("arrow", "dateparser", "dateutil", "pendulum", "xarray")),
    "numpy": frozenset(
        [
            *("arange", "array", "asarray", "busday_count", "busday_offset", "busdaycalendar", "datetime64"),
            *("full", "is_busday"),
        ]
    ),
    "pandas": frozenset(
        [
            *(
                "DataFrame",
                "DatetimeIndex",
                "Index",
                "Interval",
                "Period",
                "PeriodIndex",
                "Series",
                "Timestamp",
            ),
            *("array", "asof", "bdate_range", "between", "clip", "date_range", "eq", "fillna", "ge", "gt"),
            *("interval_range", "isin", "le", "lt", "ne", "period_range", "replace", "searchsorted"),
            *("to_datetime", "truncate", "where"),
        ]
    ),
}
# Arguments that hold labels: a column may be called so.
LABELS = frozenset({"by", "column", "columns", "index", "keys", "left_on", "name", "names", "on", "right_on"})
