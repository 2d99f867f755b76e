"""Texts and URLs without their secrets: the one place that decides what a message, a name or a `repr` may show.

Rules:

1. A URL keeps its scheme, host and path. It loses its query and fragment, which may hold a signature, and its user
   info. A database URL keeps the user's name; `abfs://container@account` keeps its container.
2. A password may hold `@`, `/` and `:` unescaped: user info ends at the last `@`.
3. `name=value` and `name: value` lose the value where the name tells a secret (`password`, `token`, `sig`, …).
4. Options of a storage or a resource show their names only.

Not done here: finding a secret that no name and no URL gives away.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote_plus

HIDDEN = "***"

_DATABASES = ("postgres", "mysql", "mssql", "oracle", "redshift", "snowflake", "sqlite")
_WITH_CONTAINER = ("abfs", "abfss", "wasb", "wasbs", "az", "adl")
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.\-]*)://")
# A text's URL ends at white space or a quote; a bracket or comma that closes the sentence is no part of it.
_URL_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^\s'\"<>]+")
_SECRET_NAME = (
    r"[\w.\-]*(?:password|passwd|passphrase|pwd|secret|token|credential|api_?-?key|access_?-?key|account_?-?key"
    r"|private_?-?key|sas|sig|signature|authorization|connection_?-?string)[\w.\-]*"
)
_ASSIGNED = re.compile(
    rf"""(?P<name>(?P<quote>["']?)\b{_SECRET_NAME}(?P=quote))(?P<sign>\s*[=:]\s*)"""
    r"""(?P<value>b?'(?:[^'\\]|\\.)*'|b?"(?:[^"\\]|\\.)*"|(?:Bearer |Basic )?[^\s,;&)}\]]+)""",
    re.IGNORECASE,
)


def redacted_url(url: str) -> str:
    """Show a URL, or a chain of them (`simplecache::s3://…`), without user info, query and fragment.

    >>> redacted_url("postgresql://me:p@ss@db.example/store?sslpassword=x")
    'postgresql://me:***@db.example/store'
    >>> redacted_url("abfs://tables@account.dfs.core.windows.net/prod")
    'abfs://tables@account.dfs.core.windows.net/prod'
    >>> redacted_url("s3://bucket/prefix")
    's3://bucket/prefix'
    """
    return "::".join(_one_url(part) for part in url.split("::"))


def url_secrets(url: str) -> tuple[str, ...]:
    """List the parts of a URL that `redacted_url` hides, for texts that quote them without the URL.

    >>> url_secrets("s3://key:secret@bucket/p?sig=x")
    ('key:secret', 'secret', 'sig=x')
    """
    found = list[str]()
    for part in url.split("::"):
        scheme = _SCHEME.match(part)
        if scheme is None:
            continue
        rest = part[scheme.end() :]
        user, host_and_path = _split_user(scheme[1].lower(), rest)
        info = rest[: len(rest) - len(host_and_path)].removesuffix("@")
        if f"{info}@" != user:
            found += [info, info.partition(":")[2]]
        found += re.split(r"[?#]", host_and_path, maxsplit=1)[1:]
    return tuple(secret for secret in found if secret)


def redacted_text(text: str) -> str:
    """Show a text of any origin (a driver's message, a connection string) without the secrets that it gives away.

    >>> redacted_text("could not connect: host=db user=me password='a b'")
    'could not connect: host=db user=me password=***'
    """
    without_urls = _URL_IN_TEXT.sub(lambda found: redacted_url(found.group()), text)
    return _ASSIGNED.sub(lambda found: f"{found['name']}{found['sign']}{HIDDEN}", without_urls)


def redacted_options(options: Mapping[str, object] | None) -> dict[str, str]:
    """Show the names of options, each with its value hidden.

    >>> redacted_options({"key": "id", "secret": "s"})
    {'key': '***', 'secret': '***'}
    """
    return {str(name): HIDDEN for name in options or {}}


def _one_url(url: str) -> str:
    match = _SCHEME.match(url)
    if match is None:
        return url
    scheme, rest = match[1], url[match.end() :]
    user, host_and_path = _split_user(scheme.lower(), rest)
    host_and_path = re.split(r"[?#]", host_and_path, maxsplit=1)[0]
    return f"{scheme}://{user}{host_and_path}"


def _split_user(scheme: str, rest: str) -> tuple[str, str]:
    """Part the user info to show, with its `@`, from the host and path."""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    name, colon, after = authority.partition(":")
    has_password = bool(colon) and not re.fullmatch(r"\d*", after.rpartition(":")[2])
    if "@" not in authority and not (has_password and "@" in rest):
        return "", rest
    info, _, host_and_path = rest.rpartition("@") if has_password else authority.rpartition("@")
    if not has_password:
        host_and_path = rest[len(info) + 1 :]
    name, colon, _ = info.partition(":")
    if scheme in _WITH_CONTAINER and not colon:
        return f"{info}@", host_and_path
    if scheme.startswith(_DATABASES):
        return f"{unquote_plus(name)}:{HIDDEN}@" if colon else f"{unquote_plus(name)}@", host_and_path
    return "", host_and_path
