"""Names by which code depends on the time zone of the process."""

from __future__ import annotations

from jammi_dagster.fingerprint.known_names import ANY

# Code that uses one of these depends on the time zone of the process: it is part of its identity.
ZONE_READERS = frozenset(
    [
        "dateutil.parser.parse",
        "time.strptime",
        "time.localtime",
        "time.mktime",
        "time.ctime",
        "time.asctime",
        "time.strftime",
        "datetime.date.fromtimestamp",
        "dateutil.tz.tzlocal",
        "dateutil.tz.tz.tzlocal",
        "email.utils.mktime_tz",
        "logging.Formatter.formatTime",
        "pendulum.local",
        "pendulum.local_timezone",
        "whenever.SystemDateTime",
        "logging.Formatter.().formatTime",
        "tzlocal.get_localzone",
        "tzlocal.get_localzone_name",
    ]
)
# Libraries whose sessions have it.
ZONE_LIBRARIES = frozenset({"duckdb"})
# Methods of times that may be naive, and then stand for those of the machine, whatever they are given.
ZONE_METHODS = frozenset({f"{ANY}.astimezone", f"{ANY}.assume_system_tz", f"{ANY}.to_system_tz"})
# Texts that stand for it, for libraries of tables and for those of times.
ZONE_TEXTS = frozenset({"/etc/localtime", "dateutil//etc/localtime", "localtime", "tzlocal()"})
ZONE_WORDS = frozenset({"local", *ZONE_TEXTS})
ZONE_WORD_LIBRARIES = frozenset({"arrow", "dateutil", "numpy", "pendulum", "whenever"})
# The same unless this argument is given.
ZONE_UNLESS_GIVEN: dict[str, tuple[int, str | None]] = {
    f"{ANY}.timestamp": (0, None),
    f"{ANY}.fromtimestamp": (1, "tz"),
    "datetime.datetime.fromtimestamp": (1, "tz"),
    "pandas.Timestamp.fromtimestamp": (1, "tz"),
    "dateutil.tz.gettz": (0, "name"),
}
