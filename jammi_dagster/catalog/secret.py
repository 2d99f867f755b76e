"""The store's key, which keeps holders of the sidecars alone from guessing a hashed secret (DESIGN 2.13)."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from jammi_dagster.catalog.database import Database

KEY_VARIABLE = "JAMMI_STORE_KEY"


class StoreKey:
    """A door to hashing secret values under the store's key.

    The key is the environment variable `JAMMI_STORE_KEY` where it is set; otherwise, for an SQLite file, a file
    `<catalog>.key` beside it, which only its owner can read and which is made on first use, unless the catalog is
    read-only. A catalog in PostgreSQL or in memory, or an attached engine's, has no such place: there the variable must
    be set, or nothing can be hashed.
    """

    def __init__(self, database: Database) -> None:
        on_disk = database.is_sqlite and not (database.is_memory or database.is_foreign)
        self._file = Path(f"{database.url.database}.key") if on_disk else None
        self._may_make = not database.read_only

    def hmac(self, value: str) -> str | None:
        """HMAC-SHA-256 (hex) of `value` under the key, or None where there is no key."""
        key = self._key()
        return None if key is None else hmac.new(key, _bytes(value), hashlib.sha256).hexdigest()

    def _key(self) -> bytes | None:
        given = os.environ.get(KEY_VARIABLE)
        if given:
            return _bytes(given)
        if self._file is None:
            return None
        if self._may_make:
            with contextlib.suppress(OSError):
                self._make(self._file)
        try:
            return self._file.read_bytes() or None
        except OSError:
            return None

    @staticmethod
    def _make(file: Path) -> None:
        """Make the key file unless it is there; it appears whole, so that two makers agree on one key."""
        if file.exists():
            return
        draft = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, secrets.token_hex(32).encode())
            os.fsync(descriptor)
            with contextlib.suppress(FileExistsError):
                os.link(draft, file)
        finally:
            os.close(descriptor)
            draft.unlink()


def _bytes(value: str) -> bytes:
    """UTF-8; a variable that holds other bytes reaches Python as lone surrogates."""
    return value.encode("utf-8", "surrogatepass")
