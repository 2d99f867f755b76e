"""No secret of a store's arguments stands in a message, a `repr`, a log line, a reference or a recorded file.

One table of siblings: each way to give a secret, and each place where it could show.
"""

import logging
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from catalog_kit import new_database
from core_kit import make

from jammi_dagster import JammiError, LineageResource, ResultStore, ResultStoreResource, ResultTableIOManager
from jammi_dagster.artifacts import ArtifactRoot
from jammi_dagster.catalog import Database

SECRET = "S3CR3T-horse"
NOWHERE = "127.0.0.1:1"  # nothing listens there, so each connection is refused at once

CATALOGS = {
    "a password": f"postgresql://me:{SECRET}@{NOWHERE}/d",
    "a password with @": f"postgresql://me:p@{SECRET}@{NOWHERE}/d",
    "a password with an escaped @": f"postgresql://me:p%40{SECRET}@{NOWHERE}/d",
    "a password with :": f"postgresql://me:p:{SECRET}@{NOWHERE}/d",
    "a password with #": f"postgresql://me:p#{SECRET}@{NOWHERE}/d",
    "a password with a space": f"postgresql://me:p {SECRET}@{NOWHERE}/d",
    "a password in the query": f"postgresql://me@{NOWHERE}/d?password={SECRET}",
    "a password of a key": f"postgresql://me@{NOWHERE}/d?sslpassword={SECRET}",
    "a driver": f"postgresql+psycopg://me:{SECRET}@{NOWHERE}/d",
    "another database": f"mysql://me:{SECRET}@{NOWHERE}/d",
    "a port that is none": f"postgresql://me:{SECRET}@127.0.0.1:port/d",
    "a password in the port's place": f"postgresql://me@127.0.0.1:{SECRET}/d",
    "libpq": f"host=127.0.0.1 port=1 user=me password={SECRET}",
    "libpq in quotes": f"user=me password='a {SECRET}' host=127.0.0.1",
    "libpq, password first": f"password={SECRET} host=127.0.0.1",
    "no slashes": f"postgresql:me:{SECRET}@{NOWHERE}/d",
    "one slash": f"postgresql:/me:{SECRET}@{NOWHERE}/d",
}
ROOTS = {
    "a query": f"memory://bucket/results?sig={SECRET}",
    "user info": f"memory://key:{SECRET}@bucket/results",
    "a token": f"memory://{SECRET}@bucket/results",
    "a fragment": f"memory://bucket/results#{SECRET}",
    "a chain": f"simplecache::memory://key:{SECRET}@bucket/results",
    "S3 in another place": f"s3://key:{SECRET}@bucket/results?sig={SECRET}",
    "a scheme that nobody serves": f"nobody://me:{SECRET}@host/p?sig={SECRET}",
}
OPTIONS: dict[str, dict[str, Any]] = {
    "credentials": {"key": "id", "secret": SECRET},
    "nested": {"client_kwargs": {"password": SECRET}},
    "an unknown option": {"x": SECRET},
    "a value that is no JSON": {"secret": SECRET.encode()},
    "an object": {"credentials": Path(SECRET)},
    "a number that is none": {"timeout": SECRET},
}


def said(work: Callable[[], object]) -> str:
    """Give everything that the work says: its result, or its error with all causes, as a traceback shows them.

    Source lines stay out: this file holds the secret.
    """
    try:
        return repr(work())
    except Exception as error:
        texts, cause = list[str](), error
        while cause is not None:
            texts += traceback.format_exception_only(type(cause), cause)
            texts += [repr(cause.__dict__)] if isinstance(cause, JammiError) else []
            cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)  # type: ignore[assignment]
        return "".join(texts)


def shown(root: str, catalog: str | None, options: dict[str, Any] | None) -> dict[str, str]:
    """Give every text about a store of these arguments: representations, errors, names."""
    resource = ResultStoreResource(root=root, catalog=catalog, storage_options=options)

    def written() -> str:
        store = resource.get()
        try:
            make(store, "t")
            record = store.current("t")
            return f"{record.artifact_uri} {store.artifacts!r} {store.identity}"
        finally:
            store.close()

    return {
        "resource": repr(resource) + str(resource),
        "io manager": repr(ResultTableIOManager(store=resource)),
        "lineage": repr(LineageResource(store=resource)),
        "store": said(lambda: ResultStore(root, catalog, storage_options=options)),
        "get": said(resource.get),
        "write": said(written),
    }


def check(texts: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    """Fail where the secret shows."""
    texts["log"] = "".join(r.getMessage() for r in caplog.records if r.name.startswith("jammi_dagster"))
    found = {place: text for place, text in texts.items() if SECRET in text}
    assert found == {}


@pytest.mark.parametrize("case", CATALOGS)
def test_a_secret_of_a_catalog(tmp_path: Path, caplog: pytest.LogCaptureFixture, case: str) -> None:
    """A refused connection, a refused URL, and a connection string that is no path."""
    caplog.set_level(logging.DEBUG, "jammi_dagster")
    catalog = CATALOGS[case]
    texts = shown(str(tmp_path / "root"), catalog, None)
    texts["database"] = said(lambda: new_database(catalog))
    texts["engine"] = said(lambda: ResultStore.attach_engine(catalog, str(tmp_path)))
    check(texts, caplog)
    assert "catalog" in texts["database"]
    assert [path.name for path in tmp_path.rglob("*") if SECRET in path.name] == []


@pytest.mark.parametrize("case", ROOTS)
def test_a_secret_of_a_root(tmp_path: Path, caplog: pytest.LogCaptureFixture, case: str) -> None:
    """Its name, URIs of its objects, errors of its storage, and every file that the catalog consists of."""
    caplog.set_level(logging.DEBUG, "jammi_dagster")
    root, catalog = ROOTS[case], str(tmp_path / "c.db")
    texts = shown(root, catalog, None)
    texts["no catalog"] = said(lambda: ResultStore(root))
    texts["root"] = (
        repr(ArtifactRoot(root)) + ArtifactRoot(root).name + ArtifactRoot(root).uri("tables/t.parquet")
    )
    texts["missing"] = said(lambda: ArtifactRoot(root).read_bytes("tables/none.parquet"))
    check(texts, caplog)
    for file in tmp_path.iterdir():
        assert SECRET.encode() not in file.read_bytes()


@pytest.mark.parametrize("case", OPTIONS)
@pytest.mark.parametrize(
    "root", ["memory://bucket/results", "s3://bucket/results", "http://127.0.0.1:1/results"]
)
def test_a_secret_of_the_storage_options(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, root: str, case: str
) -> None:
    """Whatever the storage says of options that it does not take, or could not reach anything with."""
    caplog.set_level(logging.DEBUG, "jammi_dagster")
    options = OPTIONS[case]
    if root.startswith("s3"):
        options = {
            **options,
            "endpoint_url": "http://127.0.0.1:1",
            "config_kwargs": {"retries": {"max_attempts": 0}},
        }
    check(shown(root, str(tmp_path / "c.db"), options), caplog)


def test_a_container_is_no_secret() -> None:
    """`abfs://container@account` leads to the container: names and URIs keep it."""
    for scheme in ("abfs", "abfss"):
        url = f"{scheme}://tables@account.dfs.core.windows.net/prod"
        assert ArtifactRoot(url).name == url
        assert ArtifactRoot(url).uri("t.parquet") == f"{url}/t.parquet"
        assert url in repr(ResultStoreResource(root=url, catalog="c.db"))
        with pytest.raises(Exception, match="a remote root needs") as raised:
            ResultStore(url)
        assert url in str(raised.value)


def test_a_password_stands_in_no_identity(tmp_path: Path) -> None:
    """Neither the root's identity, nor the errors and reports that quote it, nor a pickled root's `repr`."""
    from jammi_dagster.maintenance.root_binding import RootBinding

    root = ArtifactRoot(str(tmp_path))
    database = new_database("sqlite://")
    database.name, database.is_sqlite = Database.__name__, False
    url = CATALOGS["a password with @"]
    from jammi_dagster.catalog.urls import parse_catalog, shown_url

    database.url, database.name = parse_catalog(url), shown_url(parse_catalog(url))
    place, is_inside = RootBinding(database, root, list)._place()
    assert (SECRET in place, is_inside) == (False, False)
    remote = ArtifactRoot(ROOTS["user info"], {"secret": SECRET})
    assert SECRET not in repr(pickle.loads(pickle.dumps(remote)))
