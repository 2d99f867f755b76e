"""The store's key: made once, readable by its owner alone, apart from sidecars and catalog."""

import hashlib
import hmac
import stat
from pathlib import Path

import pytest
from catalog_kit import Catalog, new_database
from core_kit import apart, race

from jammi_dagster.catalog import secret
from jammi_dagster.catalog.secret import KEY_FILE_VARIABLE, KEY_VARIABLE, StoreKey
from jammi_dagster.errors import InvalidKey

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
    database = new_database(str(file))
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
        database = new_database(str(tmp_path / name))
        found.add(StoreKey(database).hmac("value"))
        database.close()
    assert len(found) == 2


def _hashed(n: int, file: Path) -> str | None:
    database = new_database(str(file))
    database.close()
    return StoreKey(database).hmac("value")


def test_processes_that_make_it_at_once_agree(file: Path) -> None:
    """Whoever is first makes the key; everyone hashes under that one."""
    new_database(str(file)).close()
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
    database = new_database("sqlite://")
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


# --- where the key comes from ---------------------------------------------------------------------------------


def test_a_file_that_the_variable_names_is_the_key(
    key: StoreKey, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of its line is no part of it, its mode is its owner's choice, and the variable with a key goes first."""
    given = tmp_path / "mounted"
    given.write_text(f"{LONG}\n")
    given.chmod(0o644)
    monkeypatch.setenv(KEY_FILE_VARIABLE, str(given))
    expected = hmac.new(LONG.encode(), b"value", hashlib.sha256).hexdigest()
    assert key.hmac("value") == expected
    assert not _key_file(file).exists()
    given.write_text(LONG)
    assert key.hmac("value") == expected
    monkeypatch.setenv(KEY_VARIABLE, "another key of 16 bytes")
    assert key.hmac("value") != expected


@pytest.mark.parametrize("length", [0, 1, 15, 16])
@pytest.mark.parametrize("where", ["variable", "file", "beside"])
def test_a_key_under_16_bytes_is_refused(
    key: StoreKey, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int, where: str
) -> None:
    """The error names the source and never the key. An empty variable is none, and an empty file beside is none."""
    short = "s3cret!" * 3
    short = short[:length]
    if where == "variable":
        monkeypatch.setenv(KEY_VARIABLE, short)
    elif where == "file":
        (tmp_path / "k").write_text(short)
        monkeypatch.setenv(KEY_FILE_VARIABLE, str(tmp_path / "k"))
    else:
        _key_file(file).write_text(short)
    if length >= 16 or (length == 0 and where == "variable"):
        assert key.hmac("value") is not None
    elif length == 0 and where == "beside":
        assert key.hmac("value") is None
    else:
        with pytest.raises(InvalidKey, match=f"it has {length} bytes") as raised:
            key.hmac("value")
        assert length < 2 or short not in str(raised.value)


@pytest.mark.parametrize("named", ["missing", ".", "a\\0b"])
def test_a_key_file_that_cannot_be_read_is_an_error(
    key: StoreKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    """Whoever names a file wants that key, and no other in its place."""
    monkeypatch.setenv(KEY_FILE_VARIABLE, str(tmp_path / named))
    with pytest.raises(InvalidKey, match="cannot be read"):
        key.hmac("value")


@pytest.mark.parametrize(
    ("place", "mode", "warned"),
    [
        ("root", 0o600, ["a copy of the folder carries it"]),
        ("root", 0o644, ["chmod 600", "a copy of the folder carries it"]),
        ("beside", 0o600, []),
        ("beside", 0o640, ["chmod 600"]),
    ],
)
def test_a_key_that_others_get_to_see_is_warned_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, place: str, mode: int, warned: list[str]
) -> None:
    """A key in the root travels with each copy of it; one that others may read is no secret to them."""
    root = tmp_path / "root"
    file = (root if place == "root" else tmp_path / "catalogs") / "catalog.db"
    database = new_database(str(file))
    StoreKey(database).hmac("made")
    _key_file(file).chmod(mode)
    secret._told.clear()
    caplog.clear()
    store_key = StoreKey(database, root=str(root))
    for _ in range(2):
        assert store_key.hmac("value") is not None
    assert len(caplog.records) == len(warned)
    for record, text in zip(caplog.records, warned, strict=True):
        assert text in record.getMessage()
    database.close()


# --- the key that the catalog was written with ---------------------------------------------------------------------


@pytest.mark.parametrize("catalog", ["sqlite", "postgres"], indirect=True)
def test_another_key_hashes_nothing_until_it_is_accepted(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fingerprint is recorded by the first write that used the key; asking alone records nothing."""
    monkeypatch.setenv(KEY_VARIABLE, LONG)
    first = StoreKey(catalog.database)
    hashed = first.hmac("value")
    monkeypatch.setenv(KEY_VARIABLE, "another key of 16 bytes")
    assert StoreKey(catalog.database).hmac("value") not in (None, hashed)
    monkeypatch.setenv(KEY_VARIABLE, LONG)
    first.record()
    monkeypatch.setenv(KEY_VARIABLE, "another key of 16 bytes")
    other = StoreKey(catalog.database)
    assert other.hmac("value") is None
    assert "not the one that this catalog was written with" in other.why_not
    other.record()  # it was not used
    assert StoreKey(catalog.database).hmac("value") is None
    other.replace()
    assert StoreKey(catalog.database).hmac("value") is not None
    monkeypatch.setenv(KEY_VARIABLE, LONG)
    assert StoreKey(catalog.database).hmac("value") is None


@pytest.mark.parametrize("catalog", ["sqlite", "postgres"], indirect=True)
def test_of_two_first_keys_one_is_recorded(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes with keys of their own begin at once: the second's table is not made."""
    keys = []
    for text in (LONG, "another key of 16 bytes"):
        monkeypatch.setenv(KEY_VARIABLE, text)
        keys.append(StoreKey(catalog.database))
        assert keys[-1].hmac("value") is not None
    keys[0].record()
    with catalog.database.reading() as connection:
        recorded = connection.exec_driver_sql("SELECT key_fingerprint FROM catalog_state").scalar_one()
    assert len(recorded) == 32
    assert LONG not in recorded
    keys[1].record()
    assert keys[1].hmac("value") is None


def test_a_look_at_the_key_makes_none(key: StoreKey, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`state` tells if secrets can be hashed, and leaves no key behind that nobody used."""
    assert key.state() == "none yet"
    assert not _key_file(file).exists()
    key.hmac("value")
    key.record()
    assert key.state() == "ready"
    monkeypatch.setenv(KEY_VARIABLE, LONG)
    assert key.state() == "another"
    assert StoreKey(new_database("sqlite://")).state() == "ready"
    monkeypatch.delenv(KEY_VARIABLE)
    assert StoreKey(new_database("sqlite://")).state() == "none"
    _key_file(file).unlink()
    assert key.state() == "none", "a lost key is not replaced by a new one that compares with nothing"
