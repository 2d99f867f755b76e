"""Catalogs and sidecars that lie: each question is answered or is an error of ours, and nothing outside is opened."""

import itertools
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from core_kit import DIGEST, make, values
from engine_kit import Engine
from fuzz_kit import ODD_JSON, ask_all, opened, paths_of, replaced
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_kit import StoreAt, child, definition, execute, expire, files, killed_before_the_flip, on, status

from jammi_dagster import InputAnchor, JammiError, ResultStore, Staleness
from jammi_dagster.artifacts import sidecar_path
from jammi_dagster.catalog.engine_reader import _t as engine_table
from jammi_dagster.catalog.models import METADATA
from jammi_dagster.errors import UnknownManifestVersion

pytestmark = pytest.mark.slow  # it goes through much; `make slow` runs it

# what no column of ours ever holds; SQLite takes any of it
_ODD = [None, -1, 2**63 - 1, float("inf"), "", "\0", "../../outside.parquet", b"\xff\xfe"]
_INVALID_UTF8 = "CAST(x'fffe' AS TEXT)"
_OUTSIDE = [
    "/etc/passwd",
    "../outside.parquet",
    "tables/../../outside.parquet",
    "file:///etc/passwd",
    "s3://bucket/outside.parquet",
    "tables/./t.parquet",
    "tables//t.parquet",
    "..\\outside.parquet",
    "C:outside.parquet",
    "tables/\n../../outside.parquet",
    "",
]
_SENSED = ("staleness", "sweep", "current_anchor", "verify_materialization", "producing_descriptor")
_hostile = st.one_of(st.sampled_from(_OUTSIDE), st.text(max_size=30))
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(DIGEST),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["source", "anchor", "kind", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)
_in_one_store = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def tampered(tmp_path: Path) -> Iterator[tuple[ResultStore, sqlite3.Connection, sqlite3.Connection]]:
    """A store of three tables and a dead writer, its open database, and a copy to go back to."""
    store = ResultStore(str(tmp_path / "root"), "sqlite://")
    _fill(store)
    raw = store.database._engine.raw_connection().driver_connection
    copy = sqlite3.connect(":memory:")
    assert isinstance(raw, sqlite3.Connection)
    raw.backup(copy)
    for pragma in ("foreign_keys=OFF", "ignore_check_constraints=ON"):
        raw.execute(f"PRAGMA {pragma}")
    yield store, raw, copy
    copy.close()
    store.close()


def _fill(store: ResultStore) -> None:
    make(store, "t")
    child(store, "child", "t")
    make(store, "over files", inputs=[InputAnchor.source_version(f"file:{i}", "1") for i in "ba"])
    killed_before_the_flip(store, "dead")
    expire(store)
    assert ask_all(store, ["t", "child"]) == ["unknown t", "unknown child"]


def _set(raw: sqlite3.Connection, table: str, column: str, value: Any) -> bool:
    """True if the database took the value, in every row."""
    shown, given = (_INVALID_UTF8, []) if value is _INVALID_UTF8 else ("?", [value])
    try:
        raw.execute(f"UPDATE {table} SET {column} = {shown}", given)
    except (sqlite3.Error, OverflowError):
        return False
    return True


@pytest.mark.parametrize("table", sorted(METADATA.tables))
def test_any_value_in_any_column(
    tampered: tuple[ResultStore, sqlite3.Connection, sqlite3.Connection], tmp_path: Path, table: str
) -> None:
    """SQLite keeps whatever it is given: numbers for text, bytes, text that is none, hostile paths, any JSON."""
    store, raw, copy = tampered
    taken = 0
    with opened(store) as paths:
        for column in METADATA.tables[table].columns.keys():  # noqa: SIM118  # not a mapping
            is_json = column in ("anchors_json", "anchor_order", "annotation_json")
            for value in [*_ODD, _INVALID_UTF8, *(ODD_JSON if is_json else ())]:
                if _set(raw, table, column, value):
                    taken += 1
                    ask_all(store)
                    copy.backup(raw)
    assert taken > 5
    assert {path for path in paths if not path.startswith(f"{tmp_path / 'root'}/")} == set()


@pytest.mark.parametrize("odd", [None, "", "{}", '""', "null", "0", "[0]", '[{"kind": "result_digest"}]'])
def test_anchors_that_are_none_are_never_fresh(
    tampered: tuple[ResultStore, sqlite3.Connection, sqlite3.Connection], odd: str | None
) -> None:
    """Not even where nothing in them could differ: a verdict that says so, or an error."""
    store, raw, _ = tampered
    if odd is None:
        assert _set(raw, "materializations", "anchor_set_id", None)
        assert _set(raw, "pointers", "anchor_set_id", None)
    else:
        assert _set(raw, "anchor_sets", "anchors_json", odd)
    assert _said(store, "child") in ([], ["missing_manifest"] * 2)


def test_an_anchor_without_value_is_no_missing_table(
    tampered: tuple[ResultStore, sqlite3.Connection, sqlite3.Connection],
) -> None:
    """A null that is compared with the digest of a table that is not there would be equal."""
    store, raw, _ = tampered
    assert _set(
        raw, "anchor_sets", "anchors_json", '[{"kind": "result_digest", "source": "gone", "anchor": null}]'
    )
    assert _said(store, "child") == []


@pytest.mark.parametrize("order", ["[]", "[0]", "[1]", "[0, 0]", "[-1, 0]", "[0, 1, 1]", '{"0": 1}', "null"])
def test_an_order_that_is_none_loses_no_anchor(
    tampered: tuple[ResultStore, sqlite3.Connection, sqlite3.Connection], order: str
) -> None:
    """An order that leaves one out, or names one twice, is an error: else it could not be stale."""
    store, raw, _ = tampered
    for table in ("materializations", "pointers"):
        assert _set(raw, table, "anchor_order", order)
    assert _said(store, "over files") == []


def _said(store: ResultStore, table: str) -> list[str]:
    """The verdicts on the table of `staleness` and of the sweep; none where it is an error."""
    said: list[str] = []
    asks: list[Callable[[], Staleness]] = [
        lambda: store.staleness(table, definition()),
        lambda: dict(store.sweep({table: definition()}))[table],
    ]
    for ask in asks:
        try:
            said.append(ask().staleness)
        except JammiError:
            continue
    return said


# --- on every kind of catalog -----------------------------------------------------------------------------------


def test_a_path_in_the_catalog_never_leads_outside(store_at: StoreAt, tmp_path: Path) -> None:
    """Recovery tells of a ready row, fails a dead writer's, and touches no other file."""
    store = store_at()
    _fill(store)
    (tmp_path / "outside.parquet").write_bytes(b"theirs")
    (tmp_path / "outside.materialization.json").write_bytes(b"theirs")
    kept, hostile = store.current("child"), store.current("t").materialization_id
    with opened(store) as paths:
        for path in _OUTSIDE:
            dead = killed_before_the_flip(store, "late")
            expire(store)
            update = "UPDATE materializations SET artifact_path = :path WHERE table_name IN ('t', 'late')"
            execute(store, update, path=path)
            ask_all(store)
            report = store.recover()
            assert dead.rows["late"].materialization_id in report.failed
            assert report.damaged == [hostile]
    assert not [path for path in paths if not path.startswith(f"{tmp_path}/")]
    assert "outside" not in "".join(paths)
    assert files(tmp_path)["outside.parquet"] == files(tmp_path)["outside.materialization.json"] == b"theirs"
    assert store.current("child") == kept
    assert values(store.read("child")) == [0, 1, 2]


def test_a_row_that_names_anothers_bytes_does_not_take_them_along(store: ResultStore) -> None:
    """A dead writer's row whose path is that of a ready one: it is failed, and the bytes stay."""
    made = make(store, "t")
    dead = killed_before_the_flip(store, "u")
    expire(store)
    execute(
        store,
        "UPDATE materializations SET artifact_path = :path WHERE status = 'building'",
        path=made.artifact_path,
    )
    assert store.recover().failed == [dead.rows["u"].materialization_id]
    assert values(store.read("t")) == [0, 1, 2]
    assert store.verify_materialization("t").verdict == "match"


def test_a_parent_from_before_the_contract_is_asked_for_its_bytes(store: ResultStore) -> None:
    """By the sweep too: its row has no digest, which is not the same as no such table."""
    parent = make(store, "p")
    make(store, "c", inputs=on(parent))
    for table in ("materializations", "pointers"):
        execute(
            store,
            f"UPDATE {table} SET definition_hash = NULL, artifact_digest = NULL WHERE table_name = 'p'",
        )
    store.artifacts.delete(sidecar_path(parent.artifact_path))
    assert _said(store, "c") == ["fresh", "fresh"]
    store.artifacts.delete(parent.artifact_path)
    store.artifacts.write_bytes_durable(parent.artifact_path, b"other")
    assert _said(store, "c") == ["stale", "stale"]


# --- sidecars -----------------------------------------------------------------------------------------------


def _sidecar(store: ResultStore, table: str) -> Path:
    local = store.artifacts.local_root
    assert local is not None
    return Path(local) / sidecar_path(store.current(table).artifact_path)


def _lies(sidecar: bytes) -> Iterator[bytes]:
    """The sidecar cut short at every byte, and with odd JSON in every place."""
    yield from (sidecar[:end] for end in range(len(sidecar)))
    yield from (b"\xff\xfe", b"\xef\xbb\xbf" + sidecar, sidecar[:-1] + b"\xff}", sidecar * 2)
    value = json.loads(sidecar)
    for path in paths_of(value):
        for text in ODD_JSON:
            yield replaced(value, path, text).encode()


@pytest.mark.parametrize("attached", [False, True], ids=["ours", "an engine's"])
def test_a_sidecar_of_any_content(tmp_path: Path, attached: bool) -> None:
    """Each question that reads it is answered or ends in an error of ours; of ours recovery tells of the damage."""
    if attached:
        store = Engine("chain", tmp_path / "root").attach()
        parent, below = (next(n for n in store.tables() if part in n) for part in ("embedding", "graph"))
    else:
        store = ResultStore(str(tmp_path / "root"), "sqlite://")
        _fill(store)
        parent, below = "t", "child"
    sidecar = _sidecar(store, parent)
    sound = sidecar.read_bytes()
    assert ask_all(store, [parent, below], _SENSED) == []
    with opened(store) as paths:
        for i, lie in enumerate(itertools.islice(_lies(sound), 0, None, 4 if attached else 1)):
            sidecar.write_bytes(lie)
            failed = ask_all(store, [parent], ("producing_descriptor",))
            assert failed or lie != sound[: len(lie)]
            if i % 10 == 0:
                ask_all(store, [parent, below], _SENSED)
                assert attached or store.recover(dry_run=True).damaged or not failed
    sidecar.write_bytes(sound)
    assert ask_all(store, [parent, below], _SENSED) == []
    assert {path for path in paths if not path.startswith(f"{tmp_path}/")} == set()
    store.close()


def test_a_dead_writers_sidecar_of_any_content(store_at: StoreAt) -> None:
    """Recovery publishes a whole one, fails any other, or says that the version is not its to judge."""
    store = store_at()
    dead = killed_before_the_flip(store, "t")
    row = dead.rows["t"]
    sidecar, artifact = (store_at.root / p for p in (sidecar_path(row.artifact_path), row.artifact_path))
    sound, data = sidecar.read_bytes(), artifact.read_bytes()
    value, ended = json.loads(sound), set()
    for path in paths_of(value):
        for text in ('"\\u0000"', "9" * 30, "7", "[]", json.dumps(DIGEST)):
            sidecar.write_bytes(replaced(value, path, text).encode())
            artifact.write_bytes(data)
            execute(store, "DELETE FROM pointers")
            execute(
                store,
                "UPDATE materializations SET status = 'building', completed_at = NULL, lease_expires_at = 1",
            )
            try:
                store.recover()
            except UnknownManifestVersion:
                assert path == ("manifest_version",)
            ended.add(status(store, dead, "t"))
            assert (status(store, dead, "t") == "failed") == (not artifact.exists())
            if status(store, dead, "t") == "ready":
                assert store.verify_materialization("t").verdict != "mismatch"
    assert ended == {"building", "ready", "failed"}


@_in_one_store
@given(at=st.floats(0, 1), gone=st.integers(0, 50), junk=st.binary(max_size=12))
def test_a_table_of_any_bytes(
    tampered: tuple[ResultStore, sqlite3.Connection, sqlite3.Connection], at: float, gone: int, junk: bytes
) -> None:
    """Bytes that were altered are a mismatch; reading them gives a table or an error of ours."""
    store, _, _ = tampered
    record = store.current("t")
    data = (sound := store.artifacts.read_bytes(record.artifact_path))
    place = int(at * len(data))
    data = data[:place] + junk + data[place + gone :]
    artifact = Path(str(store.artifacts.local_root)) / record.artifact_path
    artifact.write_bytes(data)
    ask_all(store, ["t"], ("read", "dataset", "probe_cache_record"))
    assert (store.verify_materialization("t").verdict == "match") == (data == sound)
    artifact.write_bytes(sound)


# --- an engine's catalog ------------------------------------------------------------------------------------


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[tuple[Engine, ResultStore, list[str]]]:
    """The chain docs -> embedding -> graph -> model, attached, with its tables."""
    chain = Engine("chain", tmp_path / "engine")
    (tmp_path / "outside.parquet").write_bytes(b"theirs")
    store = chain.attach()
    yield chain, store, store.tables()
    store.close()


def test_any_value_in_any_column_of_an_engine(
    engine: tuple[Engine, ResultStore, list[str]], tmp_path: Path
) -> None:
    """The same of rows that others wrote; and nothing of theirs is changed by asking."""
    chain, store, tables = engine
    taken = 0
    with sqlite3.connect(chain.file) as raw, opened(store) as paths:
        for trigger in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {trigger[0]}")
        raw.commit()
        before = chain.files()
        keep = sqlite3.connect(":memory:")
        raw.backup(keep)
        for column in engine_table.columns.keys():  # noqa: SIM118  # not a mapping
            odd = ODD_JSON if column == "input_anchors_json" else _OUTSIDE if column == "parquet_path" else []
            for value in [*_ODD, _INVALID_UTF8, *odd]:
                if _set(raw, "result_tables", column, value):
                    raw.commit()
                    taken += 1
                    ask_all(store, tables[:1])
                    keep.backup(raw)
                raw.rollback()
        keep.close()
    raw.close()
    after = {name: data for name, data in chain.files().items() if not name.startswith("catalog.db")}
    assert after == {name: data for name, data in before.items() if not name.startswith("catalog.db")}
    assert taken > 100
    assert {path for path in paths if not path.startswith(f"{chain.folder}/")} == set()


@_in_one_store
@given(path=_hostile, anchors=st.one_of(st.text(max_size=20), _json.map(json.dumps)))
def test_any_path_and_anchors_of_an_engine(
    engine: tuple[Engine, ResultStore, list[str]], path: str, anchors: str
) -> None:
    """Whatever they hold; no file outside is opened."""
    chain, store, tables = engine
    if "\0" in path + anchors:
        return
    chain.execute(
        "UPDATE result_tables SET parquet_path = ?, input_anchors_json = ? WHERE table_name = ?",
        path.replace("outside", "../outside"),
        anchors,
        tables[0],
    )
    with opened(store) as paths:
        ask_all(store, tables)
    assert {path for path in paths if not path.startswith(f"{chain.folder}/")} == set()


@_in_one_store
@given(
    anchors=_json.map(json.dumps), order=st.none() | st.lists(st.integers(-2, 3), max_size=3).map(json.dumps)
)
def test_any_anchors_of_ours(
    tampered: tuple[ResultStore, sqlite3.Connection, sqlite3.Connection], anchors: str, order: str | None
) -> None:
    """Any JSON in their place, in any order: `staleness` and the sweep never disagree about a fresh table."""
    store, raw, copy = tampered
    assert _set(raw, "anchor_sets", "anchors_json", anchors)
    for table in ("materializations", "pointers"):
        assert _set(raw, table, "anchor_order", order)
    ask_all(store)
    if "fresh" in _said(store, "child") and order is None:
        assert _said(store, "child") == ["fresh", "fresh"]
    copy.backup(raw)


def test_the_hook_sees_what_is_opened(store_at: StoreAt, tmp_path: Path) -> None:
    """Python's own reads and those of pyarrow: else the tests above would prove nothing."""
    store = store_at()
    record = make(store, "t")
    with opened(store) as paths:
        (tmp_path / "x").write_text("x")
    assert paths == [str(tmp_path / "x")]
    with opened(store) as paths:
        store.read("t")
    assert [path for path in paths if path.endswith(record.artifact_path)]
