"""A real engine's catalog, attached: every recorded answer value for value, and nothing written."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from core_kit import numbers
from engine_kit import SCENARIOS, Engine, plain
from postgres_kit import Postgres
from store_kit import counted, definition

from jammi_dagster import InputAnchor, MatchVerdict, NotRecomputable, ResultStore, Staleness, StaleReason
from jammi_dagster.catalog.secret import KEY_VARIABLE
from jammi_dagster.contract import CurrentAnchor
from jammi_dagster.errors import (
    ArtifactMissing,
    ArtifactOutsideRoot,
    CatalogReadOnly,
    CatalogUnavailable,
    DependencyCycle,
    InvalidField,
    InvalidStore,
    JammiError,
    UnknownTable,
)

H = "ab" * 32


@pytest.fixture(params=["file", "postgres"])
def engine_of(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[object]:
    """Copies a scenario, to either kind of database."""
    servers: list[tuple[Postgres, str]] = []

    def copy(scenario: str) -> Engine:
        engine = Engine(scenario, tmp_path / "an engine's root")
        if request.param == "postgres":
            server: Postgres = request.getfixturevalue("postgres")
            servers.append((server, server.new(migrated=False)))
            engine.to_postgres(servers[-1][1])
        return engine

    yield copy
    for server, url in servers:
        server.drop(url)


@pytest.fixture
def engine(engine_of: type[Engine]) -> Engine:
    """The chain docs -> embedding -> graph -> model."""
    return engine_of("chain")  # type: ignore[call-arg]


@pytest.fixture
def store(engine: Engine) -> Iterator[ResultStore]:
    """A store over it."""
    opened = engine.attach()
    yield opened
    opened.close()


def _tables(store: ResultStore) -> tuple[str, str, str]:
    """The tables of the chain, from up to down."""
    names = store.tables()
    return tuple(next(n for n in names if part in n) for part in ("embedding", "graph", "model__"))  # type: ignore[return-value]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_engines_own_answers(engine_of: type[Engine], scenario: str) -> None:
    """Every question of the scenario, in order, asked of one store: equal value for value; it refused, so do we."""
    engine = engine_of(scenario)  # type: ignore[call-arg]
    store = engine.attach()
    asked = 0
    for question in engine.questions:
        if question["op"] == "set_anchors":
            engine.set_anchors(*question["args"])
            continue
        before = engine.files()
        ask = getattr(store, question["op"])
        if "ok" in question:
            assert plain(ask(*question["args"], **question["kwargs"])) == question["ok"], question
        else:
            with pytest.raises(JammiError):
                ask(*question["args"], **question["kwargs"])
        assert engine.files() == before
        asked += 1
    assert asked > 0
    store.close()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_sweep_says_the_same(engine_of: type[Engine], scenario: str) -> None:
    """All tables at once, in a bounded number of queries; the closure is the reference's walk over single hops."""
    engine = engine_of(scenario)  # type: ignore[call-arg]
    store = engine.attach()
    for wanted in (None, "00" * 32):
        definitions = {t: wanted or store.current(t).definition_hash or H for t in store.tables()}
        with counted(store) as statements:
            swept = dict(store.sweep(definitions))
        assert swept == {table: store.staleness(table, d) for table, d in definitions.items()}
        assert len(statements) <= 5
    for table in store.tables():
        assert store.derives_from_closure(table) == _walk(store, table)
    store.close()


def _walk(store: ResultStore, source: str) -> list[object]:
    found: list[object] = []
    walked: set[str] = set()

    def down(node: str) -> None:
        for edge in store.derives_from(node):
            found.append(edge)
            if edge.derived not in walked:
                down(edge.derived)
        walked.add(node)

    down(source)
    return found


def test_nothing_is_left_behind(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a journal, nor an index of it, nor a key: the folder stays byte for byte the same."""
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    before = engine.files()
    store = engine.attach()
    names = _tables(store)
    for table in names:
        store.history(table)
        store.read(table)
        store.dataset(table).count_rows()
        store.producing_descriptor(table)
        store.lookup_cached(H, [])
        store.probe_cache(H, [])
    assert store.identity.catalog_id
    assert store.revision() is None
    assert store.key.hmac("secret") is None
    store.close()
    assert engine.files() == before


def test_what_writes_is_refused(store: ResultStore, engine: Engine) -> None:
    """With the reason: it is the engine's. A dry run of recovery has nothing to say of it either."""
    before = engine.files()
    table = _tables(store)[0]
    writes = (
        lambda: store.materialize("t", numbers(1), descriptor={"producer": "x"}, env={}, inputs=[]),
        lambda: store.begin(["t"], produced_by="run", owner="run/step"),
        lambda: store.drop(table),
        store.recover,
        lambda: store.recover(dry_run=True),
        lambda: store.collect({}),
        lambda: store.why_alive(table),
        lambda: store.prune(["t"]),
        store.writer.next_start,
        lambda: store.writer.point([(table, table)], start_sequence=1, run_id=None),
    )
    for write in writes:
        with pytest.raises(CatalogReadOnly, match="an engine's own"):
            write()
    with pytest.raises(InvalidStore):
        store.beside(tenant="a")
    assert engine.files() == before


def test_an_engine_at_work_is_followed_and_not_disturbed(tmp_path: Path) -> None:
    """In WAL mode its commits are seen at once, and reading leaves no file, beside a writer or after it."""
    engine = Engine("chain", tmp_path / "engine")
    writer = sqlite3.connect(engine.file)
    writer.execute("PRAGMA journal_mode = WAL")
    store = engine.attach()
    count = len(store.tables())
    writer.execute("UPDATE result_tables SET status = 'building' WHERE table_name = ?", [store.tables()[0]])
    writer.commit()
    before = set(engine.files())
    assert len(store.tables()) == count - 1
    assert set(engine.files()) == before
    writer.close()
    before = set(engine.files())
    assert not [name for name in before if name.endswith(("-wal", "-shm"))]
    assert len(store.tables()) == count - 1
    store.close()
    assert set(engine.files()) == before


# --- the reference's text, where the vectors do not ask -----------------------------------------------------


def test_the_sidecar_tells_a_parents_digest(store: ResultStore) -> None:
    """`current_anchor`: the parent's sidecar, or without one its bytes; vanished without a row; else undecidable."""
    parent = store.current(_tables(store)[1])
    anchor = InputAnchor.result_digest(parent.table, H)
    manifest = store.artifacts.read_bytes(parent.artifact_path.replace(".parquet", ".materialization.json"))
    digest = store.artifacts.digest(parent.artifact_path)
    assert digest.encode() in manifest
    assert store.current_anchor(anchor) == CurrentAnchor.result_digest(digest)
    assert store.current_anchor(InputAnchor.result_digest("none", H)) == CurrentAnchor.vanished()
    for kind in ("mutable_version", "source_version"):
        external = InputAnchor.from_dict({"source": "x", "anchor": "1", "kind": kind})
        assert store.current_anchor(external) == CurrentAnchor.undecidable()


def test_a_sidecar_that_vanished(store: ResultStore, engine: Engine) -> None:
    """The parent's digest is that of its bytes; it cannot be replayed, and there is nothing to verify against."""
    up, parent, child = _tables(store)
    record = store.current(parent)
    (engine.folder / record.artifact_path.replace(".parquet", ".materialization.json")).unlink()
    digest = store.artifacts.digest(record.artifact_path)
    anchor = InputAnchor.result_digest(parent, H)
    assert store.current_anchor(anchor) == CurrentAnchor.result_digest(digest)
    assert store.staleness(child, store.current(child).definition_hash or "").is_fresh
    assert store.verify_materialization(parent) == MatchVerdict.missing_manifest()
    with pytest.raises(NotRecomputable):
        store.producing_descriptor(parent)
    assert store.producing_descriptor(up).producer
    (engine.folder / record.artifact_path).write_bytes(b"other")
    assert store.staleness(child, store.current(child).definition_hash or "").staleness == "stale"
    (engine.folder / record.artifact_path).unlink()
    with pytest.raises(ArtifactMissing):
        store.staleness(child, H)


def test_bytes_that_vanished(store: ResultStore, engine: Engine) -> None:
    """While the sidecar is there the verdict does not look at bytes; a hit does, and so does a verification."""
    _, parent, child = _tables(store)
    record = store.current(parent)
    hit = (record.definition_hash or "", record.input_anchors)
    assert store.lookup_cached(*hit) == store.probe_cache(*hit) == parent
    (engine.folder / record.artifact_path).unlink()
    assert store.lookup_cached(*hit) == parent
    assert store.probe_cache(*hit) is None
    assert store.staleness(child, store.current(child).definition_hash or "").is_fresh
    with pytest.raises(ArtifactMissing):
        store.verify_materialization(parent)


def test_lookup_is_exact(store: ResultStore, engine: Engine) -> None:
    """Definition and set of anchors, in any order; never with an instant; of several the newest."""
    a, b = InputAnchor.source_version("a", "1"), InputAnchor.source_version("b", "1")
    for i, name in enumerate(("old", "new")):
        engine.add(name, [a.to_dict(), b.to_dict()], created_at=f"2026-11-22T12:00:0{i}.000000Z")
    assert store.lookup_cached(H, [b, a]) == "new"
    assert store.probe_cache(H, [a, b]) is None
    (engine.folder / "tables" / "old.parquet").write_bytes(b"")
    assert store.probe_cache(H, [a, b]) == "old"
    for inputs in (
        [a],
        [],
        [a, b, InputAnchor.source_version("c", "1")],
        [a, InputAnchor.source_version("b", "2")],
    ):
        assert store.lookup_cached(H, inputs) is None
    instant = InputAnchor.unpinned_at_instant("a", "2026-01-01T00:00:00Z")
    engine.add("unpinned", [instant.to_dict()])
    assert store.lookup_cached(H, [instant]) is None
    assert store.lookup_cached("cd" * 32, [a, b]) is None


def test_names_that_json_escapes_find_their_dependents(store: ResultStore, engine: Engine) -> None:
    """The engine loses those of a name with a quote or a backslash; we do not, and nobody finds another's."""
    names = ["a_b", "aXb", "a%b", "ab", 'a"b', "a\\b", "é", "e\u0301", "A_B", "a", "a\nb", "日本", "a'b"]
    for i, name in enumerate(names):
        engine.add(f"of{i}", [{"source": name, "anchor": H, "kind": "result_digest"}])
    # JSON may also be written with escapes
    engine.execute(
        "UPDATE result_tables SET input_anchors_json = ? WHERE table_name = ?",
        f'[{{"kind": "result_digest", "anchor": "{H}", "source": "\\u00e9"}}]',
        f"of{names.index('é')}",
    )
    for i, name in enumerate(names):
        assert [edge.derived for edge in store.derives_from(name)] == [f"of{i}"]
        assert [edge.input for edge in store.derives_from_closure(name)] == [name]
        assert store.staleness(f"of{i}", H) == Staleness.stale([StaleReason.input_vanished(name)])
    with pytest.raises(UnknownTable, match="near names"):
        store.derives_from("a_B")


def test_a_cycle_and_a_source_twice(store: ResultStore, engine: Engine) -> None:
    """Rows are data: a cycle is told, and a source that a row names twice counts twice, as in the engine."""
    engine.add("x", [{"source": "y", "anchor": H, "kind": "result_digest"}])
    engine.add("y", [{"source": "x", "anchor": H, "kind": "result_digest"}])
    with pytest.raises(DependencyCycle) as caught:
        store.derives_from_closure("x")
    assert caught.value.table == "x"
    twice = [{"source": "gone", "anchor": a, "kind": "result_digest"} for a in ("1", "2")]
    engine.add("z", twice)
    assert len(store.derives_from("gone")) == 2
    assert store.staleness("z", H) == Staleness.stale([StaleReason.input_vanished("gone")] * 2)
    assert dict(store.sweep({"z": H}))["z"] == store.staleness("z", H)


def test_a_tenants_rows_are_not_seen(store: ResultStore, engine: Engine) -> None:
    """An attached store is without a tenant."""
    engine.add("theirs", [], tenant_id="t")
    assert "theirs" not in store.tables()
    assert store.lookup_cached(H, []) is None
    with pytest.raises(UnknownTable):
        store.staleness("theirs", H)


# --- hostile rows ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "file:///etc/passwd",
        "/etc/passwd",
        "file://{root}/../outside.parquet",
        "file://{root}/tables/../../outside.parquet",
        "file://{root}/tables/%2e%2e/%2e%2e/outside.parquet",
        "file://{root}/tables%2f..%2f..%2foutside.parquet",
        "file://{root}x/outside.parquet",
        "file://{root}",
        "{root}/",
        "outside.parquet",
        "s3://bucket/outside.parquet",
        "file://[",
        "",
    ],
)
def test_nothing_outside_the_root_is_opened(
    store: ResultStore, engine: Engine, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a row says: an error that names the path, and no file is opened."""
    (engine.folder.parent / "outside.parquet").write_bytes(b"secret")
    Path(f"{engine.folder}x").mkdir()
    (Path(f"{engine.folder}x") / "outside.parquet").write_bytes(b"secret")
    engine.add("hostile", [], parquet_path=path.format(root=engine.folder))
    child = [{"source": "hostile", "anchor": H, "kind": "result_digest"}]
    engine.add("child", child)
    opened: list[str] = []

    def refuse(self: object, path: str) -> None:
        opened.append(path)
        pytest.fail(path)

    monkeypatch.setattr(type(store.artifacts._storage), "open_read", refuse)
    asks = (
        lambda: store.read("hostile"),
        lambda: store.verify_materialization("hostile"),
        lambda: store.producing_descriptor("hostile"),
        lambda: store.staleness("child", H),
        lambda: store.current_anchor(InputAnchor.from_dict(child[0])),
        lambda: list(store.sweep({"child": H})),
    )
    with contextlib.suppress(ArtifactOutsideRoot):  # a probe passes over the row, if it came to see it
        assert store.probe_cache(H, []) is None
    for ask in asks:
        with pytest.raises(ArtifactOutsideRoot):
            ask()
    assert opened == []


@pytest.mark.parametrize(
    "anchors", ["", "{", "null", "7", '{"a": 1}', "[1]", '[{"source": "a", "anchor": "b", "kind": "new"}]']
)
def test_anchors_that_are_none(store: ResultStore, engine: Engine, anchors: str) -> None:
    """An error of ours that names the row, from every question that reads it."""
    engine.add("broken", [], input_anchors_json=anchors)
    asks = (
        lambda: store.staleness("broken", H),
        lambda: list(store.sweep({"broken": H})),
        lambda: store.derives_from("a"),
        lambda: store.derives_from_closure("a"),
        lambda: store.lookup_cached(H, []),
    )
    for ask in asks:
        with pytest.raises(InvalidField):
            ask()


# --- how it is attached ---------------------------------------------------------------------------------------


def test_the_root_may_be_spelt_in_many_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the home folder, with a slash at the end, as a URL, with odd characters in it."""
    folder = tmp_path / "root 100%25 #é?"
    engine = Engine("chain", folder)
    monkeypatch.setenv("HOME", str(tmp_path))
    for root in (str(folder), f"{folder}/", f"~/{folder.name}", folder.as_uri()):
        store = ResultStore.attach_engine(engine.url, root)
        assert [store.read(table).num_rows > 0 for table in store.tables()] == [True] * 3
        store.close()
    engine.execute(
        "UPDATE result_tables SET parquet_path = replace(parquet_path, ?, ?)",
        f"file://{folder}",
        folder.as_uri(),
    )
    store = ResultStore.attach_engine(engine.url, str(folder))
    assert [store.read(table).num_rows > 0 for table in store.tables()] == [True] * 3
    store.close()


def test_a_catalog_that_is_none(tmp_path: Path) -> None:
    """Missing, or not an engine's: an error of ours, and no file is made."""
    with pytest.raises(CatalogUnavailable):
        ResultStore.attach_engine(str(tmp_path / "none.db"), str(tmp_path)).tables()
    ours = ResultStore(str(tmp_path / "ours"))
    ours.database.make()
    ours.close()
    store = ResultStore.attach_engine(str(tmp_path / "ours" / "catalog.db"), str(tmp_path))
    with pytest.raises(CatalogUnavailable):
        store.staleness("t", definition())
    store.close()
    assert [path.name for path in tmp_path.iterdir()] == ["ours"]
