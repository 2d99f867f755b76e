"""Paths of artifacts: unique, safe on every file system, never outside the root."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jammi_dagster.artifacts import artifact_path, check_relative, sidecar_path
from jammi_dagster.errors import ArtifactOutsideRoot

HOSTILE = [
    "flights/daily",
    "../../etc/passwd",
    "..",
    ".hidden",
    "",
    "/absolute",
    "C:\\windows",
    "quotes'\"`",
    "new\nline",
    "nul\0",
    "emoji 🛫",
    "lone \ud800 surrogate",
    "x" * 10_000,
    "x" * 10_001,
    "a[2013-01-05]",
    "CON",
]


def test_a_path_tells_whose_table_it_is() -> None:
    """A global table lies under `tables/`, a tenant's under `tenants/<tenant>/tables/`."""
    path = artifact_path(None, "flights/daily", "0190")
    assert path.startswith("tables/flights-daily-")
    assert path.endswith("/0190.parquet")
    assert artifact_path("acme", "flights/daily", "0190").startswith("tenants/acme-")


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_gives_a_path_inside_the_root(name: str) -> None:
    """Any name of a table or tenant gives a relative, short path of safe characters."""
    path = artifact_path(name, name, "0190")
    check_relative(path)
    assert path.isascii()
    assert max(map(len, path.split("/"))) < 128
    assert not any(part.startswith(".") for part in path.split("/"))


@given(st.lists(st.text(max_size=200) | st.sampled_from(HOSTILE), unique=True, min_size=2, max_size=20))
def test_two_names_never_share_a_folder(names: list[str]) -> None:
    """Distinct names have distinct folders, on file systems that ignore case too."""
    assert len({artifact_path(None, name, "1").lower() for name in names}) == len(names)


def test_names_that_differ_by_case_only_are_apart() -> None:
    """`Flights` and `flights` do not collide where case is ignored."""
    assert artifact_path(None, "Flights", "1").lower() != artifact_path(None, "flights", "1").lower()


@pytest.mark.parametrize("identifier", ["", "a/b", "..", ".", ".hidden", "a\0", "a\n", "é", "a b"])
def test_an_id_that_is_not_a_plain_name_is_refused(identifier: str) -> None:
    """The id goes into the path as it is, so it has to be one safe component."""
    with pytest.raises(ArtifactOutsideRoot):
        artifact_path(None, "t", identifier)


def test_the_sidecar_lies_beside_its_artifact() -> None:
    """The sidecar has the engine's name: `.parquet` becomes `.materialization.json`."""
    assert sidecar_path("tables/t-1/0190.parquet") == "tables/t-1/0190.materialization.json"
    with pytest.raises(ArtifactOutsideRoot):
        sidecar_path("tables/t-1/0190")


LEADING_OUT = ["", "/", "/etc/passwd", "..", "../x", "a/../../x", "a/..", "a//b", "a/", "./a", "a/./b"]
LEADING_OUT += ["a\\..\\b", "a\0b", "file:///etc/passwd", "s3://bucket/x", "C:/x", "a/b:stream"]


@pytest.mark.parametrize("path", LEADING_OUT)
def test_a_path_that_could_leave_the_root_is_refused(path: str) -> None:
    """No path in a catalog row opens anything outside the root."""
    with pytest.raises(ArtifactOutsideRoot):
        check_relative(path)


@pytest.mark.parametrize("path", ["a", "a/b.parquet", "..a/b..", "tables/é/x y.parquet", "a/...", "a\nb/c"])
def test_an_odd_but_harmless_path_is_taken(path: str) -> None:
    """A path written by another program need not look like ours."""
    check_relative(path)
