"""Input anchors: the values, equality as sets, and the key of a set."""

import random
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jammi_dagster.contract import (
    AnchorKind,
    InputAnchor,
    StaleReason,
    anchor_set_key,
    anchor_sets_equal,
)
from jammi_dagster.contract.anchors import anchors_from_list, check_distinct, pinned_set_key
from jammi_dagster.errors import DuplicateInput, InvalidField, NotCanonical

# what could make two sets share an encoding: separators, digits that look like lengths, names of kinds
_TRICKY = st.sampled_from(
    ["\n", " ", "1 ", "2 a", "result_digest", "source_version\n1 a", ",", '"', "0", "é", "😀"]
)
_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4)
_ADVERSARIAL = st.lists(_TRICKY | _TEXT, max_size=4).map("".join)
_ANCHOR = st.builds(
    InputAnchor,
    source=_ADVERSARIAL.filter(bool),
    anchor=_ADVERSARIAL,
    kind=st.sampled_from(AnchorKind),
)
ANCHORS = st.lists(_ANCHOR, max_size=4, unique_by=lambda anchor: anchor.source)


@given(ANCHORS, ANCHORS)
def test_equal_sets_have_one_key_and_others_have_others(a: list[InputAnchor], b: list[InputAnchor]) -> None:
    """The key of a set decides exactly as the engine's comparison does."""
    assert (anchor_set_key(a) == anchor_set_key(b)) == anchor_sets_equal(a, b)


@given(ANCHORS, st.data())
def test_any_change_of_one_field_changes_the_key(anchors: list[InputAnchor], data: st.DataObject) -> None:
    """Source, anchor and kind of every input are part of the set."""
    if not anchors:
        return
    at = data.draw(st.integers(0, len(anchors) - 1))
    changed = list(anchors)
    changed[at] = data.draw(_ANCHOR)
    assert (anchor_set_key(changed) == anchor_set_key(anchors)) == (changed[at] == anchors[at])


@given(ANCHORS, st.randoms())
def test_order_is_incidental(anchors: list[InputAnchor], order: random.Random) -> None:
    """Two lists are compared as sets."""
    shuffled = list(anchors)
    order.shuffle(shuffled)
    assert anchor_sets_equal(anchors, shuffled)
    assert anchor_set_key(anchors) == anchor_set_key(shuffled)


@given(_ANCHOR)
def test_an_anchor_reads_back_equal(anchor: InputAnchor) -> None:
    """`from_dict(to_dict(x)) == x`."""
    assert InputAnchor.from_dict(anchor.to_dict()) == anchor


def test_an_anchor_is_the_engines_json() -> None:
    """Three fields, under the engine's names, with the engine's names of kinds."""
    instant = datetime(2026, 11, 22, 12, 0, tzinfo=timezone.utc)
    anchors = [
        InputAnchor.result_digest("flights", "ab" * 32),
        InputAnchor.mutable_version("rates", 7),
        InputAnchor.source_version("delta:sales", "42"),
        InputAnchor.unpinned_at_instant("docs", instant),
        InputAnchor.unpinned_at_instant("naive", instant.replace(tzinfo=None)),
        InputAnchor.unpinned_at_instant("text", "2026-11-22T12:00:00Z"),
    ]
    assert [anchor.to_dict() for anchor in anchors] == [
        {"source": "flights", "anchor": "ab" * 32, "kind": "result_digest"},
        {"source": "rates", "anchor": "7", "kind": "mutable_version"},
        {"source": "delta:sales", "anchor": "42", "kind": "source_version"},
        {"source": "docs", "anchor": "2026-11-22T12:00:00+00:00", "kind": "unpinned_at_instant"},
        {"source": "naive", "anchor": "2026-11-22T12:00:00+00:00", "kind": "unpinned_at_instant"},
        {"source": "text", "anchor": "2026-11-22T12:00:00Z", "kind": "unpinned_at_instant"},
    ]
    assert [anchor.is_unpinned for anchor in anchors] == [False, False, False, True, True, True]


def test_unknown_keys_survive_and_do_not_decide() -> None:
    """A key of a newer writer is kept, and is no part of the comparison."""
    plain = {"source": "s", "anchor": "1", "kind": "source_version"}
    newer = InputAnchor.from_dict({**plain, "observed": {"at": 1}})
    assert newer.to_dict() == {**plain, "observed": {"at": 1}}
    assert newer == InputAnchor.from_dict(plain)
    assert anchor_set_key([newer]) == anchor_set_key([InputAnchor.from_dict(plain)])


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"source": ""}, "input_anchor.source"),
        ({"source": "a\0b"}, "input_anchor.source"),
        ({"source": None}, "input_anchor.source"),
        ({"source": 5}, "input_anchor.source"),
        ({"anchor": 5}, "input_anchor.anchor"),
        ({"anchor": None}, "input_anchor.anchor"),
        ({"kind": "other"}, "input_anchor.kind"),
        ({"kind": 1}, "input_anchor.kind"),
    ],
)
def test_a_bad_field_is_named(change: dict[str, Any], path: str) -> None:
    """The error carries the path to the field that is wrong."""
    with pytest.raises(InvalidField) as raised:
        InputAnchor.from_dict({"source": "s", "anchor": "1", "kind": "source_version", **change})
    assert raised.value.path == path


@pytest.mark.parametrize("field", ["source", "anchor"])
def test_lone_surrogates_are_refused(field: str) -> None:
    """Text without UTF-8 cannot enter a hash, a sidecar or a catalog."""
    with pytest.raises(NotCanonical):
        InputAnchor.from_dict({"source": "s", "anchor": "1", "kind": "source_version", field: "\ud800"})


def test_the_key_of_a_set_never_fails() -> None:
    """A lookup with a hand-made anchor is a miss, not a crash."""
    odd = InputAnchor(source="\ud800", anchor="\udfff", kind=AnchorKind.SOURCE_VERSION)
    assert anchor_set_key([odd]) != anchor_set_key([])


@pytest.mark.parametrize("value", [None, {}, "x", 5, ["x"], [None], [{}]])
def test_a_list_of_anchors_is_a_list_of_anchors(value: Any) -> None:
    """Anything else is a typed error."""
    with pytest.raises(InvalidField):
        anchors_from_list(value)


def test_a_source_occurs_once() -> None:
    """Two anchors on one input are misuse, even where they are equal."""
    anchor = InputAnchor.source_version("s", "1")
    with pytest.raises(DuplicateInput) as raised:
        check_distinct([anchor, InputAnchor.source_version("s", "2")])
    assert raised.value.source == "s"
    with pytest.raises(DuplicateInput):
        anchors_from_list([anchor.to_dict(), anchor.to_dict()])


def test_what_is_no_anchor_is_refused() -> None:
    """A mapping or a tuple in the place of an anchor is named as such."""
    with pytest.raises(InvalidField, match="InputAnchor"):
        check_distinct([{"source": "s"}])  # type: ignore[list-item]


def test_a_set_with_an_instant_has_no_key_to_be_found_by() -> None:
    """No name of a source and no number of anchors hides an instant; an item that is no anchor is an error."""
    pinned = [InputAnchor.source_version(f"s{i}", "unpinned_at_instant") for i in range(1_200)]
    instant = InputAnchor.unpinned_at_instant("i", "2026-01-01")
    named = InputAnchor.source_version("unpinned_at_instant", "1")
    for anchors in ([], pinned[:1], pinned, [*pinned, named]):
        assert pinned_set_key(anchors) == anchor_set_key(anchors)
    for anchors in ([instant], [*pinned, instant], [instant, *pinned], [named, instant]):
        assert pinned_set_key(anchors) is None
    with pytest.raises(DuplicateInput):
        pinned_set_key([instant, named, instant])
    for none in ("s", StaleReason.input_vanished("s"), {"source": "s"}):
        with pytest.raises(InvalidField):
            pinned_set_key([named, none])  # type: ignore[list-item]  # it is refused
