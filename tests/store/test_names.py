"""The longest names, on each kind of catalog."""

import random
import string

import pytest
from core_kit import DIGEST, make, numbers, values
from store_kit import StoreAt, files, rows

from jammi_dagster import InputAnchor
from jammi_dagster.errors import NameTooLong


def _name(length: int) -> str:
    """Text that no database compresses."""
    return "".join(random.Random(length).choices(string.ascii_letters + string.digits, k=length))


def test_a_name_of_2600_bytes_is_a_name_everywhere(store_at: StoreAt) -> None:
    """A table's with its tenant and deployment, or an input's."""
    name = _name(2_400)
    store = store_at(tenant=_name(100), deployment=_name(101))
    make(store, name, numbers(4), inputs=[InputAnchor.result_digest(_name(2_600), DIGEST)])
    assert values(store.read(name)) == [0, 1, 2, 3]
    assert [edge.derived for edge in store.derives_from_closure(_name(2_600))] == [name]


def test_a_longer_one_works_or_is_refused_for_what_it_is(store_at: StoreAt) -> None:
    """SQLite takes any; PostgreSQL's error names the name, the limit and the way out, and nothing is left behind."""
    store, name = store_at(), _name(10_000)
    if store.database.is_sqlite:
        make(store, name, numbers(2), inputs=[InputAnchor.result_digest(f"{name}x", DIGEST)])
        assert values(store.read(name)) == [0, 1]
        assert [edge.derived for edge in store.derives_from(f"{name}x")] == [name]
        return
    with pytest.raises(NameTooLong, match=r"2,600 bytes.*shorten"):
        make(store, name, iter(()))  # refused before any of the data is read
    before = rows(store)
    with pytest.raises(NameTooLong) as caught:
        make(store, "t", inputs=[InputAnchor.result_digest(name, DIGEST)])
    assert caught.value.name == name
    assert files(store_at.root / "tables") == {}
    assert store.tables() == []
    assert rows(store)["anchor_sets"] == before["anchor_sets"]
    make(store, "t")
