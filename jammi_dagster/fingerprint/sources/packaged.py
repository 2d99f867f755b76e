"""Files of a package that its code reads: when a module is loaded, or when a function runs."""

from __future__ import annotations

import os
import re
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from jammi_dagster.fingerprint.syntax.computed_paths import HOLE

_first: dict[str, bytes] = {}  # the digest of each file at the first look of this process


class PackagedRead(NamedTuple):
    """A place that reads a file of the own package.

    PackagedRead(place="pipelines/text.py:3", named="query.sql", path="/checkout/pipelines/query.sql", at_load=True)
    """

    place: str
    named: str
    path: str  # empty for a file in no first-party package; a hole in its name stands for any text
    at_load: bool
    watched: str = ""  # the name of the reader, if a run of the code sees which file it reads

    @property
    def is_seen(self) -> bool:
        """True if a run sees which of several files it is: a declared version surface may stand for that one."""
        return HOLE in self.path and not self.at_load and bool(self.watched)

    def digests(self) -> dict[str, bytes] | str:
        """Return the digests of the files that it may read, by path, or the reason why a content is not known."""
        if HOLE not in self.path:
            found = self._digest(self.path)
            return found if isinstance(found, str) else {self.path: found}
        folder, _, name = self.path.rpartition("/")
        pattern = re.compile(".*".join(map(re.escape, name.split(HOLE))), re.DOTALL | re.IGNORECASE)
        try:
            within = sorted(os.scandir(folder), key=lambda one: one.name)
        except OSError as error:
            return f"its folder cannot be read ({type(error).__name__})"
        if any(
            one.is_dir() and one.name.casefold().startswith(name.partition(HOLE)[0].casefold())
            for one in within
        ):
            return "a folder may be a part of its path"
        digests = {one.path: self._digest(one.path) for one in within if pattern.fullmatch(one.name)}
        known = {path: found for path, found in digests.items() if isinstance(found, bytes)}
        return (
            known
            if len(known) == len(digests)
            else next(one for one in digests.values() if isinstance(one, str))
        )

    def _digest(self, path: str) -> bytes | str:
        """Return the digest of a file, or the reason why its content is not known.

        Of a file that loading reads the loaded content counts: one that has changed since this process first looked at
        it may be another.
        """
        if not path:
            return "it is in no first-party package"
        try:
            now = sha256(Path(path).read_bytes()).digest()
        except FileNotFoundError as error:
            return f"it cannot be read ({type(error).__name__})" if self.at_load else b""
        except OSError as error:
            return f"it cannot be read ({type(error).__name__})"
        if self.at_load and _first.setdefault(path, now) != now:
            return "it has changed since, restart the code location"
        return now
