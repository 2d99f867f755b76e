"""Addresses of catalogs: a path or a URL, parsed, and shown without its secrets."""

from __future__ import annotations

import os
import re
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from jammi_dagster.contract.redaction import HIDDEN, redacted_text, redacted_url
from jammi_dagster.errors import CatalogUnavailable
from jammi_dagster.project_paths import from_project

# a connection string of libpq, and a URL that lacks slashes: each would name a file that holds a password
_LIBPQ = re.compile(
    r"^\s*(?:host|hostaddr|port|dbname|user|password|service|sslmode|passfile)\s*=", re.IGNORECASE
)
_NO_SLASHES = re.compile(r"^(postgres(?:ql)?|sqlite|mysql)(?:\+\w+)?:", re.IGNORECASE)


def parse_catalog(catalog: str) -> URL:
    """Parse a path of an SQLite file, or a URL. Raises `CatalogUnavailable` for anything else.

    >>> parse_catalog("postgresql://me:p@ss@db/store").password
    'p@ss'
    """
    if "://" not in catalog:
        return _file_url(catalog)
    try:
        url = make_url(_with_quoted_password(catalog))
    except (sa.exc.ArgumentError, ValueError):
        # their own messages hold the URL, or the text in the port's place
        why = "it is not a database URL (in a user name or password, write special characters as %XX)"
        raise CatalogUnavailable(catalog=f"{catalog.split('://')[0]}://…", why=why) from None
    backend = url.get_backend_name()
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite":
        return url if url.database in (None, "", ":memory:") else _file_url(str(url.database))
    raise CatalogUnavailable(
        catalog=shown_url(url), why=f"{backend} is not supported; use SQLite or PostgreSQL"
    )


def absolute_catalog(catalog: str, **whose: Any) -> str:
    """Return a relative path of an SQLite file as an absolute one; `whose` says where it starts.

    Anything else is returned as it is. Raises `NoProjectFolder`.

    >>> absolute_catalog("sqlite:///catalog.db", project="/srv/sales")
    '/srv/sales/catalog.db'
    """
    try:
        url = parse_catalog(catalog)
    except CatalogUnavailable:
        return catalog  # opening it says why
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return catalog
    path = str(make_url(catalog).database) if "://" in catalog else os.path.expanduser(catalog)
    if os.path.isabs(path):
        return catalog if "://" in catalog else path
    return from_project(path, what="catalog", **whose)


def shown_url(url: URL) -> str:
    """Render the URL for messages: without its password, and without its query, which may hold another."""
    return redacted_url(url.set(query={}).render_as_string(hide_password=True))


def shown_catalog(catalog: str) -> str:
    """Show a path or URL as it was given, without its secrets; one that names no catalog as its error would."""
    try:
        url = parse_catalog(catalog)
    except CatalogUnavailable as error:
        return str(error.catalog)
    return shown_url(url) if "://" in catalog else catalog


def without_secrets(text: str, url: URL) -> str:
    """Give a driver's message without the URL's own password, and without other secrets that it gives away."""
    secrets = [url.password, *(value for name, value in url.query.items() if "pass" in name)]
    for secret in secrets:
        if isinstance(secret, str) and secret:
            text = text.replace(secret, HIDDEN)
    return redacted_text(text)


def _with_quoted_password(catalog: str) -> str:
    """Quote a password that holds `@`: the user info ends at the last one before the path."""
    scheme, _, rest = catalog.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    info, _, host = authority.rpartition("@")
    if "@" not in info:
        return catalog
    user, _, password = info.partition(":")
    return f"{scheme}://{user}:{quote(password, safe='%')}@{host}{rest[len(authority) :]}"


def _file_url(path: str) -> URL:
    if not path or "\0" in path:
        raise CatalogUnavailable(catalog=path, why="it is not a path")
    without_slashes = _NO_SLASHES.match(path)
    if without_slashes is not None:
        scheme = without_slashes[1]
        raise CatalogUnavailable(catalog=f"{scheme}:…", why=f"a database URL begins with {scheme}://")
    if _LIBPQ.match(path):
        why = "it is a connection string of libpq, not a path; give a URL, postgresql://user:password@host/database"
        raise CatalogUnavailable(catalog=redacted_text(path), why=why)
    return URL.create("sqlite", database=os.path.abspath(path))
