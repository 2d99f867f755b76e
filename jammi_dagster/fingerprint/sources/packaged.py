"""Files of a package that its modules read when they are loaded."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

_first: dict[str, bytes] = {}  # the digest of each file at the first look of this process


def digest_at_load(path: str) -> bytes | str:
    """Return the digest of a file, or the reason why the loaded content is not known.

    A file that has changed since this process first looked at it may be another than the one that was loaded.
    """
    try:
        now = sha256(Path(path).read_bytes()).digest()
    except OSError as error:
        return f"it cannot be read ({type(error).__name__})"
    if _first.setdefault(path, now) != now:
        return "it has changed since, restart the code location"
    return now
