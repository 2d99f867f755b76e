"""One catalog and root, seen in several scopes."""

import gc
from pathlib import Path

import pytest
from core_kit import make, numbers, values
from store_kit import StoreAt, counted, definition

from jammi_dagster import ResultStore
from jammi_dagster.errors import InvalidStore


def test_beside_sees_the_same_catalog_as_another(store: ResultStore) -> None:
    """Another tenant, another deployment: the same root, catalog and connections, other names."""
    branch = store.beside(deployment="branch")
    tenant = store.beside(tenant="a")
    make(store, "t")
    make(tenant, "t", numbers(5))
    assert branch.tables() == []
    assert branch.probe_cache(definition(), []) == store.current("t").materialization_id
    assert len(values(tenant.read("t"))) == 5
    assert store.identity != tenant.identity != branch.identity
    assert {s.identity.catalog_id for s in (store, branch, tenant)} == {store.identity.catalog_id}
    with counted(store) as statements:
        tenant.tables()
    assert len(statements) == 1


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800"])
def test_a_scope_has_a_name(store: ResultStore, name: str) -> None:
    """The same names are refused as when a store is opened."""
    with pytest.raises(InvalidStore):
        store.beside(tenant=name)
    with pytest.raises(InvalidStore):
        store.beside(deployment=name)


@pytest.mark.slow
def test_a_snapshot_holds_nothing_afterwards(store_at: StoreAt) -> None:
    """After a sweep, also one that was left half way, others write and the catalog can be closed."""
    store, other = store_at(), store_at()
    for i in range(3):
        make(store, f"t{i}")
    swept = store.sweep(dict.fromkeys(store.tables(), definition()))
    next(swept)
    make(other, "t0", step=2)
    del swept
    gc.collect()
    make(store, "t1", step=2)
    assert len(store.history("t1")) == 2


def test_a_frozen_reader_sees_one_state(store_at: StoreAt) -> None:
    """Whatever is committed meanwhile; where writers can commit at all while it looks."""
    store, other = store_at(), store_at()
    make(store, "t")
    with store.reader.frozen() as frozen:
        before = frozen.state(), frozen.tables(), frozen.edges()
        if store_at.url != "sqlite://":
            make(other, "u")
        assert (frozen.state(), frozen.tables(), frozen.edges()) == before
    make(other, "v")
    assert "v" in store.tables()


def test_a_catalog_of_its_own_for_each_root(tmp_path: Path) -> None:
    """Stores in memory that were opened apart share nothing."""
    one, two = (ResultStore(str(tmp_path), "sqlite://") for _ in range(2))
    make(one, "t")
    assert two.tables() == []
    one.close()
    two.close()
