"""Files of a package that its code reads: when a module is loaded, or when a function runs."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

_first: dict[str, bytes] = {}  # the digest of each file at the first look of this process


class PackagedRead(NamedTuple):
    """A place that reads a file of the own package.

    PackagedRead(place="pipelines/text.py:3", named="query.sql", path="/checkout/pipelines/query.sql", at_load=True)
    """

    place: str
    named: str
    path: str  # empty for a file in no first-party package
    at_load: bool

    def digest(self) -> bytes | str:
        """Return the digest of the file, or the reason why its content is not known.

        Of a file that loading reads the loaded content counts: one that has changed since this process first looked at
        it may be another.
        """
        if not self.path:
            return "it is in no first-party package"
        try:
            now = sha256(Path(self.path).read_bytes()).digest()
        except FileNotFoundError as error:
            return f"it cannot be read ({type(error).__name__})" if self.at_load else b""
        except OSError as error:
            return f"it cannot be read ({type(error).__name__})"
        if self.at_load and _first.setdefault(self.path, now) != now:
            return "it has changed since, restart the code location"
        return now
