"""`ResultStore`, as seen by people without Dagster."""

import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pytest
import sqlalchemy as sa
from core_kit import DEFINITION, DIGEST, ENV, apart, descriptor, make, numbers, values

from jammi_dagster import InputAnchor, ResultStore
from jammi_dagster.contract import definition_hash
from jammi_dagster.errors import (
    ArtifactCorrupt,
    ArtifactMissing,
    CatalogReadOnly,
    CatalogUnavailable,
    InvalidField,
    InvalidStore,
    InvalidTableName,
    JammiError,
    NotCanonical,
    StorageFailed,
    UnknownTable,
)

ODD_NAMES = [
    "it's",
    '"quoted"',
    "a/../../b",
    "..",
    "x" * 10_000,
    "日本 😀",
    "new\nline",
    "[p]",
    "CON",
    "-rf",
    "%2F",
    "~",
]


# --- write and read -----------------------------------------------------------------------------------


def test_what_is_written_is_read(store: ResultStore) -> None:
    """A name means its latest materialization, as a table in memory or lazily as a dataset."""
    make(store, "t", numbers(2))
    make(store, "t", numbers(5), step=2)
    make(store, "u", numbers(1))
    assert values(store.read("t")) == [0, 1, 2, 3, 4]
    dataset = store.dataset("t")
    assert isinstance(dataset, ds.Dataset)
    assert dataset.count_rows(filter=ds.field("n") > 2) == 2
    assert store.tables() == ["t", "u"]
    assert [record.row_count for record in store.history("t")] == [5, 2]
    assert store.current("t") == store.history("t")[0]


@pytest.mark.parametrize(
    "data",
    [
        lambda: numbers(3),
        lambda: numbers(3).to_reader(),
        lambda: numbers(3).to_batches()[0],
        lambda: iter(numbers(3).to_batches(max_chunksize=1)),
        lambda: ds.dataset(numbers(3)),
    ],
    ids=["table", "reader", "batch", "iterator", "dataset"],
)
def test_any_arrow_is_a_table(store: ResultStore, data: Callable[[], Any]) -> None:
    """Whatever it came as, equal data is one artifact."""
    first = make(store, "t", numbers(3))
    assert make(store, "t", data()).artifact_digest == first.artifact_digest
    assert values(store.read("t")) == [0, 1, 2]


def test_a_table_without_rows_is_a_table(store: ResultStore) -> None:
    """Its schema is kept."""
    record = make(store, "t", numbers(0))
    assert record.row_count == 0
    assert store.read("t").schema.names == ["n"]


@pytest.mark.parametrize("name", ODD_NAMES, ids=range(len(ODD_NAMES)))
def test_any_text_is_a_name(store: ResultStore, tmp_path: Path, name: str) -> None:
    """Quotes, dots, newlines, brackets, emoji, 10,000 characters: it is a name, and nothing leaves the root."""
    make(store, "other")
    make(store, name, numbers(4), inputs=[InputAnchor.result_digest("other", DIGEST)])
    assert values(store.read(name)) == [0, 1, 2, 3]
    assert store.tables() == sorted(["other", name])
    assert store.history(name)[0].table == name
    assert [edge.derived for edge in store.derives_from("other")] == [name]
    assert os.listdir(tmp_path) == ["root"]


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800", None, 5, b"t"])
def test_what_is_no_name_is_refused(store: ResultStore, name: Any) -> None:
    """Wherever it is given, by an error of ours."""
    for ask in (
        store.read,
        store.current,
        store.history,
        store.dataset,
        store.drop,
        lambda n: make(store, n),
    ):
        with pytest.raises(InvalidTableName):
            ask(name)
    with pytest.raises(InvalidTableName):
        store.derives_from(name)


def test_a_source_with_a_scheme_is_no_table(store: ResultStore) -> None:
    """`file:x` can be an input, never the name of a table: the error says how to write it."""
    with pytest.raises(InvalidTableName, match="%3A"):
        make(store, "file:x")


@pytest.mark.parametrize(
    ("part", "error"),
    [
        ({"descriptor": {}}, InvalidField),
        ({"descriptor": None}, InvalidField),
        ({"descriptor": {"producer": "p", "x": {1, 2}}}, NotCanonical),
        ({"env": []}, InvalidField),
        ({"env": {"x": float("nan")}}, NotCanonical),
    ],
)
def test_a_definition_that_is_none_is_refused(store: ResultStore, part: Any, error: type[JammiError]) -> None:
    """Before anything is written."""
    given = {"descriptor": descriptor(), "env": ENV, "inputs": [], **part}
    with pytest.raises(error):
        store.materialize("t", numbers(1), **given)
    assert store.history("t") == []


# --- what is not there --------------------------------------------------------------------------------


def test_an_unknown_table_is_named_with_what_is_near(store: ResultStore) -> None:
    """The error names the table, the deployment, and the names that may have been meant."""
    for name in ("flights/daily", "flights/weekly", "weather"):
        make(store, name)
    with pytest.raises(UnknownTable) as raised:
        store.read("flights/dailly")
    assert raised.value.table == "flights/dailly"
    assert "flights/daily" in str(raised.value)
    assert "weather" not in str(raised.value)
    assert "deployment default" in str(raised.value)
    for ask in (
        store.dataset,
        store.current,
        store.verify_materialization,
        store.producing_descriptor,
        store.drop,
    ):
        with pytest.raises(UnknownTable):
            ask("nowhere")
    with pytest.raises(UnknownTable, match="table nowhere does not exist in deployment"):
        store.staleness("nowhere", DEFINITION)
    assert store.history("nowhere") == []


def test_looking_for_near_names_takes_no_longer_among_200_000(store: ResultStore) -> None:
    """Only the names beside it in sorted order are compared, of any length."""
    make(store, "t")
    with store.database.writing() as connection:
        connection.execute(
            sa.text(
                "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199999) "
                "INSERT INTO pointers (tenant, deployment, table_name, materialization_id, start_sequence) "
                "SELECT '', 'default', printf('flights/daily[%06d]', i), m.id, 1 FROM n, materializations m"
            )
        )
    for name in ("flights/daily[100500]x", "x" * 10_000):
        began = time.monotonic()
        with pytest.raises(UnknownTable) as raised:
            store.read(name)
        assert time.monotonic() - began < 1
        assert ("flights/daily[100500]" in str(raised.value)) == name.startswith("flights")


def test_bytes_that_are_gone_or_broken_are_an_error_of_ours(store: ResultStore) -> None:
    """It names the object and says to materialize again."""
    record = make(store, "t")
    assert store.artifacts.local_root is not None
    file = Path(store.artifacts.local_root) / record.artifact_path
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])
    with pytest.raises(ArtifactCorrupt, match="materialize the table again"):
        store.read("t")
    file.unlink()
    with pytest.raises(ArtifactMissing, match="materialize the table again"):
        store.read("t")


# --- opening ------------------------------------------------------------------------------------------


def test_the_catalog_lies_in_the_root_unless_told(
    open_store: Callable[..., ResultStore], tmp_path: Path
) -> None:
    """One folder is a whole store; a path or a URL puts the catalog elsewhere."""
    make(open_store(tmp_path / "a"), "t")
    assert (tmp_path / "a" / "catalog.db").is_file()
    for catalog in (str(tmp_path / "b.db"), f"sqlite:///{tmp_path / 'c.db'}"):
        make(open_store(tmp_path / f"of {catalog[-4:]}", catalog), "t")
        assert not (tmp_path / f"of {catalog[-4:]}" / "catalog.db").exists()
    assert (tmp_path / "b.db").is_file()
    assert (tmp_path / "c.db").is_file()
    assert open_store(tmp_path / "a").tables() == ["t"]


@pytest.mark.parametrize("root", ["{}/plain", "file://{}/uri", "{}/a b%20c#?", "{}/日本"])
def test_a_local_root_is_a_path_or_a_uri(
    open_store: Callable[..., ResultStore], tmp_path: Path, root: str
) -> None:
    """Every spelling of a folder is that folder."""
    store = open_store(root.format(tmp_path))
    make(store, "t")
    assert values(store.read("t")) == [0, 1, 2]
    assert store.artifacts.local_root is not None
    assert Path(store.artifacts.local_root).is_dir()


def test_a_remote_root_needs_a_catalog(open_store: Callable[..., ResultStore], tmp_path: Path) -> None:
    """A bucket has no place for a database; credentials in its URL are not shown."""
    with pytest.raises(InvalidStore, match="catalog="):
        open_store("memory://results")
    with pytest.raises(InvalidStore) as raised:
        open_store("ftp://user:s3cret@host/results")
    assert "s3cret" not in str(raised.value)
    store = open_store(f"memory://{tmp_path.name}", str(tmp_path / "c.db"))
    make(store, "t")
    assert values(store.read("t")) == [0, 1, 2]
    assert store.probe_cache(DEFINITION, []) == store.current("t").materialization_id


def test_a_catalog_in_memory_serves_a_test(open_store: Callable[..., ResultStore]) -> None:
    """It is gone with the store."""
    make(open_store(catalog="sqlite://"), "t")
    assert open_store(catalog="sqlite://").tables() == []


@pytest.mark.parametrize(
    "options", [{"tenant": ""}, {"deployment": ""}, {"tenant": "\ud800"}, {"deployment": "a\0"}]
)
def test_tenants_and_deployments_have_names(
    open_store: Callable[..., ResultStore], options: dict[str, str]
) -> None:
    """An empty name, or one that no database holds, is refused where the store is opened."""
    with pytest.raises(InvalidStore):
        open_store(**options)


def test_tenants_share_a_root_and_not_their_tables(open_store: Callable[..., ResultStore]) -> None:
    """Each reads its own table, and the global one where it has none."""
    shared, acme, other = open_store(), open_store(tenant="acme"), open_store(tenant="other")
    make(shared, "t", numbers(1))
    make(acme, "t", numbers(2))
    assert [values(store.read("t")) for store in (shared, acme, other)] == [[0], [0, 1], [0]]
    assert len(acme.history("t")) == 2
    assert len(other.history("t")) == 1


def test_a_root_that_is_a_file_is_refused(open_store: Callable[..., ResultStore], tmp_path: Path) -> None:
    """By an error of ours, with or without a catalog elsewhere."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(JammiError):
        open_store(tmp_path / "file")
    store = open_store(tmp_path / "file", str(tmp_path / "c.db"))
    with pytest.raises(StorageFailed):
        make(store, "t")
    assert store.tables() == []


@pytest.mark.parametrize("root", ["", "a\0b"])
def test_what_is_no_root(root: str) -> None:
    """An empty path, or one with a NUL."""
    with pytest.raises(JammiError):
        ResultStore(root)


def test_two_stores_on_one_catalog_have_one_identity(open_store: Callable[..., ResultStore]) -> None:
    """Names resolve alike in them; another deployment, tenant or catalog is another store."""
    first, second = open_store(), open_store()
    assert first.identity == second.identity
    assert len({first.identity, open_store(tenant="a").identity, open_store(deployment="d").identity}) == 3
    assert open_store(catalog="sqlite://").identity != first.identity


def test_a_closed_store_opens_again(store: ResultStore) -> None:
    """`close` gives connections back, no more."""
    make(store, "t")
    store.close()
    assert store.tables() == ["t"]


# --- read-only, full, missing -------------------------------------------------------------------------


def _sense(root: Path) -> list[Any]:
    store = ResultStore(str(root))
    with pytest.raises(CatalogReadOnly):
        make(store, "t")
    return [
        store.tables(),
        values(store.read("t")),
        store.dataset("t").count_rows(),
        store.probe_cache(DEFINITION, []) is not None,
        store.staleness("t", DEFINITION).to_dict(),
        store.verify_materialization("t").to_dict(),
        store.derives_from("t"),
        store.derives_from_closure("t"),
    ]


def test_everything_is_sensed_on_a_read_only_disk(
    open_store: Callable[..., ResultStore], tmp_path: Path
) -> None:
    """Every question is answered on a read-only store, and a write is refused before it begins."""
    store = open_store()
    make(store, "t")
    store.close()
    root = tmp_path / "root"
    places = [root, *(path for path in root.rglob("*"))]
    for path in places:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        found = apart(_sense, root, privileged=False)
    finally:
        for path in places:
            path.chmod(0o755 if path.is_dir() else 0o644)
    assert found == [["t"], [0, 1, 2], 3, True, {"staleness": "fresh"}, {"verdict": "match"}, [], []]
    assert sorted(places) == sorted([root, *root.rglob("*")])


def _fill(root: Path) -> tuple[str, list[str], list[str]]:
    """Writes more than the process may: files cannot grow beyond 1 MiB."""
    store = ResultStore(str(root))
    make(store, "t", numbers(3))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    noise = pa.table({"x": [os.urandom(1_000) for _ in range(4_000)]})
    with pytest.raises(JammiError) as raised:
        make(store, "t", noise, step=2)
    left = [path.name for path in root.rglob("*.parquet")]
    return type(raised.value).__name__, [record.status for record in store.history("t")], left


def test_a_disk_that_is_full(open_store: Callable[..., ResultStore], tmp_path: Path) -> None:
    """An error of ours, no half-written file, and the table before it is still current."""
    name, statuses, left = apart(_fill, tmp_path / "root")
    assert (name, statuses) == ("StorageFailed", ["failed", "ready"])
    assert len(left) == 1
    assert values(open_store().read("t")) == [0, 1, 2]


def test_a_root_that_is_missing_is_made(open_store: Callable[..., ResultStore], tmp_path: Path) -> None:
    """A store's folder comes with its first use."""
    make(open_store(tmp_path / "a" / "b"), "t")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_catalog_that_is_damaged_is_an_error_of_ours(
    open_store: Callable[..., ResultStore], tmp_path: Path
) -> None:
    """Not SQLAlchemy's, and it names the catalog."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "catalog.db").write_bytes(b"garbage" * 1_000)
    with pytest.raises(CatalogUnavailable, match=r"catalog\.db"):
        open_store()


# --- the whole ----------------------------------------------------------------------------------------


def test_a_chain_is_fresh_until_its_parent_changes(store: ResultStore) -> None:
    """Reuse and staleness are two sides of one comparison: equal digests hit and are fresh, others neither."""
    parent = make(store, "parent", numbers(2))
    anchor = InputAnchor.result_digest("parent", str(parent.artifact_digest))
    child = make(store, "child", numbers(2), step=2, inputs=[anchor])
    definition = definition_hash(descriptor(2), ENV)
    assert store.probe_cache(definition, [anchor]) == child.materialization_id
    assert store.staleness("child", definition).is_fresh
    again = make(store, "parent", numbers(2))
    assert again.artifact_digest == parent.artifact_digest
    assert store.staleness("child", definition).is_fresh
    changed = make(store, "parent", numbers(3))
    moved = InputAnchor.result_digest("parent", str(changed.artifact_digest))
    assert store.probe_cache(definition, [moved]) is None
    verdict = store.staleness("child", definition)
    assert [reason.reason for reason in verdict.reasons] == ["input_advanced"]
    assert (verdict.reasons[0].recorded, verdict.reasons[0].current) == (anchor.anchor, moved.anchor)
