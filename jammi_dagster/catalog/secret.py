"""The store's key, which keeps holders of the sidecars alone from guessing a hashed secret (DESIGN 2.13)."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import logging
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from jammi_dagster.catalog import models
from jammi_dagster.catalog.database import Database
from jammi_dagster.errors import InvalidKey

KEY_VARIABLE = "JAMMI_STORE_KEY"
KEY_FILE_VARIABLE = "JAMMI_STORE_KEY_FILE"
NO_KEY = (
    "a secret cannot be recorded without a key of the store: set JAMMI_STORE_KEY, or JAMMI_STORE_KEY_FILE, where it "
    "runs"
)
OTHER_KEY = (
    "a secret cannot be compared, since the store's key is not the one that this catalog was written with: set that "
    "one, or accept the present one with ResultStore(…).key.replace()"
)
_LEAST_BYTES = 16
_state = models.catalog_state
_log = logging.getLogger("jammi_dagster")
_told: set[Path] = set()


@dataclass(frozen=True, slots=True)
class _Key:
    value: bytes

    def hmac(self, text: str) -> str:
        return hmac.new(self.value, _bytes(text), hashlib.sha256).hexdigest()

    @property
    def fingerprint(self) -> str:
        """A digest that tells keys apart, and of a random key tells nothing else."""
        return self.hmac("jammi-dagster: the fingerprint of a store's key")[:32]


class StoreKey:
    """A door to hashing secret values under the store's key.

    The key is the environment variable `JAMMI_STORE_KEY` where it is set, otherwise the content of the file that
    `JAMMI_STORE_KEY_FILE` names. Otherwise, for an SQLite file, it is a file `<catalog>.key` beside it, which only its
    owner can read and which is made on first use by a process that writes to the catalog; until then, a process that
    only reads hashes under a draft of its own, which is equal to nothing recorded. In the store's own root that is
    warned of: a copy of the folder carries the key. A catalog in PostgreSQL or in memory, or an attached engine's, has
    no such place. Nothing is hashed without a key, nor with another key than the catalog was written with.
    """

    def __init__(self, database: Database, *, root: str | None = None) -> None:
        """`root` is the folder of the artifacts, if it is one of this machine."""
        self._database = database
        on_disk = database.is_sqlite and not (database.is_memory or database.is_foreign)
        self._file = Path(f"{database.url.database}.key") if on_disk else None
        self._is_in_root = on_disk and root is not None and _is_below(str(database.url.database), root)
        self._recorded: str | None = None
        self._used: _Key | None = None
        self._draft: _Key | None = None

    def __call__(self, value: str) -> str | None:
        """Hash a value as `hmac` does."""
        return self.hmac(value)

    def hmac(self, value: str) -> str | None:
        """HMAC-SHA-256 (hex) of `value` under the key, or None for the reason in `why_not`. Raises `InvalidKey`."""
        key = self._key()
        if key is None or self._recorded_fingerprint() not in (None, key.fingerprint):
            return None
        if key is not self._draft:
            self._used = key
        return key.hmac(value)

    @property
    def draft_state(self) -> Literal["none", "in use", "over"]:
        """Tell if values were hashed under a draft, and if it is over: then they are to be hashed again."""
        if self._draft is None:
            return "none"
        return "in use" if self._key() is self._draft else "over"

    @property
    def why_not(self) -> str:
        """The reason why nothing can be hashed."""
        return NO_KEY if self._key() is None else OTHER_KEY

    def state(self) -> Literal["ready", "none yet", "none", "another"]:
        """Tell if values can be hashed, and if not, why; no key file is made. Raises `InvalidKey`.

        `none yet`: the key file is made on first use. `another`: the catalog was written with another key.
        """
        key = self._key(make=False)
        if key is None:
            can_make = self._file is not None and not self._database.read_only
            return "none yet" if can_make and self._recorded_fingerprint() is None else "none"
        return "ready" if self._recorded_fingerprint() in (None, key.fingerprint) else "another"

    def record(self) -> None:
        """Record the fingerprint of the key, if it was used and the catalog has none: a table is about to be made.

        Raises `InvalidKey` where another process recorded another key meanwhile.
        """
        used = self._used
        if used is None or self._recorded_fingerprint() is not None:
            return
        self._write(used, _state.c.key_fingerprint.is_(None))
        if self._recorded_fingerprint() != used.fingerprint:
            way_out = "give all processes the same key, and run the step again"
            raise InvalidKey(source=self._source(), why="another process uses another one", way_out=way_out)

    def replace(self) -> None:
        """Accept the present key in the place of the one that the catalog was written with (rotation).

        Tables that depend on a secret are stale from then on. Raises `InvalidKey`.
        """
        self._database.make()
        key = self._key()
        if key is None:
            raise InvalidKey(source=KEY_VARIABLE, why="there is none", way_out="set it and try again")
        self._write(key, sa.true())
        self._recorded = None

    def _write(self, key: _Key, where: sa.ColumnElement[bool]) -> None:
        with self._database.writing() as connection:
            connection.execute(_state.update().where(where).values(key_fingerprint=key.fingerprint))

    def _recorded_fingerprint(self) -> str | None:
        """Read the fingerprint in the catalog. Once it is there, it is not read again."""
        if self._recorded is None and not self._database.is_foreign:
            with self._database.reading() as connection:
                found = connection.execute(sa.select(_state.c.key_fingerprint)).scalar_one_or_none()
            self._recorded = None if found is None else str(found)
        return self._recorded

    def _source(self) -> str:
        variables = (KEY_VARIABLE, KEY_FILE_VARIABLE)
        return next((name for name in variables if os.environ.get(name)), str(self._file))

    def _key(self, *, make: bool = True) -> _Key | None:
        given = os.environ.get(KEY_VARIABLE)
        if given:
            return _checked(_bytes(given), KEY_VARIABLE)
        named = os.environ.get(KEY_FILE_VARIABLE)
        if named:
            return _checked(_of_file(named), KEY_FILE_VARIABLE)
        if self._file is None:
            return None
        can_make = make and not self._database.read_only
        if can_make and self._database.has_written:
            with contextlib.suppress(OSError):
                _make(self._file)
        try:
            found = self._file.read_bytes()
        except OSError:
            if can_make and not self._database.has_written:
                self._draft = self._draft or _Key(secrets.token_bytes(32))
                return self._draft
            return None
        if not found:
            return None
        self._warn(self._file)
        return _checked(found, str(self._file))

    def _warn(self, file: Path) -> None:
        """Log, once in a process, who else gets to see a key that this package made."""
        if file in _told:
            return
        _told.add(file)
        if os.name != "nt" and stat.S_IMODE(file.stat().st_mode) & 0o077:
            _log.warning("%s: others than its owner may read the store's key; chmod 600 it", file)
        if self._is_in_root:
            _log.warning(
                "%s: the store's key lies in its root, so a copy of the folder carries it, and whoever has that can "
                "guess recorded secrets; set JAMMI_STORE_KEY or JAMMI_STORE_KEY_FILE, or keep the catalog elsewhere",
                file,
            )


def _checked(key: bytes, source: str) -> _Key:
    if len(key) < _LEAST_BYTES:
        why = f"it has {len(key)} bytes, which can be guessed"
        raise InvalidKey(source=source, why=why, way_out=f"use a random one of at least {_LEAST_BYTES} bytes")
    return _Key(key)


def _of_file(named: str) -> bytes:
    """Read a key that others provide, with whatever mode they gave it, without the end of its line."""
    try:
        return Path(named).read_bytes().rstrip(b"\r\n")
    except (OSError, ValueError) as error:
        why = f"the file {named} cannot be read ({type(error).__name__})"
        raise InvalidKey(source=KEY_FILE_VARIABLE, why=why, way_out="mount it, or name another one") from None


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


def _is_below(file: str, folder: str) -> bool:
    return Path(os.path.realpath(file)).is_relative_to(os.path.realpath(folder))


def _bytes(value: str) -> bytes:
    """UTF-8; a variable that holds other bytes reaches Python as lone surrogates."""
    return value.encode("utf-8", "surrogatepass")
