"""The store's key: made once, readable by its owner alone, apart from sidecars and catalog."""

import hashlib
import hmac
import stat
from pathlib import Path

import pytest
from core_kit import apart, race

from jammi_dagster.catalog import Database
from jammi_dagster.catalog.secret import KEY_FILE_VARIABLE, KEY_VARIABLE, StoreKey

# SQLite's, of a catalog that is open
_LOG = {"catalog.db-wal", "catalog.db-shm"}
LONG = "a key of more than 16 bytes"


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable of whoever runs the tests is not theirs to use."""
    for name in (KEY_VARIABLE, KEY_FILE_VARIABLE):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def key(file: Path) -> StoreKey:
    """The key of a catalog on disk."""
    database = Database(str(file))
    database.close()
    return StoreKey(database)


def _key_file(file: Path) -> Path:
    return file.with_name(file.name + ".key")


def test_the_key_is_made_on_first_use_and_kept(key: StoreKey, file: Path) -> None:
    """No key lies about where no secret was hashed; one that was made stays."""
    assert not _key_file(file).exists()
    first = key.hmac("value")
    made = _key_file(file).read_bytes()
    assert key.hmac("value") == first == hmac.new(made, b"value", hashlib.sha256).hexdigest()
    assert key.hmac("other") != first
    assert _key_file(file).read_bytes() == made
    assert len(made) >= 32


def test_only_its_owner_can_read_it(key: StoreKey, file: Path) -> None:
    """Mode 0600, and nothing else is left beside the catalog."""
    key.hmac("value")
    assert stat.S_IMODE(_key_file(file).stat().st_mode) == 0o600
    assert {path.name for path in file.parent.iterdir()} - _LOG == {file.name, _key_file(file).name}


def test_catalogs_have_keys_of_their_own(tmp_path: Path) -> None:
    """The same secret in two stores has two hashes."""
    found = set()
    for name in ("a.db", "b.db"):
        database = Database(str(tmp_path / name))
        found.add(StoreKey(database).hmac("value"))
        database.close()
    assert len(found) == 2


def _hashed(n: int, file: Path) -> str | None:
    database = Database(str(file))
    database.close()
    return StoreKey(database).hmac("value")


def test_processes_that_make_it_at_once_agree(file: Path) -> None:
    """Whoever is first makes the key; everyone hashes under that one."""
    Database(str(file)).close()
    assert len(set(race(6, _hashed, file))) == 1
    assert {path.name for path in file.parent.iterdir()} - _LOG == {file.name, _key_file(file).name}


def test_the_variable_wins(key: StoreKey, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`JAMMI_STORE_KEY` is the key where it is set, and no file is made."""
    monkeypatch.setenv(KEY_VARIABLE, "from the environment")
    assert key.hmac("value") == hmac.new(b"from the environment", b"value", hashlib.sha256).hexdigest()
    assert not _key_file(file).exists()
    monkeypatch.setenv(KEY_VARIABLE, "")
    assert key.hmac("value") is not None
    assert _key_file(file).exists()


def test_a_catalog_in_memory_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no place for a key, so nothing is hashed, unless the variable gives one."""
    database = Database("sqlite://")
    assert StoreKey(database).hmac("value") is None
    monkeypatch.setenv(KEY_VARIABLE, LONG)
    assert StoreKey(database).hmac("value") is not None
    database.close()


def test_a_read_only_catalog_uses_the_key_it_has(key: StoreKey, file: Path) -> None:
    """Without a key on a read-only disk there is none; with one, it is used."""
    file.parent.chmod(0o555)
    try:
        assert apart(_hashed, 0, file, privileged=False) is None
        file.parent.chmod(0o755)
        made = key.hmac("value")
        file.parent.chmod(0o555)
        assert apart(_hashed, 0, file, privileged=False) == made
        _key_file(file).chmod(0o000)
        assert apart(_hashed, 0, file, privileged=False) is None
    finally:
        file.parent.chmod(0o755)


def test_secrets_of_other_bytes_are_hashed_too(key: StoreKey, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is not UTF-8 reaches Python with lone surrogates; neither value nor key fails on it."""
    assert key.hmac("\udcff") not in (None, key.hmac("\udcfe"))
    monkeypatch.setenv(KEY_VARIABLE, "\udcff" * 16)
    assert key.hmac("value") is not None
