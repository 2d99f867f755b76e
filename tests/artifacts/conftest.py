"""Roots of every kind that a test may want."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from s3_kit import bucket

from jammi_dagster.artifacts import ArtifactRoot


@pytest.fixture
def local_root(tmp_path: Path) -> ArtifactRoot:
    return ArtifactRoot(str(tmp_path / "root"))


@pytest.fixture
def memory_root() -> ArtifactRoot:
    return ArtifactRoot(f"memory://{uuid.uuid4().hex}")


@pytest.fixture(scope="session")
def s3_url() -> Iterator[tuple[str, dict[str, object]]]:
    """A bucket on a real S3 server (moto's), and the options with which s3fs reaches it."""
    with bucket() as made:
        yield made


@pytest.fixture(params=["local", "memory", "s3"])
def root(request: pytest.FixtureRequest) -> ArtifactRoot:
    """The same behaviour is asked of every kind of root."""
    if request.param != "s3":
        found: ArtifactRoot = request.getfixturevalue(f"{request.param}_root")
        return found
    url, options = request.getfixturevalue("s3_url")
    return ArtifactRoot(f"{url}/{uuid.uuid4().hex}", options)
