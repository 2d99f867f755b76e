"""Names of result tables: injective, invertible, and never to be taken for a source with a scheme."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jammi_dagster.contract import TableName
from jammi_dagster.contract.tables import check_table, is_table
from jammi_dagster.errors import InvalidTableName

_PIECES = st.sampled_from(
    ["/", "[", "]", "%", ":", "%2F", "..", "\n", "\0", "\x7f", "\x85", "'", '"', "😀", "é", "a"]
)
_COMPONENT = st.lists(
    _PIECES | st.text(st.characters(exclude_categories=["Cs"]), max_size=3), max_size=4
).map("".join)
_KEY = st.lists(_COMPONENT.filter(bool), min_size=1, max_size=3).map(tuple)
NAMES = st.builds(TableName.of, _KEY, st.none() | _COMPONENT)


@given(NAMES, NAMES)
def test_names_are_injective(a: TableName, b: TableName) -> None:
    """Two tables share a name only if they are one."""
    assert (str(a) == str(b)) == (a == b)


@given(NAMES)
def test_parse_is_the_inverse(name: TableName) -> None:
    """A name taken apart gives the key and the partition it was made of."""
    assert TableName.parse(str(name)) == name


@given(NAMES)
def test_a_table_is_never_taken_for_a_source(name: TableName) -> None:
    """The name of a table is bare, and a store can hold it."""
    assert is_table(str(name))
    assert check_table(str(name)) == str(name)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_parse_takes_only_what_str_gives(text: str) -> None:
    """Any string either is a name, and comes back as it was, or is refused."""
    try:
        parsed = TableName.parse(text)
    except InvalidTableName:
        return
    assert str(parsed) == text


@pytest.mark.parametrize(
    ("key", "partition", "name"),
    [
        (["flights", "daily_delays"], "2013-01-05", "flights/daily_delays[2013-01-05]"),
        (["a/b"], None, "a%2Fb"),
        (["a", "b"], None, "a/b"),
        (["a[b]"], None, "a%5Bb%5D"),
        (["a"], "b", "a[b]"),
        (["a"], "", "a[]"),
        (["a:b"], "c:d", "a%3Ab[c:d]"),
        (["100%"], None, "100%25"),
        (["a\nb"], "c\td", "a%0Ab[c%09d]"),
        (["größe"], "日", "größe[日]"),
        ([".."], "..", "..[..]"),
    ],
)
def test_names_as_people_see_them(key: list[str], partition: str | None, name: str) -> None:
    """Plain names stay readable; separators are escaped."""
    assert str(TableName.of(key, partition)) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", "/", "a/", "/a", "a//b", "a[b", "a]b", "a[b]c", "a[b][c]", "[p]", "a\nb", "a:b"),
        *("a%", "a%2", "a%2f", "%41", "%FF", "a[%FF]", "%C3", "%EF%BF%BD", "\ud800", "a[\ud800]"),
    ],
)
def test_strings_that_are_no_names(name: str) -> None:
    """Empty components, unbalanced brackets, escapes that `str()` never makes, and non-UTF-8 are refused."""
    with pytest.raises(InvalidTableName):
        TableName.parse(name)


@pytest.mark.parametrize("key", [[], [""], ["a", ""], ["\ud800"]])
def test_keys_that_make_no_name(key: list[str]) -> None:
    """An asset key has components, and they are text."""
    with pytest.raises(InvalidTableName):
        TableName.of(key)


def test_a_partition_that_is_not_utf8_makes_no_name() -> None:
    """A lone surrogate in a partition key is refused as well."""
    with pytest.raises(InvalidTableName):
        TableName.of(["a"], "\udcff")


@pytest.mark.parametrize(
    "source", ["file:raw/a.csv", "delta:x", "dagster:prod/a[b]", ":x", "a:b[c]", "s3://x"]
)
def test_sources_have_a_scheme(source: str) -> None:
    """A colon before any bracket makes a source; such a name is refused for a table, with the way out."""
    assert not is_table(source)
    with pytest.raises(InvalidTableName, match="%3A"):
        check_table(source)


@pytest.mark.parametrize(
    "name", ["a[b:c]", "x", "a/b", "..", "it's", "a b", "\n", "😀", "x" * 10_000, "CON", "[", "]"]
)
def test_a_store_takes_any_other_text(name: str) -> None:
    """A library user's names are taken as they are: quotes, dots, newlines, any length."""
    assert check_table(name) == name


@pytest.mark.parametrize("name", [None, "", 5, b"a", ["a"], "\ud800", "a\0b"])
def test_a_store_refuses_what_it_cannot_hold(name: Any) -> None:
    """A store refuses values that are no text, empty, not UTF-8, or hold a NUL, which no database and no file takes."""
    with pytest.raises(InvalidTableName):
        check_table(name)
