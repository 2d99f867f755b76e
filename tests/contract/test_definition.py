"""Definitions: the values, and the fold into one hash."""

import copy
import hashlib
import json
import pickle
from typing import Any

import pytest
from core_kit import VECTORS
from hypothesis import given
from hypothesis import strategies as st

from jammi_dagster.contract import DefinitionHash, MaterializationEnv, ProducingDescriptor, definition_hash
from jammi_dagster.errors import InvalidField, NotCanonical

ENGINE = json.loads((VECTORS / "definitions.json").read_text(encoding="utf-8"))

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_PART = st.dictionaries(_TEXT, _TEXT | st.integers(0, 3) | st.lists(_TEXT, max_size=2), max_size=3)


def test_there_are_28_engine_definitions() -> None:
    """The vectors are complete: none was lost on the way here."""
    assert len(ENGINE) == 28


@pytest.mark.parametrize(
    "vector", ENGINE, ids=lambda v: f"{v['descriptor']['producer']}-{v['definition_hash'][:8]}"
)
def test_engine_hashes_are_reproduced(vector: dict[str, Any]) -> None:
    """The fold gives the hash that the real engine computed, from mappings and from values alike."""
    given_hash = vector["definition_hash"]
    assert str(definition_hash(vector["descriptor"], vector["env"])) == given_hash
    values = (
        ProducingDescriptor.from_dict(vector["descriptor"]),
        MaterializationEnv.from_dict(vector["env"]),
    )
    assert definition_hash(*values) == given_hash


def test_the_fold_is_what_the_design_says() -> None:
    """Domain, then each part behind its label and its length as eight little-endian bytes."""
    d, e = b'{"producer":"p"}', b'{"x":1}'
    fold = b"jammi.materialization.definition.v1"
    fold += b"\0descriptor\0" + bytes([len(d), 0, 0, 0, 0, 0, 0, 0]) + d
    fold += b"\0env\0" + bytes([len(e), 0, 0, 0, 0, 0, 0, 0]) + e
    assert definition_hash({"producer": "p"}, {"x": 1}) == hashlib.sha256(fold).hexdigest()


@given(_PART, _PART, _PART, _PART)
def test_the_fold_is_injective(d1: Any, e1: Any, d2: Any, e2: Any) -> None:
    """Different definitions have different hashes, wherever the boundary of descriptor and env lies."""
    assert (definition_hash(d1, e1) == definition_hash(d2, e2)) == ((d1, e1) == (d2, e2))


@given(_PART, _TEXT, st.integers(-(2**127) + 1, 2**127 - 1))
def test_a_field_that_moves_across_the_boundary_changes_the_hash(rest: Any, key: str, value: int) -> None:
    """The same field in the descriptor and in the env are two definitions."""
    rest.pop(key, None)
    moved = definition_hash(rest, {key: value}), definition_hash({key: value, **rest}, {})
    assert moved[0] != moved[1]


@pytest.mark.parametrize("tail", ["\0env\0", '"}\0env\0{', "\0descriptor\0", "\x02\0\0\0\0\0\0\0{}"])
def test_labels_inside_of_values_do_not_confuse_the_fold(tail: str) -> None:
    """Text that looks like the fold's own labels and lengths is only text."""
    hashes = {
        definition_hash({"producer": "p" + tail}, {}),
        definition_hash({"producer": "p"}, {"x": tail}),
        definition_hash({"producer": "p"}, {}),
    }
    assert len(hashes) == 3


def test_the_order_of_keys_is_no_part_of_a_definition() -> None:
    """Two spellings of one definition have one hash."""
    assert definition_hash({"a": 1, "b": {"c": 2, "d": 3}}, {}) == definition_hash(
        {"b": {"d": 3, "c": 2}, "a": 1}, {}
    )


@pytest.mark.parametrize("part", [float("nan"), "\ud800", b"x", object()])
def test_a_definition_that_cannot_be_hashed_is_an_error(part: object) -> None:
    """No made-up value stands in for a value without a hash; the error gives its place."""
    with pytest.raises(NotCanonical, match=r"env\.deep\.here"):
        definition_hash({"producer": "p"}, {"deep": {"here": part}})


@pytest.mark.parametrize("value", ["", "ab", "AB" * 32, "zz" * 32, "ab" * 32 + "\n", " " + "ab" * 32])
def test_a_hash_is_64_lower_case_hex_digits(value: str) -> None:
    """Anything else is no definition hash; nothing is trimmed or lowered to make it one."""
    with pytest.raises(InvalidField):
        DefinitionHash(value)


@pytest.mark.parametrize("value", [None, 5, b"ab" * 32])
def test_a_hash_is_text(value: Any) -> None:
    """Bytes and None are not taken for a hash."""
    with pytest.raises(InvalidField):
        DefinitionHash(value)


def test_a_hash_is_its_hex() -> None:
    """`str()` gives the hex, also after pickling and copying."""
    definition = DefinitionHash("ab" * 32)
    for same in (definition, pickle.loads(pickle.dumps(definition)), copy.deepcopy(definition)):
        assert str(same) == same == "ab" * 32
        assert isinstance(same, DefinitionHash)


@given(_PART)
def test_values_read_back_equal(fields: dict[str, Any]) -> None:
    """`from_dict(to_dict(x)) == x` for descriptor and env."""
    descriptor = ProducingDescriptor({**fields, "producer": "p"})
    assert ProducingDescriptor.from_dict(descriptor.to_dict()) == descriptor
    assert descriptor.producer == "p"
    env = MaterializationEnv(fields)
    assert MaterializationEnv.from_dict(env.to_dict()) == env


def test_values_keep_the_order_they_were_given() -> None:
    """Verbatim: a descriptor is written back in its own order of keys."""
    assert list(ProducingDescriptor({"z": 1, "producer": "p", "a": 2}).to_dict()) == ["z", "producer", "a"]


def test_values_cannot_be_changed_from_outside() -> None:
    """A frozen value keeps a copy: changing the original does not change the value."""
    given_fields: dict[str, Any] = {"producer": "p", "config": {"k": [1]}}
    descriptor = ProducingDescriptor(given_fields)
    before = definition_hash(descriptor, {})
    given_fields["config"]["k"].append(2)
    assert definition_hash(descriptor, {}) == before
    assert descriptor.to_dict()["config"] == {"k": [1]}


@pytest.mark.parametrize(
    "fields", [None, [], "p", {}, {"producer": None}, {"producer": 1}, {1: 2, "producer": "p"}]
)
def test_a_descriptor_names_its_producer(fields: Any) -> None:
    """A descriptor without a producer, or that is no object, is refused."""
    with pytest.raises(InvalidField):
        ProducingDescriptor.from_dict(fields)


@pytest.mark.parametrize("fields", [None, [], "x", 1, {1: 2}])
def test_an_env_is_an_object(fields: Any) -> None:
    """An env that is no JSON object is refused."""
    with pytest.raises(InvalidField):
        MaterializationEnv.from_dict(fields)
