"""Errors of the database drivers as errors of this package, without their secrets."""

from __future__ import annotations

import sqlite3
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL

from jammi_dagster.catalog.urls import without_secrets
from jammi_dagster.errors import CatalogReadOnly, CatalogUnavailable, JammiError, NameTooLong

DRIVER_ERRORS = (sa.exc.SQLAlchemyError, sqlite3.Error, UnicodeError)

# PostgreSQL's SQLSTATEs
_LIMIT = "54000"  # program_limit_exceeded: a value longer than an index takes
_READ_ONLY = {
    "25006": "its sessions are read-only (a standby, or default_transaction_read_only)",
    "42501": "this user may not write to it",
}
_ENCODING = {"22P05", "22021"}  # untranslatable_character, character_not_in_repertoire


def fault(error: Exception, *, catalog: str, url: URL, writing: bool) -> JammiError:
    """Build the error for a driver's own; `writing` is true within a write transaction."""
    cause = getattr(error, "orig", None) or error
    state = getattr(cause, "sqlstate", None)
    said = without_secrets(f"{type(cause).__name__}: {cause}", url)
    if state == _LIMIT:
        return NameTooLong(name=_longest(getattr(error, "params", None)), catalog=catalog)
    if state in _ENCODING or isinstance(cause, UnicodeError):
        why = f"its encoding does not hold this text ({said}); use a database with the encoding UTF8"
        return CatalogUnavailable(catalog=catalog, why=why)
    if writing and state in _READ_ONLY:
        way_out = "reading works; writing needs the primary, and a role that may write"
        return CatalogReadOnly(catalog=catalog, why=_READ_ONLY[state], way_out=way_out)
    if isinstance(cause, sqlite3.Error) and "readonly database" in str(cause):
        why, way_out = "its disk or file cannot be written", "reading works, writing needs a writable catalog"
        return CatalogReadOnly(catalog=catalog, why=why, way_out=way_out)
    return CatalogUnavailable(catalog=catalog, why=said)


def _longest(params: Any) -> str:
    """Find the longest text among a statement's parameters."""
    rows = params if isinstance(params, (list, tuple)) else [params]
    values = (value for row in rows for value in (row.values() if isinstance(row, dict) else [row]))
    return max((value for value in values if isinstance(value, str)), key=len, default="")
