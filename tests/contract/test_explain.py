"""The difference between two definitions, in words and as data."""

from typing import Any

import pytest

from jammi_dagster.contract import canonical_json, explain

CODE = {
    "kind": "source",
    "digest": "d1",
    "components": {"helper clean (pipelines/text.py)": "c1", "constant STOPWORDS (pipelines/text.py)": "s1"},
}
DESCRIPTOR = {
    "producer": "dagster_asset",
    "code": CODE,
    "config": {"alpha": 0.1, "deep": {"k": [1, 2]}, "secret": {"hmac_sha256": "h1"}},
    "resources": {"db": {"class": "m.Db", "fields": {"host": {"hmac_sha256": "h2"}}}},
    "input_names": "n1",
    "inputs": {"orders": {"kind": "pyarrow.Table"}},
    "partition_key": None,
}
ENV = {"python": "3.11", "device": "cpu", "libraries": {"polars": "2.0.1"}}


def changed(fields: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with one value set, or taken out where it is `...`."""
    head, _, rest = path.partition("|")
    made = dict(fields)
    if rest:
        made[head] = changed(made[head], rest, value)
    elif value is ...:
        del made[head]
    else:
        made[head] = value
    return made


@pytest.mark.parametrize(
    ("path", "value", "kind", "text"),
    [
        (
            "code|components|helper clean (pipelines/text.py)",
            "c2",
            "code",
            "helper clean (pipelines/text.py) changed",
        ),
        (
            "code|components|constant STOPWORDS (pipelines/text.py)",
            ...,
            "code",
            "constant STOPWORDS (pipelines/text.py) removed",
        ),
        ("code|components|class A (a.py)", "a", "code", "class A (a.py) added"),
        ("code|digest", "d2", "code", "code changed"),
        (
            "code",
            {"kind": "code_version", "digest": "v", "components": {"code_version": "2"}},
            "code",
            "code identity source -> code_version",
        ),
        ("config|alpha", 0.2, "config", "config.alpha 0.1 -> 0.2"),
        ("config|alpha", ..., "config", "config.alpha 0.1 removed"),
        ("config|beta", True, "config", "config.beta True added"),
        ("config|deep|k", [1, 3], "config", "config.deep.k changed"),
        ("config|secret", {"hmac_sha256": "h3"}, "config", "config.secret changed"),
        ("config", None, "config", "config.alpha 0.1 removed"),
        ("resources|db|fields|host", {"hmac_sha256": "h3"}, "resource", "resource.db.fields.host changed"),
        ("input_names", "n2", "inputs", "inputs changed"),
        (
            "inputs|orders|kind",
            "pandas.DataFrame",
            "input",
            "input.orders.kind pyarrow.Table -> pandas.DataFrame",
        ),
        ("partition_key", "a", "descriptor", "partition_key None -> a"),
    ],
)
def test_each_change_of_the_descriptor_is_told(path: str, value: Any, kind: str, text: str) -> None:
    """The first difference names the changed part, and shows short values."""
    found = explain(DESCRIPTOR, ENV, changed(DESCRIPTOR, path, value), ENV)
    assert (found[0].kind, found[0].text) == (kind, text)
    canonical_json([difference.to_dict() for difference in found])


@pytest.mark.parametrize(
    ("path", "value", "kind", "text"),
    [
        ("libraries|polars", "2.1.0", "library", "polars 2.0.1 -> 2.1.0"),
        ("libraries|numpy", "2.0", "library", "numpy 2.0 added"),
        ("libraries|polars", ..., "library", "polars 2.0.1 removed"),
        ("python", "3.12", "python", "python 3.11 -> 3.12"),
        ("device", "cuda", "device", "device cpu -> cuda"),
        ("models", "m", "env", "env.models m added"),
    ],
)
def test_each_change_of_the_environment_is_told(path: str, value: Any, kind: str, text: str) -> None:
    """Libraries are told with both versions."""
    (found,) = explain(DESCRIPTOR, ENV, DESCRIPTOR, changed(ENV, path, value))
    assert (found.kind, found.text) == (kind, text)


def test_a_code_version_is_shown() -> None:
    """An explicit code version is the user's word: both words are shown."""
    one, two = (
        {"producer": "p", "code": {"kind": "code_version", "digest": v, "components": {"code_version": v}}}
        for v in "12"
    )
    assert [str(found) for found in explain(one, {}, two, {})] == ["code_version 1 -> 2"]


def test_inputs_are_named_where_they_are_given() -> None:
    """A descriptor holds a digest of the names; with the names the difference is told, the first few of many."""
    after = changed(DESCRIPTOR, "input_names", "n2")
    day = [f"orders[2026-01-0{n}]" for n in range(1, 10)]
    found = explain(DESCRIPTOR, ENV, after, ENV, recorded_inputs=day[:3], current_inputs=day[1:])
    assert [difference.text for difference in found] == [
        f"inputs added: {', '.join(day[3:8])} and 1 more",
        f"inputs removed: {day[0]}",
    ]
    assert found[0].after == day[3:]


def test_nothing_is_told_of_nothing() -> None:
    """Equal definitions have no differences; 1 and true differ, and so do 1 and 1.0."""
    assert explain(DESCRIPTOR, ENV, DESCRIPTOR, ENV) == []
    for one, two in [(1, True), (1, 1.0)]:
        assert explain({"config": {"a": one}}, {}, {"config": {"a": two}}, {}) != []
        assert explain({"config": {"a": [{"b": one}]}}, {}, {"config": {"a": [{"b": two}]}}, {}) != []


def test_descriptors_of_any_shape_are_compared() -> None:
    """An engine's descriptor has other fields, a damaged one any: the differences are named all the same."""
    assert [
        str(found) for found in explain({"producer": "a", "k": 1}, {}, {"producer": "b", "k": 1}, {})
    ] == ["producer a -> b"]
    odd: object
    for odd in (None, 3, "x", [1], {}):
        found = explain({"code": odd, "config": odd}, {"libraries": odd}, DESCRIPTOR, ENV)
        assert found
