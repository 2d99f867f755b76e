"""The time zone of this process, for the identity of code that works with naive times."""

from __future__ import annotations

import os
import time
from pathlib import Path

from jammi_dagster.fingerprint.components import Component
from jammi_dagster.fingerprint.hashing import digest, utf8

_SYSTEM = Path("/etc/localtime")


def time_zone() -> Component:
    """Return the time zone as a component: its name, its offsets, and the rules of the system's zone."""
    named = os.environ.get("TZ")
    told = (repr(named), *time.tzname, str(time.timezone), str(time.altzone))
    try:
        rules = _SYSTEM.read_bytes() if named is None else b""
    except OSError:
        rules = b""
    value = digest("zone.v1", *map(utf8, told), rules)
    return Component(kind="value", name="time zone", where="", digest=value)
