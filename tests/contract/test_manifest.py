"""The sidecar: the engine's own are read and written back; any other content is a typed error."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from core_kit import VECTORS
from hypothesis import given
from hypothesis import strategies as st

from jammi_dagster.contract import ArtifactDigest, InputAnchor, Leaf, MaterializationManifest, definition_hash
from jammi_dagster.errors import (
    DuplicateInput,
    InvalidField,
    InvalidManifest,
    JammiError,
    NotCanonical,
    UnknownManifestVersion,
)

SIDECARS = sorted(VECTORS.glob("catalogs/*/tables/*.materialization.json"))
EXAMPLE = json.loads(SIDECARS[0].read_text(encoding="utf-8"))


def _parquet(sidecar: Path) -> Path:
    return sidecar.with_name(sidecar.name.removesuffix(".materialization.json") + ".parquet")


def _not_intact() -> set[str]:
    """The tables whose bytes the engine itself, asked without a definition, found not to be the recorded ones."""
    return {
        question["args"][0]
        for file in VECTORS.glob("catalogs/*/verdicts.json")
        for question in json.loads(file.read_text(encoding="utf-8"))
        if question["op"] == "verify_materialization"
        and not question["kwargs"]
        and question.get("ok", {}).get("verdict") == "mismatch"
    }


def _read(value: Any) -> MaterializationManifest:
    return MaterializationManifest.from_bytes(json.dumps(value).encode(), where="here")


def _name(sidecar: Path) -> str:
    return f"{sidecar.parents[1].name}-{sidecar.name[:20]}-{sidecar.name.split('.')[0][-8:]}"


# --- the engine's sidecars ----------------------------------------------------------------------------


def test_the_vectors_hold_what_the_scenarios_left() -> None:
    """All sidecars are here, and the engine found two tables not intact: one tampered, one attested anew."""
    assert len(SIDECARS) >= 30
    scenarios = {s.parents[1].name for s in SIDECARS if _parquet(s).stem in _not_intact()}
    assert scenarios == {"tampered", "parent_reattested"}
    assert len(_not_intact()) == 2


@pytest.mark.parametrize("sidecar", SIDECARS, ids=_name)
def test_an_engine_sidecar_is_confirmed_against_its_bytes(sidecar: Path) -> None:
    """Digest and leaves are those of the Parquet file, except the digest of the two that the engine found changed."""
    manifest = MaterializationManifest.from_bytes(sidecar.read_bytes(), where=sidecar.name)
    artifact = _parquet(sidecar).read_bytes()
    intact = ArtifactDigest.of_bytes(artifact) == manifest.artifact
    assert intact == (_parquet(sidecar).stem not in _not_intact())
    assert manifest.leaves
    assert manifest.check_leaves(artifact) == []
    assert [leaf.index for leaf in manifest.leaves] == list(range(len(manifest.leaves)))


@pytest.mark.parametrize("sidecar", SIDECARS, ids=_name)
def test_an_engine_sidecar_is_written_back_equal(sidecar: Path) -> None:
    """A written sidecar parses to the same JSON, in the engine's order of keys, and reads to the same value."""
    manifest = MaterializationManifest.from_bytes(sidecar.read_bytes(), where=sidecar.name)
    written = manifest.to_bytes()
    assert json.loads(written) == json.loads(sidecar.read_bytes())
    assert list(json.loads(written)) == list(json.loads(sidecar.read_bytes()))
    assert MaterializationManifest.from_bytes(written, where="again") == manifest


@pytest.mark.parametrize("sidecar", SIDECARS, ids=_name)
def test_an_engine_sidecar_folds_to_its_own_hash(sidecar: Path) -> None:
    """The recorded descriptor and env give the recorded definition hash."""
    manifest = MaterializationManifest.from_bytes(sidecar.read_bytes(), where=sidecar.name)
    assert definition_hash(manifest.descriptor, manifest.env) == manifest.definition_hash


def test_a_changed_row_group_is_named() -> None:
    """`check_leaves` gives exactly the leaves whose bytes are other ones, or are not there."""
    sidecar = next(s for s in SIDECARS if s.parents[1].name == "chain")
    manifest = MaterializationManifest.from_bytes(sidecar.read_bytes(), where="chain")
    artifact = bytearray(_parquet(sidecar).read_bytes())
    artifact[manifest.leaves[0].offset] ^= 1
    assert manifest.check_leaves(bytes(artifact)) == [manifest.leaves[0]]
    assert manifest.check_leaves(b"") == list(manifest.leaves)


# --- ours ---------------------------------------------------------------------------------------------


def test_our_own_key_and_unknown_keys_survive_at_every_level() -> None:
    """A read and a write lose no key of a newer writer, wherever it stands, and none of our own."""
    value = copy.deepcopy(EXAMPLE)
    value["newer"] = {"x": [1, None, 2.5]}
    value["leaves"][0]["newer"] = 1
    value["leaves"][0]["key"]["newer"] = 2
    value["descriptor"]["newer"] = {"y": 1}
    value["env"]["newer"] = 3
    value["input_anchors"][0]["newer"] = [4]
    value["jammi_dagster"] = {"table": "t", "newer": {"z": 5}}
    manifest = _read(value)
    assert manifest.own == {"table": "t", "newer": {"z": 5}}
    assert json.loads(manifest.to_bytes()) == value
    assert MaterializationManifest.from_dict(manifest.to_dict()) == manifest


def test_text_is_kept_as_it_is() -> None:
    """Emoji, quotes and control characters in any text read back the same."""
    odd = '😀 "quoted" \\ \n\t\0\x7f\u2028 é'
    manifest = _read({**EXAMPLE, "produced_by": odd, "jammi_dagster": {odd: odd}})
    again = MaterializationManifest.from_bytes(manifest.to_bytes(), where="again")
    assert (again.produced_by, again.own) == (odd, {odd: odd})


@pytest.mark.parametrize("version", [0, 4, 6, 2**70])
def test_an_unknown_version_is_its_own_error(version: int) -> None:
    """The error names the sidecar and the version, whatever else the sidecar holds."""
    with pytest.raises(UnknownManifestVersion) as raised:
        MaterializationManifest.from_bytes(
            json.dumps({"manifest_version": version, "leaves": "other"}).encode(), where="s3://b/x.json"
        )
    assert raised.value.version == version
    assert "s3://b/x.json" in str(raised.value)
    assert "upgrade" in str(raised.value)


def test_a_source_occurs_once() -> None:
    """A manifest with one input twice is neither read nor made."""
    anchor = EXAMPLE["input_anchors"][0]
    with pytest.raises(InvalidManifest, match="more than once"):
        _read({**EXAMPLE, "input_anchors": [anchor, {**anchor, "anchor": "other"}]})
    manifest = _read(EXAMPLE)
    twice = (InputAnchor.from_dict(anchor), InputAnchor.from_dict(anchor))
    values = {name: getattr(manifest, name) for name in MaterializationManifest.__dataclass_fields__}
    with pytest.raises(DuplicateInput):
        MaterializationManifest(**{**values, "input_anchors": twice})


def test_what_json_does_not_have_is_not_written() -> None:
    """A value that no sidecar can hold is refused before a byte is written."""
    manifest = _read(EXAMPLE)
    values = {name: getattr(manifest, name) for name in MaterializationManifest.__dataclass_fields__}
    with pytest.raises(NotCanonical, match=r"manifest\.jammi_dagster\.seconds"):
        MaterializationManifest(**{**values, "own": {"seconds": float("nan")}}).to_bytes()


# --- hostile ------------------------------------------------------------------------------------------

_WRONG: list[Any] = [None, True, -1, 2**63, 10**400, 1.5, "", "x", "AB" * 32, [], [[]], {}, {"a": {}}]
_PLACES = [
    ("artifact",),
    ("leaves",),
    ("leaves", 0),
    ("leaves", 0, "key"),
    ("leaves", 0, "key", "kind"),
    ("leaves", 0, "key", "index"),
    ("leaves", 0, "key", "offset"),
    ("leaves", 0, "key", "length"),
    ("leaves", 0, "digest"),
    ("definition_hash",),
    ("descriptor",),
    ("descriptor", "producer"),
    ("env",),
    ("input_anchors",),
    ("input_anchors", 0),
    ("input_anchors", 0, "source"),
    ("input_anchors", 0, "anchor"),
    ("input_anchors", 0, "kind"),
    ("produced_by",),
    ("produced_at",),
    ("engine_version",),
    ("manifest_version",),
    ("jammi_dagster",),
]


def _with(place: tuple[str | int, ...], wrong: Any) -> Any:
    value = copy.deepcopy({**EXAMPLE, "jammi_dagster": {}})
    at: Any = value
    for step in place[:-1]:
        at = at[step]
    at[place[-1]] = wrong
    return value


@pytest.mark.parametrize("place", _PLACES, ids=lambda place: ".".join(map(str, place)))
def test_a_field_of_another_type_is_refused_or_kept(place: tuple[str | int, ...]) -> None:
    """Any value in a field gives either a `JammiError` or a manifest that is written back the same."""
    for wrong in _WRONG:
        value = _with(place, wrong)
        try:
            manifest = _read(value)
        except JammiError:
            continue
        assert json.loads(manifest.to_bytes()) == value


@pytest.mark.parametrize("place", _PLACES[:-1], ids=lambda place: ".".join(map(str, place)))
def test_a_missing_field_is_named(place: tuple[str | int, ...]) -> None:
    """The message says which field is missing and what belongs there. Our own key may be absent."""
    value: Any = _with(place, None)
    at: Any = value
    for step in place[:-1]:
        at = at[step]
    del at[place[-1]]
    if place[-1] == 0:  # an empty array of leaves or inputs is a manifest
        assert _read(value).to_dict()[str(place[0])] == value[place[0]]
        return
    with pytest.raises(InvalidManifest, match=str(place[-1])):
        _read(value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"manifest_version": 5, "x": "\xff"}',
        b'{"a": "\xed\xa0\x80", "manifest_version": 5}',
        b"[" * 200_000,
        b'{"a":' * 200_000,
        json.dumps({**EXAMPLE, "x": 1}).replace("1}", "NaN}").encode(),
        json.dumps({**EXAMPLE, "x": 1}).replace("1}", "1e999}").encode(),
        json.dumps({**EXAMPLE, "x": 1}).replace("1}", "1" * 5_000 + "}").encode(),
        json.dumps({**EXAMPLE, "x": "\ud800"}).encode(),
        json.dumps({**EXAMPLE, "\udfff": 1}).encode(),
        json.dumps(EXAMPLE).replace('"artifact"', '"artifact": 1, "artifact"', 1).encode(),
        json.dumps({**EXAMPLE, "x": "\ud83d\ude00"[0]}).encode(),
        json.dumps(EXAMPLE).encode("utf-16") + b"\0",
    ],
    ids=range(17),
)
def test_hostile_bytes_are_no_manifest(data: bytes) -> None:
    """Truncated, too deep, not UTF-8, numbers JSON does not have, a key twice: `InvalidManifest`, with its place."""
    with pytest.raises(InvalidManifest) as raised:
        MaterializationManifest.from_bytes(data, where="s3://bucket/t.materialization.json")
    assert raised.value.where == "s3://bucket/t.materialization.json"
    assert len(str(raised.value)) < 1_000


@pytest.mark.parametrize("sidecar", SIDECARS[:3], ids=_name)
def test_a_truncated_sidecar_is_no_manifest(sidecar: Path) -> None:
    """Cut anywhere before its end, a sidecar is refused."""
    data = sidecar.read_bytes().rstrip()
    for length in range(0, len(data) - 1, 37):
        with pytest.raises(InvalidManifest):
            MaterializationManifest.from_bytes(data[:length], where="cut")


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(_PLACES), _ANY)
def test_any_value_anywhere_is_an_error_of_ours_or_a_manifest(
    place: tuple[str | int, ...], value: Any
) -> None:
    """No value in any field raises anything but a `JammiError`; an accepted value is written back equal."""
    data = json.dumps(_with(place, value)).encode()
    try:
        manifest = MaterializationManifest.from_bytes(data, where="here")
    except JammiError:
        return
    assert json.loads(manifest.to_bytes()) == json.loads(data)
    assert MaterializationManifest.from_bytes(manifest.to_bytes(), where="again") == manifest


@given(st.binary(max_size=64), st.integers(0, 1_500), st.integers(0, 40))
def test_any_bytes_anywhere_are_an_error_of_ours_or_a_manifest(junk: bytes, at: int, gone: int) -> None:
    """No damage to the bytes of a real sidecar raises anything but a `JammiError`."""
    data = SIDECARS[0].read_bytes()
    try:
        MaterializationManifest.from_bytes(data[:at] + junk + data[at + gone :], where="here")
    except JammiError:
        return


@given(_ANY)
def test_from_dict_raises_errors_of_ours_only(value: Any) -> None:
    """Reading from a value is as safe as reading from bytes."""
    for kind in (MaterializationManifest, Leaf, InputAnchor):
        with pytest.raises(JammiError):
            kind.from_dict(value)


@pytest.mark.parametrize("value", ["", "AB" * 32, "ab", None, 5])
def test_a_digest_is_64_lower_case_hex_digits(value: Any) -> None:
    """An artifact's digest is exactly that."""
    with pytest.raises(InvalidField):
        ArtifactDigest(value)
